"""NSGA-II: a genetic algorithm for several metrics."""

from __future__ import annotations

from functools import partial
from typing import Any

from crosscut.samplers.asked import Asked, seed_of
from crosscut.samplers.asking import ask
from crosscut.samplers.sampler import Sampler

POPULATION = 10
"""Trials of a generation. Fewer than the usual 50, since a search of an arm seldom has as many trials in all."""
DRAWS = 20
"""Children that are drawn at the most until one differs from all that was tried."""


def values(asked: Asked) -> dict[str, Any]:
    """Deb et al. 2002, with their simulated binary crossover of numbers; choices are taken from either parent.

    Trials that have ended are put into generations in the order of their numbers. A child that is the twin of an
    earlier trial is drawn again.
    """
    from optuna.samplers import NSGAIISampler
    from optuna.samplers.nsgaii import SBXCrossover

    def make(seed: int) -> NSGAIISampler:
        return NSGAIISampler(seed=seed, population_size=size, crossover=SBXCrossover())

    size = asked.population or POPULATION
    ended = [number for number, trial in enumerate(asked.history) if asked.told(trial) is not None]
    key = NSGAIISampler._get_generation_key()
    tags = {number: {key: place // size} for place, number in enumerate(ended)}
    tried = [dict(trial.values) for trial in asked.history]
    found: dict[str, Any] = {}
    for draw in range(DRAWS):
        purpose = f"search draw {draw}" if draw else "search"
        seed = seed_of(asked.seed, asked.number, purpose)
        found = ask(partial(make, seed), asked, tags=tags)
        if found not in tried:
            break
    return found


NSGA2 = Sampler("genetic algorithm of generations (NSGA-II)", values, heeds=("population",))
