"""Confidence sequences of hypotheses whose seeds were added until decided."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import get_args

import pytest

from crosscut_reports.render import figures, numbers
from crosscut_reports.render.figures.drawing import Drawing
from crosscut_reports.render.figures.sequential import OUTCOMES
from crosscut_reports.render.sections import sections
from crosscut_reports.render.sections.sequential import REASONS
from crosscut_reports.result import Result, SequentialResult
from crosscut_reports.sequential import Reason

NASTY = "$x_1^{2}$ <b>&amp; \\frac{1}{2} and_a_word_that_does_not_break_within_forty_characters " * 3
FOUND = (
    SequentialResult("ccr vs none", "test/rsum", 7, 2.88, (1.1, 4.9), (1.5, 4.2), 34.23, 0.02, "better"),
    SequentialResult("ccs vs none", "test/rsum", 9, -1.9, (-3.2, -0.4), None, 64.2, 0.01, "worse"),
    SequentialResult("both vs ccr", "test/rsum", 12, 0.05, (-0.7, 0.8), None, 0.31, 1.0, "equivalent"),
    SequentialResult("hopeless", "test/rsum", 8, 0.9, (-2.2, 4.1), None, 0.8, 1.0, "futile"),
    SequentialResult("late", "test/rsum", 20, 0.8, (-0.2, 1.9), None, 6.0, 0.16, "maximum"),
    SequentialResult("young", "test/rsum", 3, 1.2, None, (-1.0, 3.4), 1.9, 0.5, None),
)


def drawn(rich: Result, *found: SequentialResult, margin: float = 1.0) -> Drawing:
    result = replace(rich, sequential=found, design=replace(rich.design, margin=margin))
    drawing = figures.drawings(result)["sequential"]
    assert isinstance(drawing, Drawing)
    return drawing


def lines(drawing: Drawing) -> list[tuple[float, ...]]:
    return [tuple(map(float, line.get_xdata())) for line in drawing.axes.get_lines()]


def test_a_row_a_hypothesis_with_its_confidence_sequence(rich: Result) -> None:
    drawing = drawn(rich, *FOUND)
    rows = list(drawing.data.values())
    assert [row["name"] for row in rows] == [one.name for one in FOUND]
    for row, one in zip(rows, FOUND, strict=True):
        assert row["estimate"] == numbers.signed(one.estimate)
        assert row["e"] == f"{one.e:.3g}"
        assert row["seeds"] == str(one.seeds)
        if one.interval is not None:
            assert row["interval"] == numbers.interval(one.interval, sign=True)
            assert one.interval in lines(drawing)
    assert (1.5, 4.2) not in lines(drawing)


def test_rows_without_bounds_yet_say_so(rich: Result) -> None:
    drawing = drawn(rich, FOUND[-1])
    (row,) = drawing.data.values()
    assert row["interval"] == "no bounds yet"
    assert any("no bounds yet" in text.get_text() for text in drawing.axes.texts)
    assert lines(drawing) == [(0.0, 1.0)[:1] * 2, (1.2,)]


def test_the_reason_is_a_mark_and_words(rich: Result) -> None:
    drawing = drawn(rich, *FOUND)
    shown = [text.get_text() for text in drawing.axes.texts]
    for words in ("7 seeds: ▲ better", "9 seeds: ▼ worse", "12 seeds: ■ equivalent", "8 seeds: ✖ futile"):
        assert any(words in text for text in shown)
    assert any("E 34.2, 7 seeds" in text for text in shown)
    (legend,) = drawing.figure.legends
    assert {text.get_text() for text in legend.get_texts()} == set(REASONS.values())
    (only,) = drawn(rich, FOUND[0]).figure.legends
    assert [text.get_text() for text in only.get_texts()] == ["better"]


def test_every_reason_has_a_shape_and_a_colour_of_its_own() -> None:
    assert set(OUTCOMES) == set(REASONS) == {*get_args(Reason), None}
    marks = OUTCOMES.values()
    for each in (
        {mark.shape for mark in marks},
        {mark.colour for mark in marks},
        {mark.glyph for mark in marks},
    ):
        assert len(each) == len(OUTCOMES)


def test_several_metrics_have_a_heading_each_and_no_margin(rich: Result) -> None:
    other = replace(FOUND[1], metric="test/i2t_medr")
    drawing = drawn(rich, FOUND[0], other)
    shown = [text.get_text() for text in drawing.axes.texts]
    assert {"test/rsum", "test/i2t_medr"} <= set(shown)
    assert "shaded" not in drawing.axes.get_xlabel() and not drawing.axes.patches
    assert [row["estimate"] for row in drawing.data.values()] == [
        "+2.88",
        numbers.signed(-1.9, numbers.decimals(rich, "test/i2t_medr")),
    ]
    alone = drawn(rich, FOUND[0])
    assert "shaded: the margin of ±1" in alone.axes.get_xlabel() and len(alone.axes.patches) == 1
    assert not drawn(rich, FOUND[0], margin=0.0).axes.patches


def test_an_estimate_that_is_not_known_keeps_its_row(rich: Result) -> None:
    drawing = drawn(rich, replace(FOUND[0], estimate=float("nan")), FOUND[1])
    assert [row["estimate"] for row in drawing.data.values()] == [numbers.NONE, "−1.90"]
    svg = figures.svgs(rich, {"sequential": drawing})["sequential"]
    assert svg.count("data-estimate=") == 2
    assert '"nan' not in svg and " nan" not in svg


def test_there_is_no_figure_where_seeds_were_fixed(rich: Result) -> None:
    assert "sequential" not in figures.drawings(rich)


@pytest.mark.parametrize("rows", [3, 48])
def test_names_do_not_meet_and_stay_text(rich: Result, rows: int) -> None:
    named = [replace(FOUND[i % 6], name=f"{NASTY}{i}") for i in range(rows)]
    drawing = drawn(rich, *named)
    names = [
        text.get_window_extent() for text in drawing.axes.texts if text.get_horizontalalignment() == "right"
    ]
    assert all(high.y0 > low.y1 - 3 for high, low in pairwise(names))
    assert min(box.y0 for box in names) > drawing.axes.bbox.y0 - 1
    asides = [
        text.get_window_extent() for text in drawing.axes.texts if text.get_horizontalalignment() == "left"
    ]
    assert len(asides) == rows and all(high.y0 > low.y1 for high, low in pairwise(asides))
    svg = figures.svgs(rich, {"sequential": drawing})["sequential"]
    assert "$x_1^{2}$ &lt;b&gt;&amp;amp;" in svg


def test_the_section_names_the_figure(rich: Result) -> None:
    assert [one.figure for one in sections(replace(rich, sequential=FOUND))] == ["sequential"]
