"""Blur of whole images."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from crosscut_trainables.data.draws import Draws
from crosscut_trainables.data.pictures import Picture
from crosscut_trainables.perturbations.image_perturbation import ImagePerturbation
from crosscut_trainables.perturbations.perturbation import Strengths

UNIT = 2**16
"""The weight of the pixel itself; weights are whole numbers, so that sums are the same on every machine."""
REACH = 3
"""Standard deviations up to which neighbours are looked at."""


class Blur(ImagePerturbation):
    """Each pixel becomes the Gaussian-weighted mean of those around it; beyond the edges the image is mirrored.

    | severity | σ, share of the shorter side | px of 224 |
    |----------|------------------------------|-----------|
    | 1        | 0.01                         | 2.2       |
    | 2        | 0.015                        | 3.4       |
    | 3        | 0.02                         | 4.5       |
    | 4        | 0.03                         | 6.7       |
    | 5        | 0.045                        | 10.1      |

    In shares, not in pixels, because data sets have images of 30 pixels and of 500. The table is ours.
    """

    name: Literal["blur"] = "blur"
    summary: ClassVar[str] = "Gaussian blur whose width grows with the image"
    strengths: ClassVar[Strengths] = (0.01, 0.015, 0.02, 0.03, 0.045)
    measure: ClassVar[str] = "standard deviation of the blur as a share of the shorter side"
    drawn: ClassVar[bool] = False

    def image(self, image: Picture, draws: Draws) -> Picture:
        weights = kernel(self.strength * min(image.shape[:2]))
        total = sum(weights) ** 2
        summed = _along(_along(image.astype(np.int64), weights, 0), weights, 1)
        return ((summed + total // 2) // total).astype(np.uint8)


@lru_cache(maxsize=64)
def kernel(deviation: float) -> tuple[int, ...]:
    """The weights of a pixel's neighbours along one side, an odd number of them, the pixel's own in the middle."""
    radius = math.ceil(REACH * deviation)
    places = range(-radius, radius + 1)
    return tuple(round(UNIT * math.exp(-((place / deviation) ** 2) / 2)) for place in places)


def _along(image: NDArray[np.int64], weights: tuple[int, ...], axis: int) -> NDArray[np.int64]:
    """The weighted sum along one side, not yet divided by the sum of the weights."""
    radius, length = len(weights) // 2, image.shape[axis]
    padding = [(0, 0)] * image.ndim
    padding[axis] = (radius, radius)
    wide = np.moveaxis(np.pad(image, padding, mode="symmetric"), axis, 0)
    summed = np.zeros((length, *wide.shape[1:]), np.int64)
    for place, weight in enumerate(weights):
        summed += weight * wide[place : place + length]
    return np.moveaxis(summed, 0, axis)
