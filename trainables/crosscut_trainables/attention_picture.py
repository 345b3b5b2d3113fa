"""A picture of attention: a scene, and under it what each word of a caption looks at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crosscut_trainables.evaluation import QueryExample

COLUMNS = 6
WIDTH, HEIGHT = 1.5, 1.7
"""Inches of a word's cell."""
SIDE = 1.36
"""Inches of the scene in it, in the middle and at its bottom."""


def attention_picture(examples: Sequence[QueryExample]) -> NDArray[np.uint8]:
    """(height, width, 3) picture of some examples with attention, of which there must be at least one.

    For each word the scene with its regions: the stronger the red, the more the word attends to it, full red
    being the strongest weight of the caption.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    rows = [-(-len(example.words) // COLUMNS) for example in examples]
    figure = Figure(figsize=(WIDTH * COLUMNS, HEIGHT * sum(rows)), dpi=80)
    canvas = FigureCanvasAgg(figure)
    # One coordinate system in inches for all: axes of its own for each word take ten times as long.
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set_axis_off()
    for example, first in zip(examples, np.cumsum([0, *rows[:-1]]), strict=True):
        assert example.attention is not None
        scene = np.full((2, 2), 255, np.uint8) if example.picture is None else example.picture
        strongest = float(example.attention.max()) or 1.0
        for number, word in enumerate(example.words):
            left = WIDTH * (number % COLUMNS) + (WIDTH - SIDE) / 2
            top = HEIGHT * (first + number // COLUMNS) + HEIGHT - SIDE - 0.04
            extent = (left, left + SIDE, top + SIDE, top)
            axis.imshow(scene, cmap="gray", vmin=0, vmax=255, extent=extent)
            # No mathematics: a word may well hold a dollar sign.
            axis.text(left + SIDE / 2, top - 0.05, word, fontsize=9, ha="center", parse_math=False)
            for (x1, y1, x2, y2), weight in zip(
                example.boxes.tolist(), example.attention[number], strict=True
            ):
                strength = float(weight) / strongest
                axis.add_patch(
                    Rectangle(
                        (left + SIDE * x1, top + SIDE * y1), SIDE * (x2 - x1), SIDE * (y2 - y1),
                        facecolor=(1, 0, 0, 0.6 * strength), edgecolor=(1, 0, 0, 0.2 + 0.8 * strength),
                    )
                )  # fmt: skip
    axis.set(xlim=(0, WIDTH * COLUMNS), ylim=(HEIGHT * sum(rows), 0), aspect="equal")
    canvas.draw()
    picture: NDArray[np.uint8] = np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])
    return picture
