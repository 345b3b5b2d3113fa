"""Arms off the split that they were made for."""

from __future__ import annotations

from dataclasses import dataclass

from crosscut_reports.result.arm import ArmResult
from crosscut_reports.result.contrast import ContrastResult
from crosscut_reports.result.terms import Scope


@dataclass(frozen=True)
class Drop:
    """An arm on another split than the source."""

    arm: str
    split: str
    there: ArmResult
    """The arm on that split."""
    contrast: ContrastResult
    """The other split less the source, so that a loss is negative, and `worse`; where lower is better the other
    way round. The weights are those of the differences."""
    paired: bool
    """Whether the two splits have the same clusters, which were compared one by one."""


@dataclass(frozen=True)
class ShiftEffect:
    """A contrast on another split, and how much more it is there than on the source: an interaction contrast."""

    name: str
    """Of the contrast of arms."""
    split: str
    here: ContrastResult
    """On the source."""
    there: ContrastResult
    """On the other split."""
    more: ContrastResult
    """The difference of the two, there less here: positive where the contrast is more in favour there."""


@dataclass(frozen=True)
class SeverityPoint:
    """An arm at one severity; 0 is the split with nothing done to it."""

    severity: float
    split: str
    mean: float
    ci: tuple[float, float] | None
    scope: Scope | None = None


@dataclass(frozen=True)
class SeverityCurve:
    """An arm over the severities of one series, by rising severity."""

    series: str
    arm: str
    points: tuple[SeverityPoint, ...]


@dataclass(frozen=True)
class Shift:
    """The arms off the split that they were made for. All in points of the primary metric, whose margin holds."""

    source: str
    """The split that others are compared with, such as `test`."""
    metric: str
    """The primary metric without its split, such as `rsum`."""
    splits: tuple[str, ...]
    """The others, in order."""
    own: tuple[ArmResult, ...]
    """The arms on `source`."""
    drops: tuple[Drop, ...]
    """Split by split, the arms in order. One family."""
    effects: tuple[ShiftEffect, ...]
    """Contrast by contrast, the splits in order. What is `there` is one family, what is `more` another; what is
    `here` or `there` on the primary metric itself is the very result of the report."""
    curves: tuple[SeverityCurve, ...]
    """Series by series, the arms in order."""
    higher_is_better: bool = True

    @property
    def contrasts(self) -> tuple[ContrastResult, ...]:
        """All of them, each once."""
        found = [drop.contrast for drop in self.drops]
        found += [
            contrast for effect in self.effects for contrast in (effect.here, effect.there, effect.more)
        ]
        return tuple({id(contrast): contrast for contrast in found}.values())
