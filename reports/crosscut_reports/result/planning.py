"""Plans: power by seeds, and what a sequential test of added seeds says."""

from __future__ import annotations

from dataclasses import dataclass

from crosscut_reports.result.terms import Scope


@dataclass(frozen=True)
class PowerPoint:
    """Power at a number of seeds and clusters."""

    seeds: int
    clusters: int | None
    """None where scores are known per run only."""
    difference: float
    """True difference in points of the metric."""
    power: float


@dataclass(frozen=True)
class PowerPlan:
    """Power of a typical contrast of this design against the number of seeds."""

    metric: str
    alpha: float
    family: int
    """Size of the family whose level, alpha over its size, is planned for."""
    scope: Scope
    clusters: int | None
    wanted: float
    """The power that seeds are counted for."""
    sd_seed: float
    sd_query: float
    sd_residual: float
    """Of a typical contrast: root mean squares over those it is taken from."""
    contrasts: int
    """How many contrasts it is taken from, 0 where standard deviations were given."""
    points: tuple[PowerPoint, ...]
    """By difference, then by seeds."""
    needed: tuple[tuple[float, int | None, bool], ...]
    """Difference, the seeds that it needs (None where there are none), and whether no number would do."""


@dataclass(frozen=True)
class SequentialResult:
    """A declared hypothesis under the test that may be looked at after every seed."""

    name: str
    metric: str
    seeds: int
    """Seeds at which it was settled, or that there are."""
    estimate: float
    interval: tuple[float, float] | None
    """The confidence sequence at that number of seeds, of level 1 - alpha; None where it has no bounds yet."""
    closed: tuple[float, float] | None
    """The closed-form interval over all seeds that there are, which such a choice of seeds makes too narrow."""
    e: float
    """The E-value."""
    p: float
    """Valid at any number of seeds, adjusted within the family."""
    reason: str | None
    """`better`, `worse`, `equivalent`, `futile`, `maximum`; None where it is open."""
