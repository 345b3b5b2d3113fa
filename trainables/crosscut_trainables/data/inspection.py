"""The inspection of a folder of data: what was found, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from crosscut_trainables.data import DATASETS
from crosscut_trainables.data.file_data import FileData
from crosscut_trainables.data.pictures import PictureFiles
from crosscut_trainables.data.split import SPLITS, Split, SplitName
from crosscut_trainables.data.vocabulary import Vocabulary

MIN_COUNT = 4
"""How often a training caption must have a word, as in the field."""
SAMPLE = 64
"""Images of a split whose content is looked at, evenly apart."""


@dataclass(frozen=True)
class Summary:
    """What a split has."""

    images: int
    captions: int
    each: tuple[int, int]
    """Fewest and most captions of an image."""
    words: tuple[float, int]
    """Words of a caption: their mean, and the most."""
    content: str
    """What there is of an image: regions and features, or pictures."""
    unknown: float
    """Share of words that are not in the vocabulary of the training captions, 0 to 1."""


@dataclass(frozen=True)
class Inspection:
    """What was found in a folder."""

    name: str
    """The data set that its files are of."""
    vocabulary: int
    """Words of the training captions that occur four times or more."""
    splits: dict[SplitName, Summary] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    """What is wrong, a sentence each."""
    remarks: tuple[str, ...] = ()
    """What a user should know, a sentence each."""


def kind_of(folder: Path) -> str:
    """The data set that the files of a folder are of: the one that misses nothing.

    Raises:
        ValueError: none, with what the nearest one misses.
    """
    reasons = {}
    for name, data in of_files().items():
        try:
            data.model_validate({"folder": str(folder)})
        except ValidationError as error:
            reasons[name] = str(error.errors()[0]["msg"]).removeprefix("Value error, ").partition(";")[0]
        else:
            return name
    if not folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder")
    told = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
    raise ValueError(f"found no data set in {folder} ({told})")


def data_of(folder: Path, name: str | None = None) -> FileData:
    """The data set called `name` in a folder, or the one that its files are of.

    Raises:
        ValueError: there is none.
    """
    try:
        return of_files()[name or kind_of(folder)].model_validate({"folder": str(folder)})
    except ValidationError as error:
        raise ValueError(str(error.errors()[0]["msg"]).removeprefix("Value error, ")) from error


def inspect(folder: Path, name: str | None = None) -> Inspection:
    """Look at a folder as the data set called `name`, or as what its files are of.

    Every caption is read, and of images an evenly spaced sample. Raises ValueError where there is no data set.
    """
    data = data_of(folder, name)
    problems: list[str] = []
    splits: dict[SplitName, Split] = {}
    for split in SPLITS:
        try:
            splits[split] = data.read(split)
        except (ValueError, OSError) as error:
            problems.append(" ".join(str(error).split()))
    captions = splits["train"].captions if "train" in splits else []
    vocabulary = Vocabulary.build(captions, MIN_COUNT)
    for split, found in splits.items():
        problems += (f"{split}: {problem}" for problem in _content(found))
    problems += shared(splits)
    return Inspection(
        data.model_dump()["name"],
        len(vocabulary.words),
        {split: _summary(found, vocabulary) for split, found in splits.items()},
        tuple(problems),
        tuple(_remarks(splits)),
    )


def of_files() -> dict[str, type[FileData]]:
    """The data sets that are read from files, by name."""
    return {name: data for name, data in DATASETS.items() if issubclass(data, FileData)}


def _summary(split: Split, vocabulary: Vocabulary) -> Summary:
    each = np.bincount(split.image_of)
    lengths = [len(caption) for caption in split.captions]
    images, regions, *features = split.regions.shape
    content = f"{regions} regions × {features[-1]}" if split.present.shape[1] else "whole images"
    if isinstance(split.scenes, np.ndarray):
        content += f" of {split.scenes.shape[2]} × {split.scenes.shape[1]}"
    if split.present.shape[1] and split.has_boxes:
        content += ", boxes"
    return Summary(
        images=images,
        captions=len(lengths),
        each=(int(each.min()), int(each.max())),
        words=(float(np.mean(lengths)), max(lengths)),
        content=content,
        unknown=vocabulary.unknown_share(split.captions),
    )


def _content(split: Split) -> Iterator[str]:
    """What is wrong with the images of a sample."""
    images = split.regions.shape[0]
    sample = np.unique(np.linspace(0, images - 1, min(SAMPLE, images)).astype(np.int64))
    if split.present.shape[1]:
        regions = np.asarray(split.regions[sample])
        broken = ~np.isfinite(regions).all(axis=(1, 2))
        if broken.any():
            yield f"features of image {sample[broken][0]} are no numbers"
        empty = ~regions.any(axis=(1, 2))
        if empty.any():
            yield f"all features of image {sample[empty][0]} are 0"
    if isinstance(split.scenes, PictureFiles):
        for number in sample.tolist():
            try:
                split.scenes[number]
            except ValueError as error:
                yield str(error)


def shared(splits: Mapping[SplitName, Split]) -> Iterator[str]:
    """Images that two splits have, by the name of their file, or by their features; a sentence for each two."""
    known: dict[object, SplitName] = {}
    twice: Counter[tuple[SplitName, SplitName]] = Counter()
    for name, split in splits.items():
        for identity in _identities(split):
            first = known.setdefault(identity, name)
            if first != name:
                twice[first, name] += 1
    for (one, other), count in twice.items():
        are = "images of {} are" if count > 1 else "image of {} is"
        yield f"{count} {are.format(other)} in {one} as well"


def _identities(split: Split) -> Iterator[object]:
    if isinstance(split.scenes, PictureFiles):
        yield from split.scenes.paths
    elif split.present.shape[1]:
        # The first numbers of an image's first region, of all images: a page of the file each.
        for number in range(split.regions.shape[0]):
            yield np.asarray(split.regions[number])[0, :32].tobytes()


def _remarks(splits: dict[SplitName, Split]) -> Iterator[str]:
    if any(split.present.shape[1] and not split.has_boxes for split in splits.values()):
        yield "there are no boxes, so pfan and the image encoder positions cannot be used"
    if any(not split.present.shape[1] for split in splits.values()):
        yield "there are whole images only: use encoder.image: {name: patches, size: …}, or pretrained"
