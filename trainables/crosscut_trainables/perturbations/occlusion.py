"""Occlusion: a patch that hides part of a whole image."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np

from crosscut_trainables.data.draws import Draws
from crosscut_trainables.data.pictures import Picture
from crosscut_trainables.perturbations.image_perturbation import ImagePerturbation
from crosscut_trainables.perturbations.perturbation import Strengths


class Occlusion(ImagePerturbation):
    """A square anywhere within the image takes the image's mean brightness, the same in all colours.

    | severity | share of the area |
    |----------|-------------------|
    | 1        | 0.05              |
    | 2        | 0.1               |
    | 3        | 0.2               |
    | 4        | 0.3               |
    | 5        | 0.4               |

    The side is a whole number of pixels, at least 1, and at most the image's shorter side, so that a very long
    image loses less than the share. The table is ours; the patch of DeVries and Taylor, "Improved Regularization
    of Convolutional Neural Networks with Cutout" (arXiv 1708.04552), may stick out of the image.
    """

    name: Literal["occlusion"] = "occlusion"
    summary: ClassVar[str] = "a square of mean grey hides a share of the image"
    strengths: ClassVar[Strengths] = (0.05, 0.1, 0.2, 0.3, 0.4)
    measure: ClassVar[str] = "share of the image's area that is hidden"

    def image(self, image: Picture, draws: Draws) -> Picture:
        height, width = image.shape[:2]
        side = min(max(1, round(math.sqrt(self.strength * height * width))), height, width)
        top, left = draws.below(height - side + 1), draws.below(width - side + 1)
        hidden = image.copy()
        hidden[top : top + side, left : left + side] = round(float(image.mean(dtype=np.float64)))
        return hidden
