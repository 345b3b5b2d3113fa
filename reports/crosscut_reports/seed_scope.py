"""Scope "these queries, new seeds": t tests over seeds.

The only scope for results that carry no queries, such as a published table. It says nothing of how the
figures would move on other queries.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from crosscut_reports.closed_form import FactorTest, NoVariationError, f_tail, level_mean_squares
from crosscut_reports.estimate import ROUNDING, Array, Components, Estimate, student


def paired(r: Array, scale: float | None = None) -> Estimate:
    """One-sample t of the contrast's value under each seed, r of the shape (seeds,).

    Where `r` are means of scores, `scale` is the size of the largest of these: 0 says that the two sides are
    the same score by score, which means alone cannot say. One seed gives an estimate and no test.
    """
    seeds = r.shape[0]
    if seeds < 2:
        return Estimate(
            float(r.mean()), None, math.inf, None, reason="one seed says nothing of the spread between seeds"
        )
    variance = float(r.var(ddof=1))
    scale = float(np.abs(r).max()) if scale is None else scale
    return student(
        float(r.mean()),
        (variance,),
        (seeds,),
        0.0,
        Components(sd_seed=math.sqrt(variance)),
        scale,
        identical=scale == 0,
    )


def unpaired(runs: Sequence[Array], weights: Sequence[float], identical: bool | None = None) -> Estimate:
    """Welch's t for a weighted contrast Σ w_a·mean_a of arms with seeds of their own.

    `runs[a]` has the shape (seeds of a,). SE² = Σ w_a² s_a²/S_a with Satterthwaite's df; two arms with the
    weights 1 and −1 give Welch (1947). `identical` says whether the arms are the same score by score; None
    where there are no scores beneath the runs.
    """
    estimate = float(sum(w * float(r.mean()) for w, r in zip(weights, runs, strict=True)))
    if min(r.shape[0] for r in runs) < 2:
        reason = "an arm with one seed says nothing of the spread between seeds"
        return Estimate(estimate, None, math.inf, None, reason=reason)
    variances = tuple(w**2 * float(r.var(ddof=1)) for w, r in zip(weights, runs, strict=True))
    scale = max(float(np.abs(r).max()) for r in runs)
    if identical is None:
        spread = max(float(np.ptp(r)) for r in runs)
        identical = max(abs(estimate), spread) <= ROUNDING * scale
    return student(
        estimate,
        variances,
        tuple(r.shape[0] for r in runs),
        0.0,
        Components(sd_seed=math.sqrt(sum(variances))),
        scale,
        identical=identical,
    )


def factor(runs: Array) -> FactorTest:
    """Repeated-measures F of a factor from the means of its levels, `runs` of the shape (levels, seeds).

    F = MS_levels / MS_levels×seeds with T−1 and (T−1)(S−1) degrees of freedom; seeds are the subjects. As
    always for this test, more than two levels assume that all differences of levels vary alike over seeds.
    Raises NoVariationError where they do not vary at all.
    """
    if runs.ndim != 2 or min(runs.shape) < 2:
        raise ValueError(f"runs of the shape {runs.shape}: expected (levels, seeds), at least two of each")
    levels, seeds = runs.shape
    ms_levels, ms_interaction = level_mean_squares(runs)
    if ms_interaction <= (ROUNDING * float(np.abs(runs).max())) ** 2:
        raise NoVariationError("its differences are the same under every seed")
    F = ms_levels / ms_interaction
    df1, df2 = float(levels - 1), float((levels - 1) * (seeds - 1))
    p = f_tail(F, df1, df2)
    return FactorTest(F, df1, df2, p, ms_levels, ms_interaction, 0.0, 0.0, ms_interaction)
