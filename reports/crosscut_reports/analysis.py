"""From scores and a question to the one result that every output is made from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from crosscut_reports import closed_form, factor_tests, guards, query_scope, seed_guards, seed_scope
from crosscut_reports.adjustment import holm, holm_multipliers
from crosscut_reports.context import Context
from crosscut_reports.contrast import (
    Contrast,
    against_arm,
    arm_pairs,
    distinct,
    factor_levels,
    hypothesis,
    level_effects,
    repeated,
)
from crosscut_reports.estimate import Estimate
from crosscut_reports.measurement import Measurement, Table, measure
from crosscut_reports.question import Question, QuestionError
from crosscut_reports.result import ArmResult, ContrastResult, Design, Guard, Result
from crosscut_reports.scores import Scores
from crosscut_reports.verdict import judge, sentence

__all__ = ["MOST_PAIRED_ARMS", "Question", "QuestionError", "analyse"]

MOST_PAIRED_ARMS = 10
"""Up to so many arms all pairs are compared where the question names no baseline."""

ADJUSTMENT = "Holm"


def analyse(scores: Scores, question: Question, context: Context) -> Result:
    """Answers the question.

    Declared hypotheses on the primary metric are one family, exploratory contrasts on it a second, and all
    contrasts on each other metric one more, always exploratory; each is adjusted by Holm. Equivalence is
    judged on the primary metric alone, since the margin is in its points. Nothing is declared where the
    question's metric or margin was changed. Raises QuestionError and
    ContrastError for names that do not exist.
    """
    primary = question.primary_metric(scores)
    metrics = question.all_metrics(scores)
    baseline = question.baseline_arm(scores)
    tables = {metric: Table(scores, metric) for metric in metrics}
    table = tables[primary]
    contrasts, about_contrasts = _contrasts(scores, question, baseline)

    measured = measure(scores, primary, contrasts, question.scope)
    answered = [one for one in measured if one is not None]
    results = _family([one for one in answered if one.contrast.declared], question, scores, question.margin)
    declared = results[0].family if results else 0
    results += _family(
        [one for one in answered if not one.contrast.declared], question, scores, question.margin
    )
    others: list[Measurement] = []
    for metric in metrics[1:]:
        family = [one for one in measure(scores, metric, contrasts, question.scope) if one is not None]
        results += _family(family, question, scores, margin=0.0, exploratory=True)
        others += family

    factors, reasons = factor_tests.run(scores, table, question)
    present = table.present.sum(axis=1)
    seeds = int(present.max(initial=0))
    usual = answered[0].basis.scope if answered else table.scope(seeds, question.scope)
    found = [
        *guards.missing_runs(scores, table),
        *guards.changed_question(question),
        *seed_guards.few_seeds(table, question.scope, seeds),
        *guards.failures(context),
        *guards.run_notes(context),
        *guards.tuning_budgets(scores, context),
        *guards.same_as_baseline(scores, baseline),
        *(guard for metric in metrics for guard in guards.ceiling_and_floor(tables[metric])),
        *seed_guards.seeds_used(scores, answered),
        *seed_guards.other_scopes(answered, others, usual),
        *seed_guards.small_seed_error([one for one in results if one.metric == primary]),
        *guards.untested([*answered, *others]),
        *guards.incomplete_factorial(scores),
        *about_contrasts,
        *_unanswered(contrasts, measured),
        *guards.untested_factors(reasons),
        *guards.declarations(question, metrics, table),
    ]
    design = Design(
        configs=len(scores.arms),
        seeds=len(scores.seeds),
        queries=scores.metrics[primary].queries,
        clusters=table.clusters,
        factors=scores.factors,
        balanced=bool(table.present.all()),
        scope=usual,
        primary=primary,
        alpha=question.alpha,
        margin=question.margin,
        baseline=baseline,
        adjustment=ADJUSTMENT,
        family=declared,
    )
    trials = {tuning.arm: tuning.trials for tuning in context.tuning}
    arms = [
        result
        for metric in metrics
        for arm in scores.arms
        if (result := _arm(scores, tables[metric], arm, question, trials)) is not None
    ]
    return Result(design, tuple(results), tuple(factors), tuple(arms), guards.ordered(found), context)


def _contrasts(
    scores: Scores, question: Question, baseline: str | None
) -> tuple[list[Contrast], list[Guard]]:
    """Declared contrasts, then the exploratory ones, never chosen by what the scores say."""
    levels = {arm: scores.levels[arm] for arm in scores.arms}
    factors = question.all_factors(scores)
    found = [hypothesis(declared, levels) for declared in question.hypotheses]
    about: list[Guard] = []
    reference = baseline
    if baseline is None and not question.hypotheses:
        if len(scores.arms) <= MOST_PAIRED_ARMS:
            found += arm_pairs(levels)
            for factor in factors:
                found += level_effects(levels, factor, None)
        else:
            reference = scores.arms[0]
            message = (
                f"No baseline is named, and {len(scores.arms)} arms are too many to compare all pairs: they "
                f"are compared with the first one, {reference}."
            )
            about.append(Guard("baseline-chosen", "warning", message))
    if reference is not None:
        found += against_arm(levels, reference)
        for factor in factors:
            known = factor_levels(levels)[factor]
            level = levels[reference].get(factor)
            found += level_effects(levels, factor, level if level in known else None)
    about += guards.repeated_hypotheses(repeated(found))
    kept = distinct(found)
    if not question.keeps_declarations:
        kept = [replace(contrast, declared=False) for contrast in kept]
    return kept, about


def _unanswered(contrasts: Sequence[Contrast], measured: Sequence[Measurement | None]) -> list[Guard]:
    names = [c.name for c, one in zip(contrasts, measured, strict=True) if one is None]
    if not names:
        return []
    message = f"Not computed, since an arm has no run: {guards.listed(names)}."
    return [Guard("not-computed", "error", message)]


def _family(
    measured: Sequence[Measurement],
    question: Question,
    scores: Scores,
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
        _result(one, adjusted, multiplier, size, question, scores, margin, exploratory)
        for one, adjusted, multiplier in zip(measured, adjusted_p.tolist(), multipliers.tolist(), strict=True)
    ]


def _result(
    one: Measurement,
    adjusted: float,
    multiplier: float,
    family: int,
    question: Question,
    scores: Scores,
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
        family=family,
        smallest_effect=judgement.smallest_effect,
        sentence=sentence(
            one.contrast.name,
            one.metric,
            estimate,
            judgement,
            p_adjusted=p_adjusted,
            family=family,
            scope=scope,
            alpha=alpha,
            margin=margin,
            seeds=one.basis.count,
            clusters=one.clusters,
            differing=None if wins is None or losses is None else wins + losses,
            declared=declared,
            higher_is_better=scores.metrics[one.metric].higher_is_better,
        ),
        weights=one.contrast.weights,
    )


def _arm(
    scores: Scores, table: Table, arm: str, question: Question, trials: Mapping[str, int]
) -> ArmResult | None:
    """An arm's own mean, in the scope that its seeds allow; None where it has no run."""
    seeds = table.seeds_of(arm)
    if not seeds.size:
        return None
    values = table.metric.values[table.rows[arm]][seeds]
    linear = values if table.metric.linear is None else table.metric.linear[table.rows[arm]][seeds]
    scope = table.scope(int(seeds.size), question.scope)
    estimate: Estimate
    if scope == "seeds-and-queries":
        estimate = closed_form.contrast(linear)
    elif scope == "seeds":
        estimate = seed_scope.paired(values.mean(axis=1))
    else:
        # Whether an arm's mean is zero is no question, so only the interval is made.
        estimate = query_scope.contrast(linear, p=1.0)
    runs = values.mean(axis=1)
    return ArmResult(
        arm=arm,
        metric=table.metric.name,
        mean=float(runs.mean()),
        ci=estimate.interval(1 - question.alpha),
        seeds=int(seeds.size),
        trials=trials.get(arm),
        sd_seed=float(runs.std(ddof=1)) if seeds.size > 1 else None,
        values=tuple(runs.tolist()),
        levels=scores.levels[arm],
        scope=scope,
    )
