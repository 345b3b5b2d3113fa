"""Which trial of several metrics the seeds take their values from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from crosscut import study
from crosscut.arms.experiment import Experiment
from crosscut.choosing import RULES, front
from crosscut.context import context_of
from crosscut.plan import Plan, reconcile
from crosscut.records.record import Record
from crosscut.records.work import StopRule, Work
from crosscut.study import Trial
from crosscut.sweepfile.search import Search
from crosscut.trial import Objective

OPTIONS: dict[str, dict[str, Any]] = {"within": {"tolerance": 5.0}, "weights": {"weights": {"up": 1.0}}}

every_rule = pytest.mark.parametrize("rule", RULES)


def search(choose: Mapping[str, Any] | None = None, **metrics: str) -> Search:
    said = {
        "metrics": metrics or {"up": "max", "down": "min"},
        "trials": 20,
        "space": {"x": {"uniform": [0, 1]}},
        "choose": choose or {},
    }
    return Search.model_validate(said)


def trials(*points: tuple[float, ...], state: str = "finished") -> list[Trial]:
    return [Trial({"x": 0.1 * n}, state, point[0], {}, point[1:]) for n, point in enumerate(points)]


#         0          1          2          3         4          5
POINTS = ((90.0, 9), (100.0, 10), (60.0, 2), (95.0, 4), (50.0, 1), (94.0, 4))


def test_the_front_is_what_nothing_is_better_than() -> None:
    found = front(trials(*POINTS), search().objectives)
    assert found is not None
    assert found.numbers == (1, 2, 3, 4)
    assert found.points == ((100.0, 10), (60.0, 2), (95.0, 4), (50.0, 1))


def test_of_one_metric_the_front_is_the_best_and_its_equals() -> None:
    found = front(trials((1.0,), (3.0,), (3.0,), (2.0,)), [Objective("m", True)])
    assert found is not None and found.numbers == (1, 2)
    least = front(trials((1.0,), (3.0,)), [Objective("m", False)])
    assert least is not None and least.numbers == (0,)


def test_trials_that_did_not_finish_take_no_part() -> None:
    history = [
        *trials((1.0, 5.0)),
        Trial({}, "pruned", 99.0, {}),
        Trial({}, "failed", None, {}),
        Trial({}, "running", None, {}),
    ]
    assert study.chosen(search(), history) == 0
    assert study.chosen(search(), history[1:]) is None
    assert front(history[1:], search().objectives) is None


@pytest.mark.parametrize(
    ("choose", "number"),
    [
        ({}, 1),
        ({"rule": "best"}, 1),
        ({"rule": "within", "tolerance": 0}, 1),
        ({"rule": "within", "tolerance": 4.9}, 1),
        ({"rule": "within", "tolerance": 5}, 3),
        ({"rule": "within", "tolerance": 40}, 2),
        ({"rule": "within", "tolerance": 1000}, 4),
        # scaled (up, down): 1 (1, 0), 2 (0.2, 8/9), 3 (0.9, 2/3), 4 (0, 1)
        ({"rule": "knee"}, 3),
        ({"rule": "weights", "weights": {"up": 1, "down": 0.01}}, 1),
        ({"rule": "weights", "weights": {"up": 1, "down": 1}}, 3),
        ({"rule": "weights", "weights": {"up": 0.01, "down": 1}}, 4),
        ({"rule": "weights", "weights": {"down": 3}}, 4),
    ],
)
def test_every_rule_picks_what_it_says(choose: dict[str, Any], number: int) -> None:
    assert study.chosen(search(choose), trials(*POINTS)) == number


@every_rule
def test_ties_go_to_the_earlier_trial(rule: str) -> None:
    settings = search({"rule": rule, **OPTIONS.get(rule, {})})
    once = trials(*POINTS)
    number = study.chosen(settings, once)
    assert number is not None
    assert study.chosen(settings, [*once, *once]) == number


@every_rule
def test_what_is_chosen_is_never_worse_than_another_in_every_respect(rule: str) -> None:
    """Trial 0 has the best of the first metric too, at a higher price."""
    settings = search({"rule": rule, **OPTIONS.get(rule, {})})
    history = trials((100.0, 11.0), *POINTS)
    found = front(history, settings.objectives)
    assert found is not None and 0 not in found.numbers
    assert study.chosen(settings, history) in found.numbers


@every_rule
def test_a_front_of_one_needs_no_rule(rule: str) -> None:
    settings = search({"rule": rule, **OPTIONS.get(rule, {})})
    assert study.chosen(settings, trials((1.0, 9.0), (2.0, 8.0))) == 1
    assert study.chosen(settings, trials((3.0, 3.0))) == 0


@every_rule
def test_units_of_a_metric_do_not_count_where_metrics_are_scaled(rule: str) -> None:
    settings = search({"rule": rule, **OPTIONS.get(rule, {})})
    if rule == "within":
        settings = search({"rule": rule, "tolerance": 5000.0})
    thousands = trials(*((1000 * up, down / 1000) for up, down in POINTS))
    plain = search({"rule": rule, **OPTIONS.get(rule, {})})
    assert study.chosen(settings, thousands) == study.chosen(plain, trials(*POINTS))


@every_rule
def test_a_rule_is_told_in_words(rule: str) -> None:
    settings = search({"rule": rule, **OPTIONS.get(rule, {})})
    words = settings.choose.words(settings.objectives)
    assert words == words.strip() and not words.endswith(".")
    if rule in ("best", "within", "weights"):
        assert "up" in words


def test_three_metrics_are_chosen_between() -> None:
    settings = search({"rule": "knee"}, a="max", b="max", c="min")
    history = trials((10.0, 0.0, 9.0), (0.0, 10.0, 9.0), (8.0, 8.0, 2.0), (0.0, 0.0, 0.0))
    assert study.chosen(settings, history) == 2


def test_the_choice_is_no_part_of_what_trials_are() -> None:
    assert search().identity() == search({"rule": "knee"}).identity()
    assert search().identity() != search(down="min", up="max").identity()


@pytest.fixture
def priced(
    make_experiment: Callable[..., Experiment],
    complete: Callable[..., None],
    outcome: Callable[[Work], Record],
) -> Callable[..., Plan]:
    """Carries out a sweep whose trials take the longer the larger `x` is."""

    def carry_out(choose: Mapping[str, Any], most: int | None = None, **search: Any) -> Plan:
        several = {"metrics": {"dev/rsum": "max", "seconds": "min"}, "choose": choose, **search}
        plan = reconcile(make_experiment(trials=8, search=several), lambda _: None)
        complete(plan, lambda work: replace(outcome(work), seconds=10 * work.config["x"]), most=most)
        return plan

    return carry_out


@pytest.mark.parametrize("choose", [{"rule": "best"}, {"rule": "knee"}, {"rule": "within", "tolerance": 1.0}])
def test_seeds_have_the_values_of_the_chosen_trial(
    priced: Callable[..., Plan], choose: dict[str, Any]
) -> None:
    plan = priced(choose)
    assert plan.done
    for arm, tuning in zip(plan.arms, context_of(plan).tuning, strict=True):
        (chosen,) = [one for one in tuning.outcomes if one["chosen"]]
        assert chosen["front"] and chosen["values"] == arm.values == tuning.values
        assert {r.work.config["x"] for r in arm.finals if r is not None} == {chosen["values"]["x"]}
        assert [one["trial"] for one in tuning.outcomes] == list(range(8))
        # the time is that of the record, and the dev score the best that was reported
        assert all(one["scores"]["seconds"] == 10 * one["values"]["x"] for one in tuning.outcomes)
        assert tuning.best == max(one["scores"]["dev/rsum"] for one in tuning.outcomes)
        assert tuning.directions == {"dev/rsum": "max", "seconds": "min"}
    if choose["rule"] == "within":
        # no trial is more than 1 below the best
        assert all(
            arm.values == min((dict(one["values"]) for one in tuning.outcomes), key=lambda found: found["x"])
            for arm, tuning in zip(plan.arms, context_of(plan).tuning, strict=True)
        )


def test_while_a_search_goes_on_nothing_is_chosen(priced: Callable[..., Plan]) -> None:
    tuning = context_of(priced({"rule": "knee"}, most=6)).tuning[0]
    assert len(tuning.outcomes) == 3 and tuning.front
    assert not any(one["chosen"] for one in tuning.outcomes)


def test_pruning_goes_by_the_first_metric(priced: Callable[..., Plan]) -> None:
    plan = priced({"rule": "best"}, pruning={"kind": "threshold", "value": 3.0})
    rules = [record.work.stop_rule for record in plan.arms[0].trials if record is not None]
    assert rules == [StopRule("dev/rsum", True, least=3.0, warmup=1)] * 8


def test_a_search_of_one_metric_has_no_front_to_tell_of(
    make_experiment: Callable[..., Experiment], complete: Callable[..., None]
) -> None:
    plan = reconcile(make_experiment(), lambda _: None)
    complete(plan)
    assert all((one.outcomes, one.directions, one.rule) == ((), {}, "") for one in context_of(plan).tuning)


def test_an_arm_whose_trials_lack_a_metric_is_blocked_in_these_words(
    make_experiment: Callable[..., Experiment], complete: Callable[..., None]
) -> None:
    several = {"metrics": {"dev/rsum": "max", "dev/f1": "max"}}
    plan = reconcile(make_experiment(search=several), lambda _: None)
    complete(plan)
    assert plan.done
    assert plan.arms[0].blocked == "none of its 2 search trials reported 'dev/rsum' and 'dev/f1'"
