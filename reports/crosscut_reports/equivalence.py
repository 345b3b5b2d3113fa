"""Equivalence by two one-sided tests (Schuirmann 1987)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from crosscut_reports import seed_scope
from crosscut_reports.estimate import Array, Estimate, t_tail


def two_one_sided(estimate: float, se: float, df: float, margin: float) -> float:
    """p of the claim that the true difference lies inside (−margin, margin); the larger of two one-sided p.

    Below α it says the same as a (1−2α) interval inside the margin. With `se` 0 the difference is known: p is
    1 outside the margin and the smallest number there is inside it. Raises ValueError for a margin of 0 or
    less, which nothing can lie inside.
    """
    if margin <= 0:
        raise ValueError(f"margin {margin}: expected a number above 0")
    if se == 0:
        return 1.0 if abs(estimate) >= margin else t_tail(float("inf"), float("inf"))
    # The larger of the two p-values belongs to the bound that the estimate is nearer to.
    return t_tail((margin - abs(estimate)) / se, df)


def within(estimate: Estimate, alpha: float, margin: float) -> bool:
    """Whether the (1−2α) interval lies inside (−margin, margin); never with margin 0 or without a test."""
    interval = estimate.interval(1 - 2 * alpha)
    return margin > 0 and interval is not None and -margin < interval[0] and interval[1] < margin


def from_samples(
    a: Sequence[float] | Array,
    b: Sequence[float] | Array,
    margin: float,
    variances: Literal["equal", "unequal"] = "unequal",
) -> float:
    """Two one-sided tests of two independent samples: Student's with equal variances, else Welch's."""
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if variances == "unequal":
        found = seed_scope.unpaired([x, y], [1.0, -1.0])
        if found.se is None:
            raise ValueError("a sample of one value: expected at least two")
        return two_one_sided(found.estimate, found.se, found.df, margin)
    df = x.size + y.size - 2
    pooled = (float(x.var(ddof=1)) * (x.size - 1) + float(y.var(ddof=1)) * (y.size - 1)) / df
    se = float(np.sqrt(pooled * (1 / x.size + 1 / y.size)))
    return two_one_sided(float(x.mean() - y.mean()), se, float(df), margin)


def from_pairs(a: Sequence[float] | Array, b: Sequence[float] | Array, margin: float) -> float:
    """Two one-sided tests of paired samples."""
    found = seed_scope.paired(np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64))
    if found.se is None:
        raise ValueError("one pair: expected at least two")
    return two_one_sided(found.estimate, found.se, found.df, margin)
