"""Effects in a fraction of a factorial, where no two arms differ in one factor alone."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from crosscut_reports.aliases import aliased
from crosscut_reports.analysis import analyse
from crosscut_reports.arrays import from_arrays
from crosscut_reports.context import Context
from crosscut_reports.contrast import ContrastError, hypothesis, level_effects
from crosscut_reports.question import Question
from crosscut_reports.result import Result

Levels = dict[str, dict[str, str]]


def fraction(factors: str, generator: int = 1) -> Levels:
    """The half of all combinations in which the product of all codes is `generator`."""
    codes = [code for code in product((-1, 1), repeat=len(factors)) if np.prod(code) == generator]
    cells = [{f: "on" if one > 0 else "off" for f, one in zip(factors, code, strict=True)} for code in codes]
    return {"".join(f for f in factors if cell[f] == "on") or "none": cell for cell in cells}


def effects(levels: Levels, gains: dict[str, float]) -> np.ndarray:
    """(arms,) a score that each factor, or product of two, adds to where it is on."""
    return np.array(
        [
            sum(gain * all(cell[f] == "on" for f in name) for name, gain in gains.items())
            for cell in levels.values()
        ]
    )


@pytest.mark.parametrize("factors", ["abc", "abcd", "abcde"])
def test_a_main_effect_is_the_difference_of_means_over_balanced_arms(factors: str) -> None:
    levels = fraction(factors)
    scores = effects(levels, {factor: 10.0 + place for place, factor in enumerate(factors)})
    for place, factor in enumerate(factors):
        found = hypothesis({factor: "on vs off"}, levels)
        assert set(found.weights) == set(levels)
        weights = np.array([found.weights[arm] for arm in levels])
        assert weights @ scores == pytest.approx(10.0 + place), "other factors cancel"
        assert [one.kind for one in level_effects(levels, factor, "off")] == ["level"], "no simple effects"


def test_an_interaction_that_is_balanced_can_be_asked_and_one_that_is_not_is_refused() -> None:
    levels = fraction("abcd")
    found = hypothesis({"a": "on vs off", "b": "on vs off"}, levels)
    weights = np.array([found.weights[arm] for arm in levels])
    assert weights @ effects(levels, {"a": 3.0, "b": 5.0, "c": 7.0, "ab": 2.0}) == pytest.approx(2.0)
    with pytest.raises(ContrastError, match="no arms that are the same otherwise"):
        hypothesis({"a": "on vs off", "b": "on vs off"}, fraction("abc"))


def test_arms_that_are_not_balanced_are_refused_as_before() -> None:
    levels = {"one": {"a": "on", "b": "on"}, "two": {"a": "off", "b": "off"}}
    with pytest.raises(ContrastError, match="no arms that are the same otherwise"):
        hypothesis({"a": "on vs off"}, levels)
    broken = fraction("abcd")
    del broken["ab"]
    with pytest.raises(ContrastError, match="no arms that are the same otherwise"):
        hypothesis({"a": "on vs off"}, broken)


def test_a_whole_factorial_is_no_fraction() -> None:
    levels = fraction("abc") | fraction("abc", -1)
    assert len(levels) == 8
    assert aliased(levels) == {}
    assert len(level_effects(levels, "a", "off")) == 1 + 4


def test_effects_are_one_with_interactions_up_to_their_sign() -> None:
    assert aliased(fraction("abc")) == {"a": ["b × c"], "b": ["a × c"], "c": ["a × b"]}
    assert aliased(fraction("abc", -1)) == aliased(fraction("abc"))
    assert aliased(fraction("abcd")) == {factor: [] for factor in "abcd"}


def report(levels: Levels) -> Result:
    draw = np.random.default_rng(0)
    values = effects(levels, {"a": 10.0, "b": -5.0})[:, None] + draw.normal(50, 0.1, (len(levels), 4))
    made = from_arrays({"rsum": values}, tuple(levels), levels=levels)
    return analyse(made, Question(baseline="none" if "none" in levels else None), Context(name="x"))


def test_a_report_tests_factors_and_tells_what_they_are_one_with() -> None:
    result = report(fraction("abc", -1))
    assert {one.factor: one.p_adjusted < 0.01 for one in result.factors} == {"a": True, "b": True, "c": False}
    found = {one.name: one.estimate for one in result.contrasts}
    assert found["a: on vs off"] == pytest.approx(10, abs=0.3)
    (guard,) = [one for one in result.guards if one.guard == "fraction"]
    assert guard.severity == "warning"
    assert "a with b × c; b with a × c; c with a × b" in guard.message


def test_without_aliases_of_two_factors_it_is_a_note() -> None:
    (guard,) = [one for one in report(fraction("abcd")).guards if one.guard == "fraction"]
    assert guard.severity == "note"
    assert "one with" not in guard.message
