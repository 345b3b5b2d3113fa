"""Hypotheses about two splits are declared contrasts of the difference between them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crosscut_reports.analysis import analyse
from crosscut_reports.arrays import from_arrays
from crosscut_reports.between_splits import Span, laid_out, margin_holds, resolved, spans
from crosscut_reports.context import Context
from crosscut_reports.contrast import ContrastError
from crosscut_reports.hypothesis import Hypothesis, name_of
from crosscut_reports.question import Question, QuestionError
from crosscut_reports.render import write
from crosscut_reports.result import Result
from crosscut_reports.scores import MetricScores, Scores

MORE = {"compare": {"arm": "new vs old"}, "splits": "shifted vs test"}


def scores(seeds: int = 5, clusters: int = 40) -> Scores:
    draw = np.random.default_rng(0)
    hard = draw.normal(0, 5, (1, 1, clusters))
    gain = np.array([0.0, 1.0])[:, None, None]
    metrics = {
        f"{split}/{name}": draw.normal(50 - drop, 1, (2, seeds, clusters)) + hard + more * gain
        for split, drop, more in (("test", 0, 2.0), ("shifted", 9, 5.0))
        for name in ("rsum", "r1", "medr")
        if name != "medr"
    }
    return from_arrays(metrics, ("old", "new"))


def run(*hypotheses: Any, **asked: Any) -> Result:
    given: dict[str, Any] = {"primary": "test/rsum", "baseline": "old", "margin": 1.0}
    return analyse(scores(), Question(hypotheses=hypotheses, **(given | asked)), Context(name="x"))


def test_it_is_the_interaction_that_the_comparison_of_splits_shows() -> None:
    result = run(MORE)
    (found,) = [one for one in result.contrasts if one.declared]
    assert (found.metric, found.family, found.verdict) == ("rsum, shifted vs test", 1, "better")
    assert found.estimate == pytest.approx(3, abs=0.6)
    assert result.shift is not None
    (same,) = [one for one in result.shift.effects if one.name == found.name]
    assert (same.more.estimate, same.more.se, same.more.df) == (found.estimate, found.se, found.df)
    assert not same.more.declared


def test_nothing_else_is_asked_of_the_difference() -> None:
    result = run(MORE, {"arm": "new vs old"})
    metrics = [one.metric for one in result.contrasts]
    assert metrics.count("rsum, shifted vs test") == 1
    assert {arm.metric for arm in result.arms} == {"test/rsum", "test/r1"}
    assert [one.declared for one in result.contrasts if one.metric == "test/rsum"] == [True]
    assert [one.size for one in result.design.declared_families] == [2]


def test_it_takes_the_metrics_that_it_names_and_says_what_it_is_called() -> None:
    result = run({**MORE, "metrics": ["test/rsum", "r1"], "name": "robust"})
    declared = [(one.name, one.metric) for one in result.contrasts if one.declared]
    assert declared == [("robust", "rsum, shifted vs test"), ("robust", "r1, shifted vs test")]
    assert name_of(MORE) == "arm: new vs old, shifted vs test"


def test_the_margin_holds_for_differences_of_the_primary_metric() -> None:
    equal = replace(scores(), metrics={**scores().metrics, "shifted/rsum": scores().metrics["test/rsum"]})
    question = Question(primary="test/rsum", margin=1.0, hypotheses=(MORE,))
    (found,) = [one for one in analyse(equal, question, Context(name="x")).contrasts if one.declared]
    assert (found.estimate, found.verdict) == (0, "equivalent")
    assert margin_holds("rsum, a vs b", "test/rsum")
    assert not margin_holds("r1, a vs b", "test/rsum")
    assert margin_holds("test/rsum", "test/rsum")
    assert not margin_holds("rsum", "test/rsum")


def test_it_is_late_where_it_came_late() -> None:
    result = run(late=(MORE,))
    (found,) = [one for one in result.contrasts if one.metric == "rsum, shifted vs test"]
    assert not found.declared


def test_every_output_has_it(tmp_path: Path) -> None:
    paths = write(run(MORE), tmp_path)
    for name in ("report.html", "report.md", "report.json", "contrasts.csv", "contrasts.tex"):
        assert "rsum, shifted vs test" in paths[name].read_text()


def test_a_split_without_the_metric_is_one_sentence() -> None:
    with pytest.raises(QuestionError, match=r"there is no metric 'shiftd/rsum'.*did you mean 'shifted/rsum'"):
        run({**MORE, "splits": "shiftd vs test"})


@pytest.mark.parametrize("splits", ["shifted", "shifted vs shifted", " vs test", "a vs b vs c", "", 3])
def test_other_forms_are_refused(splits: Any) -> None:
    with pytest.raises(ContrastError) as error:
        Hypothesis.parse({**MORE, "splits": splits})
    assert error.value.keys == ("splits",)


def test_its_plain_form_is_read_back() -> None:
    one = Hypothesis.parse(MORE)
    assert one.plain() == MORE
    assert Hypothesis.parse(one.plain()) == one


def test_splits_are_resolved_into_metrics() -> None:
    assert spans([MORE, {"arm": "a vs b"}], "test/rsum") == {
        "rsum, shifted vs test": Span("shifted/rsum", "test/rsum")
    }
    assert resolved(MORE, "test/rsum").metrics == ("rsum, shifted vs test",)
    plain = Hypothesis.parse({"arm": "a vs b"})
    assert resolved(plain, "test/rsum") is plain
    question = Question(primary="test/rsum")
    made = scores()
    assert laid_out(made, question) == (made, question, frozenset())


def test_splits_of_other_queries_are_independent_samples() -> None:
    made = scores()
    coco = MetricScores(
        "coco/rsum", np.random.default_rng(3).normal(40, 1, (2, 5, 70)), tuple(f"k{i}" for i in range(70))
    )
    question = Question(primary="test/rsum", hypotheses=({**MORE, "splits": "coco vs test"},))
    result = analyse(replace(made, metrics={**made.metrics, "coco/rsum": coco}), question, Context(name="x"))
    (found,) = [one for one in result.contrasts if one.declared]
    assert found.clusters == 110
    assert found.wins is None
