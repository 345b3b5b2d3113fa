"""Moments: the mean of a value over seeds and its t interval, kept up as seeds end."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

LEVEL = 0.95
"""Of the intervals."""


@dataclass
class Moments:
    """Values of which only the number, the mean and the spread are kept (Welford, 1962)."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    """Sum of the squared deviations from the mean."""

    def add(self, value: float) -> None:
        """Take in one more value."""
        self.count += 1
        away = value - self.mean
        self.mean += away / self.count
        self.squares += away * (value - self.mean)

    @property
    def half_width(self) -> float | None:
        """Half of the mean's t interval, None with fewer than two values."""
        if self.count < 2:
            return None
        return _quantile(self.count - 1) * math.sqrt(self.squares / (self.count - 1) / self.count)


def growing(values: Iterable[float]) -> Iterator[Moments]:
    """The moments of the first value, of the first two, and so on."""
    moments = Moments()
    for value in values:
        moments.add(value)
        yield Moments(moments.count, moments.mean, moments.squares)


@cache
def _quantile(df: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(df, (1 + LEVEL) / 2))
