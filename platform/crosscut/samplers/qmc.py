"""Sobol's sequence: points that fill the space more evenly than random ones."""

from __future__ import annotations

from typing import Any

from crosscut.samplers import unit
from crosscut.samplers.asked import Asked, seed_of
from crosscut.samplers.sampler import Sampler


def values(asked: Asked) -> dict[str, Any]:
    """The next point of Sobol's sequence, scrambled after Owen 1998 by the search's seed. It starts with its first
    point, without which it is less even (Owen 2020); scores have no say."""
    from scipy.stats import qmc

    engine = qmc.Sobol(len(asked.space), scramble=True, seed=seed_of(asked.seed, 0, "sequence"))
    if asked.place:
        engine.fast_forward(asked.place)
    places = engine.random(1)[0].tolist()
    return {
        path: unit.at(parameter, place)
        for (path, parameter), place in zip(asked.space.items(), places, strict=True)
    }


QMC = Sampler("Sobol's sequence, which fills the space evenly", values)
