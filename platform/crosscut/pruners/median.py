"""Median stopping."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import ClassVar, Literal

from crosscut.pruners.pruner import Comparing
from crosscut.trial import Objective


class Median(Comparing):
    """A trial stops whose best score so far is worse than the median of those of its arm's finished trials at that
    step (Golovin et al. 2017, "Google Vizier", section 3.2.2)."""

    summary: ClassVar[str] = "a trial stops that is worse than the median of its arm's finished trials"

    kind: Literal["median"] = "median"
    """How trials are given up."""

    def threshold(self, values: Sequence[float], objective: Objective) -> float:
        return statistics.median(values)
