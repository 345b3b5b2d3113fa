"""The Shapley shares as bars."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from crosscut_reports.render import figures, numbers
from crosscut_reports.render.figures.drawing import MARKS, Drawing
from crosscut_reports.render.sections import sections
from crosscut_reports.result import Result, Shapley

NASTY = "$x_1^{2}$ <b>&amp; \\frac{1}{2} and_a_word_that_does_not_break_within_forty_characters " * 3


def divided(rich: Result, name: str = "", count: int = 3) -> Result:
    shares = tuple(
        replace(rich.contrasts[i % 4], name=f"{name}f{i}: b vs a, Shapley", metric="test/rsum")
        for i in range(count)
    )
    one = Shapley(
        f"{name}base", f"{name}aim", shares, replace(rich.contrasts[0], estimate=9.9, ci=(7.0, 12.5))
    )
    return replace(rich, shapley=(one,))


def drawn(result: Result) -> Drawing:
    found = figures.drawings(result)["shapley"]
    assert isinstance(found, Drawing)
    return found


def test_bars_are_the_shares_and_the_whole(rich: Result) -> None:
    result = divided(rich)
    drawing, (one,) = drawn(result), result.shapley
    expected = [*one.shares, one.whole]
    assert [patch.get_width() for patch in drawing.axes.patches] == [share.estimate for share in expected]  # type: ignore[attr-defined]
    rows = list(drawing.data.values())
    assert [row["component"] for row in rows] == ["f0: b vs a", "f1: b vs a", "f2: b vs a", "all of them"]
    for row, share in zip(rows, expected, strict=True):
        assert row["share"] == numbers.signed(share.estimate)
        assert row["interval"] == numbers.interval(share.ci, sign=True)
        assert row["verdict"] == share.verdict
    shown = {text.get_text() for text in drawing.axes.texts}
    assert f"{MARKS['better'].glyph} +9.90  [+7.00, +12.50]" in shown
    intervals = [tuple(line.get_xdata()) for line in drawing.axes.get_lines()]
    assert all(share.ci in intervals for share in expected)


def test_the_label_names_the_ends_the_scope_and_the_marks(rich: Result) -> None:
    label = drawn(divided(rich)).axes.get_xlabel()
    assert "from base to aim" in label and "scope: new seeds and new queries" in label
    assert "▲ better, ▼ worse, ■ equivalent" in label and "undecided" not in label
    assert "target" not in label
    several = divided(rich)
    several = replace(several, shapley=(*several.shapley, *divided(rich, "other ", count=2).shapley))
    label = drawn(several).axes.get_xlabel()
    assert "from base to aim" in label and "one target of 2" in label
    assert len(drawn(several).data) == 4


def test_there_is_no_figure_without_shares(rich: Result) -> None:
    assert "shapley" not in figures.drawings(rich)
    nowhere = divided(rich)
    (one,) = nowhere.shapley
    nan = tuple(replace(share, estimate=float("nan")) for share in one.shares)
    assert "shapley" not in figures.drawings(replace(rich, shapley=(replace(one, shares=nan),)))


def test_a_share_without_an_interval_is_drawn(rich: Result) -> None:
    result = divided(rich)
    (one,) = result.shapley
    bare = replace(one, whole=replace(one.whole, ci=None))
    row = list(drawn(replace(rich, shapley=(bare,))).data.values())[-1]
    assert (row["share"], row["interval"]) == ("+9.90", numbers.NONE)


@pytest.mark.parametrize(("name", "count"), [(NASTY, 3), ("", 12), (NASTY, 12)])
def test_names_do_not_meet_and_stay_text(rich: Result, name: str, count: int) -> None:
    result = divided(rich, name, count)
    drawing = drawn(result)
    names = [
        text.get_window_extent() for text in drawing.axes.texts if text.get_horizontalalignment() == "right"
    ]
    assert min(box.y0 for box in names) > drawing.axes.bbox.y0 - 1
    assert all(high.y0 > low.y1 - 3 for high, low in pairwise(names))
    svg = figures.svgs(result, {"shapley": drawing})["shapley"]
    assert ("$x_1^{2}$ &lt;b&gt;&amp;amp;" in svg) is bool(name)


def test_the_section_names_the_figure(rich: Result) -> None:
    assert [one.figure for one in sections(divided(rich))] == ["shapley"]
