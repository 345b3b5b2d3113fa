"""The base of perturbations of region features."""

from __future__ import annotations

from typing import ClassVar, Literal

from crosscut_trainables.data.split import Split
from crosscut_trainables.perturbations.perturbation import Perturbation


class RegionPerturbation(Perturbation):
    """A change of every image's regions, made when they are read. Whole images and boxes stay as they are."""

    of: ClassVar[Literal["texts", "images", "regions"]] = "regions"

    def check(self, split: Split) -> None:
        """Refuse a split without region features.

        Raises:
            ValueError: its regions are none, or something else of an image than features of regions.
        """
        shape = split.regions.shape
        if len(shape) != 3 or 0 in shape[1:]:
            raise ValueError(
                f"{self.name}: found regions of shape {tuple(shape)}, expected (images, regions, features) "
                "with at least one region"
            )
