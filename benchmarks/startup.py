"""How long `crosscut --help` takes, against `import typer` in the same interpreter.

    python benchmarks/startup.py [--repeats 15]

Both are processes of their own, called in turn, after one call each that is not counted (it may compile
modules). Prints a Markdown table, and which heavy packages the help imports.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from statistics import median

from command import crosscut, timed
from machine import machine

HEAVY = ("torch", "ray", "matplotlib", "numpy", "pydantic", "optuna", "scipy", "sklearn", "pyarrow", "pandas")
TARGET = 2.5
SHOW_HELP = """
import json, sys
from crosscut.cli import main
sys.argv = ["crosscut", "--help"]
try:
    main()
except SystemExit:
    pass
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""


def imported_by_help() -> list[str]:
    """Top-level packages that are loaded when `crosscut --help` has been shown."""
    done = subprocess.run([sys.executable, "-c", SHOW_HELP], capture_output=True, text=True, check=True)
    names: list[str] = json.loads(done.stderr.splitlines()[-1])
    return names


def measure(repeats: int) -> dict[str, list[float]]:
    """Seconds of every counted call, by command."""
    commands = {"crosscut --help": [*crosscut(), "--help"]}
    commands['python -c "import typer"'] = [sys.executable, "-c", "import typer"]
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for repeat in range(repeats + 1):
        for name, command in commands.items():
            took = timed(command)
            if repeat > 0:
                seconds[name].append(took)
    return seconds


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Start-up of the command line.")
    parser.add_argument("--repeats", type=int, default=15, help="counted calls of each (default: 15)")
    asked = parser.parse_args()
    if asked.repeats < 1:
        parser.error(f"--repeats: found {asked.repeats}, expected a positive number")

    print(machine("typer") + "\n")
    seconds = measure(asked.repeats)
    print(f"| {asked.repeats} calls each, in turn | median, ms | fastest, ms | slowest, ms |")
    print("|---|---:|---:|---:|")
    for name, took in seconds.items():
        print(f"| `{name}` | {1e3 * median(took):.0f} | {1e3 * min(took):.0f} | {1e3 * max(took):.0f} |")
    own, other = (median(took) for took in seconds.values())
    print(f"\nRatio of the medians: {own / other:.2f} (target: at most {TARGET}).")
    loaded = set(imported_by_help())
    found = [name for name in HEAVY if name in loaded]
    print(f"Heavy packages that the help imports: {', '.join(found) or 'none'} (of {', '.join(HEAVY)}).")


if __name__ == "__main__":
    main()
