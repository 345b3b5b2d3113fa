"""The figure of the arms: the runs of a seed are joined, and rows are as high as their names need."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from crosscut_reports.render import figures, numbers
from crosscut_reports.render.figures.arms import MOST_JOINED
from crosscut_reports.render.figures.drawing import Drawing
from crosscut_reports.result import Result

NASTY = "$x_1^{2}$ <b>&amp; \\frac{1}{2} and_a_word_that_does_not_break_within_forty_characters " * 3


def drawn(result: Result) -> Drawing:
    found = figures.drawings(result)["arms"]
    assert isinstance(found, Drawing)
    return found


def joined(drawing: Drawing) -> list[tuple[float, ...]]:
    """The values along every grey line."""
    return [tuple(line.get_xdata()) for line in drawing.axes.get_lines() if line.get_color() == "#9a9a9a"]


def many(rich: Result, count: int, name: str = "") -> Result:
    arms = tuple(replace(rich.arms[i % 6], arm=f"{name}{i}") for i in range(count))
    return replace(rich, arms=arms, design=replace(rich.design, baseline=None))


def test_a_line_joins_the_runs_of_a_seed(rich: Result) -> None:
    drawing = drawn(rich)
    arms = [arm for arm in rich.arms if arm.metric == "test/rsum"]
    assert joined(drawing) == list(zip(*(arm.values for arm in arms), strict=True))
    assert "a grey line: one seed" in drawing.axes.get_xlabel()


def test_runs_are_not_joined_where_seeds_differ_or_arms_are_many(rich: Result) -> None:
    unbalanced = replace(rich, design=replace(rich.design, balanced=False))
    odd = replace(rich, arms=(replace(rich.arms[0], values=(440.0, 441.0)), *rich.arms[1:]))
    for result in (unbalanced, odd, many(rich, MOST_JOINED + 1), many(rich, 1)):
        assert joined(drawn(result)) == []
        assert "grey" not in drawn(result).axes.get_xlabel()
    assert len(joined(drawn(many(rich, MOST_JOINED)))) == 5


def test_marks_carry_the_runs(rich: Result) -> None:
    rows = list(drawn(rich).data.values())
    arms = [arm for arm in rich.arms if arm.metric == "test/rsum"]
    assert [row["values"].split(", ") for row in rows] == [list(map(numbers.points, a.values)) for a in arms]


@pytest.mark.parametrize(("count", "name"), [(6, NASTY), (27, NASTY), (200, "arm ")])
def test_names_do_not_meet(rich: Result, count: int, name: str) -> None:
    drawing = drawn(many(rich, count, name))
    names = [
        text.get_window_extent() for text in drawing.axes.texts if text.get_horizontalalignment() == "right"
    ]
    assert len(drawing.data) == count
    assert all(high.y0 > low.y1 - 3 for high, low in pairwise(names))
    assert min(box.y0 for box in names) > drawing.axes.bbox.y0 - 1
