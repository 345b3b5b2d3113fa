"""The interaction plot: what is averaged, which pairs are shown, and that any names and sizes can be drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise, product
from math import radians, sin
from statistics import fmean

import pytest

from crosscut_reports.render import figures, numbers
from crosscut_reports.render.figures.drawing import Drawing
from crosscut_reports.render.figures.interaction import MOST_LINES, panels
from crosscut_reports.render.sections import sections
from crosscut_reports.result import Result

NASTY = '$x_1^{2}$ <b>&amp; \\frac{1}{2} "q" and_a_word_that_does_not_break_within_forty_characters '


def value(cell: Sequence[int]) -> float:
    """A mean that no two cells share, with interactions of all orders."""
    return 50 + sum((place + 2) * level for place, level in enumerate(cell)) + 3 * cell[0] * cell[-1] ** 2


def grid(rich: Result, *sizes: int, without: Sequence[tuple[int, ...]] = (), name: str = "") -> Result:
    """A full factorial of the factors f0, f1 …, less some of its cells."""
    cells = [cell for cell in product(*map(range, sizes)) if cell not in without]
    arms = tuple(
        replace(
            rich.arms[0], arm=str(cell), mean=value(cell), ci=(value(cell) - 1, value(cell) + 2),
            levels={f"f{i}": f"{name}{level}" for i, level in enumerate(cell)}, scope="seeds",
        )
        for cell in cells
    )  # fmt: skip
    factors = {f"f{i}": tuple(f"{name}{level}" for level in range(size)) for i, size in enumerate(sizes)}
    return replace(rich, arms=arms, design=replace(rich.design, factors=factors, baseline=None))


def drawn(result: Result) -> Drawing:
    found = figures.drawings(result)["interaction"]
    assert isinstance(found, Drawing)
    return found


def test_points_of_two_factors_are_the_arms_themselves(rich: Result) -> None:
    rows = list(drawn(rich).data.values())
    arms = {(a.levels["constraints"], a.levels["backbone"]): a for a in rich.arms if a.metric == "test/rsum"}
    assert len(rows) == len(arms) == 6
    for row in rows:
        arm = arms[row["across"].removeprefix("constraints = "), row["line"].removeprefix("backbone = ")]
        assert (row["mean"], row["interval"]) == (numbers.points(arm.mean), numbers.interval(arm.ci))
        assert row["arms"] == "1"


def test_points_are_averaged_over_the_cells_of_the_other_factors(rich: Result) -> None:
    found = panels(grid(rich, 2, 3, 4))
    assert [(panel.line, panel.across) for panel in found] == [("f0", "f1"), ("f0", "f2"), ("f1", "f2")]
    first, _, last = found
    for point in first.points:
        expected = fmean(value((int(point.line), int(point.across), k)) for k in range(4))
        assert point.mean == pytest.approx(expected)
        assert (len(point.arms), point.ci) == (4, None)
    for point in last.points:
        expected = fmean(value((i, int(point.line), int(point.across))) for i in range(2))
        assert point.mean == pytest.approx(expected)
    assert all(row["interval"] == numbers.NONE for row in drawn(grid(rich, 2, 3, 4)).data.values())


def test_cells_without_all_levels_are_left_out_of_every_point_and_the_label_says_so(rich: Result) -> None:
    result = grid(rich, 2, 2, 3, without=[(1, 1, 2)])
    first = panels(result)[0]
    assert (first.used, first.combinations) == (2, 3)
    for point in first.points:
        assert point.mean == pytest.approx(
            fmean(value((int(point.line), int(point.across), k)) for k in (0, 1))
        )
    axes = drawn(result).figure.axes[0]
    assert "averaged over 2 of 3 combinations of other factors; the others lack" in axes.get_xlabel()
    whole = drawn(grid(rich, 2, 2, 3)).figure.axes[0].get_xlabel()
    assert whole == "f1; averaged over 3 combinations of other factors"


def test_an_arm_without_a_mean_counts_as_missing(rich: Result) -> None:
    result = grid(rich, 2, 2, 2)
    broken = replace(result, arms=(replace(result.arms[0], mean=float("nan")), *result.arms[1:]))
    assert {(panel.used, panel.combinations) for panel in panels(broken)} == {(1, 2)}
    assert "interaction" not in figures.drawings(grid(rich, 2, 2, without=[(1, 1)]))


def test_arms_of_the_same_levels_are_averaged_first(rich: Result) -> None:
    result = grid(rich, 2, 2)
    twin = replace(result.arms[0], arm="twin", mean=result.arms[0].mean + 10)
    point = panels(replace(result, arms=(*result.arms, twin)))[0].points[0]
    assert point.mean == pytest.approx(result.arms[0].mean + 5)
    assert point.ci is None


@pytest.mark.parametrize("sizes", [(6,), (6, 1), (1, 1)])
def test_there_is_no_figure_without_two_factors_that_vary(rich: Result, sizes: tuple[int, ...]) -> None:
    assert "interaction" not in figures.drawings(grid(rich, *sizes))


def test_pairs_with_too_many_lines_are_left_out(rich: Result) -> None:
    many = MOST_LINES + 1
    assert panels(grid(rich, many, many)) == []
    assert [(one.line, one.across) for one in panels(grid(rich, many, MOST_LINES))] == [("f1", "f0")]
    assert [(one.line, one.across) for one in panels(grid(rich, 2, many, many))] == [
        ("f0", "f1"),
        ("f0", "f2"),
    ]


def test_three_pairs_are_shown_on_one_scale_and_the_label_counts_the_others(rich: Result) -> None:
    drawing = drawn(grid(rich, 2, 2, 2, 2))
    assert len(drawing.figure.axes) == 3
    assert len({axes.get_ylim() for axes in drawing.figure.axes}) == 1
    assert drawing.figure.get_supxlabel().endswith("the first 3 of 6 pairs of factors")
    assert "pairs" not in drawn(grid(rich, 2, 2, 2)).figure.get_supxlabel()


def test_the_scope_is_that_of_the_intervals_shown(rich: Result) -> None:
    assert "scope: new seeds, these queries" in drawn(grid(rich, 2, 3)).figure.get_supxlabel()
    assert "interval" not in drawn(grid(rich, 2, 2, 2)).figure.get_supxlabel()


def test_lines_of_a_panel_differ_in_style_or_shape(rich: Result) -> None:
    (axes,) = drawn(grid(rich, MOST_LINES, 9)).figure.axes
    looks = {
        (line.get_linestyle(), line.get_marker())
        for line in axes.get_lines()
        if not str(line.get_label()).startswith("_")
    }
    assert len(looks) == MOST_LINES


@pytest.mark.parametrize("sizes", [(3, 3, 3), (4, 50), (8, 5, 5)])
def test_many_arms_are_drawn(rich: Result, sizes: tuple[int, ...]) -> None:
    result = grid(rich, *sizes)
    assert len(drawn(result).data) == sum(len(panel.points) for panel in panels(result))


@pytest.mark.parametrize("name", ["", "a level of ", NASTY * 2])
@pytest.mark.parametrize("levels", [2, 3, 6, 12, 25])
def test_names_do_not_meet_and_stay_text(rich: Result, levels: int, name: str) -> None:
    result = grid(rich, 2, levels, name=name)
    drawing = drawn(result)
    (axes,) = drawing.figure.axes
    ticks = axes.get_xticklabels()
    turned = ticks[0].get_rotation() not in (0, 90)
    boxes = [text.get_window_extent() for text in ticks]
    if turned:  # one line each, their ends as far apart as the levels
        assert all("\n" not in text.get_text() for text in ticks)
        height = 8.5 / 72 * drawing.figure.dpi
        assert all(sin(radians(35)) * (b.x1 - a.x1) > height for a, b in pairwise(boxes))
    else:
        assert all(left.x1 < right.x0 + 1 for left, right in pairwise(boxes))
    assert min(box.y0 for box in boxes) > axes.xaxis.label.get_window_extent().y1 - 1
    legend = axes.get_legend()
    assert legend is not None and legend.get_window_extent().x0 > axes.bbox.x1
    svg = figures.svgs(result, {"interaction": drawing})["interaction"]
    assert ("&lt;b&gt;&amp;amp;" in svg and "$x_1^{2}$" in svg) is (name == NASTY * 2)


def test_levels_keep_the_order_of_the_design(rich: Result) -> None:
    def order(factors: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        (panel,) = panels(replace(rich, design=replace(rich.design, factors=factors)))
        return panel.across_levels

    factors = dict(rich.design.factors)
    assert order(factors) == ("none", "ccr", "ccr+ccs")
    assert order(factors | {"constraints": ("ccr+ccs", "ccr", "none")}) == ("ccr+ccs", "ccr", "none")


def test_the_section_names_the_figure(rich: Result) -> None:
    tested = replace(rich, interactions=(replace(rich.factors[0], factor="backbone × constraints"),))
    assert [one.figure for one in sections(tested)] == ["interaction"]
