"""Values at random."""

from __future__ import annotations

from typing import Any

from crosscut.samplers.asked import Asked, seed_of
from crosscut.samplers.asking import ask
from crosscut.samplers.sampler import Sampler


def values(asked: Asked) -> dict[str, Any]:
    """Drawn evenly on each parameter's scale (Bergstra and Bengio 2012)."""

    def make() -> Any:
        from optuna.samplers import RandomSampler

        return RandomSampler(seed=seed_of(asked.seed, asked.number))

    return ask(make, asked, apart=True)


RANDOM = Sampler("values at random", values)
