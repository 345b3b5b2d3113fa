"""Rankings of arms over seeds: Friedman's test, Iman and Davenport's F, and Nemenyi's critical difference.

Ranks leave out by how much arms differ and what the queries say, so contrasts tell more; a ranking shows many arms
at a glance. Blocks are seeds, so it holds for new seeds and these queries (Demšar 2006).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from crosscut_reports.closed_form import f_tail
from crosscut_reports.estimate import ROUNDING, SMALLEST_P, Array
from crosscut_reports.measurement import Table
from crosscut_reports.result import Ranking

FEWEST_ARMS = 3
FEWEST_SEEDS = 2
_NODES = 400
_REACH = 9.0
"""Standard deviations over which the density of a range is integrated."""


@dataclass(frozen=True)
class Friedman:
    """Average ranks and their test."""

    ranks: Array
    """(treatments,) average ranks; 1 is best."""
    chi2: float
    F: float
    """Iman and Davenport's; infinite where all blocks rank alike."""
    df1: float
    df2: float
    p: float
    """Of F; where that is infinite, the chance that all blocks rank alike if none differ."""


def friedman(scores: Array) -> Friedman:
    """Of scores (blocks, treatments), more being better.

    χ² = 12N/(k(k+1))·[Σ R² − k(k+1)²/4] (Friedman 1937), F = (N−1)χ²/(N(k−1) − χ²) with k−1 and (k−1)(N−1) degrees
    of freedom (Iman and Davenport 1980), N blocks and k treatments. Ties share the mean of their ranks, and χ² is
    not corrected for them, as in Demšar (2006), which errs on the careful side.

    Raises:
        ValueError: fewer than two of either.
    """
    if scores.ndim != 2 or min(scores.shape) < 2:
        raise ValueError(
            f"scores of the shape {scores.shape}: expected (blocks, treatments), two or more of each"
        )
    N, k = scores.shape
    rounding = ROUNDING * float(np.abs(scores).max(initial=0.0))
    ahead = scores[:, None, :] - scores[:, :, None]
    within = (k + 1 + (ahead > rounding).sum(axis=2) - (ahead < -rounding).sum(axis=2)) / 2
    ranks = np.asarray(within.mean(axis=0))
    chi2 = 12 * N / (k * (k + 1)) * float((ranks**2).sum() - k * (k + 1) ** 2 / 4)
    left = N * (k - 1) - chi2
    df1, df2 = float(k - 1), float((k - 1) * (N - 1))
    if left <= ROUNDING * N * (k - 1):
        return Friedman(ranks, chi2, math.inf, df1, df2, _alike(N, k))
    F = max(0.0, (N - 1) * chi2 / left)
    return Friedman(ranks, chi2, F, df1, df2, f_tail(F, df1, df2))


def _alike(blocks: int, treatments: int) -> float:
    """k!^(1−N)."""
    return max(math.exp((1 - blocks) * math.lgamma(treatments + 1)), SMALLEST_P)


def critical_difference(blocks: int, treatments: int, alpha: float) -> float:
    """Nemenyi's: average ranks that lie farther apart differ, all pairs taken together at level `alpha`.

    q·√(k(k+1)/(6N)), q the upper quantile of the range of k standard normal variables, divided by √2 (Nemenyi
    1963; Demšar 2006).
    """
    return (
        range_quantile(treatments, alpha)
        / math.sqrt(2)
        * math.sqrt(treatments * (treatments + 1) / (6 * blocks))
    )


def range_quantile(count: int, alpha: float) -> float:
    """The value that the range of `count` independent standard normal variables exceeds with a chance of `alpha`.

    P(range ≤ q) = k·∫ φ(x)·[Φ(x) − Φ(x − q)]^(k−1) dx (Tippett 1925), by Gauss–Legendre quadrature.
    """
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    x = _REACH * nodes
    density = _REACH * weights * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)

    def excess(q: float) -> float:
        return count * float(density @ (ndtr(x) - ndtr(x - q)) ** (count - 1)) - (1 - alpha)

    low, high = 0.0, 2 * _REACH
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    return (low + high) / 2


def groups(ranks: Array, critical: float) -> list[tuple[int, int]]:
    """First and last place of every largest stretch of sorted `ranks` that spans less than `critical`; those of
    one are left out."""
    found: list[tuple[int, int]] = []
    for first in range(ranks.size):
        last = int(np.searchsorted(ranks, ranks[first] + critical, side="left")) - 1
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found


def rank(table: Table, alpha: float) -> Ranking | None:
    """The ranking of the arms that have runs, over the seeds that all of these have; None for fewer than three
    arms or two such seeds."""
    arms = [arm for arm in table.rows if table.seeds_of(arm).size]
    if len(arms) < FEWEST_ARMS:
        return None
    seeds = table.common_seeds(arms)
    if seeds.size < FEWEST_SEEDS:
        return None
    scores = np.stack([table.sign * table.runs[table.rows[arm], seeds] for arm in arms], axis=1)
    found = friedman(scores)
    order = np.argsort(found.ranks, kind="stable")
    critical = critical_difference(int(seeds.size), len(arms), alpha)
    sorted_ranks = found.ranks[order]
    return Ranking(
        metric=table.metric.name,
        arms=tuple(arms[place] for place in order),
        ranks=tuple(float(value) for value in sorted_ranks),
        seeds=int(seeds.size),
        chi2=found.chi2,
        F=found.F if math.isfinite(found.F) else None,
        df1=found.df1,
        df2=found.df2,
        p=found.p,
        critical=critical,
        groups=tuple(groups(sorted_ranks, critical)),
    )
