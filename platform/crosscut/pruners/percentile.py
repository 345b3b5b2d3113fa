"""Stopping below a percentile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from crosscut.pruners.pruner import Comparing
from crosscut.sweepfile.section import Number
from crosscut.trial import Objective


class Percentile(Comparing):
    """As the median, with another share of trials that is given up."""

    summary: ClassVar[str] = "a trial stops that would be among the worst of its arm's finished trials"

    kind: Literal["percentile"]
    """How trials are given up."""
    worst: Annotated[Number, Field(gt=0, lt=100)] = 25.0
    """A trial stops whose best score so far is among the worst so many per cent at that step; 50 is the median."""

    def threshold(self, values: Sequence[float], objective: Objective) -> float:
        """The percentile, between two values on the line that joins them."""
        ordered = sorted(values, key=objective.gain)
        place = self.worst / 100 * (len(ordered) - 1)
        below = int(place)
        above = min(below + 1, len(ordered) - 1)
        return ordered[below] + (place - below) * (ordered[above] - ordered[below])
