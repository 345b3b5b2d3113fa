"""Regions of a scene as a detector gives them: boxes nearly right, some of them wrong, in no order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crosscut_trainables.data.draws import Draws
from crosscut_trainables.data.scene import CELL, GLYPH, Box, Scene, overlap

FEATURES = GLYPH * GLYPH + 6
"""Features of a region: its 64 pixels, then x1, y1, x2, y2, width and height as shares of the image."""
SLIP = 0.5
"""Probability that the box of a digit is off, by one pixel at one edge."""
NEAR = 0.4
"""Intersection over union with a digit that a distractor stays below. A detected digit's own box is always
above 0.5, so that at the usual threshold exactly the detected digits are right."""
CROWDED = 0.7
"""Intersection over union with another region that a distractor stays below while there is room."""


def detect(scene: Scene, regions: int, draws: Draws) -> list[Box]:
    """Boxes of `regions` different regions, shuffled: every digit, some with one edge off by a pixel, and
    distractors (digits cut in part, empty places, places between the cells).

    The scene must not have more digits than `regions`.
    """
    found: list[Box] = []
    for placed in scene.digits:
        edges = list(placed.box)
        if draws.chance(SLIP):
            edges[draws.below(4)] += draws.pick((-1, 1))
        x1, y1, x2, y2 = (min(max(edge, 0), scene.side) for edge in edges)
        found.append((x1, y1, x2, y2))
    tries = 0
    while len(found) < regions:
        box = _distractor(scene, draws)
        tries += 1
        room = CROWDED if tries < 20 * regions else 1.0
        if all(overlap(box, p.box) < NEAR for p in scene.digits) and all(
            overlap(box, other) < room for other in found
        ):
            found.append(box)
    return draws.shuffled(found)


def _distractor(scene: Scene, draws: Draws) -> Box:
    if draws.chance(0.5):
        # Part of a digit, as where a detector fires on a stroke.
        width, height = draws.between(6, GLYPH), draws.between(6, GLYPH)
        x1, y1, _, _ = draws.pick(scene.digits).box
        x, y = x1 + draws.between(-5, 5), y1 + draws.between(-5, 5)
    else:
        width, height = draws.between(6, CELL + 2), draws.between(6, CELL + 2)
        x, y = draws.below(scene.side), draws.below(scene.side)
    x = min(max(x, 0), scene.side - width)
    y = min(max(y, 0), scene.side - height)
    return (x, y, x + width, y + height)


def features(images: NDArray[np.uint8], boxes: Sequence[Sequence[Box]]) -> NDArray[np.float32]:
    """(images, regions, 70) what the regions look like and where they are.

    `images` is (images, side, side), `boxes` the regions of each. A region is resampled bilinearly to 8 by 8
    pixels, 0 to 1.
    """
    side = images.shape[1]
    corners = np.asarray(boxes, np.int64)
    x, xs = _positions(corners[..., 0], corners[..., 2])
    y, ys = _positions(corners[..., 1], corners[..., 3])
    pixels = images.astype(np.float32) / np.float32(255)
    image = np.arange(len(images))[:, None, None, None]

    def at(row: NDArray[np.int64], column: NDArray[np.int64]) -> NDArray[np.float32]:
        values: NDArray[np.float32] = pixels[image, row[..., :, None], column[..., None, :]]
        return values

    last_x, last_y = corners[..., 2, None] - 1, corners[..., 3, None] - 1
    right, down = np.minimum(x + 1, last_x), np.minimum(y + 1, last_y)
    u, v = xs[..., None, :], ys[..., :, None]
    one = np.float32(1)
    # Element by element, without a matrix product, whose rounding would depend on the machine.
    top = at(y, x) * (one - u) + at(y, right) * u
    bottom = at(down, x) * (one - u) + at(down, right) * u
    crops = top * (one - v) + bottom * v
    place = shares(corners, side)
    size = place[..., 2:] - place[..., :2]
    return np.concatenate([crops.reshape(*corners.shape[:2], -1), place, size], axis=-1, dtype=np.float32)


def shares(boxes: NDArray[np.int64], side: int) -> NDArray[np.float32]:
    """Boxes in pixels as shares of an image's side."""
    return boxes.astype(np.float32) / np.float32(side)


def _positions(
    start: NDArray[np.int64], end: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Where the 8 samples between two edges lie: (..., 8) pixel to the left, and share of the one to the
    right. Samples are the centres of 8 equal parts; a pixel's value stands at its own centre."""
    step = (end - start)[..., None].astype(np.float32) / np.float32(GLYPH)
    centre = (np.arange(GLYPH, dtype=np.float32) + np.float32(0.5)) * step - np.float32(0.5)
    centre = np.maximum(centre, np.float32(0))
    left = np.floor(centre)
    return start[..., None] + left.astype(np.int64), centre - left
