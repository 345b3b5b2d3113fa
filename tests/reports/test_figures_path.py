"""The ablation path as a waterfall."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from crosscut_reports.render import figures, numbers
from crosscut_reports.render.figures.drawing import Drawing
from crosscut_reports.render.sections import sections
from crosscut_reports.result import AblationPath, PathStep, Result

NASTY = "$x_1^{2}$ <b>&amp; \\frac{1}{2} and_a_word_that_does_not_break_within_forty_characters " * 3
MEANS = (440.0, 445.0, 444.0, 449.5)


def along(rich: Result, means: tuple[float, ...] = MEANS, sign: int = 1, name: str = "") -> Result:
    """A path over these means; with sign −1 less is better."""
    steps = tuple(
        PathStep(
            f"{name}f{i}", f"{name}new", f"{name}old", f"{name}arm {i}", after,
            replace(
                rich.contrasts[i % 4], estimate=sign * (after - before),
                ci=(sign * (after - before) - 1, sign * (after - before) + 2),
            ),
        )
        for i, (before, after) in enumerate(pairwise(means))
    )  # fmt: skip
    return replace(rich, path=AblationPath(f"{name}base", means[0], steps))


def drawn(result: Result) -> Drawing:
    found = figures.drawings(result)["path"]
    assert isinstance(found, Drawing)
    return found


def spans(drawing: Drawing) -> list[tuple[float, float]]:
    return [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in drawing.axes.patches]  # type: ignore[attr-defined]


def test_every_bar_starts_where_the_one_before_ends(rich: Result) -> None:
    assert spans(drawn(along(rich))) == list(pairwise(MEANS))


def test_the_data_are_the_results(rich: Result) -> None:
    result = along(rich)
    path, rows = result.path, list(drawn(result).data.values())
    assert path is not None
    steps, ends = [row for row in rows if "gain" in row], [row for row in rows if "gain" not in row]
    assert [(row["arm"], row["mean"]) for row in ends] == [("base", "440.00"), ("arm 2", "449.50")]
    for row, step in zip(steps, path.steps, strict=True):
        assert (row["factor"], row["from"], row["to"], row["arm"]) == (step.factor, "old", "new", step.arm)
        assert row["mean"] == numbers.points(step.mean)
        assert row["gain"] == numbers.signed(step.contrast.estimate)
        assert row["interval"] == numbers.interval(step.contrast.ci, sign=True)
        assert row["verdict"] == step.contrast.verdict


@pytest.mark.parametrize("sign", [1, -1])
def test_intervals_lie_about_the_mean_a_step_leads_to(rich: Result, sign: int) -> None:
    means = tuple(sign * mean for mean in MEANS)
    drawing = drawn(along(rich, means, sign))
    found = [tuple(sorted(line.get_xdata())) for line in drawing.axes.get_lines()]
    for mean in means[1:]:
        # A gain that may be one less and two more; where less is better, more gain is a lower mean.
        expected = (mean - 1, mean + 2) if sign > 0 else (mean - 2, mean + 1)
        assert any(line == pytest.approx(expected) for line in found if len(line) == 2)


def test_the_label_says_that_gains_flatter(rich: Result) -> None:
    label = drawn(along(rich)).axes.get_xlabel()
    assert "so gains flatter" in label and "scope: new seeds and new queries" in label


def test_there_is_no_figure_without_a_path(rich: Result) -> None:
    assert "path" not in figures.drawings(rich)
    assert "path" not in figures.drawings(along(rich, (440.0, float("nan"), 449.5)))


@pytest.mark.parametrize("steps", [2, 11])
def test_names_do_not_meet_and_stay_text(rich: Result, steps: int) -> None:
    result = along(rich, tuple(440.0 + i for i in range(steps + 1)), name=NASTY)
    drawing = drawn(result)
    names = [
        text.get_window_extent() for text in drawing.axes.texts if text.get_horizontalalignment() == "right"
    ]
    assert all(high.y0 > low.y1 - 3 for high, low in pairwise(names))
    assert min(box.y0 for box in names) > drawing.axes.bbox.y0 - 1
    assert "$x_1^{2}$ &lt;b&gt;&amp;amp;" in figures.svgs(result, {"path": drawing})["path"]


def test_the_section_names_the_figure(rich: Result) -> None:
    assert [one.figure for one in sections(along(rich))] == ["path"]
