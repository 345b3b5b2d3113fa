"""Rows whose names may take several lines, each as high as it needs."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from crosscut_reports.render.characters import fit
from crosscut_reports.render.figures.drawing import Drawing

WRAP = 40
"""Characters of a line of a row's name, as `Drawing.rows` breaks it."""
_LINE, _GAP = 10.5 / 72, 0.07
"""Inches between lines of one text, and at least between two names."""
_LEAST = 0.7
"""What `Drawing.rows` leaves beyond the first and the last row, in rows."""
_TICKS = 0.45
"""Inches that the numbers on the x axis take, with the space around them."""


@dataclass(frozen=True)
class Rows:
    """Names from the top down, and the y of each; a row of one line is 1 high."""

    labels: tuple[str, ...]
    at: tuple[float, ...]
    top: float
    bottom: float
    inches: float
    """Of a row of one line."""

    def drawing(self, xlabel: str, above: float = 0.0) -> Drawing:
        """A drawing that they fit in, with the label of its x axis and `above` inches for what is over them."""
        below = _TICKS + _LINE * (xlabel.count("\n") + 1)
        drawing = Drawing.of_height(above + below + self.inches * (self.bottom - self.top))
        drawing.axes.set_xlabel(fit(xlabel))
        return drawing

    def name(self, drawing: Drawing, bold: Sequence[bool]) -> None:
        """Write the names, when all else is drawn."""
        drawing.rows(self.labels, bold, self.at)
        drawing.axes.set_ylim(self.bottom, self.top)


def height(label: str) -> float:
    """Inches that the name of a row takes, with the gap to the next."""
    return len(textwrap.wrap(fit(label), WRAP, break_on_hyphens=False)) * _LINE + _GAP


def spaced(labels: Sequence[str], inches: float) -> Rows:
    """Rows of at least `inches` each, from y = 0 down, at least one."""
    high = [max(inches, height(label)) / inches for label in labels]
    at = [sum(high[:row]) + (high[row] - high[0]) / 2 for row in range(len(high))]
    top, bottom = -max(_LEAST, high[0] / 2), at[-1] + max(_LEAST, high[-1] / 2)
    return Rows(tuple(labels), tuple(at), top, bottom, inches)
