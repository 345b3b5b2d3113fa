"""The one immutable result that text, tables, figures and `report.json` are all made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from crosscut_reports.context import Context

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
class Result:
    """A whole report, before it is rendered."""

    design: Design
    contrasts: tuple[ContrastResult, ...]
    factors: tuple[FactorResult, ...]
    arms: tuple[ArmResult, ...]
    guards: tuple[Guard, ...]
    context: Context
