"""The one immutable result that text, tables, figures and `report.json` are all made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crosscut_reports.context import Context

if TYPE_CHECKING:  # with it would come NumPy, which a report of numbers does without
    from crosscut_reports.scores import QueryView

Scope = Literal["seeds-and-queries", "seeds", "queries"]
"""What is random: new seeds and new queries (the default); new seeds on these queries; new queries for these
trained models."""

Verdict = Literal["better", "worse", "equivalent", "undecided"]

SCOPE_TEXT: Mapping[Scope, str] = {
    "seeds-and-queries": "new seeds and new queries",
    "seeds": "new seeds, these queries",
    "queries": "these trained models, new queries",
}

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Design:
    """What was run, and what the report takes as random."""

    configs: int
    seeds: int
    queries: int | None
    clusters: int | None
    factors: Mapping[str, tuple[str, ...]]
    balanced: bool
    """Every arm has every seed."""
    scope: Scope
    primary: str
    alpha: float
    margin: float
    baseline: str | None
    adjustment: str
    """How the family's p-values are adjusted, such as `Holm`."""
    family: int
    """Number of contrasts in the family that the adjustment covers: those declared, on the primary metric."""


@dataclass(frozen=True)
class ContrastResult:
    """One contrast of arms on one metric. Estimates are in the metric's own points; positive favours the left
    side of the name. Figures that a scope does not give are None."""

    name: str
    metric: str
    scope: Scope
    declared: bool
    """Declared in the sweep file, and asked as it was declared; all else is exploratory."""
    estimate: float
    se: float | None
    df: float | None
    statistic: float | None
    p: float | None
    p_adjusted: float | None
    ci: tuple[float, float] | None
    """Two-sided interval of level 1 - alpha, not adjusted for the family."""
    verdict: Verdict
    wins: int | None
    """Clusters (seeds where there are no clusters) on which the left side is ahead, averaged over seeds."""
    ties: int | None
    losses: int | None
    sd_seed: float | None
    sd_query: float | None
    sd_residual: float | None
    seeds_to_decide: int | None
    """Further seeds that would settle an undecided contrast if its estimate stayed; None where it is settled
    or where more seeds cannot settle it."""
    seeds: int
    clusters: int | None
    family: int
    """Size of the family `p_adjusted` is taken over."""
    smallest_effect: float | None
    """Minimum detectable effect at this size with power 0.8."""
    sentence: str
    """The verdict in words that a reader can quote."""
    weights: Mapping[str, float]
    """arm → its weight in the contrast."""


@dataclass(frozen=True)
class FactorResult:
    """F test of a factor's main effect over the cells where all its levels occur."""

    factor: str
    metric: str
    scope: Scope
    F: float
    df1: float
    df2: float
    p: float
    p_adjusted: float
    """Adjusted by Holm among the factor tests."""
    levels: tuple[str, ...]
    cells: int = 0
    """Combinations of the other factors' levels that it was tested over; 0 where that is not known."""
    combinations: int = 0
    """Combinations of the other factors' levels that there are."""


@dataclass(frozen=True)
class ArmResult:
    """One arm on one metric: mean over its seeds with an interval of level 1 - alpha."""

    arm: str
    metric: str
    mean: float
    ci: tuple[float, float] | None
    seeds: int
    trials: int | None
    """Search trials the arm had; None where the source does not say."""
    sd_seed: float | None
    """Standard deviation over seeds."""
    values: tuple[float, ...]
    """The metric of each seed, in the order of the seeds."""
    levels: Mapping[str, str]
    scope: Scope | None = None
    """Scope of `ci`; None where that is not known."""


@dataclass(frozen=True)
class Guard:
    """Something a careful reader should know before believing the rest."""

    guard: str
    severity: Severity
    message: str


@dataclass(frozen=True)
class Drop:
    """An arm on another split than the source."""

    arm: str
    split: str
    there: ArmResult
    """The arm on that split."""
    contrast: ContrastResult
    """The other split less the source, so that a loss is negative, and `worse`; where lower is better the other
    way round. The weights are those of the differences."""
    paired: bool
    """Whether the two splits have the same clusters, which were compared one by one."""


@dataclass(frozen=True)
class ShiftEffect:
    """A contrast on another split, and how much more it is there than on the source: an interaction contrast."""

    name: str
    """Of the contrast of arms."""
    split: str
    here: ContrastResult
    """On the source."""
    there: ContrastResult
    """On the other split."""
    more: ContrastResult
    """The difference of the two, there less here: positive where the contrast is more in favour there."""


@dataclass(frozen=True)
class SeverityPoint:
    """An arm at one severity; 0 is the split with nothing done to it."""

    severity: float
    split: str
    mean: float
    ci: tuple[float, float] | None
    scope: Scope | None = None


@dataclass(frozen=True)
class SeverityCurve:
    """An arm over the severities of one series, by rising severity."""

    series: str
    arm: str
    points: tuple[SeverityPoint, ...]


@dataclass(frozen=True)
class Shift:
    """The arms off the split that they were made for. All in points of the primary metric, whose margin holds."""

    source: str
    """The split that others are compared with, such as `test`."""
    metric: str
    """The primary metric without its split, such as `rsum`."""
    splits: tuple[str, ...]
    """The others, in order."""
    own: tuple[ArmResult, ...]
    """The arms on `source`."""
    drops: tuple[Drop, ...]
    """Split by split, the arms in order. One family."""
    effects: tuple[ShiftEffect, ...]
    """Contrast by contrast, the splits in order. What is `there` is one family, what is `more` another; what is
    `here` or `there` on the primary metric itself is the very result of the report."""
    curves: tuple[SeverityCurve, ...]
    """Series by series, the arms in order."""
    higher_is_better: bool = True

    @property
    def contrasts(self) -> tuple[ContrastResult, ...]:
        """All of them, each once."""
        found = [drop.contrast for drop in self.drops]
        found += [
            contrast for effect in self.effects for contrast in (effect.here, effect.there, effect.more)
        ]
        return tuple({id(contrast): contrast for contrast in found}.values())


@dataclass(frozen=True)
class LengthBand:
    """Recall of one arm on the queries of some lengths."""

    arm: str
    metric: str
    """Such as `test/t2i_r1`."""
    low: int
    """Fewest words, included."""
    high: int
    """Most words, included."""
    queries: int
    mean: float
    ci: tuple[float, float] | None
    scope: Scope | None = None
    """Scope of `ci`; None where that is not known."""


@dataclass(frozen=True)
class ShownQuery:
    """A query on which two arms differ much."""

    query: int
    ranks: Mapping[str, tuple[int, ...]]
    """arm → rank of the best correct item under each common seed, from 1."""
    view: QueryView


@dataclass(frozen=True)
class Examples:
    """Queries on which two arms differ most, of those that can be looked at."""

    name: str
    """Of the split and direction, such as `test/t2i`."""
    left: str
    right: str
    looked_at: int
    """How many queries they were chosen from."""
    for_left: tuple[ShownQuery, ...]
    """Where `left` ranks the correct item better, by falling difference."""
    for_right: tuple[ShownQuery, ...]


@dataclass(frozen=True)
class Result:
    """A whole report, before it is rendered."""

    design: Design
    contrasts: tuple[ContrastResult, ...]
    factors: tuple[FactorResult, ...]
    arms: tuple[ArmResult, ...]
    guards: tuple[Guard, ...]
    context: Context
    shift: Shift | None = None
    """None where there is one split only."""
    lengths: tuple[LengthBand, ...] = ()
    examples: Examples | None = None
