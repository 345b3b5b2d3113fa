"""The fronts of searches with several metrics, as a table and as a figure."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from crosscut_reports.context import Outcome, Tuning
from crosscut_reports.render import figures, html, latex, markdown, numbers
from crosscut_reports.render.figures.drawing import Drawing
from crosscut_reports.render.figures.pareto import MOST_ARMS
from crosscut_reports.render.json import as_data
from crosscut_reports.render.json import render as rendered
from crosscut_reports.render.sections import Section, sections
from crosscut_reports.result import Result

NASTY = "$x_1^{2}$ <b>&amp; \\frac{1}{2} and_a_word_that_does_not_break_within_forty_characters " * 3
DIRECTIONS = {"dev/rsum": "max", "seconds": "min"}
POINTS = ((300.0, 20.0), (310.5, 30.0), (290.0, 25.0), (320.25, 60.0))
"""Of each trial; the third is worse than the first in both."""


def tuned(arm: str, directions: dict[str, str] = DIRECTIONS, chosen: int = 1) -> Tuning:
    outcomes = [
        Outcome(
            trial=2 * number,
            scores=dict(zip(directions, (*point, 1.0), strict=False)),
            values={"lr": 0.01 * (number + 1)},
            front=number != 2,
            chosen=number == chosen,
        )
        for number, point in enumerate(POINTS)
    ]
    return Tuning(
        arm, 8, 0, 1, "dev/rsum", 320.25, {"lr": 0.02}, directions=directions, outcomes=outcomes,
        rule="nearest to the best of all metrics",
    )  # fmt: skip


def told(rich: Result, *tunings: Tuning) -> Result:
    return replace(rich, context=replace(rich.context, tuning=tunings))


def section_of(result: Result) -> Section:
    (found,) = [one for one in sections(result) if one.figure == "pareto"]
    return found


def drawn(result: Result) -> Drawing:
    found = figures.drawings(result)["pareto"]
    assert isinstance(found, Drawing)
    return found


def test_the_table_has_the_front_and_marks_what_was_chosen(rich: Result) -> None:
    found = section_of(told(rich, tuned("a"), tuned("b", chosen=3)))
    assert found.head == ("Arm", "Chosen", "Values", "Trial", "dev/rsum (max)", "seconds (min)")
    no = numbers.NONE
    assert found.rows == (
        ("a", no, "lr = 0.01", "0", "300.00", "20.00"),
        ("a", "chosen", "lr = 0.02", "2", "310.50", "30.00"),
        ("a", no, "lr = 0.04", "6", "320.25", "60.00"),
        ("b", no, "lr = 0.01", "0", "300.00", "20.00"),
        ("b", no, "lr = 0.02", "2", "310.50", "30.00"),
        ("b", "chosen", "lr = 0.04", "6", "320.25", "60.00"),
    )


def test_the_caption_says_the_rule_in_words_and_what_seconds_are(rich: Result) -> None:
    caption = section_of(told(rich, tuned("a"))).caption
    assert (
        "the values of the trial nearest to the best of all metrics; of equals with those of the earlier"
        in caption
    )
    assert "dev/rsum and seconds" in caption and "on whatever machine" in caption
    other = section_of(told(rich, tuned("a", {"dev/rsum": "max", "dev/f1": "min"}))).caption
    assert "machine" not in other and "first two" not in other
    three = {"dev/rsum": "max", "dev/f1": "min", "seconds": "min"}
    assert "of 3 metrics it has the first two" in section_of(told(rich, tuned("a", three))).caption


def test_a_search_of_one_metric_has_neither(rich: Result) -> None:
    assert not [one for one in sections(rich) if one.figure == "pareto"]
    assert "pareto" not in figures.drawings(rich)
    empty = Tuning("a", 1, 0, 1, "dev/rsum", None, {}, directions=DIRECTIONS, rule="r")
    assert "pareto" not in figures.drawings(told(rich, empty))
    # an arm that takes another's values, or whose trials all failed, has no row and stops nobody else's
    assert {row[0] for row in section_of(told(rich, empty, tuned("b"))).rows} == {"b"}


def test_marks_carry_their_numbers_and_the_chosen_one_is_ringed(rich: Result) -> None:
    drawing = drawn(told(rich, tuned("a")))
    assert list(drawing.data.values()) == [
        {"arm": "a", "trial": trial, "scores": scores, "values": values, "chosen": chosen}
        for trial, scores, values, chosen in (
            ("0", "dev/rsum 300.00, seconds 20.00", "lr = 0.01", "no"),
            ("2", "dev/rsum 310.50, seconds 30.00", "lr = 0.02", "yes"),
            ("6", "dev/rsum 320.25, seconds 60.00", "lr = 0.04", "no"),
        )
    ]
    lines = drawing.axes.get_lines()
    rings = [tuple(line.get_xydata()[0]) for line in lines if line.get_fillstyle() == "none"]
    assert rings == [(30.0, 310.5)]
    off = [line for line in lines if line.get_alpha() == 0.25]
    assert [tuple(line.get_xydata()[0]) for line in off] == [(25.0, 290.0)]
    assert drawing.axes.get_xlabel() == "seconds, lower is better"
    assert drawing.axes.get_ylabel() == "dev/rsum, higher is better"


@pytest.mark.parametrize(("way", "style"), [("min", "steps-post"), ("max", "steps-pre")])
def test_the_front_is_a_staircase_of_what_was_reached(rich: Result, way: str, style: str) -> None:
    drawing = drawn(told(rich, tuned("a", {"dev/rsum": "max", "cost": way})))
    (joined,) = [line for line in drawing.axes.get_lines() if len(line.get_xdata()) > 1]
    assert joined.get_drawstyle() == style
    assert all(one < other for one, other in pairwise(joined.get_xdata()))


def test_the_front_of_three_metrics_is_not_joined_in_the_plane_of_two(rich: Result) -> None:
    three = {"dev/rsum": "max", "dev/f1": "min", "seconds": "min"}
    drawing = drawn(told(rich, tuned("a", three)))
    assert all(len(line.get_xdata()) == 1 for line in drawing.axes.get_lines())


def test_with_many_arms_the_first_are_drawn_and_counted(rich: Result) -> None:
    drawing = drawn(told(rich, *(tuned(f"arm {number}") for number in range(27))))
    assert len({row["arm"] for row in drawing.data.values()}) == MOST_ARMS
    assert drawing.axes.get_xlabel().endswith(f"the first {MOST_ARMS} arms of 27")


def test_every_form_of_the_report_has_it(rich: Result) -> None:
    result = told(rich, tuned("a"))
    page = html.render(result, figures.draw(result))
    assert (
        "<h2" in page and "Several metrics in tuning" in page and '<td class="text wrap">chosen</td>' in page
    )
    assert 'aria-label="Search trials by the first two metrics"' in page
    assert "| a | chosen | lr = 0.02 | 2 | 310.50 | 30.00 |" in markdown.render(result)
    document = latex.render(result, ["pareto"])["report.tex"]
    assert "Several metrics in tuning" in document and "pareto.pdf" in document


def test_the_report_as_data_has_every_finished_trial(rich: Result) -> None:
    (found,) = as_data(told(rich, tuned("a")))["tuning"]
    assert found["directions"] == DIRECTIONS and found["shared_from"] is None
    assert found["rule"] == "nearest to the best of all metrics"
    assert found["outcomes"][2] == {
        "trial": 4, "scores": {"dev/rsum": 290.0, "seconds": 25.0}, "values": {"lr": 0.03}, "front": False,
        "chosen": False,
    }  # fmt: skip
    assert json.loads(rendered(told(rich, tuned("a"))))["tuning"] == [found]


def test_names_stay_text(rich: Result) -> None:
    directions = {NASTY: "max", f"{NASTY}2": "min"}
    result = told(rich, *(tuned(f"{NASTY}{number}", directions) for number in range(MOST_ARMS)))
    svg = figures.svgs(result, {"pareto": drawn(result)})["pareto"]
    ElementTree.fromstring(svg)
    assert "$x_1^{2}$ &lt;b&gt;&amp;amp;" in svg
    assert "<b>" not in html.render(result, figures.draw(result))
