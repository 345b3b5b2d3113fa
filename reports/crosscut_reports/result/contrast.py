"""Contrasts of arms and tests of factors, with the families that they are adjusted in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crosscut_reports.result.terms import Scope, Verdict


@dataclass(frozen=True)
class Family:
    """Contrasts whose p-values are adjusted together."""

    name: str
    size: int
    """Contrasts with a test."""
    adjustment: str
    declared: bool
    metrics: tuple[str, ...]


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
    family_name: str = ""
    """Name of that family."""
    adjustment: str = "Holm"
    """How its p-values are adjusted."""
    simultaneous: tuple[float, float] | None = None
    """Interval that holds together with those of the rest of the family at level 1 - alpha: of Bonferroni's level,
    or by the largest |t| over joint sign flips. None without a test, and for screens."""


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
