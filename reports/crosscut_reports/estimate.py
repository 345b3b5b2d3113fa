"""An estimate with its uncertainty: what every scope returns for a contrast."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

Array = NDArray[np.float64]

SMALLEST_P = float(np.finfo(np.float64).tiny)
"""A p-value is never 0: where the tail underflows, this is what is reported."""

ROUNDING = 1e-10
"""Variation below this share of the largest score is rounding, not variation."""

NO_SPREAD = (
    "the difference is the same under every seed, so there is no spread between seeds to test it against"
)
"""Why there is no test of sides that differ and yet do not vary."""


def t_quantile(share: float, df: float) -> float:
    """The quantile of Student's t; the normal one where `df` is infinite."""
    return float(ndtri(share)) if math.isinf(df) else float(stdtrit(df, share))


def t_tail(statistic: float, df: float) -> float:
    """P(T ≥ statistic), never 0."""
    tail = float(ndtr(-statistic)) if math.isinf(df) else float(stdtr(df, -statistic))
    return max(tail, SMALLEST_P)


@dataclass(frozen=True)
class Components:
    """Standard deviations of a contrast's parts, in points; None where the scope cannot tell them apart."""

    sd_seed: float | None = None
    """How far the contrast's true mean moves from seed to seed."""
    sd_query: float | None = None
    """How far it differs between clusters of queries, averaged over all seeds there could be."""
    sd_residual: float | None = None
    """What is left of one cluster in one seed."""


@dataclass(frozen=True)
class Estimate:
    """A contrast's estimate in points, with what a test, an interval and a plan for more seeds need.

    The variance is `Σ seed_variances / seed_counts + query_variance`: the first part falls as seeds are
    added, the second does not. Paired seeds have one term, unpaired ones have one an arm.
    """

    estimate: float
    se: float | None
    """Standard error; None where there are too few seeds for one."""
    df: float
    """Degrees of freedom of `se`; infinite where the seeds add nothing to it."""
    p: float | None
    """Two-sided, never 0; None where `reason` says why there is no test."""
    components: Components = field(default_factory=Components)
    seed_variances: tuple[float, ...] = ()
    seed_counts: tuple[int, ...] = ()
    query_variance: float = 0.0
    reason: str | None = None
    draws: Array | None = field(default=None, compare=False, repr=False)
    """(draws,) of a bootstrap, where the interval rests on them too: see `crossed_bootstrap`."""

    @property
    def statistic(self) -> float | None:
        """estimate / se; 0 for two arms that are the same throughout, None where there is no test."""
        if self.se is None or self.p is None:
            return None
        return self.estimate / self.se if self.se > 0 else 0.0

    def interval(self, level: float) -> tuple[float, float] | None:
        """The two-sided interval of a level such as 0.95; None where there is no test.

        With draws it is the wider, on either side, of Student's t and of what the draws leave: infinite where they
        are too few for the level.
        """
        if self.se is None or self.p is None:
            return None
        half = t_quantile(0.5 + level / 2, self.df) * self.se if self.se > 0 else 0.0
        low, high = (self.estimate - half, self.estimate + half)
        if self.draws is None:
            return (low, high)
        bounds = percentiles(self.draws, level)
        return (min(low, bounds[0]), max(high, bounds[1]))


def percentiles(draws: Array, level: float) -> tuple[float, float]:
    """The interval that draws alone give: x is in it where 2·(1 + #{draws ≤ x})/(1 + draws) and its like for ≥ are
    1 − level or more. Infinite where there are too few of them."""
    count = draws.size
    least = math.ceil((1 - level) / 2 * (1 + count) * (1 - ROUNDING) - 1)
    if least < 1:
        return (-math.inf, math.inf)
    ordered = np.sort(draws)
    return (float(ordered[least - 1]), float(ordered[count - least]))


def student(
    estimate: float,
    seed_variances: tuple[float, ...],
    seed_counts: tuple[int, ...],
    query_variance: float,
    components: Components,
    scale: float,
    *,
    identical: bool,
) -> Estimate:
    """Test of zero with Satterthwaite's degrees of freedom on the terms that come from seeds.

    df = SE⁴ / Σ_g (v_g/S_g)²/(S_g−1), Satterthwaite (1946); with one term and a query variance it is the
    denominator of Hillis (2007). `scale` is the size of the largest score: below `ROUNDING` of it, a
    variance is taken for zero. Where nothing varies, p is 1 if the two sides are `identical`, score by score;
    else there is no test, even of an estimate of 0: sides that differ query by query have then no spread
    between seeds that would tell how far apart they are.
    """
    floor = (ROUNDING * scale) ** 2
    variances = tuple(v if v > floor else 0.0 for v in seed_variances)
    query_variance = query_variance if query_variance > floor else 0.0
    if abs(estimate) <= ROUNDING * scale:
        estimate = 0.0
    terms = [v / n for v, n in zip(variances, seed_counts, strict=True)]
    variance = sum(terms) + query_variance
    p: float | None
    reason: str | None = None
    if variance == 0:
        se = 0.0
        df = float(sum(n - 1 for n in seed_counts))
        p = 1.0 if identical else None
        if p is None:
            reason = NO_SPREAD
    else:
        se = math.sqrt(variance)
        spread = sum(term**2 / (n - 1) for term, n in zip(terms, seed_counts, strict=True) if term > 0)
        df = variance**2 / spread if spread > 0 else math.inf
        p = min(1.0, 2 * t_tail(abs(estimate) / se, df))
    return Estimate(estimate, se, df, p, components, variances, seed_counts, query_variance, reason)
