"""Scope "new seeds and new queries": the closed form of multi-reader multi-case studies.

Arms are treatments, seeds are readers, clusters of queries are cases (Obuchowski and Rockette 1995; Hillis
2007; Hillis 2014). Inference is conditional on the gallery. In a balanced design no mixed model is needed.

Caveat: the degrees of freedom are estimated, and with few seeds too many are found where the seeds happen to
agree. Simulated familywise error at a nominal 5%, of m independent contrasts adjusted by Holm, at the share of
seeds and queries in the variance that is worst:

    seeds   m = 1   m = 3   m = 10
        3    .080    .125     .236
        4    .066    .089     .146
        5    .060    .073     .108
       10    .053    .056     .061

It is the nominal 5% where either share is nearly all of the variance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc

from crosscut_reports.estimate import ROUNDING, SMALLEST_P, Array, Components, Estimate, student

FAMILYWISE_ERROR: Mapping[int, Mapping[int, float]] = {
    3: {1: 0.080, 3: 0.125, 10: 0.236},
    4: {1: 0.066, 3: 0.089, 10: 0.146},
    5: {1: 0.060, 3: 0.073, 10: 0.108},
    10: {1: 0.053, 3: 0.056, 10: 0.061},
}
"""seeds → size of the family → simulated familywise error at a nominal 5%; see above."""


class NoVariationError(ValueError):
    """A factor cannot be tested since the runs do not vary."""


@dataclass(frozen=True)
class Moments:
    """Means and variances of scores (…, seeds, clusters); every field has the shape of the leading axes."""

    estimate: Array
    seed_variance: Array
    """Variance of the seeds' means; 0 where there is one seed."""
    query_covariance: Array
    """Mean covariance of two different seeds over clusters, σ_query² unclamped."""
    residual_variance: Array
    """Residual mean square of the two-way table seeds × clusters."""


@dataclass(frozen=True)
class FactorTest:
    """F test of the equality of a factor's levels."""

    F: float
    df1: float
    df2: float
    p: float
    ms_levels: float
    ms_interaction: float
    """Mean square of levels × seeds."""
    cov2: float
    """Covariance of an arm's mean under two seeds, of means over clusters."""
    cov3: float
    """Covariance of two arms' means under two seeds."""
    denominator: float


def moments(D: Array) -> Moments:
    """Moments of scores of the shape (…, seeds, clusters), at least two seeds and two clusters.

    With V the seeds' variances over clusters and v the variance of the clusters' means over seeds, the mean
    off-diagonal covariance is (S²v − ΣV)/(S(S−1)) and the residual mean square (ΣV − S·v)/(S−1), so the
    S × S covariance matrix is never formed.
    """
    seeds = D.shape[-2]
    per_seed = D.mean(axis=-1)
    within: Array = D.var(axis=-1, ddof=1).sum(axis=-1)
    between: Array = D.mean(axis=-2).var(axis=-1, ddof=1)
    off_diagonal = seeds**2 * between - within
    # A difference of two large sums: what is left of them may be rounding.
    off_diagonal = np.where(np.abs(off_diagonal) <= ROUNDING * within, 0.0, off_diagonal)
    return Moments(
        estimate=np.asarray(per_seed.mean(axis=-1)),
        seed_variance=np.asarray(per_seed.var(axis=-1, ddof=1)),
        query_covariance=np.asarray(off_diagonal / (seeds * (seeds - 1))),
        residual_variance=np.maximum(within - seeds * between, 0) / (seeds - 1),
    )


def _check(D: Array) -> None:
    if D.ndim != 2 or D.shape[0] < 2 or D.shape[1] < 2:
        raise ValueError(f"scores of the shape {D.shape}: expected (seeds, clusters), at least two of each")


def components(D: Array) -> Components:
    """σ_seed, σ_query and σ_residual of scores (seeds, clusters), each clamped at 0.

    σ_query² is the mean covariance of two seeds, σ_residual² the residual mean square, and
    σ_seed² = var(r) − σ_residual²/Q, r being the seeds' means.
    """
    _check(D)
    found = moments(D)
    residual = float(found.residual_variance)
    return Components(
        sd_seed=math.sqrt(max(float(found.seed_variance) - residual / D.shape[1], 0.0)),
        sd_query=math.sqrt(max(float(found.query_covariance), 0.0)),
        sd_residual=math.sqrt(residual),
    )


def contrast(D: Array) -> Estimate:
    """The contrast whose scores are D (seeds, clusters), the seeds being common to all its arms.

    SE² = var(r)/S + max(C, 0) with r the seeds' means and C the mean off-diagonal covariance of seeds over
    clusters, divided by the number of clusters; df = SE⁴ / [(var(r)/S)²/(S−1)]; t with df. Raises ValueError
    with fewer than two seeds or clusters; below three seeds its degrees of freedom are too few to be of use.
    """
    _check(D)
    found = moments(D)
    scale = float(np.abs(D).max())
    return student(
        float(found.estimate),
        (float(found.seed_variance),),
        (D.shape[0],),
        max(float(found.query_covariance), 0.0) / D.shape[1],
        components(D),
        scale,
        identical=scale == 0,
    )


def unpaired(scores: Sequence[Array], weights: Sequence[float]) -> Estimate:
    """The contrast Σ w_a·arm_a where every arm has seeds of its own; `scores[a]` is (seeds of a, clusters).

    SE² = Σ w_a² s_a²/S_a + max(Σ w_a² C_aa + Σ_{a≠b} w_a w_b C_ab, 0), the weighted form of
    s₁²/S₁ + s₂²/S₂ + max(C₁₁ + C₂₂ − 2C₁₂, 0); Satterthwaite's df on the seeds' terms.
    """
    for D in scores:
        _check(D)
    clusters = scores[0].shape[1]
    w = np.asarray(weights, dtype=np.float64)
    found = [moments(D) for D in scores]
    C = np.atleast_2d(np.cov(np.stack([D.mean(axis=0) for D in scores])))
    np.fill_diagonal(C, [float(m.query_covariance) for m in found])
    query = float(w @ C @ w)
    if query <= ROUNDING * float(np.dot(w**2, [D.var() for D in scores])):
        query = 0.0
    scale = max(float(np.abs(D).max()) for D in scores)
    apart = max(
        float(np.abs(w @ np.stack([D.mean(axis=0) for D in scores])).max()),
        *(float(np.ptp(D, axis=0).max()) for D in scores),
    )
    residuals = [float(m.residual_variance) for m in found]
    seeds = [max(float(m.seed_variance) - r / clusters, 0.0) for m, r in zip(found, residuals, strict=True)]
    return student(
        float(sum(x * float(m.estimate) for x, m in zip(w, found, strict=True))),
        tuple(float(x**2) * float(m.seed_variance) for x, m in zip(w, found, strict=True)),
        tuple(D.shape[0] for D in scores),
        query / clusters,
        Components(
            sd_seed=math.sqrt(float(np.dot(w**2, seeds))),
            sd_query=math.sqrt(query),
            sd_residual=math.sqrt(float(np.dot(w**2, residuals))),
        ),
        scale,
        identical=apart <= ROUNDING * scale,
    )


def f_tail(F: float, df1: float, df2: float) -> float:
    """P(F(df1, df2) ≥ F), never 0."""
    return max(float(fdtrc(df1, df2, F)), SMALLEST_P)


def level_mean_squares(runs: Array) -> tuple[float, float]:
    """Mean squares of levels, and of levels × seeds, of a table (levels, seeds)."""
    levels, seeds = runs.shape
    by_level = runs.mean(axis=1, keepdims=True)
    by_seed = runs.mean(axis=0, keepdims=True)
    ms_levels = seeds * float(((by_level - runs.mean()) ** 2).sum()) / (levels - 1)
    rest = runs - by_level - by_seed + runs.mean()
    return ms_levels, float((rest**2).sum()) / ((levels - 1) * (seeds - 1))


def factor(M: Array) -> FactorTest:
    """F test of a factor from the means of its levels, M of the shape (levels, seeds, clusters).

    den = MS_TR + S·max(Cov2 − Cov3, 0), F = MS_T/den, df1 = T−1, df2 = den² / [MS_TR²/((T−1)(S−1))]
    (Hillis 2007). Raises NoVariationError where nothing varies from seed to seed.
    """
    if M.ndim != 3 or min(M.shape) < 2:
        raise ValueError(f"scores of the shape {M.shape}: expected (levels, seeds, clusters), two of each")
    levels, seeds, clusters = M.shape
    ms_levels, ms_interaction = level_mean_squares(M.mean(axis=2))
    # Sums of covariances over sets of pairs of rows are variances of sums of rows.
    every = float(M.sum(axis=(0, 1)).var(ddof=1))
    same_level = float(M.sum(axis=1).var(axis=1, ddof=1).sum())
    same_seed = float(M.sum(axis=0).var(axis=1, ddof=1).sum())
    itself = float(M.var(axis=2, ddof=1).sum())
    pairs = seeds * (seeds - 1)
    cov2 = (same_level - itself) / (levels * pairs) / clusters
    cov3 = (every - same_level - same_seed + itself) / (levels * (levels - 1) * pairs) / clusters
    if ms_interaction <= (ROUNDING * float(np.abs(M).max())) ** 2:
        raise NoVariationError("its differences are the same under every seed")
    denominator = ms_interaction + seeds * max(cov2 - cov3, 0.0)
    F = ms_levels / denominator
    df1 = float(levels - 1)
    df2 = denominator**2 / (ms_interaction**2 / ((levels - 1) * (seeds - 1)))
    p = f_tail(F, df1, df2)
    return FactorTest(F, df1, df2, p, ms_levels, ms_interaction, cov2, cov3, denominator)
