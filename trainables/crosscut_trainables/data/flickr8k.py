"""Flickr8K as its authors give it: a file of captions, three lists of images, and a folder of pictures."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from crosscut_trainables.data.file_data import FileData, lines_of
from crosscut_trainables.data.split import Split, SplitName
from crosscut_trainables.data.whole_images import ImageWithTexts, split_of_images

CAPTIONS = "Flickr8k.token.txt"
LISTS: dict[SplitName, str] = {
    "train": "Flickr_8k.trainImages.txt",
    "dev": "Flickr_8k.devImages.txt",
    "test": "Flickr_8k.testImages.txt",
}


class Flickr8k(FileData):
    """Hodosh, Young and Hockenmaier 2013: 6,000, 1,000 and 1,000 images, with five captions each.

    A line of `Flickr8k.token.txt` is `<picture>#<number>`, a tab and the caption; a list has a picture a line.
    """

    name: Literal["flickr8k"] = "flickr8k"
    summary: ClassVar[str] = "Flickr8K: captions, lists of images, and pictures, as its authors give them"
    fetch: ClassVar[str] = (
        "Flickr8k_text.zip has Flickr8k.token.txt and the lists Flickr_8k.{train,dev,test}Images.txt, which go "
        "into the folder; Flickr8k_Dataset.zip has the folder of pictures, which goes there too"
    )

    images: str = Field("Flicker8k_Dataset", description="The folder of pictures, in the folder.")

    def files(self) -> Iterable[Path]:
        yield self.place / CAPTIONS
        for name in LISTS.values():
            yield self.place / name

    def read(self, split: SplitName) -> Split:
        texts: dict[str, list[str]] = {}
        path = self.place / CAPTIONS
        for number, line in enumerate(lines_of(path), start=1):
            picture, tab, text = line.partition("\t")
            if not tab or "#" not in picture:
                raise ValueError(
                    f"{path}, line {number}: found {line!r}, expected <picture>#<number>, a tab and a caption"
                )
            texts.setdefault(picture.rpartition("#")[0], []).append(text.strip())
        listed = list(lines_of(self.place / LISTS[split]))
        untold = next((picture for picture in listed if picture not in texts), None)
        if untold is not None:
            raise ValueError(
                f"{self.place / LISTS[split]}: found {untold!r}, which has no caption in {CAPTIONS}"
            )
        return split_of_images(
            str(self.place / LISTS[split]),
            [
                ImageWithTexts(
                    self.place / self.images / picture, [(text, self.words(text)) for text in texts[picture]]
                )
                for picture in listed
            ],
        )
