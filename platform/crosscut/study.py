"""The search of one arm: which values the next trial tries, and which trial the seeds take theirs from.

Nothing is held between calls: the next trial's values are a function of the trials that came before it, so a
study is rebuilt from records by reading them. Trial 0 tries the values that the arm's configuration has.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from crosscut.choosing import front
from crosscut.records.record import Record
from crosscut.samplers import Asked
from crosscut.samplers.asking import distribution, quiet
from crosscut.starts import starts
from crosscut.sweepfile.space import Parameter
from crosscut.sweepfile.sweep import Search
from crosscut.trial import SECONDS, Objective, Trial

__all__ = ["Objective", "Trial", "budget", "chosen", "importances", "suggest", "trial_of"]


def trial_of(record: Record, objectives: Sequence[Objective]) -> Trial:
    """What a study learns from the record of a trial.

    Of the first metric the best value counts. Further ones are those of the trial's evaluation, or where that
    lacks them those of the step at which the first was best. A finished trial that lacks one of them counts as
    failed, as does any without the first.
    """
    first, *others = objectives
    steps: dict[int, float] = {}
    best: float | None = None
    there: Mapping[str, float] = {}
    for step in record.history:
        value = step.metrics.get(first.metric)
        if value is not None:
            if best is None or first.gain(value) > first.gain(best):
                best, there = value, step.metrics
            steps[step.step] = best
    score = record.best(first.metric, first.maximize)
    state = record.status if score is not None else "failed"
    if state != "finished":
        return Trial(record.work.values, state, score, steps)
    own = {**there, **record.metrics, SECONDS: record.seconds}
    further = tuple(own[one.metric] for one in others if one.metric in own)
    whole = len(further) == len(others)
    return Trial(record.work.values, state if whole else "failed", score, steps, further if whole else ())


def suggest(
    search: Search,
    space: Mapping[str, Parameter],
    defaults: Mapping[str, Any],
    history: Sequence[Trial],
) -> dict[str, Any]:
    """Values of trial number `len(history)`.

    Args:
        search: settings of the search.
        space: searched parameters of the arm, by path.
        defaults: the values that the arm's own configuration has for them.
        history: the trials before this one in the order of their numbers; those that still run are `running`.
    """
    first = starts(space, defaults, search.points, search.seed)
    if len(history) < len(first):
        return first[len(history)]
    return search.chooser.values(
        Asked(
            space={path: space[path] for path in sorted(space)},
            objectives=search.objectives,
            starts=first,
            history=history,
            seed=search.seed,
            startup=search.startup,
            parallel=search.parallel,
            population=search.population,
            grid_points=search.grid_points,
        )
    )


def budget(search: Search, space: Mapping[str, Parameter], defaults: Mapping[str, Any]) -> int:
    """Search trials of an arm: those that the search names, or fewer where its sampler has no more values for it;
    none where there is nothing to search."""
    if not space:
        return 0
    room = search.chooser.room
    if room is None:
        return search.trials
    first = starts(space, defaults, search.points, search.seed)
    return min(search.trials, len(first) + room(space, first, search.grid_points))


def chosen(search: Search, history: Sequence[Trial]) -> int | None:
    """The number of the trial whose values the seeds take, the earliest of several that are as good; None where
    none finished."""
    found = front(history, search.objectives)
    return None if found is None else search.choose.pick(found)


def importances(
    space: Mapping[str, Parameter],
    points: Sequence[Mapping[str, Any]],
    scores: Sequence[float],
    maximize: bool,
) -> dict[str, float] | None:
    """Parameter → its share of importance by PED-ANOVA, of all parameters 1; None where the trials do not say."""
    import optuna

    distributions = {path: distribution(space[path]) for path in sorted(space)}
    try:
        with quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = optuna.create_study(direction="maximize" if maximize else "minimize")
            for values, score in zip(points, scores, strict=True):
                made.add_trial(
                    optuna.trial.create_trial(value=score, params=dict(values), distributions=distributions)
                )
            evaluator = optuna.importance.PedAnovaImportanceEvaluator()
            found = optuna.importance.get_param_importances(made, evaluator=evaluator)
    except (RuntimeError, ValueError):
        return None
    shares = {path: float(found.get(path, 0.0)) for path in space}
    return shares if all(share == share for share in shares.values()) and sum(shares.values()) > 0 else None
