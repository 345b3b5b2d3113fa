"""The knee of a front."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Literal

from crosscut.choosing.front import Front
from crosscut.choosing.rule import Rule
from crosscut.trial import Objective


class Knee(Rule):
    """The trial nearest to the ideal point, which has the best of every metric, after each metric was scaled by
    its range on the front. All metrics count alike, whatever their units."""

    summary: ClassVar[str] = "the trial nearest to the best of all metrics at once"

    rule: Literal["knee"]
    """Which trial the seeds take their values from."""

    def pick(self, front: Front) -> int:
        return front.first([-math.dist(point, (1.0,) * len(point)) for point in front.scaled])

    def words(self, objectives: Sequence[Objective]) -> str:
        return "nearest to the best of all metrics, each scaled by its range on the front"
