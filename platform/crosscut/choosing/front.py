"""The Pareto front of a search: the finished trials that no other is better than in every respect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crosscut.trial import Objective, Trial


@dataclass(frozen=True)
class Front:
    """The numbers of its trials, in their order, and how good each is."""

    objectives: tuple[Objective, ...]
    numbers: tuple[int, ...]
    points: tuple[tuple[float, ...], ...]
    """What each trial has of the metrics, in their order."""

    @property
    def gains(self) -> list[tuple[float, ...]]:
        """The points, turned so that higher is better."""
        return [_gains(point, self.objectives) for point in self.points]

    @property
    def scaled(self) -> list[tuple[float, ...]]:
        """The gains, each metric's from 0, its worst on the front, to 1, its best there; all 1 where they are
        equal."""
        columns = list(zip(*self.gains, strict=True))
        found = []
        for column in columns:
            low, high = min(column), max(column)
            found.append([(value - low) / (high - low) if high > low else 1.0 for value in column])
        return list(zip(*found, strict=True))

    def first(self, worths: Sequence[float | tuple[float, ...]]) -> int:
        """The number of the trial with the greatest worth, the earlier one where two are equal."""
        place = max(range(len(self.numbers)), key=lambda place: (worths[place], -place))
        return self.numbers[place]


def front(history: Sequence[Trial], objectives: Sequence[Objective]) -> Front | None:
    """The front of a search's trials; None where none finished.

    One trial dominates another that is at least as good on every metric and better on one. Trials that were pruned
    or failed take no part.
    """
    finished = [number for number, trial in enumerate(history) if trial.state == "finished"]
    gains = {number: _gains(history[number].point, objectives) for number in finished}
    numbers = [
        number
        for number in finished
        if not any(_dominates(gains[other], gains[number]) for other in finished)
    ]
    if not numbers:
        return None
    return Front(tuple(objectives), tuple(numbers), tuple(history[number].point for number in numbers))


def _gains(point: Sequence[float], objectives: Sequence[Objective]) -> tuple[float, ...]:
    return tuple(objective.gain(value) for objective, value in zip(objectives, point, strict=True))


def _dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    return one != other and all(a >= b for a, b in zip(one, other, strict=True))
