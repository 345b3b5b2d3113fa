"""The search of an arm: a function of the trials before, and of nothing else."""

from __future__ import annotations

import random
from typing import Any

import pytest

from crosscut import study
from crosscut.records.record import Record, Step
from crosscut.records.work import Work
from crosscut.study import Objective, Trial
from crosscut.sweepfile.search import Search
from crosscut.sweepfile.space import Parameter

SPACE = {
    "lr": Parameter.parse({"log_uniform": [1e-4, 1e-1]}),
    "depth": Parameter.parse({"int": [1, 8]}),
    "kind": Parameter.parse({"choice": ["a", "b", "c"]}),
    "x": Parameter.parse({"uniform": [0, 1]}),
}
DEFAULTS = {"lr": 0.01, "depth": 2, "kind": "a", "x": 0.5}


def search(**changes: Any) -> Search:
    written = {"metric": "dev/rsum", "trials": 20, "space": {"x": {"uniform": [0, 1]}}, **changes}
    return Search.model_validate(written)


def run_search(settings: Search, space: dict[str, Parameter], trials: int) -> list[Trial]:
    history: list[Trial] = []
    for _ in range(trials):
        values = study.suggest(settings, space, {k: DEFAULTS[k] for k in space}, history)
        score = -((values["x"] - 0.8) ** 2)
        history.append(Trial(values, "finished", score, {1: score}))
    return history


def test_trial_zero_tries_the_values_that_the_arm_has() -> None:
    assert study.suggest(search(), SPACE, DEFAULTS, []) == DEFAULTS


def test_trial_zero_is_drawn_where_the_arms_values_lie_outside_the_space() -> None:
    values = study.suggest(search(), SPACE, {**DEFAULTS, "x": 2.0}, [])
    assert all(SPACE[path].contains(value) for path, value in values.items())


def test_values_lie_in_the_space_and_have_its_types() -> None:
    for trial in run_search(search(), SPACE, 8):
        assert set(trial.values) == set(SPACE)
        assert all(SPACE[path].contains(value) for path, value in trial.values.items())


def test_the_same_history_gives_the_same_values_whatever_global_generators_say() -> None:
    first = run_search(search(), SPACE, 8)
    random.seed(99)
    assert [t.values for t in run_search(search(), SPACE, 8)] == [t.values for t in first]


def test_another_seed_gives_other_values() -> None:
    assert run_search(search(seed=1), SPACE, 3)[1:] != run_search(search(seed=2), SPACE, 3)[1:]


def test_arms_with_the_same_space_start_from_the_same_points() -> None:
    settings = search()
    one = [
        study.suggest(settings, SPACE, DEFAULTS, [Trial(DEFAULTS, "finished", s, {})]) for s in (1.0, 50.0)
    ]
    assert one[0] == one[1]


def test_tpe_learns_from_what_it_saw() -> None:
    space = {"x": SPACE["x"]}
    history = run_search(search(startup=5), space, 30)
    late = [abs(trial.values["x"] - 0.8) for trial in history[-10:]]
    assert sum(late) / len(late) < 0.2


def test_failed_pruned_and_running_trials_are_no_obstacle() -> None:
    history = [
        Trial(DEFAULTS, "finished", 1.0, {1: 1.0}),
        Trial({**DEFAULTS, "x": 0.1}, "failed", None, {}),
        Trial({**DEFAULTS, "x": 0.2}, "pruned", 0.5, {1: 0.5}),
        Trial({**DEFAULTS, "x": 0.3}, "running", None, {}),
    ]
    values = study.suggest(search(startup=1, parallel=2), SPACE, DEFAULTS, history)
    assert all(SPACE[path].contains(value) for path, value in values.items())


def test_the_best_trial_is_the_earliest_of_equals_and_never_a_pruned_one() -> None:
    history = [
        Trial({"n": 0}, "finished", 1.0, {}),
        Trial({"n": 1}, "finished", 2.0, {}),
        Trial({"n": 2}, "finished", 2.0, {}),
        Trial({"n": 3}, "pruned", 9.0, {}),
    ]
    assert study.chosen(search(), history) == 1
    assert study.chosen(search(mode="min"), history) == 0
    assert study.chosen(search(), history[3:]) is None


@pytest.mark.parametrize(
    ("maximize", "expected"), [(True, {1: 5.0, 2: 5.0, 3: 7.0}), (False, {1: 5.0, 2: 3.0, 3: 3.0})]
)
def test_a_study_sees_the_best_score_up_to_each_step(
    work: Work, maximize: bool, expected: dict[int, float]
) -> None:
    history = tuple(Step(i, {"m": v, "other": 0.0}) for i, v in ((1, 5.0), (2, 3.0), (3, 7.0)))
    trial = study.trial_of(Record(work, "finished", history=history), [Objective("m", maximize)])
    assert trial.steps == expected
    assert trial.score == (7.0 if maximize else 3.0)


def test_a_trial_that_never_reported_counts_as_failed(work: Work) -> None:
    assert study.trial_of(Record(work, "finished"), [Objective("m", True)]).state == "failed"


SEVERAL = (Objective("m", True), Objective("f1", True), Objective("seconds", False))


def test_further_metrics_are_those_of_the_evaluation_and_time_is_the_records(work: Work) -> None:
    history = (Step(1, {"m": 5.0, "f1": 0.9}), Step(2, {"m": 4.0, "f1": 0.1}))
    evaluated = Record(work, "finished", {"m": 5.0, "f1": 0.5}, history, seconds=12.0)
    assert study.trial_of(evaluated, SEVERAL).point == (5.0, 0.5, 12.0)


@pytest.mark.parametrize(("maximize", "expected"), [(True, (5.0, 0.9)), (False, (3.0, 0.1))])
def test_without_them_those_of_the_best_step_count(
    work: Work, maximize: bool, expected: tuple[float, ...]
) -> None:
    history = tuple(
        Step(i, {"m": m, "f1": f}) for i, (m, f) in enumerate([(5.0, 0.9), (3.0, 0.1), (4.0, 1.0)])
    )
    record = Record(work, "finished", {}, history)
    assert study.trial_of(record, (Objective("m", maximize), SEVERAL[1])).point == expected


def test_a_trial_that_lacks_a_further_metric_counts_as_failed(work: Work) -> None:
    record = Record(work, "finished", {"m": 5.0}, seconds=1.0)
    assert study.trial_of(record, SEVERAL).state == "failed"
    assert study.trial_of(record, SEVERAL[::2]).point == (5.0, 1.0)


def test_of_a_pruned_trial_no_further_metric_is_known(work: Work) -> None:
    record = Record(work, "pruned", {}, (Step(1, {"m": 5.0, "f1": 0.9}),), seconds=0.1)
    trial = study.trial_of(record, SEVERAL)
    assert (trial.state, trial.score, trial.further) == ("pruned", 5.0, ())
