"""A piece of work: one run or one search trial, with all that a worker on another machine needs for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from crosscut_trainables.session import Phase


@dataclass(frozen=True)
class StopRule:
    """When a search trial is given up: its best score so far is worse than the threshold of its step."""

    metric: str
    maximize: bool
    thresholds: Mapping[int, float] = field(default_factory=dict)
    """Step → threshold."""
    least: float | None = None
    """Threshold of all steps after `warmup` that have none of their own; None for none."""
    warmup: int = 0
    patience: int = 0
    """Further reports in a row that must be as bad before a trial is given up."""

    def stops(self, step: int, best: float) -> bool:
        """Whether a trial whose best score up to `step` is `best` is worse than it should be there."""
        threshold = self.thresholds.get(step, self.least if step > self.warmup else None)
        if threshold is None:
            return False
        return best < threshold if self.maximize else best > threshold

    def gives_up(self, reports: Iterable[tuple[int, float | None]]) -> bool:
        """Whether a trial stops at its last report.

        Args:
            reports: step and score of every report so far, in their order; None where it lacks the metric.
        """
        best: float | None = None
        bad = 0
        for step, score in reports:
            if score is not None:
                best = score if best is None else (max if self.maximize else min)(best, score)
            bad = bad + 1 if best is not None and self.stops(step, best) else 0
        return bad > self.patience


@dataclass(frozen=True)
class Work:
    """What is to be trained; plain values only, so that it travels as JSON."""

    key: str
    arm: str
    levels: Mapping[str, str]
    phase: Phase
    index: int
    """Number of the search trial, or position of the seed."""
    seed: int
    trainable: str
    config: Mapping[str, Any]
    """Resolved, with the searched values put in."""
    values: Mapping[str, Any]
    """The searched parameters and their values."""
    data: str
    """Fingerprint of the data."""
    stop_rule: StopRule | None = None

    @property
    def label(self) -> str:
        """Short name for people: the arm and which of its trials or seeds."""
        return f"{self.arm} {'trial' if self.phase == 'search' else 'seed'} {self.number}"

    @property
    def number(self) -> int:
        """The trial's index, or the seed itself."""
        return self.index if self.phase == "search" else self.seed

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `from_json` reads it back."""
        plain = asdict(self)
        if self.stop_rule is not None:
            # JSON has no integer keys
            plain["stop_rule"]["thresholds"] = sorted(self.stop_rule.thresholds.items())
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Work:
        """The work that `to_json` wrote."""
        rule = plain["stop_rule"]
        if rule is not None:
            # A rule that was written before there were others has thresholds alone.
            rule = StopRule(**{**rule, "thresholds": {int(s): v for s, v in rule["thresholds"]}})
        return cls(**{**plain, "stop_rule": rule})
