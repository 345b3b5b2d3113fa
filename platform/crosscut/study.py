"""The search of one arm: which values the next trial tries, and when a trial is given up.

Nothing is held between calls: the next trial's values are a function of the trials that came before it, so a
study is rebuilt from records by reading them. Trial 0 tries the values that the arm's configuration has.
"""

from __future__ import annotations

import hashlib
import statistics
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crosscut.records.record import Record
from crosscut.records.work import StopRule
from crosscut.sweepfile.space import Parameter
from crosscut.sweepfile.sweep import Search

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True)
class Trial:
    """A search trial as the study sees it."""

    values: Mapping[str, Any]
    state: str
    """`finished`, `pruned`, `failed` or `running`."""
    score: float | None
    """The search metric: best over the steps reported."""
    steps: Mapping[int, float]
    """Best score up to each reported step."""


def trial_of(record: Record, metric: str, maximize: bool) -> Trial:
    """What a study learns from the record of a trial."""
    steps: dict[int, float] = {}
    best: float | None = None
    for step in record.history:
        value = step.metrics.get(metric)
        if value is not None:
            best = value if best is None else (max if maximize else min)(best, value)
            steps[step.step] = best
    score = record.best(metric, maximize)
    return Trial(record.work.values, record.status if score is not None else "failed", score, steps)


def suggest(
    search: Search,
    space: Mapping[str, Parameter],
    defaults: Mapping[str, Any],
    history: Sequence[Trial],
) -> dict[str, Any]:
    """Values of trial number `len(history)`.

    The sampler is seeded by the search's seed and the trial's number alone: arms whose spaces are alike draw
    the same starting points, which keeps luck out of their comparison.

    Args:
        search: settings of the search.
        space: searched parameters of the arm, by path.
        defaults: the values that the arm's own configuration has for them.
        history: the trials before this one in the order of their numbers; those that still run are `running`.
    """
    import optuna

    if not history and all(space[path].contains(defaults.get(path)) for path in space):
        return {path: defaults[path] for path in space}
    distributions = {path: _distribution(space[path]) for path in sorted(space)}
    seed = _seed(search.seed, len(history))
    sampler: optuna.samplers.BaseSampler
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if search.sampler == "tpe":
            sampler = optuna.samplers.TPESampler(
                seed=seed,
                n_startup_trials=search.startup,
                multivariate=True,
                constant_liar=search.parallel > 1,
            )
        else:
            sampler = optuna.samplers.RandomSampler(seed=seed)
    with _quiet():
        study = optuna.create_study(
            sampler=sampler, direction="maximize" if search.mode == "max" else "minimize"
        )
        for trial in history:
            study.add_trial(_frozen(trial, distributions))
        return dict(study.ask(distributions).params)


def stop_rule(search: Search, history: Sequence[Trial]) -> StopRule | None:
    """When the next trial is given up, from the finished trials of its arm before it.

    Median stopping: at a step past the warm-up, a trial stops whose best score so far is worse than the
    median of the finished trials' best scores up to that step (Golovin et al. 2017, "Google Vizier",
    section 3.2.2). Other arms have no part in it.
    """
    finished = [trial for trial in history if trial.state == "finished"]
    if search.pruning.kind == "none" or len(finished) < search.pruning.startup:
        return None
    thresholds: dict[int, float] = {}
    for step in sorted({step for trial in finished for step in trial.steps}):
        values = [trial.steps[step] for trial in finished if step in trial.steps]
        if step > search.pruning.warmup and len(values) >= search.pruning.startup:
            thresholds[step] = statistics.median(values)
    return StopRule(search.metric, search.mode == "max", thresholds) if thresholds else None


def best(history: Sequence[Trial], maximize: bool) -> Trial | None:
    """The finished trial with the best score, the earlier one where two are equal; None where none finished."""
    finished = [trial for trial in history if trial.state == "finished" and trial.score is not None]
    if not finished:
        return None
    sign = 1.0 if maximize else -1.0
    return max(finished, key=lambda trial: sign * (trial.score if trial.score is not None else 0.0))


def importances(
    space: Mapping[str, Parameter],
    points: Sequence[Mapping[str, Any]],
    scores: Sequence[float],
    maximize: bool,
) -> dict[str, float] | None:
    """Parameter → its share of importance by PED-ANOVA, of all parameters 1; None where the trials do not say."""
    import optuna

    distributions = {path: _distribution(space[path]) for path in sorted(space)}
    try:
        with _quiet(), warnings.catch_warnings():
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


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna tells errors alone, and afterwards what it told before."""
    import optuna

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(verbosity)


def _distribution(parameter: Parameter) -> optuna.distributions.BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if parameter.kind == "choice":
        return CategoricalDistribution(parameter.choices)
    low, high = parameter.bounds
    log = parameter.kind.startswith("log")
    if parameter.kind in ("int", "log_int"):
        return IntDistribution(int(low), int(high), log=log)
    return FloatDistribution(low, high, log=log)


def _frozen(
    trial: Trial, distributions: Mapping[str, optuna.distributions.BaseDistribution]
) -> optuna.trial.FrozenTrial:
    from optuna.trial import TrialState, create_trial

    states = {
        "finished": TrialState.COMPLETE,
        "pruned": TrialState.PRUNED,
        "failed": TrialState.FAIL,
        "running": TrialState.RUNNING,
    }
    ended = trial.state in ("finished", "pruned")
    return create_trial(
        state=states[trial.state],
        value=trial.score if ended else None,
        params=dict(trial.values),
        distributions=dict(distributions),
        intermediate_values=dict(trial.steps),
    )


def _seed(seed: int, number: int) -> int:
    text = f"crosscut search {seed} trial {number}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "big")
