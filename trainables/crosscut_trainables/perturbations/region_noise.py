"""Noise on region features."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from crosscut_trainables.data.split import Split
from crosscut_trainables.perturbations.gaussian import gaussian
from crosscut_trainables.perturbations.perturbation import Strengths
from crosscut_trainables.perturbations.perturbed_regions import PerturbedRegions
from crosscut_trainables.perturbations.region_perturbation import RegionPerturbation


class RegionNoise(RegionPerturbation):
    """x′ = x + s·‖x‖/√F·ε for every region x of F features, with ε close to Gaussian, drawn for every feature.

    The noise is thus s times as long as the region's own vector, on average over draws (root mean square).
    Padding stays as it is. Features that a detector keeps above 0 may fall below.

    | severity | s   |
    |----------|-----|
    | 1        | 0.1 |
    | 2        | 0.2 |
    | 3        | 0.4 |
    | 4        | 0.7 |
    | 5        | 1   |

    The table is ours.
    """

    name: Literal["region-noise"] = "region-noise"
    summary: ClassVar[str] = "near-Gaussian noise on region features, relative to each region's norm"
    strengths: ClassVar[Strengths] = (0.1, 0.2, 0.4, 0.7, 1.0)
    measure: ClassVar[str] = "norm of the noise as a share of the region's norm"

    def apply(self, split: Split, seed: int) -> Split:
        self.check(split)
        change = partial(self._noisy, seed, split.present)
        return replace(split, regions=PerturbedRegions(split.regions, change))

    def _noisy(
        self, seed: int, present: NDArray[np.bool_], regions: NDArray[np.float32], number: int
    ) -> NDArray[np.float32]:
        norms = np.sqrt(np.square(regions, dtype=np.float64).sum(axis=1))
        scales = self.strength / math.sqrt(regions.shape[1]) * norms * present[number]
        noise = gaussian(self.draws(seed, number), regions.shape)
        noisy: NDArray[np.float32] = regions + scales.astype(np.float32)[:, None] * noise
        return noisy
