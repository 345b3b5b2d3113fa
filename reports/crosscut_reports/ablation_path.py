"""The ablation path: from the baseline to a better arm, one factor at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from crosscut_reports.contrast import Contrast, Levels


@dataclass(frozen=True)
class Step:
    """One factor changed to the target's level."""

    factor: str
    left: str
    """The level that it gets."""
    right: str
    """The level that it had."""
    arm: str
    """The arm that this leads to."""
    contrast: Contrast
    """That arm against the one before it."""


def best(means: Mapping[str, float], baseline: str) -> str | None:
    """The arm of the highest mean, the first of equals; None where that is the baseline or nothing is known."""
    known = {arm: mean for arm, mean in means.items() if isfinite(mean)}
    if baseline not in known:
        return None
    top = max(known, key=lambda arm: known[arm])
    return top if known[top] > known[baseline] else None


def path(levels: Levels, baseline: str, target: str, means: Mapping[str, float]) -> tuple[Step, ...] | None:
    """The path of Fawcett and Hoos (2016, Journal of Heuristics 22, 431–458) from the baseline to the target.

    Each step changes the one factor to the target's level whose arm has the highest mean, the first factor of
    equals. `means` are such that more is better. Arms that are not there or have no finite mean are not stepped
    on; where that ends in a blind alley, the step before takes its next best. None where no way leads to the
    target. The data choose the order and, with `best`, the target, so gains along it flatter.
    """
    own, other = levels[baseline], levels[target]
    if own.keys() != other.keys() or baseline == target or not isfinite(means.get(baseline, float("nan"))):
        return None
    arms: dict[frozenset[tuple[str, str]], str] = {}
    # Of arms with the same levels it is the one of the best mean, but for the target, which is the one named.
    known = [arm for arm in levels if isfinite(means.get(arm, float("nan")))]
    for arm in sorted(known, key=lambda arm: (arm != target, -means[arm])):
        arms.setdefault(frozenset(levels[arm].items()), arm)
    dead: set[str] = set()

    def onwards(arm: str) -> tuple[Step, ...] | None:
        if arm == target:
            return ()
        steps = []
        for factor, level in other.items():
            if levels[arm][factor] == level:
                continue
            changed = arms.get(frozenset({**levels[arm], factor: level}.items()))
            if changed is not None and changed not in dead:
                steps.append((changed, factor))
        for changed, factor in sorted(steps, key=lambda step: -means[step[0]]):
            rest = onwards(changed)
            if rest is not None:
                left, right = other[factor], levels[arm][factor]
                weights = {changed: 1.0, arm: -1.0}
                contrast = Contrast(f"{changed} vs {arm}", weights, declared=False, kind="step")
                return (Step(factor, left, right, changed, contrast), *rest)
        dead.add(arm)
        return None

    return onwards(baseline)
