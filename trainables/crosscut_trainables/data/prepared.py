"""What `crosscut data prepare` wrote: a data set that is mapped from its files, neither decoded nor cut again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from crosscut_trainables.component import Options
from crosscut_trainables.data.file_data import FileData
from crosscut_trainables.data.precomputed import mapped
from crosscut_trainables.data.split import Source, Split, SplitName
from crosscut_trainables.data.words import Tokenizer

FORMAT: Literal[1] = 1
CONTENTS, VOCABULARY = "prepared.json", "vocabulary.json"
CAPTIONS, IMAGES = "captions.arrow", "images.arrow"
REGIONS, BOXES, PRESENT, PICTURES = "regions.npy", "boxes.npy", "present.npy", "pictures.npy"
ENDS = (CAPTIONS, IMAGES, REGIONS, BOXES, PRESENT, PICTURES)
"""What the files of a split end with, after its name and `_`."""
WHOLE = np.array([0, 0, 1, 1], np.float32)
"""The box of the whole image."""


class SplitContents(Options):
    """What a prepared folder has of a split."""

    images: int = Field(ge=1)
    captions: int = Field(ge=1)
    regions: tuple[int, int] | None
    """Regions of an image and their features, None without any."""
    boxes: bool
    padding: bool
    """Whether some places of regions are padding."""
    pictures: tuple[int, ...] | None
    """Shape of each whole image, None without any."""
    texts: bool
    categories: bool
    image_ids: bool
    caption_ids: bool

    def ends(self) -> Iterator[str]:
        """What its files end with."""
        yield CAPTIONS
        if self.categories or self.image_ids:
            yield IMAGES
        if self.regions is not None:
            yield REGIONS
        if self.boxes:
            yield BOXES
        if self.padding:
            yield PRESENT
        if self.pictures is not None:
            yield PICTURES


class Origin(Options):
    """The data set that was prepared; where it lay is not kept."""

    options: dict[str, Any]
    """Its options with its name, all but its folder."""
    fingerprint: str
    units: str


class Splits(Options):
    """What there is of each split."""

    train: SplitContents
    dev: SplitContents
    test: SplitContents

    def each(self) -> Iterator[tuple[SplitName, SplitContents]]:
        """Name and contents of each split."""
        yield from (("train", self.train), ("dev", self.dev), ("test", self.test))


class Contents(Options):
    """`prepared.json`: what a prepared folder has, and of what and how it was made."""

    format: Literal[1] = FORMAT
    source: Origin
    half: bool
    """Whether features are kept in half precision."""
    side: int | None
    """Pixels of a picture's side, None without pictures."""
    min_count: int
    """How often a training caption must have a word of the vocabulary."""
    vocabulary: int
    """Words of the vocabulary."""
    splits: Splits

    @classmethod
    def read(cls, path: Path) -> Contents:
        """The contents that a file tells.

        Raises:
            ValueError: it is no such file, or of another format.
        """
        try:
            plain = json.loads(path.read_bytes())
            found = plain["format"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}: found no JSON with `format` ({error})") from error
        if found != FORMAT:
            raise ValueError(f"{path}: format: found {found!r}, expected {FORMAT}; prepare the data set anew")
        try:
            return cls.model_validate(plain)
        except ValidationError as error:
            first = error.errors()[0]
            raise ValueError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


class Prepared(FileData):
    """A folder of `crosscut data prepare`: each split as its source gave it, mapped from its files.

    Captions are kept as words, boxes as shares of the image, pictures at one size. Features in half precision are
    given in single.
    """

    name: Literal["prepared"] = "prepared"
    summary: ClassVar[str] = "another data set of files, prepared for fast reading by crosscut data prepare"
    fetch: ClassVar[str] = (
        "`crosscut data prepare DIR --out OUT` makes such a folder of the data set of files in DIR; OUT goes there"
    )

    # A data set that keeps words need not cut them.
    tokenizer: Tokenizer | None = Field(  # type: ignore[assignment]
        None,
        description="How captions are cut into words anew: treebank, or letters; null: words as they were "
        "prepared.",
    )

    @property
    def contents(self) -> Contents:
        """What its folder has."""
        return Contents.read(self.place / CONTENTS)

    def files(self) -> Iterable[Path]:
        yield self.place / CONTENTS
        yield self.place / VOCABULARY
        for name, split in self.contents.splits.each():
            yield from (self._file(name, end) for end in split.ends())

    def units(self) -> str:
        """Those of the source, with whose runs it can be paired."""
        return self.contents.source.units

    def read(self, split: SplitName) -> Split:
        contents = self.contents
        told: SplitContents = getattr(contents.splits, split)
        captions = _Table(self._file(split, CAPTIONS), told.captions)
        texts = captions.texts("text") if told.texts else None
        return Split(
            regions=self._regions(split, told, contents.half),
            boxes=self._boxes(split, told),
            present=self._present(split, told),
            captions=self._captions(split, captions, texts),
            image_of=self._image_of(split, captions, told.images),
            scenes=None
            if told.pictures is None
            else self._array(split, PICTURES, (told.images, *told.pictures), np.uint8),
            texts=texts,
            categories=self._images(split, told).numbers("category") if told.categories else None,
            has_boxes=told.boxes,
            image_ids=self._images(split, told).texts("id") if told.image_ids else None,
            caption_ids=captions.texts("id") if told.caption_ids else None,
        )

    def _file(self, split: SplitName, end: str) -> Path:
        return self.place / f"{split}_{end}"

    def _images(self, split: SplitName, told: SplitContents) -> _Table:
        return _Table(self._file(split, IMAGES), told.images)

    def _captions(
        self, split: SplitName, captions: _Table, texts: Sequence[str] | None
    ) -> list[tuple[str, ...]]:
        if self.tokenizer is None:
            return captions.words("words")
        if texts is None:
            raise ValueError(
                f"tokenizer: found {self.tokenizer!r}, expected null: {self._file(split, CAPTIONS)} has words "
                "and no texts to cut"
            )
        return [self.words(text) for text in texts]

    def _image_of(self, split: SplitName, captions: _Table, images: int) -> NDArray[np.int32]:
        found = captions.numbers("image_of")
        if found[0] < 0 or found[-1] >= images or (np.diff(found) < 0).any():
            raise ValueError(
                f"{self._file(split, CAPTIONS)}: found captions of images that are not in order, or of none of "
                f"the {images} images"
            )
        return found

    def _regions(self, split: SplitName, told: SplitContents, half: bool) -> Source:
        if told.regions is None:
            return np.zeros((told.images, 0, 0), np.float32)
        kept = self._array(split, REGIONS, (told.images, *told.regions), np.float16 if half else np.float32)
        return Halves(kept) if half else kept

    def _boxes(self, split: SplitName, told: SplitContents) -> NDArray[np.float32]:
        shape = (told.images, told.regions[0] if told.regions else 0, 4)
        if told.boxes:
            return self._array(split, BOXES, shape, np.float32)
        return np.broadcast_to(WHOLE, shape)

    def _present(self, split: SplitName, told: SplitContents) -> NDArray[np.bool_]:
        shape = (told.images, told.regions[0] if told.regions else 0)
        if told.padding:
            present: NDArray[np.bool_] = self._array(split, PRESENT, shape, np.uint8).view(np.bool_)
            return present
        return np.broadcast_to(np.True_, shape)

    def _array(self, split: SplitName, end: str, shape: tuple[int, ...], kind: type[Any]) -> NDArray[Any]:
        path = self._file(split, end)
        array = mapped(path)
        if array.shape != shape or array.dtype != kind:
            raise ValueError(
                f"{path}: found {array.dtype} of shape {array.shape}, expected {np.dtype(kind)} of shape {shape}, "
                f"as {CONTENTS} says"
            )
        return array


class Halves:
    """Numbers that a file has in half precision, given in single as they are asked for."""

    def __init__(self, array: NDArray[np.float16]) -> None:
        self._array = array
        self.shape: tuple[int, ...] = array.shape

    def __getitem__(self, index: Any) -> NDArray[np.float32]:
        found: NDArray[np.float32] = np.asarray(self._array[index], np.float32)
        return found


class _Table:
    """Columns of an Arrow file, mapped from it.

    Raises:
        ValueError: it is no such file, is damaged, or has another number of rows or no such column.
    """

    def __init__(self, path: Path, rows: int) -> None:
        # Nothing else of a run needs it.
        import pyarrow as pa

        self._path = path
        try:
            with pa.memory_map(str(path)) as opened:
                self._table = pa.ipc.open_file(opened).read_all()
            self._table.validate(full=True)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{path}: found no Arrow table that can be mapped ({error})") from error
        if self._table.num_rows != rows:
            raise ValueError(
                f"{path}: found {self._table.num_rows} rows, expected {rows}, as {CONTENTS} says"
            )

    def numbers(self, column: str) -> NDArray[np.int32]:
        """(rows,) a column of numbers."""
        import pyarrow as pa

        found: NDArray[np.int32] = self._column(column, pa.int32()).to_numpy()
        return found

    def texts(self, column: str) -> list[str]:
        """A column of texts."""
        import pyarrow as pa

        found: list[str] = self._column(column, pa.string()).to_numpy(zero_copy_only=False).tolist()
        return found

    def words(self, column: str) -> list[tuple[str, ...]]:
        """A column of lists of words; equal words are one object."""
        import pyarrow as pa

        lists = self._column(column, pa.list_(pa.dictionary(pa.int32(), pa.string())))
        if lists.values.null_count:
            raise ValueError(f"{self._path}: found gaps in the column {column!r}, expected none")
        known = np.array(lists.values.dictionary.to_pylist(), object)
        words = known[lists.values.indices.to_numpy()].tolist()
        return [tuple(words[start:end]) for start, end in pairwise(lists.offsets.tolist())]

    def _column(self, name: str, kind: Any) -> Any:
        """A column of an Arrow type, in one piece."""
        if name not in self._table.column_names:
            raise ValueError(f"{self._path}: found no column {name!r}, expected one, as {CONTENTS} says")
        column = self._table.column(name)
        if column.type != kind:
            raise ValueError(f"{self._path}: found a column {name!r} of {column.type}, expected {kind}")
        if column.null_count:
            raise ValueError(f"{self._path}: found gaps in the column {name!r}, expected none")
        return column.combine_chunks()
