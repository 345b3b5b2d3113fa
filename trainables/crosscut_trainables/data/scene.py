"""A scene: handwritten digits on a grid, first as a layout of what stands where, then as pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crosscut_trainables.data.draws import Draws

Box = tuple[int, int, int, int]
"""(x1, y1, x2, y2) in pixels; x2 and y2 are the first column and row outside."""

CELL = 10
"""Side of a grid cell in pixels."""
GLYPH = 8
"""Side of a digit image in pixels."""
ECHO = 0.3
"""Probability that a further digit repeats one that the scene already has, so that there are groups."""


@dataclass(frozen=True)
class Layout:
    """Which digit stands in which cell: all that captions tell of."""

    grid: int
    """Rows, and columns, of the grid."""
    digits: tuple[tuple[int, int], ...]
    """(cell, digit) in ascending order of cells, which count row by row."""

    @classmethod
    def draw(cls, draws: Draws, grid: int, fewest: int, most: int) -> Layout:
        """A random layout of `fewest` to `most` digits, every number of them equally likely."""
        count = draws.between(fewest, most)
        cells = sorted(draws.shuffled(range(grid * grid), count))
        digits: list[int] = []
        for _ in cells:
            digits.append(draws.pick(digits) if digits and draws.chance(ECHO) else draws.below(10))
        return cls(grid, tuple(zip(cells, draws.shuffled(digits), strict=True)))

    @classmethod
    def draw_number(cls, draws: Draws, grid: int, fewest: int, most: int) -> Layout:
        """A random layout of a single number of `fewest` to `most` digits, side by side in a row or one below
        the other in a column; every layout is equally likely."""
        which = draws.below(numbers(grid, fewest, most))
        count = fewest
        while which >= numbers(grid, count, count):
            which -= numbers(grid, count, count)
            count += 1
        place, number = divmod(which, 10**count)
        if count == 1:
            return cls(grid, ((place, number),))
        place, down = divmod(place, 2)
        line, start = divmod(place, grid - count + 1)
        steps = range(start, start + count)
        cells = [step * grid + line if down else line * grid + step for step in steps]
        return cls(grid, tuple(zip(cells, map(int, f"{number:0{count}}"), strict=True)))


def numbers(grid: int, fewest: int, most: int) -> int:
    """How many layouts of a single number there are."""
    counts = range(fewest, most + 1)
    return sum((grid**2 if k == 1 else 2 * grid * (grid - k + 1)) * 10**k for k in counts)


@dataclass(frozen=True)
class Placed:
    """One digit in a scene."""

    row: int
    column: int
    digit: int
    box: Box


@dataclass(frozen=True, eq=False)
class Scene:
    """A layout that is drawn: every digit with its box, and the picture."""

    grid: int
    digits: tuple[Placed, ...]
    image: NDArray[np.uint8]
    """(side, side) brightness, ink is bright."""

    @property
    def side(self) -> int:
        """Width, and height, in pixels."""
        return self.grid * CELL

    def row_box(self, row: int) -> Box:
        """The box of a whole row."""
        return (0, row * CELL, self.side, (row + 1) * CELL)

    def column_box(self, column: int) -> Box:
        """The box of a whole column."""
        return (column * CELL, 0, (column + 1) * CELL, self.side)

    def cell_box(self, row: int, column: int) -> Box:
        """The box of one cell."""
        return (column * CELL, row * CELL, (column + 1) * CELL, (row + 1) * CELL)

    def kinds(self) -> dict[int, tuple[Placed, ...]]:
        """The digits that occur, each with its places, in order of appearance."""
        return {d: tuple(p for p in self.digits if p.digit == d) for d in (p.digit for p in self.digits)}


def render(layout: Layout, glyphs: Sequence[NDArray[np.uint8]], noise: float, draws: Draws) -> Scene:
    """Draw a layout.

    `glyphs` are the (8, 8) images of its digits in its order, 0 to 255. A digit stands anywhere within its
    cell. `noise` is the amplitude of the uniform noise that is added to every pixel, as a share of full
    brightness.
    """
    side = layout.grid * CELL
    canvas = np.zeros((side, side), np.int64)
    placed = []
    for (cell, digit), glyph in zip(layout.digits, glyphs, strict=True):
        row, column = divmod(cell, layout.grid)
        x = column * CELL + draws.between(0, CELL - GLYPH)
        y = row * CELL + draws.between(0, CELL - GLYPH)
        canvas[y : y + GLYPH, x : x + GLYPH] = glyph
        placed.append(Placed(row, column, digit, (x, y, x + GLYPH, y + GLYPH)))
    canvas += draws.noise((side, side), round(noise * 255))
    return Scene(layout.grid, tuple(placed), np.clip(canvas, 0, 255).astype(np.uint8))


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)
