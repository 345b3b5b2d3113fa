"""The decomposition of a difference: Shapley values of components, and the ablation path to the best arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crosscut_reports import ablation_path
from crosscut_reports.contrast import Contrast, Levels
from crosscut_reports.family import family
from crosscut_reports.measurement import measure
from crosscut_reports.question import Question
from crosscut_reports.result import AblationPath, ContrastResult, PathStep, Shapley
from crosscut_reports.scores import Scores
from crosscut_reports.shapley import shares, targets

MOST_TARGETS = 4
"""With more arms that differ from the baseline in every factor, their shares are too many to read."""


def shapley(scores: Scores, question: Question, baseline: str | None) -> tuple[Shapley, ...]:
    """Shapley values on the primary metric towards every arm that differs from the baseline in all factors, one
    family each; none where the arms between them are not all there, or there are too many such arms."""
    if baseline is None:
        return ()
    levels = {arm: scores.levels[arm] for arm in scores.arms}
    aims = targets(levels, baseline)
    found = []
    for target in aims if len(aims) <= MOST_TARGETS else ():
        divided = shares(levels, baseline, target)
        whole = Contrast(f"{target} vs {baseline}", {target: 1.0, baseline: -1.0}, declared=False, kind="arm")
        results = _measured(scores, question, [*divided, whole], f"Shapley, {target}") if divided else None
        if results is not None:
            found.append(Shapley(baseline, target, tuple(results[:-1]), results[-1]))
    return tuple(found)


def path(
    scores: Scores, question: Question, baseline: str | None, means: Mapping[str, float]
) -> AblationPath | None:
    """The ablation path on the primary metric to the best arm, its steps one family; None where the baseline is
    the best, the best differs from it in one factor, or no way leads there. `means` has arm → mean."""
    if baseline is None or baseline not in means:
        return None
    sign = 1.0 if scores.metrics[question.primary_metric(scores)].higher_is_better else -1.0
    levels: Levels = {arm: scores.levels[arm] for arm in scores.arms}
    oriented = {arm: sign * mean for arm, mean in means.items()}
    target = ablation_path.best(oriented, baseline)
    steps = None if target is None else ablation_path.path(levels, baseline, target, oriented)
    if steps is None or len(steps) < 2:
        return None
    results = _measured(scores, question, [step.contrast for step in steps], "path")
    if results is None:
        return None
    return AblationPath(
        baseline,
        means[baseline],
        tuple(
            PathStep(step.factor, step.left, step.right, step.arm, means[step.arm], result)
            for step, result in zip(steps, results, strict=True)
        ),
    )


def _measured(
    scores: Scores, question: Question, contrasts: Sequence[Contrast], name: str
) -> list[ContrastResult] | None:
    """The results of one exploratory family on the primary metric, None where an arm has no run."""
    primary = question.primary_metric(scores)
    found = measure(scores, primary, contrasts, question.scope)
    answered = [one for one in found if one is not None]
    if len(answered) < len(contrasts):
        return None
    return family(answered, question, {primary: question.margin}, name, declared=False)
