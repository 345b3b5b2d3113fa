"""Adjustment of a family's p-values for their number.

Order is kept. A missing p-value (NaN) stays missing and leaves the family: the others are adjusted as if it
had not been there. The analysis says which contrasts left and why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from crosscut_reports.estimate import Array
from crosscut_reports.result import Screen


def _family(p: Sequence[float] | Array) -> tuple[Array, NDArray[np.bool_]]:
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"p-values of the shape {values.shape}: expected one axis")
    known = ~np.isnan(values)
    wrong = known & ((values < 0) | (values > 1))
    if wrong.any():
        raise ValueError(f"p-value {values[wrong][0]}: expected a number from 0 to 1")
    return values, known


def holm_multipliers(p: Sequence[float] | Array) -> Array:
    """What Holm multiplies each p-value by: the family's size for the smallest, 1 for the largest."""
    values, known = _family(p)
    result = np.full(values.shape, np.nan)
    family = values[known]
    multipliers = np.empty(family.size)
    multipliers[np.argsort(family, kind="stable")] = np.arange(family.size, 0, -1)
    result[known] = multipliers
    return result


def holm(p: Sequence[float] | Array) -> Array:
    """Holm's step-down adjustment (1979): bounds the chance of any false finding, under any dependence."""
    values, known = _family(p)
    result = np.full(values.shape, np.nan)
    family = values[known]
    order = np.argsort(family, kind="stable")
    stepped = np.maximum.accumulate(np.minimum(family[order] * np.arange(family.size, 0, -1), 1.0))
    adjusted = np.empty(family.size)
    adjusted[order] = stepped
    result[known] = adjusted
    return result


def benjamini_hochberg(p: Sequence[float] | Array) -> Array:
    """Benjamini and Hochberg's step-up adjustment (1995): bounds the share of false findings, for screens.

    Holds for independent and for positively dependent tests.
    """
    values, known = _family(p)
    result = np.full(values.shape, np.nan)
    family = values[known]
    order = np.argsort(family, kind="stable")[::-1]
    raised = family[order] * family.size / np.arange(family.size, 0, -1)
    adjusted = np.empty(family.size)
    adjusted[order] = np.minimum(np.minimum.accumulate(raised), 1.0)
    result[known] = adjusted
    return result


def benjamini_yekutieli(p: Sequence[float] | Array) -> Array:
    """Benjamini and Yekutieli's adjustment (2001): the same under any dependence, at the price of a factor
    Σ_{i ≤ m} 1/i."""
    values, known = _family(p)
    harmonic = float((1 / np.arange(1, int(known.sum()) + 1)).sum())
    return np.minimum(benjamini_hochberg(values) * harmonic, 1.0)


def screen_multipliers(p: Sequence[float] | Array) -> Array:
    """What Benjamini and Hochberg multiply each p-value by: the family's size over its rank."""
    values, known = _family(p)
    result = np.full(values.shape, np.nan)
    ranks = np.empty(int(known.sum()))
    ranks[np.argsort(values[known], kind="stable")] = np.arange(1, ranks.size + 1)
    result[known] = ranks.size / ranks
    return result


ADJUSTMENTS: Mapping[Screen, tuple[str, Callable[[Array], Array]]] = {
    "holm": ("Holm", holm),
    "benjamini-hochberg": ("Benjamini–Hochberg", benjamini_hochberg),
    "benjamini-yekutieli": ("Benjamini–Yekutieli", benjamini_yekutieli),
}
"""Each with its name and its function."""
