"""Sections of the report that are a caption, a table and at most one figure. One file each."""

from __future__ import annotations

from collections.abc import Callable

from crosscut_reports.render.sections import (
    decomposition,
    importance,
    interactions,
    pareto,
    power,
    ranking,
    sequential,
)
from crosscut_reports.render.sections.section import Section
from crosscut_reports.result import Result

__all__ = ["SECTIONS", "Section", "sections"]

SECTIONS: tuple[Callable[[Result], Section | None], ...] = (
    interactions.section,
    decomposition.shares,
    decomposition.steps,
    ranking.section,
    sequential.section,
    power.section,
    importance.section,
    pareto.section,
)
"""In the order of the report."""


def sections(result: Result) -> list[Section]:
    """Those that the result has data for."""
    return [found for make in SECTIONS if (found := make(result)) is not None]
