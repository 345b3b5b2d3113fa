"""No stopping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from crosscut.pruners.pruner import Pruner
from crosscut.records.work import StopRule
from crosscut.sweepfile.section import Whole
from crosscut.trial import Objective, Trial


class NoPruning(Pruner):
    """Every trial runs to its end. The options of `median` may stay where they are, so that it is turned off by
    one key."""

    summary: ClassVar[str] = "every trial runs to its end"

    kind: Literal["none"]
    """How trials are given up."""
    warmup: Annotated[Whole, Field(ge=0)] = 1
    """Without effect."""
    startup: Annotated[Whole, Field(ge=1)] = 2
    """Without effect."""

    def rule(self, history: Sequence[Trial], objective: Objective) -> StopRule | None:
        return None
