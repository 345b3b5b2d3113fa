"""Loss of contrast in whole images."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from crosscut_trainables.data.draws import Draws
from crosscut_trainables.data.pictures import Picture
from crosscut_trainables.perturbations.image_perturbation import ImagePerturbation
from crosscut_trainables.perturbations.perturbation import Strengths


class Contrast(ImagePerturbation):
    """x′ = m + c·(x − m), rounded, with m the mean of the image, of each colour by itself.

    | severity | c, share of the contrast that is left |
    |----------|---------------------------------------|
    | 1        | 0.4                                   |
    | 2        | 0.3                                   |
    | 3        | 0.2                                   |
    | 4        | 0.1                                   |
    | 5        | 0.05                                  |

    Formula and table are those of contrast in Hendrycks and Dietterich, "Benchmarking Neural Network Robustness
    to Common Corruptions and Perturbations", ICLR 2019 (ImageNet-C).
    """

    name: Literal["contrast"] = "contrast"
    summary: ClassVar[str] = "less contrast around the mean, at ImageNet-C's strengths (ICLR 2019)"
    strengths: ClassVar[Strengths] = (0.4, 0.3, 0.2, 0.1, 0.05)
    measure: ClassVar[str] = "share of the contrast that is left"
    drawn: ClassVar[bool] = False

    def image(self, image: Picture, draws: Draws) -> Picture:
        mean = image.mean(axis=(0, 1), dtype=np.float64)
        left: Picture = np.rint(mean + self.strength * (image - mean)).astype(np.uint8)
        return left
