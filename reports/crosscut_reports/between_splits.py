"""Hypotheses about two splits: whether a contrast is more in favour on one than on the other.

The contrast is then one of the difference of a metric between the splits, in which how hard a split is by itself
cancels between arms. That difference becomes a metric of its own, so all else is as for any declared contrast.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from crosscut_reports.contrast import near
from crosscut_reports.hypothesis import Hypothesis
from crosscut_reports.question import Question, QuestionError
from crosscut_reports.scores import MetricScores, Scores, SplitFacts
from crosscut_reports.splits import difference, same_clusters


@dataclass(frozen=True)
class Span:
    """A metric on two splits."""

    there: str
    here: str

    @property
    def name(self) -> str:
        """Of the difference, `there` less `here`: `rsum, shifted vs test`."""
        split, _, suffix = self.there.rpartition("/")
        return f"{suffix}, {split} vs {self.here.rpartition('/')[0]}"


def spans(hypotheses: Iterable[Hypothesis | Mapping[str, Any]], primary: str) -> dict[str, Span]:
    """Name → the metrics that it is the difference of, for hypotheses that name two splits."""
    found: dict[str, Span] = {}
    for one in map(Hypothesis.parse, hypotheses):
        for span in _of(one, primary):
            found[span.name] = span
    return found


def resolved(hypothesis: Hypothesis | Mapping[str, Any], primary: str) -> Hypothesis:
    """The same hypothesis on metrics alone: those of its splits' differences, where it names two."""
    one = Hypothesis.parse(hypothesis)
    if one.splits is None:
        return one
    return replace(one, splits=None, metrics=tuple(span.name for span in _of(one, primary)))


def laid_out(scores: Scores, question: Question) -> tuple[Scores, Question, frozenset[str]]:
    """The scores with a metric for each difference that is asked of, the question about these, and their names.

    Raises:
        QuestionError: a split does not have the metric.
    """
    primary = question.primary_metric(scores)
    asked = spans(question.every_hypothesis, primary)
    if not asked:
        return scores, question, frozenset()
    metrics = dict(scores.metrics)
    for name, span in asked.items():
        metrics[name] = _difference(scores, name, span)
    return (
        replace(scores, metrics=metrics),
        replace(
            question,
            hypotheses=tuple(resolved(one, primary) for one in question.hypotheses),
            late=tuple(resolved(one, primary) for one in question.late),
        ),
        frozenset(asked),
    )


def margin_holds(metric: str, primary: str) -> bool:
    """Whether the margin, in points of the primary metric, holds for a metric: for it, and for its differences
    between splits."""
    return metric == primary or metric.partition(", ")[0] == primary.rpartition("/")[2] != metric


def _of(hypothesis: Hypothesis, primary: str) -> list[Span]:
    if hypothesis.splits is None:
        return []
    there, here = hypothesis.sides
    suffixes = dict.fromkeys(metric.rpartition("/")[2] for metric in hypothesis.metrics or (primary,))
    return [Span(f"{there}/{suffix}", f"{here}/{suffix}") for suffix in suffixes]


def _difference(scores: Scores, name: str, span: Span) -> MetricScores:
    for metric in (span.there, span.here):
        if metric not in scores.metrics:
            there = [
                known for known in scores.metrics if known.rpartition("/")[2] == metric.rpartition("/")[2]
            ]
            listed = ", ".join(there) or "none of the name"
            raise QuestionError(
                f"hypotheses: splits: there is no metric '{metric}'; there is {listed}{near(metric, there)}"
            )
    first, second = scores.metrics[span.there], scores.metrics[span.here]
    facts = tuple(scores.splits.get(one.rpartition("/")[0], SplitFacts()) for one in (span.there, span.here))
    together = same_clusters(first, second, (facts[0], facts[1]))
    return difference(first, second, together=together, name=name)
