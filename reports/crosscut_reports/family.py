"""A family of contrasts: their p-values adjusted together, their verdicts, and the sentences that state them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from crosscut_reports import max_t
from crosscut_reports.adjustment import ADJUSTMENTS, holm_multipliers, screen_multipliers
from crosscut_reports.estimate import Array
from crosscut_reports.measurement import Measurement
from crosscut_reports.question import Question
from crosscut_reports.result import MAX_T, ContrastResult, Screen
from crosscut_reports.verdict import judge, sentence

DECLARED = "declared hypotheses"
"""Name of the family of the hypotheses that name none."""


@dataclass(frozen=True)
class _Adjusted:
    """What a family makes of its members' p-values."""

    name: str
    method: str
    p: Array
    """(members,) adjusted, NaN without a test."""
    multipliers: Array
    """(members,) what p-values are multiplied by as long as nothing else changes."""
    simultaneous: tuple[tuple[float, float] | None, ...]
    """(members,) intervals that hold together, None where there are none."""


def family(
    measured: Sequence[Measurement],
    question: Question,
    margins: Mapping[str, float],
    name: str,
    *,
    declared: bool,
) -> list[ContrastResult]:
    """Results of one family of contrasts. Those without a p-value leave it and spoil no other's.

    `margins` has the margin of each metric that has one.
    Adjusted by step-down maxT where all are tested by sign flips of the same clusters, else by Holm; exploratory
    families as the question's `screen` says.
    """
    adjusted = _adjusted(measured, question.alpha, name, "holm" if declared else question.screen)
    size = int(np.isfinite(adjusted.p).sum())
    return [
        _result(one, place, adjusted, size, question.alpha, margins.get(one.metric, 0.0), declared)
        for place, one in enumerate(measured)
    ]


def _adjusted(measured: Sequence[Measurement], alpha: float, name: str, screen: Screen) -> _Adjusted:
    p = np.array([math.nan if one.estimate.p is None else one.estimate.p for one in measured])
    known = np.isfinite(p)
    size = int(known.sum())
    if (
        screen == "holm"
        and size > 1
        and _joint([one for one, there in zip(measured, known, strict=True) if there])
    ):
        return _flipped_together(measured, p, alpha, name)
    method, adjust = ADJUSTMENTS[screen]
    found = adjust(p)
    done = found < alpha
    bounds: tuple[tuple[float, float] | None, ...] = (None,) * len(measured)
    if screen == "holm":
        # Holm steps down: what is decided already makes room for the rest.
        multipliers = np.where(done, holm_multipliers(p), size - done.sum())
        # Without a test there is no interval, of whatever level.
        bounds = tuple(one.estimate.interval(1 - alpha / max(size, 1)) for one in measured)
    else:
        multipliers = screen_multipliers(p)
    return _Adjusted(name, method, found, multipliers, bounds)


def _joint(measured: Sequence[Measurement]) -> bool:
    """Whether all are tested by sign flips of the same clusters."""
    return all(one.flipped is not None and one.units == measured[0].units for one in measured)


def _flipped_together(measured: Sequence[Measurement], p: Array, alpha: float, name: str) -> _Adjusted:
    known = np.flatnonzero(np.isfinite(p)).tolist()
    means = [means for place in known if (means := measured[place].flipped) is not None]
    found = max_t.step_down(np.stack(means), alpha)
    adjusted = np.full(p.shape, np.nan)
    bounds: list[tuple[float, float] | None] = [None] * len(measured)
    # A single test may be exact, and is never above its family's.
    adjusted[known] = np.maximum(found.adjusted, p[known])
    for place in known:
        estimate = measured[place].estimate
        half = found.critical * (estimate.se or 0.0)
        bounds[place] = (estimate.estimate - half, estimate.estimate + half)
    return _Adjusted(name, MAX_T, adjusted, np.full(p.shape, float(len(known))), tuple(bounds))


def _result(
    one: Measurement,
    place: int,
    adjusted: _Adjusted,
    size: int,
    alpha: float,
    margin: float,
    declared: bool,
) -> ContrastResult:
    estimate, scope = one.estimate, one.basis.scope
    tested = estimate.p is not None
    p_adjusted = float(adjusted.p[place]) if tested else None
    judgement = judge(
        estimate, p_adjusted, scope, alpha, margin, float(adjusted.multipliers[place]) if tested else 1.0
    )
    wins, ties, losses = one.signs or (None, None, None)
    together = adjusted.simultaneous[place]
    return ContrastResult(
        name=one.contrast.name,
        metric=one.metric,
        scope=scope,
        declared=declared,
        estimate=estimate.estimate,
        se=estimate.se,
        df=estimate.df if estimate.se is not None and math.isfinite(estimate.df) else None,
        statistic=estimate.statistic,
        p=estimate.p,
        p_adjusted=p_adjusted,
        ci=estimate.interval(1 - alpha),
        verdict=judgement.verdict,
        wins=wins,
        ties=ties,
        losses=losses,
        sd_seed=estimate.components.sd_seed,
        sd_query=estimate.components.sd_query,
        sd_residual=estimate.components.sd_residual,
        seeds_to_decide=judgement.seeds_to_decide,
        seeds=one.basis.count,
        clusters=one.clusters,
        family=size,
        smallest_effect=judgement.smallest_effect,
        sentence=sentence(
            one.contrast.name,
            one.metric,
            estimate,
            judgement,
            p_adjusted=p_adjusted,
            family=size,
            scope=scope,
            alpha=alpha,
            margin=margin,
            seeds=one.basis.count,
            clusters=one.clusters,
            differing=None if wins is None or losses is None else wins + losses,
            declared=declared,
            higher_is_better=one.higher_is_better,
        ),
        weights=one.contrast.weights,
        family_name=adjusted.name,
        adjustment=adjusted.method,
        simultaneous=together if together is not None and all(map(math.isfinite, together)) else None,
    )
