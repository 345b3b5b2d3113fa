"""Arms by themselves: means, and recall by the length of the query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crosscut_reports.result.terms import Scope


@dataclass(frozen=True)
class ArmResult:
    """One arm on one metric: mean over its seeds with an interval of level 1 - alpha."""

    arm: str
    metric: str
    mean: float
    ci: tuple[float, float] | None
    seeds: int
    trials: int | None
    """Search trials the arm had; None where the source does not say."""
    sd_seed: float | None
    """Standard deviation over seeds."""
    values: tuple[float, ...]
    """The metric of each seed, in the order of the seeds."""
    levels: Mapping[str, str]
    scope: Scope | None = None
    """Scope of `ci`; None where that is not known."""


@dataclass(frozen=True)
class LengthBand:
    """Recall of one arm on the queries of some lengths."""

    arm: str
    metric: str
    """Such as `test/t2i_r1`."""
    low: int
    """Fewest words, included."""
    high: int
    """Most words, included."""
    queries: int
    mean: float
    ci: tuple[float, float] | None
    scope: Scope | None = None
    """Scope of `ci`; None where that is not known."""
