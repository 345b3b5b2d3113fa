"""How long `crosscut run quickstart` takes, and where the time goes.

    python benchmarks/quickstart.py [--storage FOLDER] [--set KEY=VALUE]...

The command runs in a process of its own, into a temporary storage unless one is named. All else is read from
the records. The alternative is the same work one run after the other on one core: the sum of the runs' own
seconds. Prints Markdown.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from command import crosscut, records, span, timed
from machine import cores, machine

WALL_TARGET, SHARE_TARGET = 300, 0.85
SWEEP = "quickstart"


def measure(storage: Path, patches: list[str]) -> str:
    """The Markdown table of one run of the sweep."""
    settings = [part for patch in patches for part in ("--set", patch)]
    wall = timed([*crosscut(), "run", SWEEP, "--storage", str(storage), *settings])
    found = records(storage / SWEEP)
    trials = [record for record in found if record.work.phase == "search"]
    pruned = sum(record.status == "pruned" for record in trials)
    taken = span(found)
    lines = [
        ("arms", f"{len({record.work.arm for record in found})}", ""),
        ("search trials", f"{len(trials)}, {pruned} of them pruned", ""),
        ("runs", f"{len(found) - len(trials)}", ""),
        ("wall time of the command, with start-up and report", f"{wall:.1f} s", f"at most {WALL_TARGET} s"),
        ("from the first start to the last end", f"{taken.wall:.1f} s", ""),
        ("training and evaluation, all runs added up", f"{taken.inside:.1f} s", ""),
        (
            f"their share of {cores()} cores x first start to last end",
            f"{taken.share(cores()):.1%}",
            f"at least {SHARE_TARGET:.0%}",
        ),
        (f"their share of {cores()} cores x wall time", f"{taken.inside / (cores() * wall):.1%}", ""),
    ]
    rows = [f"| {name} | {value} | {target} |" for name, value, target in lines]
    ratio = f"\nRatio of the wall time to one run after the other on one core: {wall / taken.inside:.2f}"
    return "\n".join(["| | measured | target |", "|---|---:|---:|", *rows, f"{ratio} (1/{cores()} at best)."])


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Wall time of the quickstart.")
    parser.add_argument("--storage", type=Path, help="a folder without a quickstart in it, to be kept")
    parser.add_argument("--set", dest="patches", metavar="KEY=VALUE", action="append", default=[])
    asked = parser.parse_args()
    if asked.storage is not None and (asked.storage / SWEEP).exists():
        parser.error(
            f"--storage: there is a {SWEEP} in {asked.storage}, and what is recorded is not done again"
        )

    about = machine("torch", "ray", "optuna")
    with tempfile.TemporaryDirectory(prefix="crosscut-quickstart-") as temporary:
        table = measure((asked.storage or Path(temporary)).absolute(), asked.patches)
    print(about + "\n")
    if asked.patches:
        print(f"The sweep is patched: {', '.join(asked.patches)}.\n")
    print(table)


if __name__ == "__main__":
    main()
