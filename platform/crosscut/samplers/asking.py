"""Asking a sampler of Optuna: its study is made anew of the trials before, and forgotten."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from crosscut.samplers.asked import Asked
from crosscut.sweepfile.space import Parameter
from crosscut.trial import Trial

if TYPE_CHECKING:
    import optuna


def ask(
    make: Callable[[], optuna.samplers.BaseSampler],
    asked: Asked,
    *,
    apart: bool = False,
    tags: Mapping[int, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """The values that a sampler of Optuna chooses for the next trial.

    Args:
        make: makes the sampler, seeded.
        asked: the question.
        apart: whether the sampler is told which trials were pruned and which failed; for others these have ended
            with what `Asked.told` says.
        tags: number of a trial → what the sampler itself notes of it.
    """
    import optuna

    distributions = {path: distribution(parameter) for path, parameter in asked.space.items()}
    to = optuna.study.StudyDirection
    directions = [to.MAXIMIZE if one.maximize else to.MINIMIZE for one in asked.objectives]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = make()
    with quiet():
        study = optuna.create_study(sampler=sampler, directions=directions)
        for number, trial in enumerate(asked.history):
            study.add_trial(_frozen(asked, trial, distributions, apart, (tags or {}).get(number, {})))
        return dict(study.ask(distributions).params)


@contextmanager
def quiet() -> Iterator[None]:
    """Optuna tells errors alone, and afterwards what it told before."""
    import optuna

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(verbosity)


def distribution(parameter: Parameter) -> optuna.distributions.BaseDistribution:
    """A searched parameter as Optuna has it."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if parameter.kind == "choice":
        return CategoricalDistribution(parameter.choices)
    low, high = parameter.bounds
    if parameter.integer:
        return IntDistribution(int(low), int(high), log=parameter.log)
    return FloatDistribution(low, high, log=parameter.log)


def _frozen(
    asked: Asked,
    trial: Trial,
    distributions: Mapping[str, optuna.distributions.BaseDistribution],
    apart: bool,
    tags: Mapping[str, Any],
) -> optuna.trial.FrozenTrial:
    from optuna.trial import TrialState, create_trial

    told = None if apart and trial.state == "failed" else asked.told(trial)
    if trial.state == "running":
        state = TrialState.RUNNING
    elif told is None:
        state = TrialState.FAIL
    # Optuna knows no pruned trials where there are several metrics.
    elif trial.state == "pruned" and apart and len(asked.objectives) == 1:
        state = TrialState.PRUNED
    else:
        state = TrialState.COMPLETE
    return create_trial(
        state=state,
        values=None if told is None else list(told),
        params=dict(trial.values),
        distributions=dict(distributions),
        intermediate_values=dict(trial.steps),
        system_attrs=dict(tags),
    )
