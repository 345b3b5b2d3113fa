"""Explicit: the arms that the file lists, in its order."""

from __future__ import annotations

from crosscut.arms.designs.layout import Cell, Factors, Given, Layout, whole
from crosscut.errors import Problem, ProblemsError


def explicit(factors: Factors, given: Given) -> Layout:
    """The arms listed. A factor that an arm does not name has the baseline's level, where there is one."""
    if not given.arms:
        text = "this key is missing: an explicit design lists its arms, such as [{backbone: scan}]"
        raise ProblemsError([Problem(("arms",), text)])
    cells: list[Cell] = []
    for index, arm in enumerate(given.arms):
        cell = whole(factors, arm, f"arms.{index}", given.baseline)
        if cell in cells:
            text = f"this is the arm of design.arms.{cells.index(cell)} once more, expected each arm once"
            raise ProblemsError([Problem(("arms", str(index)), text)])
        cells.append(cell)
    return Layout(
        tuple(cells), None if given.baseline is None else whole(factors, given.baseline, "baseline")
    )
