"""The expected best score of a search against its budget, from the trials that were run."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum


def expected_best(scores: Sequence[float], *, higher_is_better: bool = True) -> list[float]:
    """The expected best of n trials, for n from 1 to the number of `scores`.

    Σ_i V_(i)·C(i−1, n−1)/C(B, n) over the B ordered scores: the mean of the best over all subsets of n
    trials, hence unbiased for trials drawn alike, and independent of their order. The plug-in form
    Σ_i V_(i)·[(i/B)^n − ((i−1)/B)^n], which draws with replacement, is biased towards worse scores.
    Empty for no scores.
    """
    ordered = sorted(scores, reverse=higher_is_better)
    budget = len(ordered)
    curve = []
    for n in range(1, budget + 1):
        # From the best score down: C(i−1, n−1)/C(B, n) is n/B for i = B, and (i−n)/(i−1) times the one before.
        weight = n / budget
        terms = []
        for i, score in zip(range(budget, n - 1, -1), ordered, strict=False):
            terms.append(weight * score)
            weight *= (i - n) / (i - 1) if i > 1 else 0.0
        curve.append(fsum(terms))
    return curve
