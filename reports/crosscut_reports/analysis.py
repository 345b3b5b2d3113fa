"""From scores and a question to the one result that every output is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from crosscut_reports import (
    added_seeds,
    decomposition,
    examples,
    factor_tests,
    guards,
    interactions,
    lengths,
    power_plan,
    ranking,
    run_guards,
    seed_guards,
    shift,
    tuning_guards,
)
from crosscut_reports.arm_means import arm_mean
from crosscut_reports.asked import distinct, on, repeated
from crosscut_reports.between_splits import laid_out, margin_holds
from crosscut_reports.context import Context
from crosscut_reports.contrast import (
    Contrast,
    against_arm,
    arm_pairs,
    factor_levels,
    level_effects,
)
from crosscut_reports.family import DECLARED, family
from crosscut_reports.hypothesis import contrasts as declared_by
from crosscut_reports.measurement import Measurement, Table, measure
from crosscut_reports.question import Question, QuestionError
from crosscut_reports.result import ContrastResult, Design, Family, Guard, Result
from crosscut_reports.scores import Scores

__all__ = ["MOST_PAIRED_ARMS", "Question", "QuestionError", "analyse"]

MOST_PAIRED_ARMS = 10
"""Up to so many arms all pairs are compared where the question names no baseline."""


def analyse(scores: Scores, question: Question, context: Context) -> Result:
    """Answers the question.

    Declared hypotheses are one family over all metrics that they name (the primary one where they name none), or
    the families that they name; exploratory contrasts on the primary metric are another, and those on each other
    metric one more. Equivalence is judged on the primary metric and its differences between splits alone,
    since the margin is in its points. Where that metric is known on other splits too, these are compared, see
    `shift.find`. Nothing is declared where the question's metric or margin was changed. Raises QuestionError and
    ContrastError for names that do not exist.
    """
    scores, question, spans = laid_out(scores, question)
    primary = question.primary_metric(scores)
    metrics = question.all_metrics(scores)
    baseline = question.baseline_arm(scores)
    tables = {metric: Table(scores, metric) for metric in metrics}
    constant = [metric for metric in metrics if guards.constant(tables[metric])]
    metrics = tuple(metric for metric in metrics if metric not in constant or question.names(metric, primary))
    own = [metric for metric in metrics if metric not in spans]
    table = tables[primary]
    contrasts, about_contrasts = _contrasts(scores, question, baseline)
    on_primary = on(contrasts, primary)

    asked = {
        # Of a difference between splits nothing is asked but what was declared of it, or later by name.
        metric: [one for one in on(contrasts, metric) if metric not in spans or metric in one.metrics]
        for metric in metrics
    }
    measured = {metric: measure(scores, metric, asked[metric], question.scope) for metric in metrics}
    answered = [one for one in measured[primary] if one is not None]
    others = [one for metric in metrics[1:] for one in measured[metric] if one is not None]
    results = _judged([*answered, *others], primary, question)
    results, followed, about_seeds = added_seeds.follow(results, scores, tables, question)
    families = _families(results)

    trials = {tuning.arm: tuning.trials for tuning in context.tuning}
    answers = [one for one in results if one.metric == primary]
    shifted = shift.find(scores, question, on_primary, answers, trials)

    factors, reasons = factor_tests.run(scores, table, question)
    present = table.present.sum(axis=1)
    seeds = int(present.max(initial=0))
    usual = answered[0].basis.scope if answered else table.scope(seeds, question.scope)
    found = [
        *guards.missing_runs(scores, table),
        *guards.changed_question(question),
        *about_seeds,
        *seed_guards.few_seeds(table, question.scope, seeds),
        *run_guards.failures(context),
        *run_guards.concentrated_failures(context, len(scores.seeds)),
        *run_guards.collapsed(table, scores.seeds),
        *run_guards.run_notes(context),
        *run_guards.mixtures(context),
        *run_guards.seen_in_search(context),
        *run_guards.same_training(context),
        *tuning_guards.tuning_budgets(scores, context),
        *tuning_guards.shared(context),
        *tuning_guards.edges(context),
        *guards.same_as_baseline(scores, baseline),
        *(guard for metric in own for guard in guards.ceiling_and_floor(tables[metric])),
        *seed_guards.seeds_used(scores, answered),
        *seed_guards.other_scopes(answered, others, usual),
        *seed_guards.small_seed_error([*answers, *(shifted.shift.contrasts if shifted else ())]),
        *guards.constant_metrics(constant, primary),
        *guards.untested([*answered, *others, *(shifted.measured if shifted else ())]),
        *guards.incomplete_factorial(scores),
        *guards.fraction(scores),
        *about_contrasts,
        *_unanswered(on_primary, measured[primary]),
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
        adjustment=", ".join(dict.fromkeys(one.adjustment for one in families)) or "Holm",
        family=sum(one.size for one in families if one.declared),
        families=families,
        resampled=tuple(metric for metric in metrics if scores.metrics[metric].statistic is not None),
    )
    arms = [
        result
        for metric in own
        for arm in scores.arms
        if (result := arm_mean(scores, tables[metric], arm, question, trials)) is not None
    ]
    means = {arm.arm: arm.mean for arm in arms if arm.metric == primary}
    return Result(
        design,
        tuple(results),
        tuple(factors),
        tuple(arms),
        guards.ordered(found),
        context,
        shift=shifted.shift if shifted else None,
        interactions=interactions.find(scores, table, question),
        shapley=decomposition.shapley(scores, question, baseline),
        path=decomposition.path(scores, question, baseline, means),
        ranking=ranking.rank(table, question.alpha),
        power=power_plan.of_results(results, design),
        sequential=followed,
        lengths=lengths.find(scores, question),
        examples=examples.find(scores, on_primary, baseline, [arm for arm in arms if arm.metric == primary]),
    )


def _judged(measured: Sequence[Measurement], primary: str, question: Question) -> list[ContrastResult]:
    """Every family's results, declared ones first, those on the primary metric before others."""
    families: dict[tuple[bool, str], list[Measurement]] = {}
    for one in measured:
        contrast = one.contrast
        declared = contrast.declared and one.metric in contrast.metrics
        if declared:
            name = contrast.family or DECLARED
        else:
            name = "exploratory" if one.metric == primary else f"exploratory, {one.metric}"
        families.setdefault((declared, name), []).append(one)
    results = []
    for (declared, name), members in families.items():
        margins = {one.metric: question.margin for one in members if margin_holds(one.metric, primary)}
        results += family(members, question, margins, name, declared=declared)
    return sorted(results, key=lambda one: (not one.declared, one.metric != primary))


def _families(results: Sequence[ContrastResult]) -> tuple[Family, ...]:
    found: dict[tuple[bool, str], Family] = {}
    for one in results:
        found.setdefault(
            (one.declared, one.family_name),
            Family(one.family_name, one.family, one.adjustment, one.declared, ()),
        )
        known = found[one.declared, one.family_name]
        metrics = tuple(dict.fromkeys((*known.metrics, one.metric)))
        found[one.declared, one.family_name] = replace(known, metrics=metrics)
    return tuple(found.values())


def _contrasts(
    scores: Scores, question: Question, baseline: str | None
) -> tuple[list[Contrast], list[Guard]]:
    """Declared contrasts, then the exploratory ones, never chosen by what the scores say."""
    levels = {arm: scores.levels[arm] for arm in scores.arms}
    factors = question.all_factors(scores)
    found = declared_by(question.hypotheses, levels)
    found += [replace(contrast, declared=False) for contrast in declared_by(question.late, levels)]
    about: list[Guard] = []
    reference = baseline
    if baseline is None and not question.every_hypothesis:
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
    primary = question.primary_metric(scores)
    about += guards.repeated_hypotheses(repeated(found, primary))
    kept = distinct(found, primary)
    if not question.keeps_declarations:
        kept = [replace(contrast, declared=False) for contrast in kept]
    return kept, about


def _unanswered(contrasts: Sequence[Contrast], measured: Sequence[Measurement | None]) -> list[Guard]:
    names = [c.name for c, one in zip(contrasts, measured, strict=True) if one is None]
    if not names:
        return []
    message = f"Not computed, since an arm has no run: {guards.listed(names)}."
    return [Guard("not-computed", "error", message)]
