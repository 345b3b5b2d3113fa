"""Stopping below a given value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from crosscut.pruners.pruner import Patient
from crosscut.records.work import StopRule
from crosscut.sweepfile.section import Number
from crosscut.trial import Objective, Trial


class Threshold(Patient):
    """A trial stops that has not come up to a given score, whatever others did."""

    summary: ClassVar[str] = "a trial stops that has not come up to a given score"

    kind: Literal["threshold"]
    """How trials are given up."""
    value: Number
    """The score that a trial must have reached by the end of the warm-up, in points of the search's metric."""

    def rule(self, history: Sequence[Trial], objective: Objective) -> StopRule | None:
        return StopRule(
            objective.metric, objective.maximize, least=self.value, warmup=self.warmup, patience=self.patience
        )
