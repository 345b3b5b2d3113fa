"""What a report tells beside its statistics: tuning, failures, notes, and where the runs came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict


class Outcome(TypedDict):
    """What a finished trial of a search with several metrics came to."""

    trial: int
    """Its number."""
    scores: Mapping[str, float]
    """Metric → value, in the order of the search."""
    values: Mapping[str, float | int | str | bool]
    """The searched values, by their path."""
    front: bool
    """Whether no other trial is at least as good on every metric and better on one."""
    chosen: bool
    """Whether the seeds were trained with its values."""


@dataclass(frozen=True)
class Tuning:
    """The search of one arm."""

    arm: str
    trials: int
    """Search trials given out and recorded, pruned and failed ones included."""
    pruned: int
    failed: int
    metric: str
    best: float | None
    """Best dev score among trials that ended or were pruned, None where there was no search."""
    values: Mapping[str, float | int | str | bool]
    """The searched parameters' best values, by their path."""
    scores: Sequence[float] = ()
    """The dev score of every trial that has one, in the order of the trials."""
    points: Sequence[Mapping[str, float | int | str | bool]] = ()
    """The searched values of each trial of `scores`, by their path."""
    edges: Sequence[str] = ()
    """Searched parameters whose best value lies at an end of its range, such as `weight at its highest, 10`."""
    maximize: bool = True
    """Whether a higher dev score is better."""
    shared_from: str | None = None
    """The arm whose search the values come from, None where they come from its own. Its trials are not this
    arm's."""
    directions: Mapping[str, str] = field(default_factory=dict)
    """Of a search with several metrics: metric → `max` or `min`, the first being `metric`. Empty otherwise."""
    rule: str = ""
    """Which trial of the front the seeds take their values from, to stand after “the trial”."""
    outcomes: Sequence[Outcome] = ()
    """Of a search with several metrics: every trial that finished, in the order of their numbers."""

    @property
    def front(self) -> list[Outcome]:
        """The trials on the Pareto front."""
        return [one for one in self.outcomes if one["front"]]


@dataclass(frozen=True)
class Importance:
    """How much one searched parameter of an arm matters for the dev score."""

    arm: str
    parameter: str
    importance: float
    """Its share, of all parameters 1."""
    interval: tuple[float, float] | None
    """Over resampled trials."""
    trials: int


@dataclass(frozen=True)
class Failure:
    """A run or search trial that ended without a result."""

    arm: str
    phase: str
    """`search` or `final`."""
    number: int
    """The trial's index, or the seed."""
    kind: str
    """`raised`, `diverged` or `lost`."""
    reason: str


@dataclass(frozen=True)
class Note:
    """What the trainable itself says of a run or search trial that has a result."""

    arm: str
    phase: str
    """`search` or `final`."""
    number: int
    """The trial's index, or the seed."""
    text: str
    """One sentence."""


@dataclass(frozen=True)
class Context:
    """All of it. Empty for a table that came from elsewhere."""

    name: str
    """Name of the sweep, or of the table."""
    question: str | None = None
    tuning: Sequence[Tuning] = ()
    importance: Sequence[Importance] = ()
    """Of searched parameters, those of one arm together, for arms with trials enough to tell."""
    failures: Sequence[Failure] = ()
    notes: Sequence[Note] = ()
    """Those of one run stand together."""
    attention: Mapping[str, Mapping[str, tuple[float, float]]] = field(default_factory=dict)
    """arm → attention metric (`test/attention_f1` …) → mean and standard deviation over seeds."""
    provenance: Mapping[str, str] = field(default_factory=dict)
    """Label → text: versions, commit, data fingerprint, sweep hash. No time stamps: a report is a function of
    its records."""
    planned: int | None = None
    """Runs that the design asks for, all arms and seeds."""
    recorded: int | None = None
    """Runs that have ended well."""
    mixtures: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """What runs may differ in (`commit`, `versions`, `device`, `workers`, `data`, `declaration`) → value → how
    many have it."""
    seen_in_search: Sequence[str] = ()
    """Metrics of the splits that the report is about, which search trials reported."""
    same_training: Sequence[str] = ()
    """Arms that reported what the baseline did, step by step, under every common seed."""
