"""Queries on which two arms differ most, to look at: an illustration, never evidence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from crosscut_reports.contrast import Contrast
from crosscut_reports.result import ArmResult, Examples, ShownQuery
from crosscut_reports.scores import Array, Scores

SHOWN = 3
"""Most queries that are shown for either arm."""
_DIGITS = 12
"""Differences of reciprocal ranks or means, and weights of arms, that agree to so many decimals are the same."""


def find(
    scores: Scores,
    contrasts: Sequence[Contrast],
    baseline: str | None,
    means: Sequence[ArmResult],
) -> Examples | None:
    """Of the queries that can be looked at, those on which the reciprocal ranks of two arms differ most.

    The two arms are as `_pair` has them, their difference on a query is the mean over their common seeds, and a
    query without a difference is never shown. `means` are the arms on the primary metric. None where no query
    can be looked at, or no two arms share a seed.
    """
    queries, shelf = scores.queries, scores.shelf
    if queries is None or shelf is None:
        return None
    there: NDArray[np.bool_] = np.asarray((queries.ranks > 0).all(axis=2))
    pair = _pair(
        [arm for arm, runs in zip(scores.arms, there, strict=True) if runs.any()], contrasts, baseline, means
    )
    looked_at = sorted(shelf.queries)
    if pair is None or not looked_at:
        return None
    rows = [scores.arms.index(arm) for arm in pair]
    seeds = np.flatnonzero(there[rows].all(axis=0))
    if not seeds.size:
        return None
    ranks = queries.ranks[rows][:, seeds][:, :, looked_at]
    difference = _difference(ranks)

    def shown(places: Iterable[int]) -> tuple[ShownQuery, ...]:
        return tuple(
            ShownQuery(
                looked_at[place],
                {arm: tuple(own[:, place].tolist()) for arm, own in zip(pair, ranks, strict=True)},
                shelf.view(looked_at[place], pair),
            )
            for place in places
        )

    for_left, for_right = _most(difference), _most(-difference)
    return Examples(queries.name, *pair, len(looked_at), shown(for_left), shown(for_right))


def _difference(ranks: NDArray[np.int32]) -> Array:
    """(queries,) of ranks (two arms, seeds, queries), rounded, so that what is only rounding is no difference."""
    left, right = 1.0 / ranks
    found: Array = np.round((left - right).mean(axis=0), _DIGITS)
    return found


def _most(difference: Array) -> list[int]:
    """Places of the largest positive differences, equal ones in order."""
    order: list[int] = np.argsort(-difference, kind="stable")[:SHOWN].tolist()
    return [place for place in order if difference[place] > 0]


def _pair(
    arms: Sequence[str], contrasts: Iterable[Contrast], baseline: str | None, means: Iterable[ArmResult]
) -> tuple[str, str] | None:
    """The two arms to compare, of `arms`, which are those that have runs; the second is the one compared with.

    They are the arms of the largest positive and the largest negative weight in the first declared contrast.
    Where nothing is declared they are the arm whose mean is farthest from the baseline's, and the baseline;
    without a baseline the first two, the later one on the left as in all pairs of arms. Of equals it is the first
    in the order of the arms. None where there are no two.
    """
    for contrast in contrasts:
        sides = [_heaviest(arms, contrast.weights, sign) for sign in (1.0, -1.0)]
        if contrast.declared and sides[0] is not None and sides[1] is not None:
            return sides[0], sides[1]
    known: Mapping[str, float] = {arm.arm: arm.mean for arm in means if arm.arm in arms}
    if baseline is not None and baseline in known and len(known) > 1:
        others = [arm for arm in arms if arm in known and arm != baseline]
        return max(others, key=lambda arm: round(abs(known[arm] - known[baseline]), _DIGITS)), baseline
    return (arms[1], arms[0]) if len(arms) > 1 else None


def _heaviest(arms: Collection[str], weights: Mapping[str, float], sign: float) -> str | None:
    """The first of the arms with the largest weight of a sign."""
    signed = {arm: round(sign * weights.get(arm, 0.0), _DIGITS) for arm in arms}
    return max((arm for arm in arms if signed[arm] > 0), key=signed.__getitem__, default=None)
