"""A search trial as a study sees it, and the metrics that a search goes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SECONDS = "seconds"
"""Among several metrics of a search: the recorded time of a trial, not a metric that it reports."""


@dataclass(frozen=True)
class Objective:
    """A metric of a search and its direction."""

    metric: str
    maximize: bool

    def gain(self, value: float) -> float:
        """The value, turned so that higher is better."""
        return value if self.maximize else -value


@dataclass(frozen=True)
class Trial:
    """A search trial as the study sees it."""

    values: Mapping[str, Any]
    state: str
    """`finished`, `pruned`, `failed` or `running`."""
    score: float | None
    """The search metric, of several the first: best over the steps reported."""
    steps: Mapping[int, float]
    """Best score up to each reported step."""
    further: tuple[float, ...] = ()
    """What it has of the search's further metrics, in their order; empty for one that did not finish."""

    @property
    def point(self) -> tuple[float, ...]:
        """All metrics of a finished trial, in their order."""
        assert self.score is not None
        return (self.score, *self.further)
