"""How soon TensorBoard answers with the arms of a large sweep: the overview alone against all runs.

    python benchmarks/overview.py [--runs 1000] [--arms 20] [--steps 30] [--metrics 16] [--repeats 3]

Writes what a sweep writes: a file of curves for every run, and the overview, which is brought up to date when a
run ends, as the driver does it. Values are synthetic. Then TensorBoard is started as a process of its own, on the
overview alone and on all, in turn, and asked for the means of every arm until it has them; the time counts from
before its start. It is done with both readers that TensorBoard has: its data server, where it is installed, and
the one in Python, to which it falls back. Medians of the repeats, files in the page cache. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from threading import Thread
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import numpy as np
from machine import machine

from crosscut.arms.arm import Arm
from crosscut.arms.experiment import Experiment
from crosscut.engine.board import Board, arm_folder
from crosscut.engine.overview import Overview
from crosscut.plan import Plan, reconcile
from crosscut.records.record import Record, Step
from crosscut.records.work import Work
from crosscut.sweepfile.sweep import Sweep

READERS = {
    "data server": ["--load_fast", "true"],
    "reader in Python": ["--load_fast", "false", "--reload_multifile", "true"],
}
TAG = "result by seeds/test/rsum"


def sweep(arms: int, seeds: int) -> Plan:
    """The plan of a sweep without a search."""
    levels = {f"level-{number:03d}": {"effect": float(number)} for number in range(arms)}
    asked = Sweep.from_json(
        {
            "name": "overview",
            "trainable": "overview:train",
            "config": {},
            "factors": {"effect": levels},
            "design": {"kind": "full-factorial", "baseline": {"effect": "level-000"}},
            "seeds": {"count": seeds},
        }
    )
    made = tuple(
        Arm(level, {"effect": level}, dict(config), {}, "data", None, resources=asked.resources)
        for level, config in levels.items()
    )
    return reconcile(Experiment(asked, made, made[0]), lambda key: None)


def trained(work: Work, steps: int, metrics: int) -> Record:
    """The record of a run, with so many metrics at so many steps."""
    random = np.random.default_rng([work.seed, int(work.config["effect"])])
    values = random.normal(size=(steps, metrics)).tolist()
    names = [f"dev/metric_{number:02d}" for number in range(metrics)]
    history = [Step(place, dict(zip(names, line, strict=True))) for place, line in enumerate(values, 1)]
    return Record(work, "finished", {"test/rsum": float(random.normal())}, history)


def write(root: Path, plan: Plan, steps: int, metrics: int) -> list[float]:
    """Write the files of all runs and the overview; the seconds that each update of the overview took."""
    overview = Overview(root, plan.experiment)
    took = []
    for seed in plan.seeds:
        for line in plan.arms:
            work = line.next_final()
            assert work is not None and work.seed == seed
            line.running[work.key] = work
            record = trained(work, steps, metrics)
            board = Board(root, work)
            for step in record.history:
                board.scalars(step.step, step.metrics)
            board.complete("finished", steps, record.metrics)
            plan.ended(record)
            begun = time.perf_counter()
            overview.update(plan)
            took.append(time.perf_counter() - begun)
    return took


def ask(address: str, path: str, **query: str) -> bytes:
    """What TensorBoard answers, nothing where it does not have it yet."""
    try:
        with urlopen(f"{address}/data/{path}?{urlencode(query)}") as answer:
            content: bytes = answer.read()
    except HTTPError:
        return b"[]"
    return content


def answered(folder: Path, runs: list[str], points: int, flags: list[str]) -> tuple[float, int]:
    """Seconds from before TensorBoard's start until it has the means of all runs named, and bytes of its list of
    tags, which an open page asks for again and again."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder), "--port", "0", *flags]
    begun = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        said: list[str] = []
        address = ""
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"http://localhost:\d+", line):
                address = found[0]
                break
        if not address:
            sys.exit(f"{' '.join(command)}: it does not start\n{''.join(said)}")
        # What it says further is read, or it would wait for somebody to do so.
        Thread(target=process.stderr.read, daemon=True).start()
        for run in runs:
            while len(json.loads(ask(address, "plugin/scalars/scalars", run=run, tag=TAG))) < points:
                time.sleep(0.05)
        seconds = time.perf_counter() - begun
        return seconds, len(ask(address, "plugin/scalars/tags"))
    finally:
        process.terminate()
        process.wait()


def measure(root: Path, plan: Plan, seeds: int, repeats: int) -> None:
    """Prints the table of both readers."""
    arms = [arm_folder(arm.arm.name) for arm in plan.arms]
    places: dict[str, tuple[Path, list[str]]] = {
        "overview": (root / "0-arms", arms),
        "all": (root, [f"0-arms/{arm}" for arm in arms]),
    }
    sizes: dict[str, int] = {}
    for name, flags in READERS.items():
        if name == "data server" and find_spec("tensorboard_data_server") is None:
            print(f"| {name} | not installed | | |")
            continue
        took: dict[str, list[float]] = {place: [] for place in places}
        for _ in range(repeats):
            for place, (folder, runs) in places.items():
                seconds, sizes[place] = answered(folder, runs, seeds, flags)
                took[place].append(seconds)
        alone, every = median(took["overview"]), median(took["all"])
        print(f"| {name} | {alone:.1f} | {every:.1f} | {every / alone:.1f} |")
    alone_size, size = sizes["overview"] / 2**20, sizes["all"] / 2**20
    print(
        f"| MiB of tags that an open page is sent at every reload | {alone_size:.2f} | {size:.2f} |", end=" "
    )
    print(f"{size / alone_size:.1f} |")


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description="TensorBoard's start: the overview alone against all runs.")
    for option, default, what in (
        ("--runs", 1000, "runs"),
        ("--arms", 20, "arms, by which the number of runs can be divided"),
        ("--steps", 30, "steps of a run"),
        ("--metrics", 16, "metrics at each step"),
        ("--repeats", 3, "starts of TensorBoard on each"),
    ):
        parser.add_argument(option, type=int, default=default, help=f"{what} (default: {default})")
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary folder)")
    asked = parser.parse_args()
    for name, value in vars(asked).items():
        if name != "folder" and value < 1:
            parser.error(f"--{name}: found {value}, expected a positive number")
    if asked.runs % asked.arms:
        parser.error(f"--runs: found {asked.runs}, expected a multiple of the {asked.arms} arms")

    print(machine("tensorboard") + "\n")
    with tempfile.TemporaryDirectory(prefix="crosscut-overview-", dir=asked.folder) as temporary:
        root, seeds = Path(temporary), asked.runs // asked.arms
        plan = sweep(asked.arms, seeds)
        updates = write(root, plan, asked.steps, asked.metrics)
        files = [path for path in root.rglob("*tfevents*") if path.is_file()]
        over = [path for path in files if path.is_relative_to(root / "0-arms")]
        head = f"{asked.runs:,} runs of {asked.arms} arms, {asked.metrics} metrics at {asked.steps} steps"
        print(f"| {head}: seconds to the means of all arms | overview alone | all | ratio |")
        print("|---|---:|---:|---:|")
        measure(root, plan, seeds, asked.repeats)
        size = sum(path.stat().st_size for path in over) / 2**20
        tenth = max(1, len(updates) // 10)
        first, last = (1e3 * median(part) for part in (updates[:tenth], updates[-tenth:]))
        print(
            f"\nBringing the overview up to date when a run ends, median: {first:.1f} ms among the first tenth of "
            f"the runs, {last:.1f} ms among the last."
        )
        print(f"Files: {len(over)} of the overview, {size:.1f} MiB; {len(files) - len(over)} of the runs.")


if __name__ == "__main__":
    main()
