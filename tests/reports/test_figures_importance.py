"""How much searched parameters matter, as dots."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from crosscut_reports.context import Importance
from crosscut_reports.render import figures, numbers
from crosscut_reports.render.figures.drawing import Drawing
from crosscut_reports.render.figures.importance import MOST_ARMS
from crosscut_reports.render.sections import sections
from crosscut_reports.result import Result

NASTY = "$x_1^{2}$ <b>&amp; \\frac{1}{2} and_a_word_that_does_not_break_within_forty_characters " * 3


def told(rich: Result, arms: int, name: str = "") -> Result:
    found = [
        Importance(f"{name}arm {arm}", f"{name}{parameter}", share, interval, 20 + arm)
        for arm in range(arms)
        for parameter, share, interval in (("lr", 0.614, (0.4, 0.8)), ("weight", 0.386, None))
    ]
    design = replace(rich.design, baseline=f"{name}arm 1")
    return replace(rich, context=replace(rich.context, importance=found), design=design)


def drawn(result: Result) -> Drawing:
    found = figures.drawings(result)["importance"]
    assert isinstance(found, Drawing)
    return found


def test_dots_and_intervals_are_the_results(rich: Result) -> None:
    drawing = drawn(told(rich, 2))
    assert list(drawing.data.values()) == [
        {"arm": f"arm {arm}", "parameter": parameter, "share": share, "interval": interval,
         "trials": str(20 + arm)}
        for arm in range(2)
        for parameter, share, interval in (("lr", "0.61", "0.40 to 0.80"), ("weight", "0.39", numbers.NONE))
    ]  # fmt: skip
    lines = [tuple(line.get_xdata()) for line in drawing.axes.get_lines()]
    assert lines == [(0.4, 0.8), (0.614,), (0.386,)] * 2


def test_parameters_stand_under_their_arm(rich: Result) -> None:
    found = told(rich, 2)
    order = [found.context.importance[place] for place in (0, 2, 1, 3)]  # arms take turns
    mixed = replace(found, context=replace(found.context, importance=order))
    texts = [text.get_text() for text in drawn(mixed).axes.texts if text.get_horizontalalignment() == "right"]
    assert texts == ["arm 0", "lr", "weight", "arm 1 (baseline)", "lr", "weight"]


def test_with_many_arms_the_first_are_shown_and_counted(rich: Result) -> None:
    for arms in (27, 200):
        drawing = drawn(told(rich, arms))
        assert len({row["arm"] for row in drawing.data.values()}) == MOST_ARMS
        assert drawing.axes.get_xlabel().endswith(f"the first {MOST_ARMS} arms of {arms}")
    assert "first" not in drawn(told(rich, MOST_ARMS)).axes.get_xlabel()


def test_shares_that_are_not_known_are_left_out(rich: Result) -> None:
    result = told(rich, 1)
    unknown = [replace(one, importance=float("nan")) for one in result.context.importance]
    assert "importance" not in figures.drawings(
        replace(rich, context=replace(rich.context, importance=unknown))
    )
    assert "importance" not in figures.drawings(rich)


@pytest.mark.parametrize("arms", [1, 6])
def test_names_do_not_meet_and_stay_text(rich: Result, arms: int) -> None:
    result = told(rich, arms, NASTY)
    drawing = drawn(result)
    names = [
        text.get_window_extent() for text in drawing.axes.texts if text.get_horizontalalignment() == "right"
    ]
    assert all(high.y0 > low.y1 - 3 for high, low in pairwise(names))
    assert min(box.y0 for box in names) > drawing.axes.bbox.y0 - 1
    svg = figures.svgs(result, {"importance": drawing})["importance"]
    assert "$x_1^{2}$ &lt;b&gt;&amp;amp;" in svg


def test_the_section_names_the_figure(rich: Result) -> None:
    assert [one.figure for one in sections(told(rich, 1))] == ["importance"]
