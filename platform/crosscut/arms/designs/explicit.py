"""Explicit: the arms that the file lists, in its order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crosscut.arms.designs.layout import Cell, Factors, Layout, whole
from crosscut.errors import Problem, ProblemsError


def explicit(
    factors: Factors, baseline: Mapping[str, str] | None, arms: Sequence[Mapping[str, str]]
) -> Layout:
    """The arms listed. A factor that an arm does not name has the baseline's level, where there is one."""
    if not arms:
        text = "this key is missing: an explicit design lists its arms, such as [{backbone: scan}]"
        raise ProblemsError([Problem(("arms",), text)])
    cells: list[Cell] = []
    for index, arm in enumerate(arms):
        cell = whole(factors, arm, f"arms.{index}", baseline)
        if cell in cells:
            text = f"this is the arm of design.arms.{cells.index(cell)} once more, expected each arm once"
            raise ProblemsError([Problem(("arms", str(index)), text)])
        cells.append(cell)
    return Layout(tuple(cells), None if baseline is None else whole(factors, baseline, "baseline"))
