"""What takes the baseline to another arm: each component's share, and one step after the other."""

from __future__ import annotations

from dataclasses import dataclass

from crosscut_reports.result.contrast import ContrastResult


@dataclass(frozen=True)
class Shapley:
    """How the difference of two arms divides over the factors in which they differ."""

    baseline: str
    target: str
    shares: tuple[ContrastResult, ...]
    """A factor each, in the order of the factors; their estimates sum to the whole difference."""
    whole: ContrastResult
    """The target against the baseline."""


@dataclass(frozen=True)
class PathStep:
    """One factor changed to the target's level."""

    factor: str
    left: str
    """The level that it gets."""
    right: str
    """The level that it had."""
    arm: str
    """The arm that this leads to."""
    mean: float
    """Of that arm, on the primary metric."""
    contrast: ContrastResult
    """That arm against the one before it."""


@dataclass(frozen=True)
class AblationPath:
    """From the baseline to the best arm, a factor at a time, each time the one that gains most.

    The data choose it, so it flatters.
    """

    baseline: str
    mean: float
    """Of the baseline."""
    steps: tuple[PathStep, ...]

    @property
    def target(self) -> str:
        """The arm that it ends at."""
        return self.steps[-1].arm
