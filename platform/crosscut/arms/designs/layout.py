"""What a design makes of the factors: the cells that become arms, and which of them is the baseline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from crosscut.errors import Problem, ProblemsError

Factors = Mapping[str, tuple[str, ...]]
"""Every factor with its levels, both in the order of the sweep file."""

Cell = dict[str, str]
"""One level for every factor, in the order of the factors."""


class Claim(Protocol):
    """What a design says of its arms as a whole, and what is left of that when some are excluded."""

    def told(self, cells: Sequence[Cell]) -> Iterator[str]:
        """What to know of these cells, a line each."""
        ...


@dataclass(frozen=True)
class Layout:
    """The cells of a design, each once, and the baseline among them, None where there is none."""

    cells: tuple[Cell, ...]
    baseline: Cell | None
    claim: Claim | None = None
    """None where the cells need no word."""

    @property
    def told(self) -> tuple[str, ...]:
        """What a plan says of the design beside its arms, a line each."""
        return () if self.claim is None else tuple(self.claim.told(self.cells))


@dataclass(frozen=True)
class Given:
    """What the file gives a design beside its factors."""

    baseline: Mapping[str, str] | None = None
    """The design's `baseline`, as far as the file gives it."""
    arms: Sequence[Mapping[str, str]] = ()
    """The design's `arms`; empty but for the explicit design."""
    resolution: int | None = None
    """The design's `resolution`; None but for the fractional design."""


class Design(Protocol):
    """A kind of design. Names of factors and levels have been checked when it is called."""

    def __call__(self, factors: Factors, given: Given) -> Layout:
        """The cells before any is excluded.

        Args:
            factors: what varies.
            given: what else the file says of the design.

        Raises:
            ProblemsError: it needs something that is not given; with keys below `design`.
        """
        ...


def in_order(factors: Factors, cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """Cells each once, in the order of the levels, the first factor changing slowest."""
    rank = {
        factor: {level: index for index, level in enumerate(levels)} for factor, levels in factors.items()
    }
    unique = {tuple(rank[factor][cell[factor]] for factor in factors): cell for cell in cells}
    return tuple(unique[ranks] for ranks in sorted(unique))


def whole(
    factors: Factors, levels: Mapping[str, str], key: str, default: Mapping[str, str] | None = None
) -> Cell:
    """`levels` for every factor, with those of `default` where one is not named.

    Raises:
        ProblemsError: a factor has no level; at the keys `key`.
    """
    known = {**(default or {}), **levels}
    lacking = [factor for factor in factors if factor not in known]
    if lacking:
        names = " and ".join(", ".join(lacking).rsplit(", ", 1))
        raise ProblemsError(
            [Problem(tuple(key.split(".")), f"no level for {names}, expected one for every factor")]
        )
    return {factor: known[factor] for factor in factors}


def around(factors: Factors, centre: Cell) -> list[Cell]:
    """`centre`, and every cell that differs from it in one factor."""
    return [centre] + [{**centre, factor: level} for factor, levels in factors.items() for level in levels]


def listed(parts: Sequence[str], most: int = 8) -> str:
    """Parts of a sentence, the first of them where there are many, and how many more."""
    more = [f"and {len(parts) - most} more"] if len(parts) > most else []
    return "; ".join([*parts[:most], *more])
