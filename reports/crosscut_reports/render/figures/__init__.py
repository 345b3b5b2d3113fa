"""The figures of a report, each in a file of its own: as SVG, PNG and PDF. Same result, same bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple
from xml.etree.ElementTree import Element

from crosscut_reports.render.figures import (
    arms,
    attention,
    examples,
    forest,
    importance,
    interaction,
    lengths,
    pareto,
    path,
    power,
    ranking,
    sequential,
    severity,
    shapley,
    shift,
    tuning,
)
from crosscut_reports.render.figures.drawing import MARKS, STYLE, Drawing, svg
from crosscut_reports.render.figures.formats import FORMATS, Format, files, settle
from crosscut_reports.result import Result

__all__ = ["FIGURES", "FORMATS", "MARKS", "Drawing", "Format", "draw", "drawings", "files", "svgs"]


class Maker(NamedTuple):
    """How a figure is titled, `{primary}` standing for the primary metric, and made: plotted, or as SVG directly;
    None without data for it."""

    title: str
    draw: Callable[[Result], Drawing | Element | None]


FIGURES: Mapping[str, Maker] = {
    "forest": Maker("Contrasts on {primary}", forest.draw),
    "arms": Maker("Arms on {primary}", arms.draw),
    "interaction": Maker("Means of {primary} over two factors", interaction.draw),
    "shift": Maker("Change of {primary} from split to split", shift.draw),
    "severity": Maker("{primary} by severity of the shift", severity.draw),
    "lengths": Maker("Recall by query length", lengths.draw),
    "examples": Maker("Queries on which two arms differ most", examples.draw),
    "attention": Maker("Attention against the threshold that counts", attention.draw),
    "shapley": Maker("Shares of the components in {primary}", shapley.draw),
    "path": Maker("Ablation path on {primary}", path.draw),
    "ranking": Maker("Average ranks on {primary}", ranking.draw),
    "power": Maker("Power against seeds", power.draw),
    "sequential": Maker("Confidence sequences of declared hypotheses", sequential.draw),
    "tuning": Maker("Expected best dev score against search trials", tuning.draw),
    "importance": Maker("Importance of searched parameters", importance.draw),
    "pareto": Maker("Search trials by the first two metrics", pareto.draw),
}
"""Every figure by the name of its file."""


def drawings(result: Result) -> dict[str, Drawing | Element]:
    """Name → figure, laid out, for the figures that the result has data for. What all formats are made from."""
    from matplotlib import style

    found: dict[str, Drawing | Element] = {}
    with style.context(["default", STYLE]):
        for name, maker in FIGURES.items():
            drawing = maker.draw(result)
            if isinstance(drawing, Drawing):
                settle(drawing)
            if drawing is not None:
                found[name] = drawing
    return found


def svgs(result: Result, drawn: Mapping[str, Drawing | Element]) -> dict[str, str]:
    """Name → SVG text of what `drawings` made of the same result, under the figures' titles."""
    from matplotlib import style

    with style.context(["default", STYLE]):
        return {
            name: svg(name, FIGURES[name].title.replace("{primary}", result.design.primary), drawing)
            for name, drawing in drawn.items()
        }


def draw(result: Result) -> dict[str, str]:
    """Name → SVG text, for the figures that the result has data for."""
    return svgs(result, drawings(result))
