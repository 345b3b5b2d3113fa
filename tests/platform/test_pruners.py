"""When a search trial is given up: worked out from the trials before it, and carried along with it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from crosscut.pruners import PRUNERS, Pruner
from crosscut.records.work import StopRule, Work
from crosscut.sweepfile.search import Search
from crosscut.trial import Objective, Trial

UP, DOWN = Objective("m", True), Objective("m", False)
NEEDED: dict[str, dict[str, Any]] = {"threshold": {"value": 15.0}}

every_pruner = pytest.mark.parametrize("kind", PRUNERS)


def pruner(kind: str, **options: Any) -> Pruner:
    pruning = {"kind": kind, **NEEDED.get(kind, {}), **options}
    said = {"metric": "m", "trials": 9, "pruning": pruning, "space": {"x": {"uniform": [0, 1]}}}
    return Search.model_validate(said).pruning


def finished(*scores: float) -> list[Trial]:
    """A trial a score, which it comes up to in three steps."""
    return [Trial({}, "finished", score, {1: score - 5, 2: score - 1, 3: score}) for score in scores]


def turned(history: list[Trial]) -> list[Trial]:
    return [
        replace(
            one, score=None if one.score is None else -one.score, steps={s: -v for s, v in one.steps.items()}
        )
        for one in history
    ]


@every_pruner
def test_a_score_that_falls_is_treated_as_one_that_rises(kind: str) -> None:
    history = [*finished(10, 20, 30, 40, 50), Trial({}, "pruned", 6.0, {1: 6.0})]
    mirrored = pruner(kind, **({"value": -15.0} if kind == "threshold" else {})).rule(turned(history), DOWN)
    rule = pruner(kind).rule(history, UP)
    if rule is None:
        assert kind == "none" and mirrored is None
        return
    assert mirrored is not None and rule.maximize and not mirrored.maximize
    assert mirrored.thresholds == {step: -value for step, value in rule.thresholds.items()}
    for step in range(1, 6):
        for best in (1.0, 9.0, 14.9, 19.0, 25.0, 60.0):
            assert rule.stops(step, best) == mirrored.stops(step, -best)


@every_pruner
def test_trials_that_failed_or_still_run_have_no_part(kind: str) -> None:
    history = finished(10, 20, 30)
    others = [Trial({}, "failed", None, {1: 99.0}), Trial({}, "running", None, {})]
    assert pruner(kind).rule([others[0], *history, *others], UP) == pruner(kind).rule(history, UP)


@every_pruner
def test_the_first_trial_is_not_compared_with_anything(kind: str) -> None:
    rule = pruner(kind).rule([], UP)
    assert rule is None or (kind == "threshold" and not rule.thresholds)


@every_pruner
def test_a_rule_travels_as_json(kind: str, work: Work) -> None:
    ruled = replace(work, stop_rule=pruner(kind).rule(finished(10, 20, 30), UP))
    assert Work.from_json(json.loads(json.dumps(ruled.to_json()))) == ruled


def test_a_rule_of_an_old_record_is_read(work: Work) -> None:
    plain = work.to_json() | {
        "stop_rule": {"metric": "m", "maximize": False, "thresholds": [[2, 1.5], [10, 1.0]]}
    }
    assert Work.from_json(plain).stop_rule == StopRule("m", False, {2: 1.5, 10: 1.0})


def test_a_trial_stops_below_the_median_of_the_finished_ones() -> None:
    history = [*finished(10, 20, 30), Trial({}, "pruned", 1.0, {1: 1.0, 2: 1.0})]
    rule = pruner("median", warmup=1, startup=3).rule(history, UP)
    assert rule is not None and rule.thresholds == {2: 19.0, 3: 20.0}


def test_nothing_stops_before_enough_trials_have_finished() -> None:
    history = finished(1)
    assert pruner("median", startup=2).rule(history, UP) is None
    assert pruner("median", startup=1).rule(history, UP) is not None
    assert pruner("none", startup=1).rule(history, UP) is None


@pytest.mark.parametrize(
    ("worst", "threshold"), [(25, 20.0), (50, 30.0), (75, 40.0), (10, 14.0), (95.0, 48.0)]
)
def test_a_percentile_lies_between_the_scores_around_it(worst: float, threshold: float) -> None:
    rule = pruner("percentile", worst=worst).rule(finished(30, 10, 50, 20, 40), UP)
    assert rule is not None and rule.thresholds[3] == pytest.approx(threshold)


def test_half_of_the_trials_are_those_below_the_median() -> None:
    for scores in ((10, 20, 30), (10, 20, 30, 45)):
        median, percentile = (
            pruner(kind, **({"worst": 50.0} if kind == "percentile" else {})).rule(finished(*scores), UP)
            for kind in ("median", "percentile")
        )
        assert median == percentile


def test_a_threshold_holds_from_the_warm_up_on_at_whatever_step() -> None:
    rule = pruner("threshold", value=15, warmup=3).rule([], UP)
    assert rule is not None
    assert [rule.stops(step, 14.0) for step in (1, 3, 4, 100)] == [False, False, True, True]
    assert not rule.stops(100, 15.0)


class TestHalving:
    def test_of_nine_and_itself_the_best_three_go_on(self) -> None:
        history = [Trial({}, "finished", s, {1: s, 2: s}) for s in (1.0, 2, 3, 4, 5, 6, 7, 8, 9)]
        rule = pruner("halving").rule(history, UP)
        assert rule is not None and rule.thresholds == {1: 7.0}
        assert [rule.stops(1, score) for score in (6.9, 7.0, 10.0)] == [True, False, False]

    def test_one_always_goes_on(self) -> None:
        rule = pruner("halving").rule(finished(10, 20), UP)
        assert rule is not None and rule.thresholds[1] == 15.0

    def test_rungs_are_at_powers_and_never_at_the_last_step(self) -> None:
        steps = {step: float(step) for step in range(1, 10)}
        history = [Trial({}, "finished", 9.0, steps) for _ in range(3)]
        for first, reduction, rungs in ((1, 3, [1, 3]), (2, 2, [2, 4, 8]), (1, 2, [1, 2, 4, 8]), (9, 2, [])):
            rule = pruner("halving", first=first, reduction=reduction).rule(history, UP)
            assert sorted(rule.thresholds if rule is not None else []) == rungs

    def test_a_rung_between_two_reports_is_at_the_later_one(self) -> None:
        history = [Trial({}, "finished", 9.0, {5: 1.0, 10: 2.0, 15: 3.0}) for _ in range(3)]
        rule = pruner("halving", first=3, reduction=3).rule(history, UP)
        assert rule is not None and sorted(rule.thresholds) == [5, 10]

    def test_pruned_trials_are_of_those_that_came_to_their_rung(self) -> None:
        history = [
            *(Trial({}, "finished", s, {1: s, 3: s + 1, 9: s + 2}) for s in (8.0, 9.0)),
            *(Trial({}, "pruned", s, {1: s}) for s in (1.0, 2, 3)),
        ]
        rule = pruner("halving").rule(history, UP)
        # at rung 1 two of six go on, at rung 3 one of three
        assert rule is not None and rule.thresholds == {1: 8.0, 3: 10.0}


class TestPatience:
    def reports(self, *scores: float | None) -> list[tuple[int, float | None]]:
        return list(enumerate(scores, 1))

    def test_without_patience_the_last_report_decides(self) -> None:
        rule = StopRule("m", True, {2: 10.0, 3: 20.0})
        assert not rule.gives_up(self.reports(5.0))
        assert rule.gives_up(self.reports(5.0, 6.0))
        assert not rule.gives_up(self.reports(11.0, 6.0))
        assert rule.gives_up(self.reports(11.0, 6.0, None))
        assert not rule.gives_up(self.reports(11.0, 6.0, 25.0))
        assert not rule.gives_up(self.reports(None, None))

    def test_with_patience_so_many_more_in_a_row_must_be_bad(self) -> None:
        rule = pruner("threshold", value=10, warmup=1, patience=2).rule([], UP)
        assert rule is not None and rule.patience == 2
        stopped = [rule.gives_up(self.reports(*[1.0] * count)) for count in range(1, 6)]
        assert stopped == [False, False, False, True, True]
        assert not rule.gives_up(self.reports(1.0, 1.0, 1.0, 11.0, 1.0))

    def test_patience_is_handed_on_with_the_thresholds(self) -> None:
        rule = pruner("median", patience=1).rule(finished(10, 20, 30), UP)
        assert rule is not None
        assert [rule.gives_up(self.reports(*scores)) for scores in ((1, 1), (1, 1, 1), (1, 19, 19))] == [
            False, True, False
        ]  # fmt: skip
