"""The figures of a report as SVG, each in a file of its own. Same result, same bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple
from xml.etree.ElementTree import Element

from crosscut_reports.render.figures import (
    arms,
    attention,
    examples,
    forest,
    lengths,
    power,
    severity,
    shift,
    tuning,
)
from crosscut_reports.render.figures.drawing import MARKS, STYLE, Drawing, svg
from crosscut_reports.result import Result

__all__ = ["FIGURES", "MARKS", "draw"]


class Maker(NamedTuple):
    """How a figure is titled, `{primary}` standing for the primary metric, and made: plotted, or as SVG directly;
    None without data for it."""

    title: str
    draw: Callable[[Result], Drawing | Element | None]


FIGURES: Mapping[str, Maker] = {
    "forest": Maker("Contrasts on {primary}", forest.draw),
    "arms": Maker("Arms on {primary}", arms.draw),
    "shift": Maker("Change of {primary} from split to split", shift.draw),
    "severity": Maker("{primary} by severity of the shift", severity.draw),
    "lengths": Maker("Recall by query length", lengths.draw),
    "examples": Maker("Queries on which two arms differ most", examples.draw),
    "attention": Maker("Attention against the threshold that counts", attention.draw),
    "power": Maker("Power against seeds", power.draw),
    "tuning": Maker("Expected best dev score against search trials", tuning.draw),
}
"""Every figure by the name of its file."""


def draw(result: Result) -> dict[str, str]:
    """Name → SVG text, for the figures that the result has data for."""
    from matplotlib import style

    found: dict[str, str] = {}
    with style.context(["default", STYLE]):
        for name, maker in FIGURES.items():
            drawing = maker.draw(result)
            if drawing is not None:
                title = maker.title.replace("{primary}", result.design.primary)
                found[name] = svg(name, title, drawing)
    return found
