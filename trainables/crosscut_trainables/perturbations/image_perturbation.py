"""The base of perturbations of whole images."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from crosscut_trainables.data.draws import Draws
from crosscut_trainables.data.pictures import Picture
from crosscut_trainables.data.split import Split
from crosscut_trainables.perturbations.perturbation import Perturbation
from crosscut_trainables.perturbations.perturbed_pictures import PerturbedPictures


class ImagePerturbation(Perturbation):
    """A change of every whole image. Region features stay as they are.

    An array in memory gives another array: pretrained models tell from the type that all images have one size.
    Pictures that lie in files, or an array that does, are changed when they are read.
    """

    of: ClassVar[Literal["texts", "images", "regions"]] = "images"

    @abstractmethod
    def image(self, image: Picture, draws: Draws) -> Picture:
        """A changed copy of an image, (height, width), grey, or (height, width, 3), RGB."""

    def picture(self, picture: Picture, seed: int, number: int) -> Picture:
        """Picture `number` of a split alone, as `apply` changes it.

        Raises:
            ValueError: it is neither grey nor RGB in whole numbers from 0 to 255.
        """
        if picture.dtype != np.uint8 or not (picture.ndim == 2 or picture.shape[2:] == (3,)):
            raise ValueError(
                f"{self.name}: found an image of shape {picture.shape} and type {picture.dtype}, expected uint8 "
                "(height, width), grey, or (height, width, 3), RGB"
            )
        return self.image(np.ascontiguousarray(picture), self.draws(seed, number))

    def apply(self, split: Split, seed: int) -> Split:
        if split.scenes is None:
            raise ValueError(
                f"{self.name}: found a data set with regions only, expected one with whole images (scenes)"
            )
        scenes = PerturbedPictures(split.scenes, partial(_numbered, self, seed))
        in_memory = isinstance(split.scenes, np.ndarray) and not isinstance(split.scenes, np.memmap)
        return replace(split, scenes=scenes[:] if in_memory else scenes)


def _numbered(perturbation: ImagePerturbation, seed: int, picture: Picture, number: int) -> Picture:
    return perturbation.picture(picture, seed, number)
