"""The tree-structured Parzen estimator, of one metric or several."""

from __future__ import annotations

from typing import Any

from crosscut.samplers.asked import Asked, seed_of
from crosscut.samplers.asking import ask
from crosscut.samplers.sampler import Sampler


def values(asked: Asked) -> dict[str, Any]:
    """Bergstra et al. 2011, multivariate; with several metrics Ozaki et al. 2020. Trials that still run count as
    bad ones, so that others are not drawn beside them."""

    def make() -> Any:
        from optuna.samplers import TPESampler

        return TPESampler(
            seed=seed_of(asked.seed, asked.number),
            n_startup_trials=asked.startup,
            multivariate=True,
            constant_liar=asked.parallel > 1,
        )

    return ask(make, asked, apart=True)


TPE = Sampler("tree-structured Parzen estimator, multivariate", values)
