"""Drawings: other ways in which the same scenes look, the same digits in the same places.

Whole numbers only, so that a picture is the same to the byte on every machine.
"""

from __future__ import annotations

from functools import lru_cache
from math import cos, radians, sin
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from crosscut_trainables.data.draws import Draws
from crosscut_trainables.data.scene import GLYPH

Drawing = Literal["plain", "noise", "blur", "inversion", "thick", "thin", "rotation"]

STRONG = 0.5
"""Amplitude of the noise of drawing `noise`, as a share of full brightness; it comes on top of the usual one."""
TILT = 30
"""Degrees by which drawing `rotation` turns a digit at most, to either side."""
BLUR = (1, 4, 6, 4, 1)
"""Weights of a pixel and its neighbours in drawing `blur`, along rows and along columns."""
MARGIN = 3
"""Pixels around a digit image that a rotation may look at."""
_ONE = 1024
"""The number 1 in the fixed-point numbers of a rotation."""


def draw_glyph(drawing: Drawing, glyph: NDArray[np.uint8], draws: Draws) -> NDArray[np.uint8]:
    """How a digit image, (8, 8), is drawn before it is put into the scene; most drawings leave it as it is."""
    if drawing == "thick":
        thick: NDArray[np.uint8] = np.maximum.reduce(_neighbours(glyph))
        return thick
    if drawing == "thin":
        thin: NDArray[np.uint8] = np.minimum.reduce(_neighbours(glyph))
        return thin
    if drawing == "rotation":
        return _rotated(glyph, draws.between(-TILT, TILT))
    return glyph


def draw_picture(drawing: Drawing, picture: NDArray[np.uint8], draws: Draws) -> NDArray[np.uint8]:
    """How a whole scene, (side, side), is drawn once its digits are in it."""
    if drawing == "noise":
        noise = draws.noise(picture.shape, round(STRONG * 255))
        noisy: NDArray[np.uint8] = np.clip(picture + noise, 0, 255).astype(np.uint8)
        return noisy
    if drawing == "blur":
        return _blurred(picture)
    if drawing == "inversion":
        inverted: NDArray[np.uint8] = np.invert(picture)
        return inverted
    return picture


def _neighbours(glyph: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """A digit image and what stands to the right of its pixels, below them and across. Strokes are about two
    pixels wide: the usual square of nine pixels would fill every loop, or leave no stroke."""
    edged = np.pad(glyph, ((0, 1), (0, 1)), mode="edge")
    return [edged[y : y + GLYPH, x : x + GLYPH] for y in (0, 1) for x in (0, 1)]


def _blurred(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture under binomial weights, near a Gaussian of one pixel; beyond its edge, the edge goes on."""
    height, width = picture.shape
    weights = np.array(BLUR, np.int64)
    wide = np.pad(picture.astype(np.int64), len(BLUR) // 2, mode="edge")
    rows = np.tensordot(weights, np.stack([wide[i : i + height] for i in range(len(BLUR))]), 1)
    total = np.tensordot(weights, np.stack([rows[:, i : i + width] for i in range(len(BLUR))]), 1)
    whole = int(weights.sum()) ** 2
    blurred: NDArray[np.uint8] = ((total + whole // 2) // whole).astype(np.uint8)
    return blurred


def _rotated(glyph: NDArray[np.uint8], degrees: int) -> NDArray[np.uint8]:
    """A digit image turned clockwise about its centre, sampled bilinearly; what leaves its box is cut off."""
    y, x, v, u = _sources(degrees)
    wide = np.pad(glyph.astype(np.int64), MARGIN)
    top = wide[y, x] * (_ONE - u) + wide[y, x + 1] * u
    bottom = wide[y + 1, x] * (_ONE - u) + wide[y + 1, x + 1] * u
    turned: NDArray[np.uint8] = ((top * (_ONE - v) + bottom * v + _ONE**2 // 2) // _ONE**2).astype(np.uint8)
    return turned


@lru_cache(maxsize=2 * TILT + 1)
def _sources(degrees: int) -> tuple[NDArray[np.int64], ...]:
    """Where the pixels of a turned digit image come from, (8, 8) each: row and column in the image with its
    margin, and how far on towards the next row and column, in fixed-point numbers."""
    c, s = round(cos(radians(degrees)) * _ONE), round(sin(radians(degrees)) * _ONE)
    # Twice the distance from the centre, which lies between pixels.
    down, right = np.mgrid[0:GLYPH, 0:GLYPH] * 2 - (GLYPH - 1)
    middle = (GLYPH - 1) * _ONE // 2 + MARGIN * _ONE
    x, y = (c * right + s * down) // 2 + middle, (c * down - s * right) // 2 + middle
    return y // _ONE, x // _ONE, y % _ONE, x % _ONE
