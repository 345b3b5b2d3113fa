"""Every question is asked once, of each metric that it is about."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crosscut_reports.analysis import analyse
from crosscut_reports.arrays import from_arrays
from crosscut_reports.asked import distinct, on, repeated
from crosscut_reports.context import Context
from crosscut_reports.contrast import Contrast, against_arm, hypothesis, level_effects
from crosscut_reports.question import Question

BACKBONES, CONSTRAINTS = ("scan", "vse++"), ("none", "ccr", "ccr+ccs")
LEVELS = {
    f"{backbone}/{constraint}": {"backbone": backbone, "constraints": constraint}
    for backbone in BACKBONES
    for constraint in CONSTRAINTS
    # vse++ has no attention to constrain twice.
    if (backbone, constraint) != ("vse++", "ccr+ccs")
}


def test_a_question_asked_twice_appears_once_and_the_declared_form_wins() -> None:
    declared = hypothesis({"constraints": "none vs ccr+ccs"}, LEVELS)
    found = distinct(
        [*against_arm(LEVELS, "scan/none"), declared, *level_effects(LEVELS, "constraints", "none")],
        "rsum",
    )
    assert found[0] == replace(declared, metrics=("rsum",))
    same = [c for c in found if set(c.weights) == {"scan/none", "scan/ccr+ccs"}]
    assert same == found[:1]
    main = Contrast("main", {"a": 0.5, "b": 0.5, "c": -1}, declared=False, kind="level")
    assert distinct([main, Contrast("pair", {"a": 1, "c": -1}, declared=False, kind="pair")], "rsum") == [
        main,
        Contrast("pair", {"a": 1, "c": -1}, declared=False, kind="pair"),
    ]


@pytest.mark.parametrize("turn", [1, -1])
def test_levels_win_over_the_arms_that_have_them_whatever_their_order(turn: int) -> None:
    arms, effects = against_arm(LEVELS, "scan/none"), level_effects(LEVELS, "constraints", "none")
    found = distinct([*arms, *effects][::turn], "rsum")
    assert {c.name for c in found} == {
        *(c.name for c in effects),
        *("vse++/none vs scan/none", "vse++/ccr vs scan/none"),
    }
    assert [c.kind in ("arm", "pair") for c in found] == [False] * 4 + [True] * 2


@pytest.mark.parametrize("turn", [1, -1])
def test_declared_arms_win_over_the_levels_they_have_whatever_their_order(turn: int) -> None:
    declared = hypothesis({"arm": "scan/none vs scan/ccr"}, LEVELS)
    found = distinct([*level_effects(LEVELS, "constraints", "none"), declared][::turn], "rsum")
    assert found[0] == replace(declared, metrics=("rsum",))
    assert "constraints: ccr vs none at backbone=scan" not in {c.name for c in found}
    assert len(found) == 4


def declared_on(name: str, *metrics: str) -> Contrast:
    return Contrast(name, {"a": 1, "b": -1}, declared=True, kind="hypothesis", metrics=metrics)


def test_what_is_declared_again_on_another_metric_is_asked_of_that_one() -> None:
    first, second = declared_on("first"), replace(declared_on("second", "r1"), weights={"a": -1, "b": 1})
    found = distinct([first, second], "rsum")
    assert [(one.name, one.metrics) for one in found] == [("first", ("rsum",)), ("second", ("r1",))]
    assert repeated([first, second], "rsum") == []
    assert [one.name for one in on(found, "rsum")] == ["first"]
    assert [one.name for one in on(found, "r1")] == ["second"]
    assert [one.name for one in on(found, "r5")] == ["first"], "once, exploratory"


def test_metrics_that_are_declared_twice_count_once() -> None:
    asked = [declared_on("first", "rsum", "r1"), declared_on("second", "r1", "r5"), declared_on("third")]
    found = distinct(asked, "rsum")
    assert [(one.name, one.metrics) for one in found] == [("first", ("rsum", "r1")), ("second", ("r5",))]
    assert repeated(asked, "rsum") == [("second", "first"), ("third", "first")]


def test_a_report_judges_each_declared_metric_in_its_own_family() -> None:
    draw = np.random.default_rng(0)
    scores = from_arrays({name: draw.normal(50, 1, (2, 5)) for name in ("rsum", "r1", "r5")}, ("a", "b"))
    question = Question(
        primary="rsum",
        hypotheses=(
            {"compare": {"arm": "b vs a"}},
            {"compare": {"arm": "b vs a"}, "name": "at one", "metrics": ["r1"], "family": "recalls"},
        ),
    )
    found = analyse(scores, question, Context(name="x")).contrasts
    assert [(one.name, one.metric, one.declared, one.family_name) for one in found] == [
        ("arm: b vs a", "rsum", True, "declared hypotheses"),
        ("at one", "r1", True, "recalls"),
        ("arm: b vs a", "r5", False, "exploratory, r5"),
    ]
