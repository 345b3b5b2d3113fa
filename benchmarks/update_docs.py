"""Puts the output of a benchmark into its page under docs, in place of the one that is there.

    python benchmarks/update_docs.py startup [arguments of startup.py]
    python benchmarks/startup.py | python benchmarks/update_docs.py startup --stdin

The output of `startup` stands between the lines `<!-- output: startup -->` and `<!-- end -->`.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent / "docs"
PAGES = {"calibration": "statistics.md"}
"""Benchmarks whose output is on another page than benchmarks.md."""
_BLOCK = re.compile(
    r"(?P<head><!-- output: (?P<name>[a-z_]+) -->\n)(?P<body>.*?)(?P<end><!-- end -->)", re.DOTALL
)


def replaced(text: str, name: str, output: str) -> str:
    """`text` with the block of `name` holding `output`.

    Raises:
        ValueError: there is not one such block, or the output is empty or would end the block itself.
    """
    blocks = {match["name"]: match for match in _BLOCK.finditer(text)}
    if name not in blocks:
        raise ValueError(f"there is no block '{name}', expected one of {', '.join(blocks) or 'none'}")
    if text.count(blocks[name]["head"]) > 1:
        raise ValueError(f"there is more than one block '{name}'")
    if not output.strip():
        raise ValueError(f"the output of {name} is empty")
    if "<!--" in output:
        raise ValueError(f"the output of {name} holds a comment, which the block could not be told from")
    match = blocks[name]
    return f"{text[: match.start('body')]}\n{output.strip()}\n\n{text[match.start('end') :]}"


def main() -> None:
    """Runs the benchmark, or reads what it printed, and rewrites the page."""
    parser = argparse.ArgumentParser(
        description="Put a benchmark's output into its page under docs.", allow_abbrev=False
    )
    parser.add_argument("name", help="the script's name without .py")
    parser.add_argument("--stdin", action="store_true", help="the output comes on standard input")
    asked, arguments = parser.parse_known_args()
    script = HERE / f"{asked.name}.py"
    page = DOCS / PAGES.get(asked.name, "benchmarks.md")
    text = page.read_text(encoding="utf-8")
    try:
        replaced(text, asked.name, "a benchmark takes minutes; a wrong name is told before it runs")
        if asked.stdin and arguments:
            raise ValueError(f"found {' '.join(arguments)!r}, expected nothing more beside --stdin")
        if asked.stdin:
            output = sys.stdin.read()
        else:
            done = subprocess.run(
                [sys.executable, str(script), *arguments], stdout=subprocess.PIPE, text=True, check=True
            )
            output = f"`{' '.join(['python', f'benchmarks/{script.name}', *arguments])}`\n\n{done.stdout}"
        # Another benchmark may have been put in while this one ran.
        text = replaced(page.read_text(encoding="utf-8"), asked.name, output)
    except ValueError as error:
        parser.error(str(error))
    except subprocess.CalledProcessError as error:
        sys.exit(f"{script.name}: exit code {error.returncode}; {page.name} stays as it was")
    page.write_text(text, encoding="utf-8")
    print(output.strip())


if __name__ == "__main__":
    main()
