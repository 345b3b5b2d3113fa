"""Sweeps on real Ray: what is asked for gets done once, whatever is killed in between."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from crosscut.records.record import Record
from crosscut.records.store import Store

pytestmark = pytest.mark.slow

SWEEP = """
name: toy
question: Does the effect have an effect?
trainable: toy:train
config: {{effect: 0.0, x: 0.5, seconds: {seconds}, misbehave: nothing, checkpoint: false, log: {log}}}
factors:
  effect:
    none: {{effect: 0.0}}
    some: {{effect: 3.0}}
design: {{kind: full-factorial, baseline: {{effect: none}}}}
search: {{metric: dev/rsum, trials: 3, space: {{x: {{uniform: [0, 1]}}}}}}
seeds: {{count: 3}}
report: {{primary: test/rsum, margin: 1.0}}
hypotheses: [{{effect: some vs none}}]
"""


class Toy:
    """A folder with the toy trainable, a sweep of it, and the command line."""

    def __init__(self, folder: Path, seconds: float = 0.1) -> None:
        self.folder = folder
        self.log = folder / "log.txt"
        shutil.copy(Path(__file__).with_name("toy.py"), folder / "toy.py")
        (folder / "toy.yaml").write_text(SWEEP.format(seconds=seconds, log=self.log))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "crosscut", *arguments],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "COLUMNS": "200"},
        )

    def call(self, *arguments: str) -> tuple[int, str]:
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=300)
        return process.returncode, output

    def run(self, *settings: str, storage: str = "results") -> tuple[int, str]:
        patches = [part for setting in settings for part in ("--set", setting)]
        return self.call("run", "toy.yaml", "--storage", storage, *patches)

    def records(self, storage: str = "results") -> dict[str, Record]:
        store = Store(self.folder / storage / "toy")
        found = {key: store.read(key) for key in store.recorded()}
        return {key: record for key, record in found.items() if record is not None}

    def begun(self) -> list[str]:
        return sorted(self.log.read_text().splitlines())


def outcomes(records: dict[str, Record]) -> dict[str, object]:
    """What must be the same however a sweep was carried out."""
    return {
        key: (
            record.status,
            dict(record.metrics),
            {name: ranks.ranks.tolist() for name, ranks in record.ranks.items()},
            record.history,
        )
        for key, record in records.items()
    }


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return Toy(tmp_path)


def test_a_sweep_is_done_once_and_the_same_command_does_nothing_more(toy: Toy) -> None:
    code, output = toy.run()
    assert code == 0, output
    records = toy.records()
    assert len(records) == 2 * 3 + 2 * 3
    assert {r.status for r in records.values()} <= {"finished", "pruned"}
    assert len(toy.begun()) == 12
    report = json.loads((toy.folder / "results/toy/report/report.json").read_text())
    declared = [c for c in report["contrasts"] if c["declared"]]
    assert [c["name"] for c in declared] == ["effect: some vs none"]
    assert declared[0]["scope"] == "seeds-and-queries" and declared[0]["estimate"] > 0
    runs = [r for r in records.values() if r.work.phase == "final"]
    # what the report says is what the ranks say
    by_arm = {a["arm"]: a["mean"] for a in report["arms"] if a["metric"] == "test/rsum"}
    for arm, mean in by_arm.items():
        assert mean == pytest.approx(np.mean([r.metrics["test/rsum"] for r in runs if r.work.arm == arm]))
    code, output = toy.run()
    assert code == 0 and len(toy.begun()) == 12, output
    code, output = toy.run(storage="elsewhere")
    assert code == 0, output
    assert outcomes(toy.records("elsewhere")) == outcomes(records)
    assert "crosscut-tune" not in str(list((toy.folder / "results/toy/logs").iterdir()))


def test_seeds_are_added_until_the_hypothesis_is_settled(toy: Toy) -> None:
    settings = ("seeds={min: 2, max: 12, until: decided}", "report.margin=0")
    code, output = toy.run(*settings)
    assert code == 0, output
    report = json.loads((toy.folder / "results/toy/report/report.json").read_text())
    (course,) = report["sequential"]
    runs = [r.work.seed for r in toy.records().values() if r.work.phase == "final"]
    assert 2 < course["seeds"] < 12 and course["reason"] == "better"
    assert sorted(runs) == sorted([*range(course["seeds"])] * 2)
    begun = len(toy.begun())
    code, output = toy.run(*settings)
    assert code == 0 and len(toy.begun()) == begun, output


def test_a_driver_killed_again_and_again_finishes_with_the_same_ranks(tmp_path: Path) -> None:
    (tmp_path / "calm").mkdir()
    calm = Toy(tmp_path / "calm", seconds=0.6)
    assert calm.run()[0] == 0
    (tmp_path / "killed").mkdir()
    toy = Toy(tmp_path / "killed", seconds=0.6)
    (toy.folder / "toy.yaml").write_text((calm.folder / "toy.yaml").read_text())
    for outcomes_before_kill in (0, 2, 5, 9):
        process = toy.start("run", "toy.yaml")
        store = Store(toy.folder / "results" / "toy")
        until = time.monotonic() + 120
        while len(store.recorded()) <= outcomes_before_kill and process.poll() is None:
            assert time.monotonic() < until
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    finished = {key: record.started for key, record in toy.records().items()}
    code, output = toy.run()
    assert code == 0, output
    records = toy.records()
    assert outcomes(records) == outcomes(calm.records())
    assert {key: records[key].started for key in finished} == finished
    assert not list((toy.folder / "results/toy/runs").glob(".*"))


def test_the_second_driver_says_who_holds_the_sweep_and_stops(toy: Toy) -> None:
    first = toy.start("run", "toy.yaml", "--set", "config.seconds=1")
    lock = toy.folder / "results/toy/driver.lock"
    until = time.monotonic() + 60
    while not (lock.exists() and lock.read_text()):
        assert time.monotonic() < until
        time.sleep(0.05)
    code, output = toy.run("config.seconds=1")
    assert code == 2 and f"process {first.pid} on" in output and "Traceback" not in output
    first.communicate(timeout=300)
    assert first.returncode == 0


def test_runs_that_raise_or_yield_nan_are_recorded_and_stop_nothing(toy: Toy) -> None:
    text = (toy.folder / "toy.yaml").read_text()
    text = text.replace(
        "some: {effect: 3.0}", "some: {effect: 3.0, misbehave: raise}\n    nan: {misbehave: nan}"
    )
    (toy.folder / "toy.yaml").write_text(text)
    code, output = toy.run()
    assert code == 1, output
    failed = [r for r in toy.records().values() if r.failure is not None]
    reasons = {(r.work.arm, r.failure.kind, r.failure.reason) for r in failed if r.failure is not None}
    assert reasons == {("some", "raised", f"ValueError: seed {s} does not like it") for s in range(3)} | {
        ("nan", "diverged", "dev/rsum is nan at step 3")
    }
    done = [r for r in toy.records().values() if r.work.arm == "none" and r.work.phase == "final"]
    assert len(done) == 3 and all(r.status == "finished" for r in done)
    assert "does not like it" in toy.call("status", "results/toy")[1]
    page = (toy.folder / "results/toy/report/report.html").read_text()
    assert "does not like it" in page and "dev/rsum is nan" in page
    # asked again, what failed for its own reasons is left alone, until it is asked for
    begun = len(toy.begun())
    assert toy.run()[0] == 1 and len(toy.begun()) == begun
    assert toy.call("run", "toy.yaml", "--retry-failed")[0] == 1 and len(toy.begun()) == begun + 6


def test_a_killed_trial_actor_resumes_from_its_checkpoint(toy: Toy) -> None:
    assert toy.run(storage="calm")[0] == 0
    calm = toy.records("calm")
    code, output = toy.run("config.misbehave=die")
    assert code == 0, output
    dead = [r for r in toy.records().values() if r.work.phase == "final"]
    assert len(dead) == 6
    reference = {(r.work.arm, r.work.seed): r for r in calm.values() if r.work.phase == "final"}
    for record in dead:
        expected = reference[record.work.arm, record.work.seed]
        assert record.metrics == expected.metrics
        assert record.history == expected.history
    assert (toy.folder / "died-0").exists()
    # of each arm the best run's checkpoint stays, by its score on dev
    kept = {path.name for path in (toy.folder / "results/toy/checkpoints").iterdir()}
    best = {
        max((r for r in dead if r.work.arm == arm), key=lambda r: r.metrics["dev/rsum"]).key
        for arm in ("none", "some")
    }
    assert kept == best
    died = [r for r in dead if r.attempts]
    assert {(a.kind, a.reason) for r in died for a in r.attempts} == {("lost", "its process died")}


def test_a_killed_worker_of_several_resumes_from_its_checkpoint(toy: Toy) -> None:
    small = ("seeds.count=1", "search.trials=1", "config.misbehave=die")
    code, output = toy.run(*small, "resources.workers=2")
    assert code == 0, output
    both = toy.records()
    assert {r.provenance["workers"] for r in both.values()} == {2}
    assert (toy.folder / "died-0").exists()
    (toy.folder / "died-0").unlink()
    assert toy.run(*small, storage="alone")[0] == 0
    assert outcomes(toy.records("alone")) == outcomes(both)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_says_so_and_the_same_command_does_the_rest(toy: Toy, how: signal.Signals) -> None:
    process = toy.start("run", "toy.yaml", "--set", "config.seconds=1")
    until = time.monotonic() + 120
    while not toy.records() and process.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(how)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "crosscut: interrupted; the same command goes on from here" in output
    assert "Traceback" not in output and "report:" not in output
    code, output = toy.run("config.seconds=1")
    assert code == 0 and len(toy.records()) == 12, output


def test_a_failure_that_one_worker_alone_sees_ends_the_run_of_all(toy: Toy) -> None:
    code, output = toy.run(
        *("seeds.count=1", "search.trials=1", "resources.workers=2", "resources.retries=1"),
        "config.misbehave=raise on one worker",
    )
    assert code == 1, output
    failed = [r.failure for r in toy.records().values() if r.failure is not None]
    assert {(f.kind, f.reason) for f in failed} == {("raised", "ValueError: one worker does not like it")}
    assert len(failed) == 2


def test_a_run_that_fits_nowhere_is_refused_before_it_starts(toy: Toy) -> None:
    code, output = toy.run("resources.workers=4096")
    assert code == 2 and "one run needs 4096 x 1 CPUs, but this machine has" in output
    assert toy.records() == {}
