"""One split of an image-text data set, and the protocol of the data sets that give them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from crosscut_trainables.component import Component
from crosscut_trainables.data.pictures import Pictures

SplitName = Literal["train", "dev", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "dev", "test")


class Source(Protocol):
    """Numbers by image, read when they are asked for: an array in memory, one in a file, or what is computed."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(images, …)"""
        ...

    def __getitem__(self, index: Any) -> NDArray[np.float32]:
        """The images at `index`: their numbers, (n,), or a slice."""
        ...


@dataclass(frozen=True)
class Split:
    """Images as regions, and their captions.

    Boxes are (x1, y1, x2, y2) as shares of the image's width and height, 0 to 1.
    """

    regions: Source
    """(images, regions, features) region features, as a detector gives them, no regions where only whole images
    are at hand; or what else an image encoder reads of an image, with dimensions of its own."""
    boxes: NDArray[np.float32]
    """(images, regions, 4) the box of each region."""
    present: NDArray[np.bool_]
    """(images, regions) False where a place is padding."""
    captions: Sequence[Sequence[str]]
    """Every caption as its words, in lower case, without start and end marks."""
    image_of: NDArray[np.int32]
    """(captions,) the image each caption belongs to, ascending."""
    referents: Sequence[Sequence[NDArray[np.float32]]] | None = None
    """Per caption and word, the (k, 4) true boxes of what the word refers to; k is 0 for a word that refers
    to no place. None where the data set does not know."""
    scenes: Pictures | None = None
    """The whole images, None where only regions are at hand."""
    texts: Sequence[str] | None = None
    """Every caption as it is written, None where only its words are at hand."""
    categories: NDArray[np.int32] | None = None
    """(images,) the category of each image and of its texts, None where there are none."""
    has_boxes: bool = True
    """Whether boxes are known; where they are not, every region is said to be the whole image."""
    image_ids: Sequence[str] | None = None
    """The id of each image in its corpus (COCO: `cocoid`), None where the files do not tell."""
    caption_ids: Sequence[str] | None = None
    """The id of each caption in its corpus (COCO: the annotation's, Karpathy's `sentid`)."""

    def __post_init__(self) -> None:
        n, r = self.present.shape
        whose = self.regions.shape[:2] if len(self.regions.shape) == 3 else (self.regions.shape[0], r)
        if self.boxes.shape != (n, r, 4) or whose != (n, r):
            raise ValueError(
                f"regions {self.regions.shape}, boxes {self.boxes.shape} and present {self.present.shape} "
                "do not go together"
            )
        if len(self.captions) != len(self.image_of):
            raise ValueError(f"{len(self.captions)} captions, but image_of has {len(self.image_of)}")
        if self.texts is not None and len(self.texts) != len(self.captions):
            raise ValueError(f"{len(self.captions)} captions, but {len(self.texts)} texts")
        if self.categories is not None and self.categories.shape != (n,):
            raise ValueError(f"{n} images, but categories of the shape {self.categories.shape}")
        for what, ids, count in (
            ("images", self.image_ids, n),
            ("captions", self.caption_ids, len(self.captions)),
        ):
            if ids is not None and len(ids) != count:
                raise ValueError(f"{count} {what}, but {len(ids)} ids of them")
        if self.scenes is not None and len(self.scenes) != n:
            raise ValueError(f"{n} images, but {len(self.scenes)} pictures")


class Dataset(Component):
    """A data set: options in, splits out. Loading the same options twice gives the same arrays."""

    @abstractmethod
    def load(self, split: SplitName) -> Split:
        """The split's images and captions. Loaded once a process: later calls give the same object."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Hash of everything that the splits depend on, cheap enough to be asked for at plan time."""

    def units(self) -> str:
        """Hash that data sets share whose splits have the same images, or scenes, in the same order.

        However they are drawn or told of, retrieval on them can be paired image by image.
        """
        return self.fingerprint()
