"""The figures of a report."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from itertools import pairwise

import matplotlib
import pytest

from crosscut_reports.render import numbers
from crosscut_reports.render.figures import MARKS, Drawing, draw, drawings
from crosscut_reports.result import Result


def texts(svg: str) -> list[str]:
    return [
        "".join(element.itertext())
        for element in ElementTree.fromstring(svg).iter()
        if element.tag.endswith("}text")
    ]


def data(svg: str) -> list[dict[str, str]]:
    """The data attributes of every mark."""
    found = [
        {key.removeprefix("data-"): value for key, value in element.items() if key.startswith("data-")}
        for element in ElementTree.fromstring(svg).iter()
    ]
    return [row for row in found if row]


def test_the_forest_holds_the_primary_contrasts_as_the_tables_print_them(rich: Result) -> None:
    forest = draw(rich)["forest"]
    chosen = [contrast for contrast in rich.contrasts if contrast.metric == "test/rsum"]
    printed = [(numbers.signed(c.estimate), numbers.interval(c.ci, sign=True)) for c in chosen]
    rows = data(forest)
    assert [(row["estimate"], row["interval"]) for row in rows] == printed
    assert [(row["name"], row["verdict"]) for row in rows] == [(c.name, c.verdict) for c in chosen]
    assert [row["declared"] for row in rows] == ["yes" if c.declared else "no" for c in chosen]
    shown = [" ".join(text.split()) for text in texts(forest)]
    assert all(f"{estimate} {interval}" in shown for estimate, interval in printed)
    assert all(contrast.name in shown for contrast in chosen)


def test_declared_contrasts_stand_above_exploratory_ones(rich: Result) -> None:
    shown = texts(draw(rich)["forest"])
    places = [shown.index(text) for text in ("Declared in the sweep file", "ccr vs none", "Exploratory")]
    assert places == sorted(places)
    assert any("margin of ±1" in text for text in shown)


@pytest.mark.parametrize("count", [1, 40])
def test_long_names_of_contrasts_do_not_meet(rich: Result, count: int) -> None:
    long = " ".join(["an effect of several components within a level"] * 4)
    one = rich.contrasts[0]
    contrasts = tuple(replace(one, name=f"{place} {long}") for place in range(count))
    drawing = drawings(replace(rich, contrasts=contrasts))["forest"]
    assert isinstance(drawing, Drawing)
    names = [t.get_window_extent() for t in drawing.axes.texts if t.get_horizontalalignment() == "right"]
    assert len(names) > 4 * count
    assert all(high.y0 > low.y1 - 3 for high, low in pairwise(names))
    assert min(box.y0 for box in names) > drawing.axes.bbox.y0 - 1


def test_verdicts_differ_by_colour_and_by_shape() -> None:
    assert len({mark.colour for mark in MARKS.values()}) == len(MARKS)
    assert len({mark.shape for mark in MARKS.values()}) == len(MARKS)
    assert len({mark.glyph for mark in MARKS.values()}) == len(MARKS)


def test_the_colours_of_the_verdicts_that_occur_are_drawn(rich: Result) -> None:
    only = draw(replace(rich, contrasts=rich.contrasts[1:2], design=replace(rich.design, margin=0.0)))[
        "forest"
    ]
    drawn = {verdict for verdict, mark in MARKS.items() if mark.colour.lower() in only.lower()}
    assert drawn == {"equivalent"}


def test_the_arms_show_every_seed_and_the_mean(rich: Result) -> None:
    arms = draw(rich)["arms"]
    rows = data(arms)
    assert [(row["arm"], row["mean"]) for row in rows] == [
        (arm.arm, numbers.points(arm.mean)) for arm in rich.arms if arm.metric == "test/rsum"
    ]
    assert "scan-t2i, none (baseline)" in texts(arms)
    more = replace(rich, arms=(replace(rich.arms[0], values=(*rich.arms[0].values, 440.9)), *rich.arms[1:]))
    assert draw(more)["arms"].count("<use") == arms.count("<use") + 1


def test_tuning_curves_end_at_the_best_score(rich: Result) -> None:
    rows = data(draw(rich)["tuning"])
    assert [row["best"] for row in rows] == [numbers.score(t.best) for t in rich.context.tuning]


@pytest.mark.parametrize(("metric", "best"), [("dev/rsum", "431.00"), ("dev/i2t_medr", "399.00")])
def test_tuning_curves_follow_the_metrics_direction(rich: Result, metric: str, best: str) -> None:
    tuning = replace(rich.context.tuning[1], metric=metric)
    (row,) = data(draw(replace(rich, context=replace(rich.context, tuning=[tuning])))["tuning"])
    assert row["best"] == best


def test_tuning_curves_do_not_depend_on_the_order_of_the_trials(rich: Result) -> None:
    def curve(turn: int) -> str:
        tuning = replace(rich.context.tuning[0], scores=rich.context.tuning[0].scores[::turn])
        return draw(replace(rich, context=replace(rich.context, tuning=[tuning])))["tuning"]

    assert curve(1) == curve(-1)
    assert any("expected best of n trials" in text for text in texts(curve(1)))


def test_control_characters_in_names_are_replaced(rich: Result) -> None:
    bad, good = "a\x00b\x1b[0m", "a\ufffdb\ufffd[0m"
    odd = replace(
        rich,
        design=replace(rich.design, primary=bad),
        contrasts=tuple(replace(c, name=bad, metric=bad) for c in rich.contrasts),
        arms=tuple(replace(arm, arm=bad, metric=bad) for arm in rich.arms[:2]),
        context=replace(
            rich.context, tuning=[replace(t, arm=bad, metric=bad) for t in rich.context.tuning[:1]]
        ),
    )
    drawn = draw(odd)
    assert list(drawn) == ["forest", "arms", "tuning"]
    for svg in drawn.values():
        assert any(good in text for text in texts(svg))
        assert good in {value for row in data(svg) for value in row.values()}


def test_figures_name_their_scope(rich: Result) -> None:
    drawn = draw(replace(rich, arms=tuple(replace(arm, scope="queries") for arm in rich.arms)))
    assert any("new seeds and new queries" in text for text in texts(drawn["forest"]))
    assert any("these trained models, new queries" in text for text in texts(drawn["arms"]))
    first = replace(rich.contrasts[0], scope="queries")
    mixed = texts(draw(replace(rich, contrasts=(first, *rich.contrasts[1:])))["forest"])
    assert sum("these trained models" in text for text in mixed) == 1


def test_figures_without_data_are_left_out(rich: Result, seeds_only: Result) -> None:
    assert list(draw(rich)) == ["forest", "arms", "interaction", "tuning"]
    assert list(draw(seeds_only)) == ["forest", "arms", "interaction"]
    assert draw(replace(seeds_only, contrasts=(), arms=())) == {}


def test_the_same_result_gives_the_same_bytes_whatever_the_users_settings(rich: Result) -> None:
    first = draw(rich)
    with matplotlib.rc_context(
        {"svg.hashsalt": "other", "font.size": 30, "lines.linewidth": 9, "svg.fonttype": "path"}
    ):
        assert draw(rich) == first
    assert "dc:date" not in first["forest"]


def test_drawing_leaves_the_users_settings_alone(rich: Result) -> None:
    before = dict(matplotlib.rcParams)
    draw(rich)
    assert dict(matplotlib.rcParams) == before


def test_hostile_names_are_text_and_not_formulas(hostile: Result) -> None:
    drawn = draw(hostile)
    for svg in drawn.values():
        assert "<script" not in svg
        assert svg.startswith("<svg ")
    assert any("$x_1$" in text for text in texts(drawn["tuning"]))


def test_an_estimate_without_an_interval_is_drawn(rich: Result) -> None:
    bare = replace(rich, contrasts=tuple(replace(c, ci=None, se=None, p=None) for c in rich.contrasts))
    assert {row["interval"] for row in data(draw(bare)["forest"])} == {numbers.NONE}
