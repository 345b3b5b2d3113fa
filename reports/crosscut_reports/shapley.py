"""Shapley values of components: how the difference of two arms divides over the factors in which they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import factorial

from crosscut_reports.contrast import Contrast, Levels, factor_levels

MOST_FACTORS = 12
"""2¹² arms are as many as anyone runs."""


def targets(levels: Levels, baseline: str) -> list[str]:
    """Arms that differ from the baseline in every factor that varies, in order: with factors of two levels one.

    Scores have no say in it, so the shares of each are as good as any other contrast's.
    """
    varied = [factor for factor, names in factor_levels(levels).items() if len(names) > 1]
    own = levels[baseline]
    return [
        arm
        for arm, has in levels.items()
        if varied and has.keys() == own.keys() and all(has.get(f) != own.get(f) for f in varied)
    ]


def shares(levels: Levels, baseline: str, target: str) -> list[Contrast]:
    """The Shapley value of each factor in which target and baseline differ, as a contrast of arms.

    φ_i = Σ_S |S|!(n−|S|−1)!/n! · [v(S ∪ i) − v(S)] over the sets S of the other factors (Shapley 1953), v(S) being
    the score of the arm that has the target's levels in S and the baseline's elsewhere: the gain of the component,
    averaged over all orders in which components could be added. It is linear in scores, so it is measured as any
    contrast is; the values sum to target less baseline. Empty where the arms differ in fewer than two factors or
    in more than `MOST_FACTORS`, or where one of the 2ⁿ arms between them is not there, or is there twice.
    """
    own, other = levels[baseline], levels[target]
    if own.keys() != other.keys():
        return []
    factors = [factor for factor in own if own[factor] != other[factor]]
    if not 2 <= len(factors) <= MOST_FACTORS:
        return []
    arms = _between(levels, own, other, factors)
    if arms is None:
        return []
    found = []
    for factor in factors:
        rest = [one for one in factors if one != factor]
        weights: dict[str, float] = {}
        for size in range(len(rest) + 1):
            weight = factorial(size) * factorial(len(rest) - size) / factorial(len(factors))
            for members in combinations(rest, size):
                weights[arms[frozenset((*members, factor))]] = weight
                weights[arms[frozenset(members)]] = -weight
        ordered = {arm: weights[arm] for arm in levels if arm in weights}
        name = f"{factor}: {other[factor]} vs {own[factor]}, Shapley"
        found.append(Contrast(name, ordered, declared=False, kind="share"))
    return found


def _between(
    levels: Levels, own: Mapping[str, str], other: Mapping[str, str], factors: Sequence[str]
) -> dict[frozenset[str], str] | None:
    """The arm of every set of factors that have the target's level, None where one is not there, or not alone."""
    by_levels: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for arm, has in levels.items():
        by_levels.setdefault(tuple(sorted(has.items())), []).append(arm)
    found: dict[frozenset[str], str] = {}
    for size in range(len(factors) + 1):
        for members in combinations(factors, size):
            wanted = {**own, **{factor: other[factor] for factor in members}}
            arms = by_levels.get(tuple(sorted(wanted.items())), [])
            if len(arms) != 1:
                return None
            found[frozenset(members)] = arms[0]
    return found
