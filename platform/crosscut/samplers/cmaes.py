"""CMA-ES: a normal distribution that moves, turns and narrows towards what was good."""

from __future__ import annotations

from typing import Any

from crosscut.samplers import unit
from crosscut.samplers.asked import Asked, seed_of
from crosscut.samplers.sampler import Sampler

SPREAD = 0.3
"""Standard deviation of the first generation, as a share of each range."""


def values(asked: Asked) -> dict[str, Any]:
    """Covariance matrix adaptation, Hansen 2016. It starts at what the arm tried first, or in the middle.

    The trials that have ended, in the order of their numbers, are told generation by generation to a
    distribution that is made anew; the last generation counts when it is complete. Whole numbers are rounded.
    """
    import numpy as np
    from cmaes import CMA

    start = asked.starts[0] if asked.starts else None
    mean = [
        0.5 if start is None else unit.of(parameter, start[path]) for path, parameter in asked.space.items()
    ]
    optimizer = CMA(
        mean=np.array(mean),
        sigma=SPREAD,
        bounds=np.array([[0.0, 1.0]] * len(mean)),
        seed=seed_of(asked.seed, asked.number),
        population_size=asked.population,
    )
    objective = asked.objectives[0]
    solutions = [
        (
            np.array([unit.of(parameter, trial.values[path]) for path, parameter in asked.space.items()]),
            -objective.gain(told[0]),
        )
        for trial in asked.history
        if (told := asked.told(trial)) is not None
    ]
    size = optimizer.population_size
    for first in range(0, len(solutions) - size + 1, size):
        optimizer.tell(solutions[first : first + size])
    return {
        path: unit.at(parameter, place)
        for (path, parameter), place in zip(asked.space.items(), optimizer.ask().tolist(), strict=True)
    }


CMAES = Sampler(
    "covariance matrix adaptation, for numbers alone",
    values,
    several=False,
    choices=False,
    heeds=("population",),
)
