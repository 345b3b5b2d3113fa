"""Region features in the layout of the region-word family: `*_precomp` folders."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from crosscut_trainables.data.file_data import FileData, lines_of
from crosscut_trainables.data.split import SPLITS, Source, Split, SplitName

CAPTIONS = 5
"""Captions of an image where a file has several."""


class Precomputed(FileData):
    """`train_ims.npy` (images, regions, features) and `train_caps.txt`, a caption a line; dev and test likewise.

    Features are float32 or float16, mapped from their file and read image by image, never whole. Where there are
    five times as many captions as rows of features, five captions in order belong to a row. Where there are as
    many, each row has one, and rows of one id (`train_ids.txt`) are one image. `train_boxes.npy` (images, regions,
    4), if it is there, has x1, y1, x2, y2 as shares of the image, or in pixels with `train_sizes.npy` (images, 2),
    widths and heights.
    """

    name: Literal["precomputed"] = "precomputed"
    summary: ClassVar[str] = "region features in a *_precomp folder, as SCAN and its family have them"
    fetch: ClassVar[str] = (
        "region features of SCAN's authors (f30k_precomp, coco_precomp) are a folder with train_ims.npy, "
        "train_caps.txt and the same of dev and test; its path goes there"
    )

    train: str = Field("train", description="What the files of the train split begin with.")
    dev: str = Field("dev", description="What the files of the dev split begin with.")
    test: str = Field("test", description="What the files of the test split begin with; testall for COCO 5K.")
    dev_captions: int | None = Field(
        None,
        ge=1,
        description="Captions of dev that are used, the first ones, at least 1; 5000 in the published code; null: "
        "all.",
    )

    def files(self) -> Iterable[Path]:
        for split in SPLITS:
            yield self._file(split, "ims.npy")
            yield self._file(split, "caps.txt")
        for split in SPLITS:
            for end in ("ids.txt", "boxes.npy", "sizes.npy"):
                if (optional := self._file(split, end)).is_file():
                    yield optional

    def read(self, split: SplitName) -> Split:
        path = self._file(split, "ims.npy")
        features = mapped(path)
        if features.ndim != 3:
            raise ValueError(
                f"{path}: found an array of shape {features.shape}, expected (images, regions, features)"
            )
        texts = list(lines_of(self._file(split, "caps.txt")))
        rows, image_of = self._images(split, len(features), len(texts))
        if split == "dev" and self.dev_captions is not None:
            texts, image_of = texts[: self.dev_captions], image_of[: self.dev_captions]
            rows = rows[: int(image_of.max()) + 1]
        regions: Source = features[: len(rows)] if _in_order(rows) else Chosen(features, rows)
        boxes = self._boxes(split, features.shape, rows)
        count, places = len(rows), features.shape[1]
        return Split(
            regions=regions,
            boxes=np.broadcast_to(np.array([0, 0, 1, 1], np.float32), (count, places, 4))
            if boxes is None
            else boxes,
            present=np.broadcast_to(np.True_, (count, places)),
            captions=[self.words(text) for text in texts],
            image_of=image_of,
            texts=texts,
            has_boxes=boxes is not None,
            image_ids=self._image_ids(split, len(features), rows),
        )

    def _file(self, split: SplitName, end: str) -> Path:
        prefix = {"train": self.train, "dev": self.dev, "test": self.test}[split]
        return self.place / f"{prefix}_{end}"

    def _images(
        self, split: SplitName, rows: int, captions: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """The row of features of each image, and the image of each caption."""
        if captions == CAPTIONS * rows:
            return np.arange(rows), np.repeat(np.arange(rows, dtype=np.int32), CAPTIONS)
        if captions != rows:
            raise ValueError(
                f"{self._file(split, 'caps.txt')}: found {captions} captions for {rows} images in "
                f"{self._file(split, 'ims.npy').name}, expected as many, or {CAPTIONS} times as many"
            )
        ids = self._file(split, "ids.txt")
        if not ids.is_file():
            return np.arange(rows), np.arange(rows, dtype=np.int32)
        named = list(lines_of(ids))
        if len(named) != rows:
            raise ValueError(f"{ids}: found {len(named)} ids, expected {rows}, one a caption")
        first: dict[str, int] = {}
        image_of = np.array([first.setdefault(name, len(first)) for name in named], np.int32)
        if (np.diff(image_of) < 0).any():
            raise ValueError(f"{ids}: found ids of one image apart, expected captions of an image in a row")
        return np.unique(image_of, return_index=True)[1], image_of

    def _image_ids(self, split: SplitName, count: int, rows: NDArray[np.int64]) -> list[str] | None:
        """The id of each image, where there is one for each row of features."""
        path = self._file(split, "ids.txt")
        named = list(lines_of(path)) if path.is_file() else []
        return [named[row] for row in rows.tolist()] if len(named) == count else None

    def _boxes(
        self, split: SplitName, shape: tuple[int, ...], rows: NDArray[np.int64]
    ) -> NDArray[np.float32] | None:
        path, sizes = self._file(split, "boxes.npy"), self._file(split, "sizes.npy")
        if not path.is_file():
            return None
        boxes = np.asarray(mapped(path)[rows] if len(mapped(path)) == shape[0] else mapped(path), np.float32)
        if boxes.shape != (len(rows), shape[1], 4):
            raise ValueError(
                f"{path}: found an array of shape {boxes.shape}, expected {(len(rows), shape[1], 4)}"
            )
        if sizes.is_file():
            width, height = np.asarray(mapped(sizes)[rows], np.float32).T[:, :, None]
            boxes = boxes / np.stack([width, height, width, height], 2)
        if not ((boxes >= 0) & (boxes <= 1 + 1e-4)).all():
            raise ValueError(
                f"{path}: found boxes from {float(boxes.min()):g} to {float(boxes.max()):g}, expected shares of "
                f"the image, 0 to 1, or pixels with {sizes.name}, (images, 2) widths and heights"
            )
        return np.clip(boxes, 0, 1)


class Chosen:
    """Some rows of an array that lies in a file, read as they are asked for."""

    def __init__(self, array: NDArray[Any], rows: NDArray[np.int64]) -> None:
        self._array, self._rows = array, rows
        self.shape: tuple[int, ...] = (len(rows), *array.shape[1:])

    def __getitem__(self, index: Any) -> NDArray[np.float32]:
        found: NDArray[np.float32] = np.asarray(self._array[self._rows[index]], np.float32)
        return found


def mapped(path: Path) -> NDArray[Any]:
    """An array in a `.npy` file, mapped and not read.

    Raises:
        ValueError: it is no such file, or does not hold numbers.
    """
    try:
        array = np.load(path, mmap_mode="r")
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f"{path}: found no array that can be mapped ({error})") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        raise ValueError(f"{path}: found no array of numbers")
    return array


def _in_order(rows: NDArray[np.int64]) -> bool:
    return bool((rows == np.arange(len(rows))).all())
