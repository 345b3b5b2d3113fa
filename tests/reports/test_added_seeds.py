"""Verdicts where seeds were added by what results said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from crosscut_reports import sequential
from crosscut_reports.added_seeds import ADJUSTMENT
from crosscut_reports.analysis import analyse
from crosscut_reports.arrays import from_arrays
from crosscut_reports.context import Context
from crosscut_reports.question import Question
from crosscut_reports.render import html, markdown
from crosscut_reports.result import Result
from crosscut_reports.scores import Scores

ARMS = ("none", "big", "same")
HYPOTHESES = ({"arm": "big vs none"}, {"arm": "same vs none"})


def made(seeds: int = 8, effect: float = 30.0, metric: str = "rsum") -> Scores:
    draw = np.random.default_rng(1)
    runs = 100 + draw.normal(0, 3, (3, seeds)) + np.array([[0.0], [effect], [0.0]])
    return from_arrays({metric: runs}, ARMS)


def run(scores: Scores, **asked: Any) -> Result:
    given: dict[str, Any] = {"baseline": "none", "hypotheses": HYPOTHESES, "rounds": (3, 8), **asked}
    return analyse(scores, Question(**given), Context("added"))


def test_declared_verdicts_follow_the_sequential_test_alone() -> None:
    scores = made()
    result, fixed = run(scores), run(scores, rounds=None)
    runs = scores.metrics["rsum"].runs
    values = {name: runs[place] - runs[0] for place, name in ((1, "big"), (2, "same"))}
    courses = sequential.follow(values, alpha=0.05, margin=0, minimum=3, maximum=8)
    for told, plain, course in zip(result.contrasts, fixed.contrasts, courses.values(), strict=False):
        assert told.declared and told.adjustment == ADJUSTMENT
        assert told.p_adjusted == course.p_adjusted
        assert (told.estimate, told.ci, told.p) == (plain.estimate, plain.ci, plain.p)
        assert told.seeds_to_decide is None and told.simultaneous is None
    assert [one.verdict for one in result.contrasts[:2]] == ["better", "undecided"]
    assert [(one.reason, one.seeds, one.closed) for one in result.sequential] == [
        (course.reason, course.round, plain.ci)
        for course, plain in zip(courses.values(), fixed.contrasts, strict=False)
    ]
    assert fixed.sequential == () and not [g for g in fixed.guards if g.guard == "added-seeds"]


def test_where_lower_is_better_a_fall_is_better() -> None:
    result = run(made(effect=-30.0, metric="loss"))
    assert result.sequential[0].reason == "better"
    assert result.sequential[0].estimate > 20 and result.contrasts[0].verdict == "better"


def test_arms_that_were_to_have_fewer_seeds_are_looked_at_on_those() -> None:
    scores = made()
    values = scores.metrics["rsum"].values.copy()
    values[1, 6:] = np.nan
    fewer = replace(scores, metrics={"rsum": replace(scores.metrics["rsum"], values=values)}, asked=(8, 6, 8))
    result = run(fewer)
    assert result.sequential[0].seeds <= 6
    assert not [guard for guard in result.guards if guard.guard == "missing-runs"]
    # Were it to have all of them, two are missing.
    missing = run(replace(fewer, asked=None))
    assert [guard.guard for guard in missing.guards if guard.guard == "missing-runs"]


@pytest.mark.parametrize(
    ("seeds", "rounds", "margin", "told"),
    [
        (8, (3, 8), 0.0, "futile|undecided with the most seeds"),
        (4, (3, 200), 0.0, "undecided, and open: it gets further seeds"),
        (8, (3, 8), 50.0, "equivalent, since the 90% confidence sequence lies within the margin of ±50"),
    ],
)
def test_every_end_has_its_words(seeds: int, rounds: tuple[int, int], margin: float, told: str) -> None:
    result = run(made(seeds), rounds=rounds, margin=margin)
    sentence = result.contrasts[1].sentence
    assert any(part in sentence for part in told.split("|")) or "little chance to settle it" in sentence
    assert "added until it was decided; declared" in sentence and "new seeds, these queries" in sentence


def test_before_the_first_look_it_says_so() -> None:
    result = run(made(2))
    assert "no look yet" in result.contrasts[0].sentence
    assert result.sequential[0].reason is None and result.sequential[0].e == 1.0


def test_pages_show_both_intervals_and_say_which_is_valid() -> None:
    result = run(made())
    for text in (html.render(result, {}), markdown.render(result)):
        assert "Seeds added until decided" in text
        assert "whatever made one stop" in text


def test_nothing_declared_is_followed() -> None:
    assert run(made(), hypotheses=()).sequential == ()
