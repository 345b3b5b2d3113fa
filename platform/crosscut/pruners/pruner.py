"""When a search trial is given up: what all ways of saying so share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field

from crosscut.records.work import StopRule
from crosscut.sweepfile.section import Section, Whole
from crosscut.trial import Objective, Trial


class Pruner(Section):
    """One of `PRUNERS`, and its options. The rule is worked out when a trial is given out, and travels with it."""

    summary: ClassVar[str]
    """One line, for lists."""

    def rule(self, history: Sequence[Trial], objective: Objective) -> StopRule | None:
        """When the next trial of an arm is given up; None where it never is.

        Args:
            history: the arm's trials before it, those that still run as `running`. Other arms have no part in it.
            objective: the metric that it goes by.
        """
        raise NotImplementedError

    def identity(self) -> dict[str, Any]:
        """What decides when trials stop. An option that came later is left out while it changes nothing."""
        said = self.model_dump(mode="json")
        if said.get("patience") == 0:
            del said["patience"]
        return said


class Patient(Pruner):
    """Options of those that look at every step."""

    warmup: Annotated[Whole, Field(ge=0)] = 1
    """Steps (epochs) of a trial in which it is never stopped."""
    patience: Annotated[Whole, Field(ge=0)] = 0
    """Further reports in a row that must be as bad before a trial is stopped."""


class Comparing(Patient):
    """Options of those that compare a trial with the arm's earlier ones, step by step."""

    startup: Annotated[Whole, Field(ge=1)] = 2
    """Trials of the arm that must have run to their end before one is stopped."""

    def rule(self, history: Sequence[Trial], objective: Objective) -> StopRule | None:
        """A threshold for every step past the warm-up that enough finished trials have reported."""
        finished = [trial for trial in history if trial.state == "finished"]
        if len(finished) < self.startup:
            return None
        thresholds: dict[int, float] = {}
        for step in sorted({step for trial in finished for step in trial.steps}):
            values = [trial.steps[step] for trial in finished if step in trial.steps]
            if step > self.warmup and len(values) >= self.startup:
                thresholds[step] = self.threshold(values, objective)
        if not thresholds:
            return None
        return StopRule(objective.metric, objective.maximize, thresholds, patience=self.patience)

    def threshold(self, values: Sequence[float], objective: Objective) -> float:
        """What a trial must not fall behind, from the finished trials' best scores up to a step."""
        raise NotImplementedError
