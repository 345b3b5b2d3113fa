"""What a design makes of the factors: the cells that become arms, and which of them is the baseline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from crosscut.errors import Problem, ProblemsError

Factors = Mapping[str, tuple[str, ...]]
"""Every factor with its levels, both in the order of the sweep file."""

Cell = dict[str, str]
"""One level for every factor, in the order of the factors."""


@dataclass(frozen=True)
class Layout:
    """The cells of a design, each once, and the baseline among them, None where there is none."""

    cells: tuple[Cell, ...]
    baseline: Cell | None


class Design(Protocol):
    """A kind of design. Names of factors and levels have been checked when it is called."""

    def __call__(
        self, factors: Factors, baseline: Mapping[str, str] | None, arms: Sequence[Mapping[str, str]]
    ) -> Layout:
        """The cells before any is excluded.

        Args:
            factors: what varies.
            baseline: the design's `baseline`, as far as the file gives it.
            arms: the design's `arms`; empty but for the explicit design.

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
