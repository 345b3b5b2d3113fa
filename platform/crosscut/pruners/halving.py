"""Successive halving."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from crosscut.pruners.pruner import Pruner
from crosscut.records.work import StopRule
from crosscut.sweepfile.section import Whole
from crosscut.trial import Objective, Trial


class Halving(Pruner):
    """At every rung a trial goes on if it is among the best part of all that came so far (asynchronous successive
    halving, Li et al. 2020, within one arm; a trial that is stopped is not taken up again).

    Of n trials that reached the rung before, and itself, the best ⌊(n + 1) / reduction⌋ go on, one at least.
    """

    summary: ClassVar[str] = "at every rung the best part of the trials so far goes on"

    kind: Literal["halving"]
    """How trials are given up."""
    first: Annotated[Whole, Field(ge=1)] = 1
    """The step (epoch) of the first rung; every further one is at `reduction` times as many."""
    reduction: Annotated[Whole, Field(ge=2)] = 3
    """One trial in so many goes on at a rung."""
    startup: Annotated[Whole, Field(ge=1)] = 2
    """Trials of the arm that must have run to their end before one is stopped."""

    def rule(self, history: Sequence[Trial], objective: Objective) -> StopRule | None:
        ended = [trial for trial in history if trial.state in ("finished", "pruned")]
        if sum(trial.state == "finished" for trial in ended) < self.startup:
            return None
        thresholds: dict[int, float] = {}
        for step in self._rungs(sorted({step for trial in ended for step in trial.steps})):
            values = [trial.steps[step] for trial in ended if step in trial.steps]
            values.sort(key=objective.gain, reverse=True)
            going_on = max(1, (len(values) + 1) // self.reduction)
            # Worse than so many, it is not among the best. Of fewer it always is.
            if len(values) >= going_on:
                thresholds[step] = values[going_on - 1]
        return StopRule(objective.metric, objective.maximize, thresholds) if thresholds else None

    def _rungs(self, steps: Sequence[int]) -> Iterator[int]:
        """The steps of `steps` that are rungs: of each rung the first that is not before it. The last step of all
        is none, since nothing is left to stop there."""
        rung = self.first
        for step in steps[:-1]:
            if step >= rung:
                yield step
            while rung <= step:
                rung *= self.reduction
