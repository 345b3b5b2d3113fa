"""How much each searched parameter of an arm matters for the dev score, by Optuna's evaluator."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from crosscut import study
from crosscut.sweepfile.space import Parameter
from crosscut_reports.context import Importance

FEWEST = 10
"""Fewer trials with a score than this say too little of what matters."""
RESAMPLES = 100
LEVEL = 0.9
_STREAM = 20230401


def importances(
    arm: str,
    space: Mapping[str, Parameter],
    points: Sequence[Mapping[str, Any]],
    scores: Sequence[float],
    maximize: bool,
) -> list[Importance]:
    """Shares of importance that sum to 1, each with its interval over resampled trials, the largest first.

    By PED-ANOVA (Watanabe, Bansal and Hutter 2023): how far the values of the best tenth of the trials are from
    where values were drawn, parameter by parameter. Trials that were pruned count with their best score. Empty
    with fewer than `FEWEST` trials, fewer than two parameters, or where all scores are one.
    """
    if len(scores) < FEWEST or len(space) < 2 or min(scores) == max(scores):
        return []
    names = list(space)
    whole = study.importances(space, points, scores, maximize)
    if whole is None:
        return []
    # The same trials give the same interval, whichever arm is looked at first.
    key = int.from_bytes(hashlib.sha256(arm.encode()).digest()[:8], "big")
    draw = np.random.Generator(np.random.Philox(key=[_STREAM, key]))
    found = []
    for _ in range(RESAMPLES):
        chosen = draw.integers(0, len(scores), len(scores)).tolist()
        again = study.importances(
            space, [points[place] for place in chosen], [scores[place] for place in chosen], maximize
        )
        if again is not None:
            found.append([again[name] for name in names])
    ends: list[tuple[float, float] | None] = [None] * len(names)
    if len(found) > RESAMPLES // 2:
        tails = (50 * (1 - LEVEL), 50 * (1 + LEVEL))
        low, high = np.percentile(np.array(found), tails, axis=0)
        ends = list(zip(low.tolist(), high.tolist(), strict=True))
    rows = [
        Importance(arm, name, whole[name], interval, len(scores))
        for name, interval in zip(names, ends, strict=True)
    ]
    return sorted(rows, key=lambda row: -row.importance)
