"""Power: how many seeds and queries a difference needs, from the variance that a pilot shows.

A contrast at S seeds and Q clusters has SE² = σ_s²/S + σ_q²/Q + σ_sq²/(SQ). Its test has the degrees of freedom of
Hillis (2007), SE⁴/[(v/S)²/(S−1)] with v = σ_s² + σ_sq²/Q, so its power is that of a noncentral t. True variances
are put in where a study has estimates, as is usual in planning; a pilot's are uncertain themselves, see
`seed_interval`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri, nctdtr, ndtr

from crosscut_reports.estimate import Components, t_quantile
from crosscut_reports.result import Scope

MOST = 10_000
"""Plans end at so many seeds, and a thousand times as many clusters."""


@dataclass(frozen=True)
class Parts:
    """Standard deviations of a contrast's parts, in points. Raises ValueError for one that is no number from 0."""

    sd_seed: float
    """How far the contrast's true mean moves from seed to seed."""
    sd_query: float = 0.0
    """How far it differs between clusters of queries."""
    sd_residual: float = 0.0
    """What is left of one cluster in one seed."""

    def __post_init__(self) -> None:
        for name in ("sd_seed", "sd_query", "sd_residual"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name}: found {value}, expected a number of at least 0")

    def seeds(self, clusters: float) -> float:
        """v, the variance of a seed's mean over so many clusters, their own variance left out."""
        return self.sd_seed**2 + (self.sd_residual**2 / clusters if self.sd_residual else 0.0)

    def queries(self, clusters: float) -> float:
        """The variance that no number of seeds takes away."""
        return self.sd_query**2 / clusters if self.sd_query else 0.0


@dataclass(frozen=True)
class Needed:
    """How many seeds or clusters a power takes."""

    count: int | None
    """None where none is enough."""
    never: bool = False
    """Whether no number is enough, however large: the other variance alone leaves too little power."""


def pooled(parts: Iterable[Parts]) -> Parts:
    """A typical contrast: root mean squares. Raises ValueError without one."""
    found = list(parts)
    if not found:
        raise ValueError("parts: found none, expected one contrast at least")
    squares = np.array([(one.sd_seed, one.sd_query, one.sd_residual) for one in found]) ** 2
    return Parts(*np.sqrt(squares.mean(axis=0)).tolist())


def of_components(components: Components) -> Parts | None:
    """The parts of an estimate; None where its scope does not give how seeds vary."""
    if components.sd_seed is None:
        return None
    return Parts(components.sd_seed, components.sd_query or 0.0, components.sd_residual or 0.0)


def seed_interval(parts: Parts, seeds: int, clusters: float, level: float = 0.8) -> tuple[Parts, Parts]:
    """The parts with σ_s at the two ends of its interval, from v of a pilot of so many seeds: v·(S−1)/χ²(S−1).

    What the residual leaves of v is σ_s², 0 at the least. Raises ValueError with fewer than two seeds.
    """
    if seeds < 2:
        raise ValueError(f"seeds: found {seeds}, expected two or more")
    own = parts.seeds(clusters)
    rest = own - parts.sd_seed**2
    ends = []
    for tail in ((1 - level) / 2, (1 + level) / 2):
        variance = own * (seeds - 1) / float(chdtri(seeds - 1, tail))
        ends.append(Parts(math.sqrt(max(variance - rest, 0.0)), parts.sd_query, parts.sd_residual))
    return ends[0], ends[1]


def _spread(parts: Parts, seeds: float, clusters: float, scope: Scope) -> tuple[float, float]:
    """SE and its degrees of freedom."""
    if scope == "queries":
        between = parts.queries(clusters) + parts.sd_residual**2 / (seeds * clusters)
        return math.sqrt(between), clusters - 1
    term = parts.seeds(clusters) / seeds
    variance = term + (parts.queries(clusters) if scope == "seeds-and-queries" else 0.0)
    if term == 0:
        return math.sqrt(variance), math.inf
    return math.sqrt(variance), variance**2 / (term**2 / (seeds - 1))


def _upper(critical: float, df: float, shift: float) -> float:
    """P(T ≥ critical) of the noncentral t."""
    if math.isinf(df):
        return float(ndtr(shift - critical))
    return 1.0 - float(nctdtr(df, shift, critical))


def power(
    parts: Parts,
    seeds: int,
    clusters: float,
    difference: float,
    *,
    alpha: float = 0.05,
    scope: Scope = "seeds-and-queries",
    family: int = 1,
) -> float:
    """The chance that a two-sided test at α over the size of the family finds a true difference (points).

    Bonferroni's level is a little stricter than Holm's. Needs two seeds, or two clusters in the scope "queries".

    Raises:
        ValueError: fewer than that.
    """
    if scope != "queries" and seeds < 2:
        raise ValueError(f"seeds: found {seeds}, expected two or more")
    if scope == "queries" and clusters < 2:
        raise ValueError(f"clusters: found {clusters}, expected two or more")
    se, df = _spread(parts, seeds, clusters, scope)
    if se == 0:
        return 1.0 if difference else alpha / family
    critical, shift = t_quantile(1 - alpha / family / 2, df), abs(difference) / se
    return min(1.0, _upper(critical, df, shift) + _upper(critical, df, -shift))


def equivalence_power(
    parts: Parts,
    seeds: int,
    clusters: float,
    margin: float,
    *,
    alpha: float = 0.05,
    scope: Scope = "seeds-and-queries",
) -> float:
    """The chance that two one-sided tests at α call two sides that are the same equivalent within the margin.

    2·Φ_t(δ/SE − t_{1−α}) − 1 with the t distribution in Φ's place (Phillips 1990), 0 where that is negative.
    """
    se, df = _spread(parts, seeds, clusters, scope)
    if se == 0:
        return 1.0
    return max(0.0, 1.0 - 2.0 * _upper(margin / se - t_quantile(1 - alpha, df), df, 0.0))


def detectable(
    parts: Parts,
    seeds: int,
    clusters: float,
    wanted: float = 0.8,
    *,
    alpha: float = 0.05,
    scope: Scope = "seeds-and-queries",
    family: int = 1,
) -> float:
    """The difference, in points, that is found with the power wanted."""
    se, _ = _spread(parts, seeds, clusters, scope)
    low, high = 0.0, max(se, 1e-12)

    def found(difference: float) -> float:
        return power(parts, seeds, clusters, difference, alpha=alpha, scope=scope, family=family)

    while found(high) < wanted:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) >= wanted else (middle, high)
    return high


def seeds_needed(
    parts: Parts,
    clusters: float,
    difference: float,
    wanted: float = 0.8,
    *,
    alpha: float = 0.05,
    scope: Scope = "seeds-and-queries",
    family: int = 1,
    fewest: int = 3,
) -> Needed:
    """The fewest seeds, from `fewest` on, that find a difference with the power wanted."""

    def found(seeds: int) -> bool:
        chance = power(parts, seeds, clusters, difference, alpha=alpha, scope=scope, family=family)
        return chance >= wanted

    limit = Parts(0.0, parts.sd_query) if scope == "seeds-and-queries" else Parts(0.0)
    never = power(limit, 2, clusters, difference, alpha=alpha, family=family) < wanted
    return _fewest(found, fewest, MOST, never)


def clusters_needed(
    parts: Parts,
    seeds: int,
    difference: float,
    wanted: float = 0.8,
    *,
    alpha: float = 0.05,
    scope: Scope = "seeds-and-queries",
    family: int = 1,
) -> Needed:
    """The fewest clusters of queries that find a difference with the power wanted."""

    def found(clusters: int) -> bool:
        chance = power(parts, seeds, clusters, difference, alpha=alpha, scope=scope, family=family)
        return chance >= wanted

    limit = Parts(0.0 if scope == "queries" else parts.sd_seed)
    never = power(limit, seeds, math.inf, difference, alpha=alpha, family=family) < wanted
    return _fewest(found, 2, 1000 * MOST, never)


def _fewest(enough: Callable[[int], bool], first: int, last: int, never: bool) -> Needed:
    """The first number that is enough, by halving: more is never less."""
    if never:
        return Needed(None, never=True)
    if not enough(last):
        return Needed(None)
    low, high = first - 1, last
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return Needed(high)


def differences(
    parts: Parts,
    seeds: Sequence[int],
    clusters: float,
    *,
    alpha: float = 0.05,
    scope: Scope = "seeds-and-queries",
    family: int = 1,
) -> list[float]:
    """Round differences worth a row: what the fewest and the most of these seeds detect, and what lies between."""
    ends = [
        detectable(parts, count, clusters, alpha=alpha, scope=scope, family=family)
        for count in (min(seeds), max(seeds))
    ]
    return sorted({_rounded(size) for size in np.geomspace(min(ends), max(ends), 4).tolist()} - {0.0})


def _rounded(size: float) -> float:
    """To two significant digits."""
    return float(f"{size:.2g}")
