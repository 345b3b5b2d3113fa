"""What a sampler is asked, and what it is told of the trials before."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crosscut.sweepfile.space import Parameter
from crosscut.trial import Objective, Trial


@dataclass(frozen=True)
class Asked:
    """The question for the values of one trial, with all that the answer may depend on."""

    space: Mapping[str, Parameter]
    """Searched parameters by path, sorted."""
    objectives: Sequence[Objective]
    """The first is the one that pruning goes by."""
    starts: Sequence[Mapping[str, Any]]
    """What the first trials of the arm tried, before the sampler had a say."""
    history: Sequence[Trial]
    """The trials before this one in the order of their numbers, those of `starts` among them."""
    seed: int = 0
    """Seed of the search."""
    startup: int = 3
    """Trials drawn at random before a model of the scores has a say."""
    parallel: int = 1
    """Trials of the arm that may run at a time."""
    population: int | None = None
    """Trials of a generation; None for the sampler's own number."""
    grid_points: int = 5
    """Values of a number on a grid."""

    @property
    def number(self) -> int:
        """The trial's number."""
        return len(self.history)

    @property
    def place(self) -> int:
        """How many trials before it the sampler has chosen."""
        return self.number - len(self.starts)

    def told(self, trial: Trial) -> tuple[float, ...] | None:
        """What a trial counts with, a figure a metric; None where it still runs or nothing is known.

        One that was pruned counts with its best score so far. How it would have done by further metrics is not
        known (it took less time, for one, because it was stopped), so it counts with the worst of each that a
        finished trial has. One that failed counts with the worst that any trial has of every metric, so that a
        sampler leaves what fails again and again.
        """
        if trial.state == "finished" or (trial.state == "pruned" and len(self.objectives) == 1):
            return trial.point
        finished = [other for other in self.history if other.state == "finished"]
        known = finished or [other for other in self.history if other.state == "pruned"]
        if trial.state == "running" or not known or (len(self.objectives) > 1 and not finished):
            return None
        columns = [[other.point[place] for other in known] for place in range(len(self.objectives))]
        columns[0] += [other.point[0] for other in self.history if other.state == "pruned"]
        first, *further = (
            (min if objective.maximize else max)(column)
            for objective, column in zip(self.objectives, columns, strict=True)
        )
        return (first if trial.state == "failed" else trial.point[0], *further)


def seed_of(seed: int, number: int, purpose: str = "search") -> int:
    """A seed of 32 bits that the search's seed and the trial's number alone decide.

    Arms whose spaces are alike therefore draw alike, which keeps luck out of their comparison.
    """
    text = f"crosscut {purpose} {seed} trial {number}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "big")
