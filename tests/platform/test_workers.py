"""Under Ray Train, two workers give the ranks of one to the bit, and a worker group takes run after run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from crosscut.records.record import Record
from crosscut.records.store import Store

pytestmark = pytest.mark.slow

SWEEP = """
name: workers
config:
  data: {name: digit-scenes, train_scenes: 300, dev_scenes: 40, test_scenes: 80}
  encoder: {width: 32, word_width: 32}
  training: {epochs: 4, batch_size: 50, learning_rate: 0.01, shards: 2}
factors:
  arm:
    vse++: {backbone: {name: vse++}}
    scan: {backbone: {name: scan, direction: i2t}, constraints: {ccr: {}, ccs: {}}}
design: {kind: full-factorial, baseline: {arm: vse++}}
seeds: {count: 1}
"""

SEVERAL = """
name: workers
trainable: process:train
config: {fails: false}
factors: {arm: {one: {fails: true}, two: {}}}
design: {kind: full-factorial, baseline: {arm: one}}
seeds: {count: 3}
resources: {workers: 2}
report: {primary: test/rsum}
"""
PROCESS = """
import os

from crosscut_trainables import Evaluation


def train(config, session):
    if config["fails"] and session.seed == 2:
        raise ValueError("no")
    return Evaluation({"test/rsum": 1.0, "test/process": float(os.getpid())})
"""


def run(folder: Path, workers: int) -> dict[str, Record]:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "crosscut", "run", "workers.yaml", "--no-report"),
            *("--storage", f"with-{workers}", "--set", f"resources.workers={workers}"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    store = Store(folder / f"with-{workers}" / "workers")
    records = {key: store.read(key) for key in store.recorded()}
    return {key: record for key, record in records.items() if record is not None}


def test_two_workers_give_the_ranks_of_one(tmp_path: Path) -> None:
    (tmp_path / "workers.yaml").write_text(SWEEP)
    one, two = run(tmp_path, 1), run(tmp_path, 2)
    assert set(one) == set(two) and len(one) == 2
    for key, record in one.items():
        other = two[key]
        assert (record.provenance["workers"], other.provenance["workers"]) == (1, 2)
        for name, ranks in record.ranks.items():
            np.testing.assert_array_equal(ranks.ranks, other.ranks[name].ranks)
        assert record.metrics == other.metrics
        timed = "pairs_per_second"
        for step, same in zip(record.history, other.history, strict=True):
            assert {**step.metrics, timed: 0} == {**same.metrics, timed: 0}
        assert 60 < record.metrics["test/rsum"] < 590
        assert record.spent["waiting"] == 0 < other.spent["waiting"]


def test_one_group_trains_run_after_run_until_one_fails_in_it(tmp_path: Path) -> None:
    (tmp_path / "process.py").write_text(PROCESS)
    (tmp_path / "workers.yaml").write_text(SEVERAL)
    done = subprocess.run(
        [sys.executable, "-m", "crosscut", "run", "workers.yaml", "--no-report"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    store = Store(tmp_path / "results" / "workers")
    records = [record for key in store.recorded() if (record := store.read(key)) is not None]
    in_order = sorted(records, key=lambda record: record.started)
    assert [record.status for record in in_order] == ["finished"] * 2 + ["failed"] + ["finished"] * 3
    first, second = ({r.metrics["test/process"] for r in some} for some in (in_order[:2], in_order[3:]))
    assert len(first) == len(second) == 1 and first != second
