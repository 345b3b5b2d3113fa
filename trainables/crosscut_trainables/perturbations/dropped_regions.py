"""Dropped regions: a detector that misses some of what is there."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from crosscut_trainables.data.split import Split
from crosscut_trainables.perturbations.perturbation import Strengths
from crosscut_trainables.perturbations.perturbed_regions import PerturbedRegions
from crosscut_trainables.perturbations.region_perturbation import RegionPerturbation
from crosscut_trainables.perturbations.share import share_of


class DroppedRegions(RegionPerturbation):
    """Some regions of every image go: their places become padding, and their features 0. At least one stays.

    | severity | share of the present regions that go |
    |----------|--------------------------------------|
    | 1        | 0.1                                  |
    | 2        | 0.25                                 |
    | 3        | 0.4                                  |
    | 4        | 0.55                                 |
    | 5        | 0.7                                  |

    The share is exact on average over images. Places and boxes stay, so that models that know places see gaps. The
    table is ours.
    """

    name: Literal["dropped-regions"] = "dropped-regions"
    summary: ClassVar[str] = "a share of the present regions goes, at least one stays"
    strengths: ClassVar[Strengths] = (0.1, 0.25, 0.4, 0.55, 0.7)
    measure: ClassVar[str] = "share of an image's present regions that go"

    def apply(self, split: Split, seed: int) -> Split:
        self.check(split)
        gone = np.zeros(split.present.shape, np.bool_)
        for number, present in enumerate(split.present):
            gone[number, self.gone(present, seed, number)] = True
        regions = PerturbedRegions(split.regions, partial(_without, gone))
        return replace(split, regions=regions, present=split.present & ~gone)

    def gone(self, present: NDArray[np.bool_], seed: int, number: int) -> list[int]:
        """The places of the regions that image `number` loses, of those that are `present` (regions,)."""
        draws = self.draws(seed, number)
        places: list[int] = np.flatnonzero(present).tolist()
        count = min(share_of(self.strength, len(places), draws), max(len(places) - 1, 0))
        return draws.shuffled(places, count)


def _without(gone: NDArray[np.bool_], regions: NDArray[np.float32], number: int) -> NDArray[np.float32]:
    return np.where(gone[number][:, None], np.float32(0), regions)
