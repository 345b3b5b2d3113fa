"""Seeds of an arm in one process: which go together, and that each has the record that it has alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from crosscut.arms.experiment import Experiment, prepare
from crosscut.engine.site import Site
from crosscut.engine.worker import train_together
from crosscut.plan import Plan, reconcile
from crosscut.records.record import Record
from crosscut.records.store import Store
from crosscut.records.work import Work
from crosscut.sweepfile.resources import Resources
from crosscut.sweepfile.sweep import Sweep
from crosscut_trainables.evaluation import Evaluation
from crosscut_trainables.session import Session
from crosscut_trainables.trainable import describe

Make = Callable[..., Experiment]


class Description:
    """A joint trainable whose runs end as `ends` says, by seed."""

    config: type[BaseModel] = BaseModel

    def __init__(self, ends: Mapping[int, object], breaks: bool = False) -> None:
        self.ends, self.breaks = ends, breaks
        self.asked: list[list[int]] = []

    def fingerprint(self, config: BaseModel) -> str:
        return ""

    def seconds(self, config: BaseModel) -> float | None:
        return None

    def together(self, config: BaseModel) -> int:
        return 4

    def train_together(self, config: Mapping[str, Any], sessions: Sequence[Session]) -> list[Any]:
        self.asked.append([session.seed for session in sessions])
        if self.breaks:
            sessions[0].report(1, {"dev/m": 3.0})
            raise RuntimeError("out of order")
        for session in sessions:
            session.report(1, {"dev/m": float(session.seed)})
        time.sleep(0.2)
        return [self.end(session.seed) for session in sessions]

    def end(self, seed: int) -> object:
        return self.ends.get(seed, Evaluation({"m": float(seed)}))


@pytest.fixture
def run(work: Work, store: Store, monkeypatch: pytest.MonkeyPatch) -> Callable[[Description], list[Work]]:
    """Train three seeds as the worker does."""

    def call(description: Description) -> list[Work]:
        @describe(description)
        def train(config: Mapping[str, Any], session: Session) -> Evaluation:
            found = description.end(session.seed)
            if isinstance(found, Exception):
                raise found
            assert isinstance(found, Evaluation)
            session.report(1, {"dev/m": float(session.seed)})
            return found

        module = types.ModuleType("made_up")
        module.train = train  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "made_up", module)
        works = [replace(work, key=f"{n:020d}", index=n, seed=n, trainable="made_up:train") for n in range(3)]
        train_together(works, Resources(), Site(str(store.folder), str(store.folder), None))
        return works

    return call


def test_each_seed_has_a_record_and_a_share_of_the_time(
    run: Callable[[Description], list[Work]], store: Store
) -> None:
    description = Description({})
    records = [store.read(work.key) for work in run(description)]
    assert description.asked == [[0, 1, 2]]
    for number, record in enumerate(records):
        assert record is not None and record.status == "finished" and record.metrics == {"m": float(number)}
        assert record.history[0].metrics == {"dev/m": float(number)}
        assert record.provenance["together"] == 3
        assert 0.2 / 3 <= record.seconds < 0.2


def test_what_one_comes_to_is_its_own(run: Callable[[Description], list[Work]], store: Store) -> None:
    ends = {0: ValueError("does not like it"), 1: MemoryError(), 2: {"m": 1.0}}
    works = run(Description(ends))
    first, second, third = (store.read(work.key) for work in works)
    assert first is not None and first.failure is not None
    assert (first.failure.kind, first.failure.reason) == ("raised", "ValueError: does not like it")
    # Too little memory is no fault of the run: it is left for the driver, who tries it again.
    assert (
        second is None
        and "too little memory" in store.place.read(f"checkpoints/{works[1].key}/left.json").decode()
    )
    assert third is not None and third.failure is not None
    assert third.failure.reason == "TypeError: made_up:train returned dict, expected an Evaluation"


def test_what_breaks_for_all_is_trained_one_by_one(
    run: Callable[[Description], list[Work]], store: Store
) -> None:
    records = [store.read(work.key) for work in run(Description({1: ValueError("no")}, breaks=True))]
    assert [record.status for record in records if record is not None] == ["finished", "failed", "finished"]
    for record in records:
        assert record is not None and "together" not in record.provenance
        # What was reported before it broke is of no run.
        assert [step.metrics["dev/m"] for step in record.history] == (
            [] if record.status == "failed" else [float(record.work.seed)]
        )


def test_what_is_recorded_is_not_trained_again(
    run: Callable[[Description], list[Work]], store: Store, record: Record
) -> None:
    store.write(replace(record, work=replace(record.work, key=f"{1:020d}", index=1, seed=1)))
    description = Description({})
    run(description)
    assert description.asked == [[0, 2]]


@pytest.fixture
def planned(make_experiment: Make) -> Callable[..., Plan]:
    """A plan of arms with ten seeds each, of which so many go together."""

    def make(together: int, levels: tuple[str, ...] = ("none", "some")) -> Plan:
        made = make_experiment(levels=levels, trials=0, seeds=10)
        arms = tuple(replace(arm, together=together) for arm in made.arms)
        return reconcile(replace(made, arms=arms), lambda _: None)

    return make


def sizes(plan: Plan, slots: int) -> list[int]:
    """How many seeds go together, one time after the other, until all are given out."""
    found = []
    while (work := plan.next()) is not None:
        company = plan.company(work, slots)
        assert {one.arm for one in company} <= {work.arm}
        found.append(1 + len(company))
    return found


def test_seeds_of_one_arm_go_together_and_fewer_in_the_end(planned: Callable[..., Plan]) -> None:
    assert sizes(planned(4), 2) == [4, 4, 2, 4, 3, 1, 1, 1]
    assert sizes(planned(20), 2) == [10, 5, 2, 1, 1, 1]
    assert sizes(planned(20), 1) == [10, 10]
    assert sizes(planned(4), 100) == sizes(planned(1), 2) == [1] * 20


def test_trials_go_alone(make_experiment: Make) -> None:
    made = make_experiment(trials=2, seeds=10)
    plan = reconcile(replace(made, arms=tuple(replace(arm, together=4) for arm in made.arms)), lambda _: None)
    work = plan.next()
    assert work is not None and work.phase == "search" and plan.company(work, 1) == []


@pytest.mark.parametrize(
    ("config", "together"),
    [
        ({"training": {"batch_size": 64}}, 8),
        ({"training": {"batch_size": 16}, "backbone": {"name": "vse++"}}, 8),
        ({"encoder": {"width": 1024}}, 1),
        ({"training": {"batch_size": 256}}, 1),
        ({"training": {"precision": "bf16"}}, 1),
        ({"backbone": {"name": "sgr"}}, 1),
        ({"encoder": {"text": {"name": "transformer"}}}, 1),
    ],
)
def test_small_models_with_recurrent_networks_are_worth_it(config: dict[str, Any], together: int) -> None:
    said = {
        "name": "small",
        "trainable": "crosscut_trainables.retrieval:train",
        "config": {"data": {"name": "digit-scenes", "train_scenes": 60}, **config},
        "factors": {"ema": {"off": {}, "on": {"training": {"ema": 0.9}}}},
        "design": {"kind": "full-factorial", "baseline": {"ema": "off"}},
        "seeds": {"count": 2},
        "report": {"primary": "test/rsum"},
    }
    assert {arm.together for arm in prepare(Sweep.from_json(said)).arms} == {together}


@pytest.mark.parametrize(
    ("needs", "sharable"),
    [
        ({"cpus_per_worker": 2}, True),
        ({"workers": 2}, False),
        ({"gpus_per_worker": 0.5}, False),
        ({"time_limit": 60}, False),
        ({"stall_limit": 60}, False),
    ],
)
def test_limits_are_for_a_run_that_has_a_process_of_its_own(needs: dict[str, Any], sharable: bool) -> None:
    assert Resources.model_validate(needs).sharable is sharable


SWEEP = """
name: seeds
config:
  data: {name: digit-scenes, train_scenes: 60, dev_scenes: 20, test_scenes: 20}
  encoder: {width: 16, word_width: 16, min_count: 1}
  training: {epochs: 12, batch_size: 24, learning_rate: 0.01}
factors: {backbone: {scan: {}, vse++: {backbone: {name: vse++}}}}
design: {kind: full-factorial, baseline: {backbone: scan}}
seeds: {count: 6}
report: {primary: test/rsum}
"""


def outcomes(folder: Path) -> dict[str, tuple[object, ...]]:
    store = Store(folder)
    found = {key: store.read(key) for key in store.recorded()}
    return {
        key: (record.status, dict(record.metrics), {n: q.ranks.tolist() for n, q in record.ranks.items()})
        for key, record in found.items()
        if record is not None
    }


@pytest.mark.slow
def test_a_sweep_has_the_same_records_together_one_by_one_and_after_a_kill(tmp_path: Path) -> None:
    (tmp_path / "seeds.yaml").write_text(SWEEP)

    def start(storage: str, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "crosscut", "run", "seeds.yaml", "--storage", storage, "--no-report"]
        return subprocess.Popen([*command, *options], cwd=tmp_path, stdout=subprocess.DEVNULL, text=True)

    assert start("alone", "--no-together").wait(300) == 0
    assert start("together").wait(300) == 0
    expected = outcomes(tmp_path / "alone" / "seeds")
    assert len(expected) == 12 and outcomes(tmp_path / "together" / "seeds") == expected
    kept = Store(tmp_path / "together" / "seeds")
    shared = [record for key in expected if (record := kept.read(key)) and "together" in record.provenance]
    assert len(shared) >= 4

    killed = start("killed")
    checkpoints = tmp_path / "killed" / "seeds" / "checkpoints"
    while len(list(checkpoints.glob("*/checkpoint.pt"))) < 2:
        assert killed.poll() is None, "it ended before anything could be killed"
        time.sleep(0.02)
    for pid in trainers(killed.pid):
        os.kill(pid, signal.SIGKILL)
    assert killed.wait(300) == 0
    assert outcomes(tmp_path / "killed" / "seeds") == expected
    kept = Store(tmp_path / "killed" / "seeds")
    records = [kept.read(key) for key in expected]
    assert any(record is not None and record.attempts for record in records)


def trainers(driver: int) -> list[int]:
    """The processes below a driver in which runs are trained."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            trains = b"ray::ImplicitFunc" in (folder / "cmdline").read_bytes()
            above = pid = int(folder.name)
            while trains and above not in (0, driver):
                above = int((Path("/proc") / str(above) / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if trains and above == driver:
            found.append(pid)
    return found
