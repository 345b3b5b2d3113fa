"""From scores and a question to the one result that every output is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from crosscut_reports import examples, factor_tests, guards, lengths, seed_guards, shift
from crosscut_reports.arm_means import arm_mean
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
from crosscut_reports.family import family
from crosscut_reports.measurement import Measurement, Table, measure
from crosscut_reports.question import Question, QuestionError
from crosscut_reports.result import Design, Guard, Result
from crosscut_reports.scores import Scores

__all__ = ["MOST_PAIRED_ARMS", "Question", "QuestionError", "analyse"]

MOST_PAIRED_ARMS = 10
"""Up to so many arms all pairs are compared where the question names no baseline."""

ADJUSTMENT = "Holm"


def analyse(scores: Scores, question: Question, context: Context) -> Result:
    """Answers the question.

    Declared hypotheses on the primary metric are one family, exploratory contrasts on it a second, and all
    contrasts on each other metric one more, always exploratory; each is adjusted by Holm. Equivalence is
    judged on the primary metric alone, since the margin is in its points. Where that metric is known on other
    splits too, these are compared, see `shift.find`. Nothing is declared where the question's metric or margin
    was changed. Raises QuestionError and ContrastError for names that do not exist.
    """
    primary = question.primary_metric(scores)
    metrics = question.all_metrics(scores)
    baseline = question.baseline_arm(scores)
    tables = {metric: Table(scores, metric) for metric in metrics}
    table = tables[primary]
    contrasts, about_contrasts = _contrasts(scores, question, baseline)

    measured = measure(scores, primary, contrasts, question.scope)
    answered = [one for one in measured if one is not None]
    results = family([one for one in answered if one.contrast.declared], question, question.margin)
    declared = results[0].family if results else 0
    results += family([one for one in answered if not one.contrast.declared], question, question.margin)
    others: list[Measurement] = []
    for metric in metrics[1:]:
        members = [one for one in measure(scores, metric, contrasts, question.scope) if one is not None]
        results += family(members, question, margin=0.0, exploratory=True)
        others += members

    trials = {tuning.arm: tuning.trials for tuning in context.tuning}
    on_primary = [one for one in results if one.metric == primary]
    shifted = shift.find(scores, question, contrasts, on_primary, trials)

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
        *seed_guards.small_seed_error([*on_primary, *(shifted.shift.contrasts if shifted else ())]),
        *guards.untested([*answered, *others, *(shifted.measured if shifted else ())]),
        *guards.incomplete_factorial(scores),
        *about_contrasts,
        *_unanswered(contrasts, measured),
        *guards.untested_factors(reasons),
        *(shifted.guards if shifted else ()),
        *guards.declarations(question, metrics, table, shifted=shifted is not None),
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
    arms = [
        result
        for metric in metrics
        for arm in scores.arms
        if (result := arm_mean(scores, tables[metric], arm, question, trials)) is not None
    ]
    return Result(
        design,
        tuple(results),
        tuple(factors),
        tuple(arms),
        guards.ordered(found),
        context,
        shift=shifted.shift if shifted else None,
        lengths=lengths.find(scores, question),
        examples=examples.find(scores, contrasts, baseline, [arm for arm in arms if arm.metric == primary]),
    )


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
