"""The largest weighted sum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from crosscut.choosing.front import Front
from crosscut.choosing.rule import Rule
from crosscut.errors import Problem, near, one_of
from crosscut.sweepfile.section import Number
from crosscut.trial import Objective


class Weights(Rule):
    """The trial with the largest weighted sum of the metrics, each scaled by its range on the front: 0 is its
    worst there and 1 its best, so that weights mean the same whatever the units."""

    summary: ClassVar[str] = "the trial with the largest weighted sum of the metrics"

    rule: Literal["weights"]
    """Which trial the seeds take their values from."""
    weights: Annotated[dict[str, Annotated[Number, Field(gt=0)]], Field(min_length=1)]
    """Metric → weight; a metric that is not named has none."""

    def pick(self, front: Front) -> int:
        weights = [self.weights.get(objective.metric, 0.0) for objective in front.objectives]
        return front.first([math.fsum(map(mul, weights, point)) for point in front.scaled])

    def words(self, objectives: Sequence[Objective]) -> str:
        told = ", ".join(f"{weight:g} {metric}" for metric, weight in self.weights.items())
        return f"with the largest weighted sum ({told}), each metric scaled by its range on the front"

    def problems(self, objectives: Sequence[Objective]) -> list[Problem]:
        known = [objective.metric for objective in objectives]
        return [
            Problem(
                ("weights", metric),
                f"this is no metric of the search, expected {one_of(known)}{near(metric, known)}",
            )
            for metric in self.weights
            if metric not in known
        ]
