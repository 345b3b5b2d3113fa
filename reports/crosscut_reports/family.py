"""A family of contrasts: their p-values adjusted together, their verdicts, and the sentences that state them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from crosscut_reports.adjustment import holm, holm_multipliers
from crosscut_reports.measurement import Measurement
from crosscut_reports.question import Question
from crosscut_reports.result import ContrastResult
from crosscut_reports.verdict import judge, sentence


def family(
    measured: Sequence[Measurement],
    question: Question,
    margin: float,
    exploratory: bool = False,
) -> list[ContrastResult]:
    """Results of one family of contrasts. Those without a p-value leave it and spoil no other's."""
    p = np.array([math.nan if one.estimate.p is None else one.estimate.p for one in measured])
    size = int(np.isfinite(p).sum())
    adjusted_p = holm(p)
    done = adjusted_p < question.alpha
    # Holm steps down: what is decided already makes room for the rest.
    multipliers = np.where(done, holm_multipliers(p), size - done.sum())
    return [
        _result(one, adjusted, multiplier, size, question, margin, exploratory)
        for one, adjusted, multiplier in zip(measured, adjusted_p.tolist(), multipliers.tolist(), strict=True)
    ]


def _result(
    one: Measurement,
    adjusted: float,
    multiplier: float,
    size: int,
    question: Question,
    margin: float,
    exploratory: bool,
) -> ContrastResult:
    estimate, scope, alpha = one.estimate, one.basis.scope, question.alpha
    declared = one.contrast.declared and not exploratory
    p_adjusted = None if estimate.p is None else adjusted
    judgement = judge(
        estimate, p_adjusted, scope, alpha, margin, multiplier if estimate.p is not None else 1.0
    )
    wins, ties, losses = one.signs or (None, None, None)
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
    )
