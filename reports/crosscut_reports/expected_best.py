"""The expected best score of a search against its budget, from the trials that were run."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum
from operator import mul

import numpy as np
from numpy.typing import NDArray

_STREAM = 20190117


def expected_best(scores: Sequence[float], *, higher_is_better: bool = True) -> list[float]:
    """The expected best of n trials, for n from 1 to the number of `scores`.

    Σ_i V_(i)·C(i−1, n−1)/C(B, n) over the B ordered scores: the mean of the best over all subsets of n
    trials, hence unbiased for trials drawn alike, and independent of their order. The plug-in form
    Σ_i V_(i)·[(i/B)^n − ((i−1)/B)^n], which draws with replacement, is biased towards worse scores.
    Empty for no scores.
    """
    ordered = sorted(scores, reverse=higher_is_better)
    return [fsum(map(mul, row, ordered)) for row in _weights(len(ordered)).tolist()]


def band(
    scores: Sequence[float], *, higher_is_better: bool = True, level: float = 0.9, draws: int = 500
) -> list[tuple[float, float]]:
    """The interval of `expected_best` for each n, over trials drawn anew with replacement: percentiles.

    It says how far the curve would move with other trials of the same search, where these are drawn alike.
    """
    if len(scores) < 2:
        return [(score, score) for score in scores]
    draw = np.random.Generator(np.random.Philox(key=[_STREAM, len(scores)]))
    # The best first, so that neither the order of the trials nor the direction has a say.
    values = np.asarray(sorted(scores, reverse=higher_is_better), dtype=np.float64)
    drawn = np.sort(values[draw.integers(0, len(values), (draws, len(values)))], axis=1)
    curves = (drawn[:, ::-1] if higher_is_better else drawn) @ _weights(len(values)).T
    low, high = np.percentile(curves, (50 * (1 - level), 50 * (1 + level)), axis=0)
    return list(zip(low.tolist(), high.tolist(), strict=True))


def _weights(budget: int) -> NDArray[np.float64]:
    """(n, scores) what each score, the best first, weighs in the expected best of n trials."""
    found = np.zeros((budget, budget))
    for n in range(1, budget + 1):
        # From the best score down: C(i−1, n−1)/C(B, n) is n/B for i = B, and (i−n)/(i−1) times the one before.
        weight = n / budget
        for place, i in enumerate(range(budget, n - 1, -1)):
            found[n - 1, place] = weight
            weight *= (i - n) / (i - 1) if i > 1 else 0.0
    return found
