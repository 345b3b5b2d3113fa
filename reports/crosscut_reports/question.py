"""What a report is asked, as the sweep file or the command line says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crosscut_reports.contrast import near
from crosscut_reports.hypothesis import Hypothesis
from crosscut_reports.result import Scope, Screen
from crosscut_reports.scores import Scores
from crosscut_reports.splits import compared, split_of


class QuestionError(ValueError):
    """A question that these scores cannot be asked."""


@dataclass(frozen=True)
class Question:
    """All of it is fixed before the runs are seen; a question made up after them is exploratory."""

    primary: str | None = None
    """The metric that declared hypotheses are tested on. None: `test/rsum`, `rsum`, or the first."""
    alpha: float = 0.05
    margin: float = 0.0
    """Differences of the primary metric below so many points are negligible. 0: nothing is, so no verdict can
    be "equivalent"."""
    baseline: str | None = None
    """Name of the arm that others are compared with."""
    hypotheses: Sequence[Hypothesis | Mapping[str, Any]] = ()
    """Declared before the runs, such as `{"constraints": "ccr vs none"}`; see `hypothesis.Hypothesis`."""
    late: Sequence[Hypothesis | Mapping[str, Any]] = ()
    """Asked in the same way once there were runs, so that they are exploratory."""
    screen: Screen = "holm"
    """How p-values of exploratory families are adjusted: `holm`, or the share of false findings among those found
    (`benjamini-hochberg`; `benjamini-yekutieli` under any dependence), which screens many contrasts."""
    metrics: Sequence[str] | None = None
    """Metrics beside the primary one; None for all of its split, see `all_metrics`."""
    factors: Sequence[str] | None = None
    """Factors whose effects are looked at; None for all."""
    scope: Scope | None = None
    """None: new seeds and new queries wherever the scores allow it."""
    rounds: tuple[int, int] | None = None
    """Fewest and most seeds where these were added until the declared hypotheses were settled; None where their
    number was fixed."""
    changed: Mapping[str, str] = field(default_factory=dict)
    """What was asked otherwise after it was declared (`primary`, `margin`, `alpha`) → how, such as "the sweep
    says 1, this report was asked for 2"."""

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 0.5:
            raise QuestionError(f"alpha: found {self.alpha}, expected a number between 0 and 0.5")
        if not 0 <= self.margin < float("inf"):
            raise QuestionError(f"margin: found {self.margin}, expected 0 or a positive number of points")

    @property
    def every_hypothesis(self) -> tuple[Hypothesis, ...]:
        """Those declared, then those asked later."""
        return tuple(Hypothesis.parse(one) for one in (*self.hypotheses, *self.late))

    @property
    def keeps_declarations(self) -> bool:
        """Whether hypotheses still count as declared: not on another metric, nor with another margin."""
        return not {"primary", "metric", "margin"} & set(self.changed)

    def primary_metric(self, scores: Scores) -> str:
        """The primary metric's name. Raises QuestionError where there is none of the name asked for."""
        if self.primary is not None:
            return _known("primary", "metric", self.primary, tuple(scores.metrics))
        for usual in ("test/rsum", "rsum"):
            if usual in scores.metrics:
                return usual
        if not scores.metrics:
            raise QuestionError("scores: there is no metric")
        return next(iter(scores.metrics))

    def all_metrics(self, scores: Scores) -> tuple[str, ...]:
        """The primary metric first, then the others in the order asked for.

        Where none are asked for it is all of them, but for those of splits that the primary metric's split is
        compared with: each would be a family of its own, and what is asked of these splits is how they differ.
        Splits that nothing is compared with, such as dev, keep their metrics, as do metrics without a split.
        """
        primary = self.primary_metric(scores)
        wanted = self.metrics
        if wanted is None:
            splits = compared(scores.metrics, primary)
            elsewhere = set() if splits is None else {splits.source, *splits.others} - {split_of(primary)}
            wanted = [name for name in scores.metrics if split_of(name) not in elsewhere]
        names = [_known("metrics", "metric", name, tuple(scores.metrics)) for name in wanted]
        asked = (metric for one in self.every_hypothesis for metric in one.metrics)
        names += [_known("hypotheses", "metric", name, tuple(scores.metrics)) for name in asked]
        return tuple(dict.fromkeys([primary, *names]))

    def names(self, metric: str, primary: str) -> bool:
        """Whether the metric is asked about by name."""
        asked = (name for one in self.every_hypothesis for name in one.metrics)
        return metric in (primary, *(self.metrics or ()), *asked)

    def all_factors(self, scores: Scores) -> tuple[str, ...]:
        """The factors to look at, each with more than one level."""
        there = scores.factors
        if self.factors is None:
            return tuple(there)
        return tuple(dict.fromkeys(_known("factors", "factor", name, tuple(there)) for name in self.factors))

    def baseline_arm(self, scores: Scores) -> str | None:
        """The baseline arm's name. Raises QuestionError where there is no such arm."""
        if not scores.arms:
            raise QuestionError("scores: there is no arm")
        return None if self.baseline is None else _known("baseline", "arm", self.baseline, scores.arms)


def _known(key: str, noun: str, value: str, there: Sequence[str]) -> str:
    if value not in there:
        listed = ", ".join(there) or "none"
        raise QuestionError(f"{key}: there is no {noun} '{value}'; there is {listed}{near(value, there)}")
    return value
