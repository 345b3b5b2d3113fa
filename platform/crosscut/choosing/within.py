"""The best of the second metric, near the best of the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from crosscut.choosing.front import Front
from crosscut.choosing.rule import Rule
from crosscut.sweepfile.section import Number
from crosscut.trial import Objective


class Within(Rule):
    """What one would give for the second metric, said in points of the first."""

    summary: ClassVar[str] = "the best on the second metric of those near the best on the first"

    rule: Literal["within"]
    """Which trial the seeds take their values from."""
    tolerance: Annotated[Number, Field(ge=0)]
    """How far below the best a trial may be on the first metric, in its points."""

    def pick(self, front: Front) -> int:
        """Of equals on the second metric the one that is better on the first."""
        gains = front.gains
        least = max(gain[0] for gain in gains) - self.tolerance
        return front.first([(gain[0] >= least, gain[1], gain[0], *gain[2:]) for gain in gains])

    def words(self, objectives: Sequence[Objective]) -> str:
        first, second = objectives[0].metric, objectives[1].metric
        return f"with the best {second} of those within {self.tolerance:g} of the best {first}"
