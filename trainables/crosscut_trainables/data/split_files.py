"""One split on its way into the files of a prepared folder, block by block."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from crosscut_trainables.data.inspection import MIN_COUNT
from crosscut_trainables.data.pictures import Picture, Pictures, resized
from crosscut_trainables.data.prepared import (
    BOXES,
    CAPTIONS,
    IMAGES,
    PICTURES,
    PRESENT,
    REGIONS,
    SplitContents,
)
from crosscut_trainables.data.split import Split, SplitName

NUMBERS = 2**22
"""Features that are read at once, 16 MiB in single precision."""
DECODED = 64
"""Pictures that are brought to their size at once."""

Told = Callable[[str, int, int], None]
"""Hears what is done, how many of it, and of how many; 0 of 0 where that is not known yet."""


@dataclass(frozen=True)
class Making:
    """How a data set is prepared.

    Raises:
        ValueError: a number is out of its range.
    """

    side: int = 224
    """Pixels of the side that whole images are brought to."""
    half: bool = False
    """Whether features are kept in half precision."""
    min_count: int = MIN_COUNT
    """How often a training caption must have a word of the vocabulary."""

    def __post_init__(self) -> None:
        for name, value, most in (("side", self.side, 4096), ("min-count", self.min_count, 1000)):
            if not 1 <= value <= most:
                raise ValueError(f"{name}: found {value}, expected a whole number from 1 to {most}")


@dataclass(frozen=True)
class SplitFiles:
    """A split on its way to its files."""

    folder: Path
    name: SplitName
    split: Split
    making: Making
    told: Told
    where: str
    """Where the data lie, for sentences."""

    def write(self) -> SplitContents:
        """Write all files of the split, and say what there is.

        Raises:
            ValueError: features are no numbers, or all 0, or a picture cannot be read.
        """
        split, images = self.split, len(self.split.present)
        places = split.present.shape[1]
        padding = not all(block.all() for block in self._blocks(split.present, places))
        self._captions()
        if split.categories is not None or split.image_ids is not None:
            self._images()
        if places and split.has_boxes:
            self._array(BOXES, split.boxes.shape, "<f4", self._blocks(split.boxes, places * 4))
        if padding:
            self._array(PRESENT, split.present.shape, "u1", self._blocks(split.present, places))
        if places:
            self._array(REGIONS, split.regions.shape, "<f2" if self.making.half else "<f4", self._features())
        shape = None
        if split.scenes is not None:
            shape = resized(split.scenes[0], self.making.side).shape
            self._array(PICTURES, (images, *shape), "u1", self._pictures(split.scenes))
        return SplitContents(
            images=images,
            captions=len(split.captions),
            regions=(places, split.regions.shape[2]) if places else None,
            boxes=bool(places and split.has_boxes),
            padding=padding,
            pictures=shape,
            texts=split.texts is not None,
            categories=split.categories is not None,
            image_ids=split.image_ids is not None,
            caption_ids=split.caption_ids is not None,
        )

    def _captions(self) -> None:
        import pyarrow as pa

        captions = self.split.captions
        numbers: dict[str, int] = {}
        words = [numbers.setdefault(word, len(numbers)) for caption in captions for word in caption]
        ends = np.cumsum([0, *(len(caption) for caption in captions)], dtype=np.int32)
        columns = {
            "words": lambda: pa.ListArray.from_arrays(
                pa.array(ends),
                pa.DictionaryArray.from_arrays(
                    pa.array(words, pa.int32()), pa.array(list(numbers), pa.string())
                ),
            ),
            "image_of": lambda: pa.array(self.split.image_of, pa.int32()),
            "text": lambda: _texts(self.split.texts),
            "id": lambda: _texts(self.split.caption_ids),
        }
        self._table(CAPTIONS, columns)

    def _images(self) -> None:
        import pyarrow as pa

        categories = self.split.categories
        columns = {
            "category": lambda: None if categories is None else pa.array(categories, pa.int32()),
            "id": lambda: _texts(self.split.image_ids),
        }
        self._table(IMAGES, columns)

    def _table(self, end: str, columns: Mapping[str, Callable[[], Any]]) -> None:
        """An Arrow file of the columns that there are."""
        import pyarrow as pa

        try:
            made = {name: column for name, make in columns.items() if (column := make()) is not None}
        except UnicodeEncodeError as error:
            raise ValueError(
                f"{self.where}: {self.name}: found {error.object[error.start : error.end]!r} in a text, "
                "expected characters that UTF-8 has"
            ) from error
        table = pa.table(made)
        with pa.OSFile(str(self._file(end)), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)

    def _array(
        self, end: str, shape: tuple[int, ...], kind: DTypeLike, blocks: Iterable[NDArray[Any]]
    ) -> None:
        """A `.npy` file, block by block; not through a map, which a full disk would end the process with."""
        kind = np.dtype(kind)
        with self._file(end).open("wb") as file:
            head = {"descr": kind.str, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, head)
            for block in blocks:
                file.write(np.ascontiguousarray(block, kind).data)

    def _file(self, end: str) -> Path:
        return self.folder / f"{self.name}_{end}"

    def _blocks(self, source: Any, numbers: int) -> Iterator[NDArray[Any]]:
        """Some images at a time, of so many numbers each."""
        step = max(1, NUMBERS // max(numbers, 1))
        for start in range(0, source.shape[0], step):
            yield np.asarray(source[start : start + step])

    def _features(self) -> Iterator[NDArray[Any]]:
        """The features that are kept, of some images at a time, which are looked at."""
        _, places, features = self.split.regions.shape
        start, images = 0, self.split.regions.shape[0]
        for block in self._blocks(self.split.regions, places * features):
            with np.errstate(over="ignore"):
                kept = block.astype(np.float16 if self.making.half else np.float32, copy=False)
            wrong = ~np.isfinite(kept).all(axis=(1, 2))
            if wrong.any():
                place = int(wrong.argmax())
                self._refuse(start + place, block[place], kept[place])
            empty = ~kept.any(axis=(1, 2))
            if empty.any():
                raise ValueError(
                    f"{self._image(start + int(empty.argmax()))}: found features that are all 0, expected others"
                )
            yield kept
            start += len(block)
            self.told(f"{self.name} regions", start, images)

    def _refuse(self, number: int, features: NDArray[Any], kept: NDArray[Any]) -> None:
        """Raises ValueError for features of an image that are no numbers as they are, or as they are kept."""
        region, feature = np.argwhere(~np.isfinite(kept))[0]
        found = float(features[region, feature])
        expected = "finite numbers"
        if np.isfinite(found):
            expected = f"none beyond {float(np.finfo(kept.dtype).max):g}, the most that {kept.dtype} has"
        raise ValueError(
            f"{self._image(number)}: found {found:g} among the features of region {region}, expected {expected}"
        )

    def _image(self, number: int) -> str:
        """An image, as sentences name it."""
        ids = self.split.image_ids
        known = "" if ids is None else f" ({ids[number]})"
        return f"{self.where}: {self.name}: image {number}{known}"

    def _pictures(self, scenes: Pictures) -> Iterator[NDArray[np.uint8]]:
        """The pictures at their size, some at a time; decoding lets other threads work."""

        def picture(number: int) -> Picture:
            return resized(scenes[number], self.making.side)

        with ThreadPoolExecutor(os.cpu_count()) as threads:
            for start in range(0, len(scenes), DECODED):
                numbers = range(start, min(start + DECODED, len(scenes)))
                yield np.stack(list(threads.map(picture, numbers)))
                self.told(f"{self.name} pictures", numbers.stop, len(scenes))


def _texts(texts: Sequence[str] | None) -> Any:
    """A column of texts, None of none."""
    import pyarrow as pa

    return None if texts is None else pa.array(texts, pa.string())
