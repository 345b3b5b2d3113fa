"""The forecast: how long what is left of a plan will take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

from crosscut.arm_plan import ArmPlan
from crosscut.plan import Plan
from crosscut.records.record import Record


@dataclass(frozen=True)
class Forecast:
    """Time left, as far as anything is known about it."""

    seconds: float | None
    """Seconds of one run after the other; None where nothing is known of some arm."""
    measured: bool
    """Whether it rests on recorded runs alone, not on the trainable's own rough guess."""

    def wall(self, slots: int) -> float | None:
        """Seconds from now with `slots` runs at once."""
        return None if self.seconds is None else self.seconds / max(slots, 1)


WORKER_GROUP = 12.0
"""Seconds that Ray Train takes, in round figures, to start a group of workers, which then trains run after run."""


def forecast(plan: Plan) -> Forecast:
    """Sum over the arms of missing work times what such work took so far, and the start of a worker group.

    Trials that were pruned shorten what is expected of those to come. An arm without records is scaled from
    the trainable's guess by how wrong the guess was for other arms.
    """
    wrong = [
        mean / arm.arm.seconds
        for arm in plan.arms
        if arm.arm.seconds and (mean := _mean(arm.finals) or _mean(arm.trials)) is not None
    ]
    scale = fmean(wrong) if wrong else 1.0
    total, measured, grouped = 0.0, True, False
    for arm in plan.arms:
        for records, missing in ((arm.trials, _missing_trials(arm)), (arm.finals, arm.missing)):
            if missing == 0:
                continue
            searched = arm if arm.leader is None else arm.leader
            mean = _mean(records) or _mean(searched.trials)
            if mean is None:
                measured = False
                if arm.arm.seconds is None:
                    return Forecast(None, False)
                mean = arm.arm.seconds * scale
            total += missing * mean
            grouped = grouped or arm.arm.resources.workers > 1
    return Forecast(total + WORKER_GROUP * grouped, measured)


def words(seconds: float) -> str:
    """A duration in words: `40 s`, `12 min`, `3 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def _missing_trials(arm: ArmPlan) -> int:
    return 0 if arm.blocked else sum(record is None for record in arm.trials)


def _mean(records: Iterable[Record | None]) -> float | None:
    seconds = [record.seconds for record in records if record is not None and record.status != "failed"]
    return fmean(seconds) if seconds else None
