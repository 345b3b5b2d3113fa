"""How fast `plan`, `status` and a `run` with nothing to do answer where many runs are recorded.

    python benchmarks/many_runs.py [--arms 100] [--seeds 100] [--rounds 3]

A sweep of the retrieval trainable, all of whose runs are recorded, made up but whole: the ranks of 100 images with
five captions, a history of six steps, notes on what runs them. Each command is timed in a process of its own, as a
user calls it, with the index that the driver keeps and without it, when every record has to be read: that is the
alternative. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
from command import crosscut, timed
from machine import machine

from crosscut.arms.experiment import prepare
from crosscut.plan import reconcile
from crosscut.records.catalogue import FILE, Catalogue
from crosscut.records.record import Record, Step
from crosscut.records.snapshot import keep
from crosscut.records.store import Store
from crosscut.records.work import Work
from crosscut.sweepfile.sweep import read
from crosscut_trainables.evaluation import QueryRanks
from crosscut_trainables.metrics import retrieval_metrics

TARGET = 3.0


def sweep_file(folder: Path, arms: int, seeds: int) -> Path:
    """A sweep of so many arms, which differ in their learning rate."""
    levels = {
        f"rate-{index:03d}": {"training": {"learning_rate": 1e-4 * (1 + index)}} for index in range(arms)
    }
    plain = {
        "name": "many",
        "config": {"data": {"name": "digit-scenes"}, "backbone": {"name": "scan", "direction": "t2i"}},
        "factors": {"rate": levels},
        "design": {"kind": "one-factor-at-a-time", "baseline": {"rate": "rate-000"}},
        "seeds": {"count": seeds},
        "report": {"primary": "test/rsum"},
        "hypotheses": [{"rate": "rate-001 vs rate-000"}],
    }
    path = folder / "many.yaml"
    path.write_text(json.dumps(plain))
    return path


def outcome(work: Work) -> Record:
    """A made-up result of a run."""
    draw = np.random.default_rng(work.seed)
    images, captions = np.arange(100, dtype=np.int32), np.repeat(np.arange(100, dtype=np.int32), 5)
    i2t = QueryRanks(draw.integers(1, 40, 100).astype(np.int32), images)
    t2i = QueryRanks(draw.integers(1, 40, 500).astype(np.int32), captions)
    metrics = retrieval_metrics("test", i2t, t2i)
    dev = {name.replace("test/", "dev/"): value for name, value in metrics.items()}
    history = tuple(Step(step, {**dev, "loss/total": 1.0 / step, "lr": 0.01}) for step in range(1, 7))
    whence = {"versions": {"python": "3.11", "torch": "2.13"}, "commit": "abc", "workers": 1, "device": "cpu"}
    return Record(
        work,
        "finished",
        {**dev, **metrics},
        history,
        {"test/i2t": i2t, "test/t2i": t2i},
        seconds=60.0,
        provenance=whence,
    )


def fill(storage: Path, file: Path) -> Store:
    """Record every run of the sweep, as its driver would have left it."""
    experiment = prepare(read(str(file)))
    store = Store.create(str(storage), experiment.sweep.name)
    plan = reconcile(experiment, lambda key: None)
    catalogue = Catalogue(store)
    while (work := plan.next()) is not None:
        record = store.write(outcome(work))
        plan.ended(record)
        catalogue.add(record)
    keep(store, experiment)
    catalogue.save()
    return store


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Seconds of commands where many runs are recorded.")
    parser.add_argument("--arms", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3, help="calls of each command; the median counts")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crosscut-many-") as temporary:
        folder = Path(temporary)
        file, storage = sweep_file(folder, asked.arms, asked.seeds), folder / "results"
        store = fill(storage, file)
        where = ["--storage", str(storage)]
        # The first one writes the report, which is another benchmark's matter.
        timed([*crosscut(), "run", str(file), *where], folder)
        commands = {
            "plan": ["plan", str(file), *where],
            "status": ["status", str(store.folder)],
            "run, nothing to do": ["run", str(file), *where],
        }
        index = (store.folder / FILE).read_bytes()
        print(machine("ray") + "\n")
        print(f"| {asked.arms * asked.seeds:,} recorded runs | with the index, s | without, s | ratio |")
        print("|---|---:|---:|---:|")
        worst = 0.0
        for name, arguments in commands.items():
            (store.folder / FILE).write_bytes(index)
            known = median(timed([*crosscut(), *arguments], folder) for _ in range(asked.rounds))
            (store.folder / FILE).unlink()
            unknown = timed([*crosscut(), *arguments], folder)
            worst = max(worst, known)
            print(f"| `crosscut {name}` | {known:.2f} | {unknown:.2f} | {unknown / known:.1f} |")
        print(f"\nIndex: {len(index) / 2**20:.1f} MiB. Slowest with it: {worst:.2f} s, target {TARGET:g} s.")


if __name__ == "__main__":
    main()
