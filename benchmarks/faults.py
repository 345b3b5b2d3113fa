"""A sweep that is killed again and again, against the same sweep left alone.

    python benchmarks/faults.py [--kills 50] [--seed 0]

The sweep has two arms of one worker a run and one of two workers under Ray Train, each searched and then trained
with some seeds. At random moments a random process of it gets SIGKILL: the driver, the raylet of its machine,
the actor of a trial, or a worker of a group. Where that ends the driver, `crosscut run` is called again. After the
last kill it is left to end. Then it must hold that

- no record that was there at any kill was lost or made anew,
- no run was begun again after its record was written,
- every file of the report has the bytes of the undisturbed sweep's.

Exit code 1 where one of these does not hold. The ratio is the wall time of both. Prints Markdown.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from command import crosscut
from machine import machine

from crosscut.records.record import Record
from crosscut.records.store import Store

SWEEP = """
name: soak
trainable: soak:train
config: {effect: 0.0, x: 0.5, steps: 15, seconds: 0.2}
factors:
  effect:
    none: {effect: 0.0}
    some: {effect: 2.0}
    two-workers: {effect: 4.0, resources: {workers: 2}}
design: {kind: full-factorial, baseline: {effect: none}}
search: {metric: dev/rsum, trials: 3, pruning: {kind: none}, space: {x: {uniform: [0, 1]}}}
seeds: {count: 5}
resources: {retries: 1000}
report: {primary: test/rsum, margin: 1.0}
hypotheses: [{effect: some vs none}, {effect: two-workers vs none}]
"""

TITLES = {
    "raylet": "raylet/raylet",
    "trial actor": "ray::ImplicitFunc",
    "group worker": "ray::RayTrainWorker",
    "group host": "ray::GroupHost",
}
"""Kind of process → what its command line has."""


class Sweep:
    """The sweep in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.log = folder / "log.jsonl"
        shutil.copy(Path(__file__).with_name("soak.py"), folder)
        (folder / "soak.yaml").write_text(SWEEP)
        self.store = Store(folder / "results" / "soak")

    def start(self) -> subprocess.Popen[str]:
        """A call of `crosscut run`."""
        with (self.folder / "output.txt").open("a") as output:
            return subprocess.Popen(
                [*crosscut(), "run", "soak.yaml"],
                cwd=self.folder,
                stdout=output,
                stderr=output,
                text=True,
                env={**os.environ, "SOAK_LOG": str(self.log)},
            )

    def records(self) -> dict[str, Record]:
        """What is recorded now."""
        return {key: found for key in self.store.recorded() if (found := self.store.read(key)) is not None}

    def report(self) -> dict[str, bytes]:
        """The report's files by name. What tells whether it is up to date is about files, not about results."""
        found = {path.name: path.read_bytes() for path in self.store.report.iterdir()}
        return {name: content for name, content in found.items() if name != "stamp.json"}


def descendants(root: int) -> dict[int, str]:
    """Process → command line, of all that a process has started."""
    parents: dict[int, int] = {}
    lines: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                lines[int(entry.name)] = line.decode(errors="replace")
    found: dict[int, str] = {}
    grown = {root}
    while grown:
        grown = {pid for pid, parent in parents.items() if parent in grown and pid not in found}
        found |= {pid: lines.get(pid, "") for pid in grown}
    return found


def processes(driver: int) -> dict[str, list[int]]:
    """Kind of process → those that there are."""
    found = {"driver": [driver]}
    for pid, line in descendants(driver).items():
        for kind, title in TITLES.items():
            # The raylet's own command line names much; a worker's begins with its title.
            if title in line.split(" ")[0]:
                found.setdefault(kind, []).append(pid)
    return found


def victim(driver: subprocess.Popen[str], draw: random.Random) -> tuple[str, int] | None:
    """A process of a drawn kind at a drawn moment; None where there is none of it for a while."""
    kind = draw.choice(["driver", *TITLES])
    end = time.monotonic() + 15.0
    # Some seconds of what a driver does before there is anything else, and all of what it does then.
    moment = time.monotonic() + draw.uniform(0.5, 6.0)
    while time.monotonic() < end and driver.poll() is None:
        there = processes(driver.pid).get(kind)
        if there and time.monotonic() > moment:
            return kind, draw.choice(there)
        time.sleep(0.2)
    return None


def disturbed(sweep: Sweep, kills: int, draw: random.Random) -> tuple[Counter[str], list[str]]:
    """Run the sweep to its end through so many kills; which they were, and what was lost."""
    told: Counter[str] = Counter()
    wrong: list[str] = []
    known: dict[str, float] = {}
    process = sweep.start()
    while sum(told.values()) < kills:
        chosen = victim(process, draw)
        if process.poll() is not None:
            if process.returncode == 0:
                sys.exit(f"the sweep ended after {sum(told.values())} kills; it is too short for {kills}")
            process = sweep.start()
            continue
        if chosen is None:
            continue
        kind, pid = chosen
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            told[kind] += 1
        now = {key: record.ended for key, record in sweep.records().items() if record.status != "failed"}
        wrong += [f"{key} was lost or made anew" for key, ended in known.items() if now.get(key) != ended]
        known |= now
        if kind == "driver":
            process.wait(timeout=60)
            process = sweep.start()
    while process.wait(timeout=900) != 0:
        process = sweep.start()
    final = {key: record.ended for key, record in sweep.records().items()}
    wrong += [f"{key} was lost or made anew" for key, ended in known.items() if final.get(key) != ended]
    return told, wrong


def begun_again(sweep: Sweep) -> list[str]:
    """Runs that were begun after their record was written."""
    ended = {(r.work.phase, r.work.seed, r.work.config["effect"]): r.ended for r in sweep.records().values()}
    wrong = []
    for line in map(json.loads, sweep.log.read_text().splitlines()):
        name = (line["phase"], line["seed"], line["effect"])
        if line["what"] == "begins" and line["time"] > ended[name]:
            wrong.append(f"{name} was begun again after its record was written")
    return wrong


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    """Files of two reports that are not the same, with the first line that is not."""
    wrong = []
    for name in sorted(one.keys() | other):
        left, right = (report.get(name, b"").splitlines() for report in (one, other))
        if left != right:
            lines = next(
                pair for pair in itertools.zip_longest(left, right, fillvalue=b"") if len({*pair}) > 1
            )
            shown = " instead of ".join(repr(line.decode(errors="replace")[:300]) for line in lines[::-1])
            wrong.append(f"the report's {name} differs: {shown}")
    return wrong


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="A sweep that is killed again and again.")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0, help="seed of the moments and the victims")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crosscut-faults-") as temporary:
        calm, hunted = Sweep(Path(temporary) / "calm"), Sweep(Path(temporary) / "hunted")
        begun = time.perf_counter()
        if calm.start().wait(timeout=900) != 0:
            sys.exit((calm.folder / "output.txt").read_text()[-4000:])
        quiet = time.perf_counter() - begun
        begun = time.perf_counter()
        told, wrong = disturbed(hunted, asked.kills, random.Random(asked.seed))
        loud = time.perf_counter() - begun
        wrong += begun_again(hunted)
        wrong += differing(calm.report(), hunted.report())
        records = hunted.records().values()
        attempts = sum(len(record.attempts) for record in records)

    print(machine("ray") + "\n")
    print("| | undisturbed | killed |\n|---|---:|---:|")
    print(f"| records | {len(records)} | {len(records)} |")
    print(f"| kills | 0 | {sum(told.values())} |")
    for kind, count in sorted(told.items()):
        print(f"| of these, {kind} | | {count} |")
    print(f"| tries that came to nothing, as the records count them | 0 | {attempts} |")
    print(f"| wall time, s | {quiet:.0f} | {loud:.0f} |")
    print(f"\nRatio of the wall times: {loud / quiet:.1f}.")
    print(
        "\n".join(["", *wrong])
        if wrong
        else "No record lost, none made twice, the report's bytes are the same."
    )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
