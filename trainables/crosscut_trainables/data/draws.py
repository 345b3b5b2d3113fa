"""A stream of random choices that stays the same for good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


class Draws:
    """Random choices from a seed and the path of what they are for, such as `Draws(seed, split, scene)`.

    Streams of different paths are independent of each other, so that one scene can be made without making
    those before it. They are drawn with `numpy.random.RandomState`, whose streams NumPy has frozen (NEP 19);
    those of `numpy.random.Generator` may change with NumPy's version, and generated data would change with
    them while its fingerprint stays.
    """

    def __init__(self, *path: int) -> None:
        # The length goes first because a seed sequence takes (1,) and (1, 0) for the same.
        sequence = np.random.SeedSequence((len(path), *path))
        self._state = np.random.RandomState(np.random.PCG64(sequence))

    def below(self, n: int) -> int:
        """A whole number from 0 to `n` - 1."""
        return int(self._state.random_sample() * n)

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return bool(self._state.random_sample() < probability)

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices."""
        return choices[self.below(len(choices))]

    def shuffled(self, choices: Sequence[T], count: int | None = None) -> list[T]:
        """The choices in random order, or `count` different ones of them."""
        rest = list(choices)
        count = len(rest) if count is None else count
        for i in range(count):
            j = i + self.below(len(rest) - i)
            rest[i], rest[j] = rest[j], rest[i]
        return rest[:count]

    def noise(self, shape: tuple[int, ...], amplitude: int) -> NDArray[np.int64]:
        """Whole numbers of this shape, uniform from -`amplitude` to `amplitude`."""
        return self._state.randint(-amplitude, amplitude + 1, size=shape, dtype=np.int64)
