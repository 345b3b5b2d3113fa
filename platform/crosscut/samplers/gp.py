"""Bayesian optimisation with a Gaussian process, of one metric or several."""

from __future__ import annotations

from typing import Any

from crosscut.samplers.asked import Asked, seed_of
from crosscut.samplers.asking import ask
from crosscut.samplers.sampler import Sampler


def values(asked: Asked) -> dict[str, Any]:
    """The logarithm of the expected improvement (Ament et al. 2023), of the hypervolume where there are several
    metrics, under a Gaussian process with a Matérn kernel. Choices lie at equal distances from each other; trials
    that still run are reckoned with. It takes a second or so, and its last digits may depend on the machine's
    linear algebra: trials that are recorded are not affected."""

    def make() -> Any:
        from optuna.samplers import GPSampler

        return GPSampler(
            seed=seed_of(asked.seed, asked.number),
            n_startup_trials=asked.startup,
            warn_independent_sampling=False,
        )

    return ask(make, asked)


GP = Sampler("Gaussian process with expected improvement", values)
