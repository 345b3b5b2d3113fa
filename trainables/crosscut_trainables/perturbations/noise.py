"""Noise on the pixels of whole images."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from crosscut_trainables.data.draws import Draws
from crosscut_trainables.data.pictures import Picture
from crosscut_trainables.perturbations.gaussian import gaussian
from crosscut_trainables.perturbations.image_perturbation import ImagePerturbation
from crosscut_trainables.perturbations.perturbation import Strengths


class Noise(ImagePerturbation):
    """x′ = x + 255·σ·ε, rounded and cut to 0 to 255, with ε close to Gaussian, drawn for every pixel and channel.

    | severity | σ, share of full brightness |
    |----------|-----------------------------|
    | 1        | 0.08                        |
    | 2        | 0.12                        |
    | 3        | 0.18                        |
    | 4        | 0.26                        |
    | 5        | 0.38                        |

    The table is that of Gaussian noise in Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to
    Common Corruptions and Perturbations", ICLR 2019 (ImageNet-C).
    """

    name: Literal["noise"] = "noise"
    summary: ClassVar[str] = "near-Gaussian noise on pixels, at ImageNet-C's strengths (ICLR 2019)"
    strengths: ClassVar[Strengths] = (0.08, 0.12, 0.18, 0.26, 0.38)
    measure: ClassVar[str] = "standard deviation of the noise as a share of full brightness"

    def image(self, image: Picture, draws: Draws) -> Picture:
        noisy = image + np.float32(255 * self.strength) * gaussian(draws, image.shape)
        return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
