"""What runs of one sweep have in common, and what searches saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from crosscut.arms.experiment import Experiment
from crosscut.consistency import edges, mixtures, same_training, seen_in_search
from crosscut.plan import Plan, reconcile
from crosscut.records.record import Record, Step
from crosscut.records.work import Work
from crosscut.sweepfile.space import Parameter

Outcome = Callable[[Work], Record]


@pytest.fixture
def ended(
    make_experiment: Callable[..., Experiment], complete: Callable[..., None], outcome: Outcome
) -> Callable[..., Plan]:
    def plan(change: Callable[[Record], Record] = lambda record: record, **sections: Any) -> Plan:
        made = reconcile(make_experiment(**sections), lambda _: None)
        complete(made, lambda work: change(outcome(work)))
        return made

    return plan


def runs_of(plan: Plan) -> list[Record]:
    return [record for arm in plan.arms for record in arm.finals if record is not None]


def test_a_sound_sweep_has_one_kind_of_run(ended: Callable[..., Plan]) -> None:
    plan = ended()
    found = mixtures(plan, runs_of(plan))
    assert found["commit"] == {"abc": 6} and found["device"] == {"cpu": 6} and found["workers"] == {"1": 6}
    assert found["versions"] == {} and found["declaration"] == {} and found["data"] == {"data": 2}
    assert seen_in_search(plan) == [] and same_training(plan) == []


def test_versions_are_told_of_packages_that_differ_alone(ended: Callable[..., Plan]) -> None:
    def elsewhere(record: Record) -> Record:
        if record.work.seed != 1:
            return record
        versions = {**record.provenance["versions"], "numpy": "2.1.0"}
        return replace(record, provenance={**record.provenance, "versions": versions, "declaration": "d"})

    plan = ended(elsewhere)
    found = mixtures(plan, runs_of(plan))
    assert found["versions"] == {"numpy 2.0.0": 4, "numpy 2.1.0": 2}
    assert found["declaration"] == {"d": 2}


@pytest.mark.parametrize("where", ["metrics", "history"])
def test_test_metrics_of_a_search_trial_are_seen(ended: Callable[..., Plan], where: str) -> None:
    def seeing(record: Record) -> Record:
        if record.work.phase != "search" or record.work.index != 1:
            return record
        if where == "metrics":
            return replace(record, metrics={**record.metrics, "test/i2t_r1": 3.0, "seconds": 1.0})
        return replace(record, history=(*record.history, Step(9, {"dev/rsum": 0.0, "test/i2t_r1": 1.0})))

    assert seen_in_search(ended(seeing)) == ["test/i2t_r1"]


def test_an_arm_that_trains_as_the_baseline_does_is_found(ended: Callable[..., Plan]) -> None:
    def alike(record: Record) -> Record:
        if record.work.arm == "more":
            return record
        return replace(record, history=(Step(1, {"train/loss": 1.0 / (1 + record.work.seed)}),))

    plan = ended(alike, levels=("none", "some", "more"))
    assert same_training(plan) == ["some"]

    def but_one(record: Record) -> Record:
        record = alike(record)
        if (record.work.arm, record.work.phase, record.work.index) != ("some", "final", 2):
            return record
        return replace(record, history=(Step(1, {"train/loss": 7.0}),))

    assert same_training(ended(but_one, levels=("none", "some", "more"))) == []


def test_without_a_history_nothing_is_the_same(ended: Callable[..., Plan]) -> None:
    assert same_training(ended(lambda record: replace(record, history=()), trials=0)) == []


@pytest.mark.parametrize(
    ("space", "value", "told"),
    [
        ({"uniform": [0, 1]}, 0.01, ["x at its lowest, 0.01"]),
        ({"uniform": [0, 1]}, 0.03, []),
        ({"uniform": [0, 1]}, 0.99, ["x at its highest, 0.99"]),
        ({"log_uniform": [0.01, 10]}, 0.0101, ["x at its lowest, 0.0101"]),
        ({"log_uniform": [0.01, 10]}, 0.1, []),
        ({"int": [1, 4]}, 4, ["x at its highest, 4"]),
        ({"choice": [0.0, 1.0]}, 0.0, []),
    ],
)
def test_a_best_value_at_an_end_of_its_range_is_told(
    ended: Callable[..., Plan], space: dict[str, list[float]], value: float, told: list[str]
) -> None:
    plan = ended()
    arm = plan.arms[0]
    arm.arm = replace(arm.arm, space={"x": Parameter.parse(space)})
    arm.trials = [
        None if one is None else replace(one, work=replace(one.work, values={"x": value}))
        for one in arm.trials
    ]
    assert edges(arm) == told


def test_a_place_is_on_the_scale_that_values_are_drawn_on() -> None:
    assert Parameter.parse({"log_uniform": [0.01, 100]}).place(1.0) == pytest.approx(0.5)
    assert Parameter.parse({"uniform": [2, 4]}).place(2.5) == 0.25
    assert Parameter("int", 3, 3).place(3) == 0.5
