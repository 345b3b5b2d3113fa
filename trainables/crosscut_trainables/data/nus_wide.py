"""NUS-WIDE-10K: photographs of ten categories with the tags of their authors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from crosscut_trainables.data.draws import Draws
from crosscut_trainables.data.file_data import FileData, lines_of
from crosscut_trainables.data.split import Split, SplitName
from crosscut_trainables.data.whole_images import ImageWithTexts, split_of_images
from crosscut_trainables.data.words import Tokenizer

IMAGES = Path("ImageList/Imagelist.txt")
TAGS = Path("NUS_WID_Tags/All_Tags.txt")
LABELS = Path("Groundtruth/AllLabels")
SHARES: dict[SplitName, tuple[float, float]] = {"train": (0, 0.8), "dev": (0.8, 0.9), "test": (0.9, 1)}
"""From where to where of each category's images, in the order in which they are drawn."""


class NusWide(FileData):
    """1,000 images of each of ten categories: 8,000 for train, 1,000 for dev, 1,000 for test (Feng et al. 2014).

    From the whole of NUS-WIDE (Chua et al. 2009). An image is taken if it has one of the categories alone and a
    tag; its text is its tags. [reading] Which images and splits were published is not known: they are drawn from
    `seed`, the same number of each category for each split. Retrieval is by category as well, with `category_map`
    and the like among `evaluation.metrics`.
    """

    name: Literal["nus-wide"] = "nus-wide"
    summary: ClassVar[str] = "NUS-WIDE-10K: photographs of ten categories, with tags (Chua et al. 2009)"
    fetch: ClassVar[str] = (
        "ImageList.zip, NUS_WID_Tags.zip and Groundtruth.zip of NUS-WIDE go into the folder, unpacked, and its "
        "pictures into the folder `Flickr` there"
    )

    tokenizer: Tokenizer = Field("letters", description="How tags are cut into words: letters, or treebank.")
    images: str = Field("Flickr", description="The folder of pictures, in the folder.")
    categories: tuple[str, ...] = Field(
        ("animal", "clouds", "flowers", "food", "grass", "person", "sky", "toy", "water", "window"),
        description="The categories, as the files of their labels are named, two at least.",
    )
    each: int = Field(1000, ge=10, description="Images of each category, at least 10.")
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of which images are taken, 0 to 2³² - 1.")

    @model_validator(mode="after")
    def _several_categories(self) -> NusWide:
        if len(self.categories) < 2 or len(set(self.categories)) < len(self.categories):
            raise ValueError(
                f"categories: found {', '.join(self.categories) or 'none'}, expected two different ones at least"
            )
        return self

    def files(self) -> Iterable[Path]:
        yield self.place / IMAGES
        yield self.place / TAGS
        for category in self.categories:
            yield self._labels(category)

    def read(self, split: SplitName) -> Split:
        pictures = [line.replace("\\", "/") for line in lines_of(self.place / IMAGES)]
        labels = np.stack([self._read_labels(category, len(pictures)) for category in self.categories])
        tags = self._tags()
        alone = labels.sum(0) == 1
        found, categories = [], []
        for number in range(len(self.categories)):
            own = [
                place
                for place in np.flatnonzero(alone & labels[number]).tolist()
                if tags.get(_photo(pictures[place]))
            ]
            if len(own) < self.each:
                raise ValueError(
                    f"{self._labels(self.categories[number])}: found {len(own)} images that have this category "
                    f"alone and a tag, expected {self.each}"
                )
            drawn = Draws(self.seed, number).shuffled(own, self.each)
            start, end = (round(share * self.each) for share in SHARES[split])
            found += drawn[start:end]
            categories += [number] * (end - start)
        images = []
        for place in found:
            text = tags[_photo(pictures[place])]
            images.append(
                ImageWithTexts(self.place / self.images / pictures[place], [(text, self.words(text))])
            )
        made = split_of_images(f"{self.place / IMAGES} ({split})", images)
        return replace(made, categories=np.array(categories, np.int32))

    def _labels(self, category: str) -> Path:
        return self.place / LABELS / f"Labels_{category}.txt"

    def _read_labels(self, category: str, images: int) -> NDArray[np.bool_]:
        """(images,) which have the category."""
        path = self._labels(category)
        values = np.array(path.read_bytes().split())
        if len(values) != images or not np.isin(values, (b"0", b"1")).all():
            raise ValueError(
                f"{path}: found {len(values)} values, expected {images} of 0 or 1, one for each line of {IMAGES}"
            )
        labelled: NDArray[np.bool_] = values == b"1"
        return labelled

    def _tags(self) -> dict[str, str]:
        """The number of a photograph → its tags that have a word."""
        told: dict[str, str] = {}
        for line in lines_of(self.place / TAGS):
            photo, _, tags = line.partition(" ")
            if self.words(tags):
                told[photo.strip()] = " ".join(tags.split())
        return told


def _photo(picture: str) -> str:
    """The number of a photograph, which ends the name of its file: `actor/0001_2124494179.jpg`."""
    return Path(picture).stem.rpartition("_")[2]
