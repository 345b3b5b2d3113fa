"""What every registered data set promises. A new one is tested here by being registered; one that reads a folder
needs what writes a small one, in `data_folders.py`."""

from __future__ import annotations

import hashlib
import runpy
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from pydantic import BaseModel, ValidationError

from crosscut_trainables.data import DATASETS
from crosscut_trainables.data.split import Dataset, Split, SplitName

FOLDERS = runpy.run_path(str(Path(__file__).with_name("data_folders.py")))
WRITERS, OPTIONS = FOLDERS["WRITERS"], FOLDERS["OPTIONS"]
NAMES: tuple[SplitName, ...] = get_args(SplitName)


@cache
def made(name: str) -> Dataset:
    if name not in WRITERS:
        return DATASETS[name]()
    folder = Path(tempfile.mkdtemp(prefix="crosscut-data-"))
    WRITERS[name](folder)
    return DATASETS[name].model_validate({"folder": str(folder), **OPTIONS.get(name, {})})


def content(split: Split) -> list[bytes]:
    """What there is of each image: its regions, or its picture."""
    if split.present.shape[1]:
        return [np.asarray(regions).tobytes() for regions in split.regions[:]]
    assert split.scenes is not None
    return [picture.tobytes() for picture in split.scenes[:]]


@pytest.fixture(params=sorted(DATASETS))
def dataset(request: pytest.FixtureRequest) -> Dataset:
    return made(request.param)


@pytest.fixture(
    params=[(name, split) for name in sorted(DATASETS) for split in NAMES], ids=lambda p: "/".join(p)
)
def split(request: pytest.FixtureRequest) -> Split:
    name, part = request.param
    return made(name).load(part)


def test_the_name_is_the_registered_one_and_there_is_a_summary(dataset: Dataset) -> None:
    assert DATASETS[dataset.model_dump()["name"]] is type(dataset)
    assert type(dataset).summary
    assert "\n" not in type(dataset).summary


def test_unknown_options_are_refused_and_options_cannot_be_changed(dataset: Dataset) -> None:
    with pytest.raises(ValidationError, match="no_such_option"):
        type(dataset).model_validate({**dataset.model_dump(), "no_such_option": 1})
    with pytest.raises(ValidationError, match="frozen"):
        dataset.name = "another"  # type: ignore[attr-defined]


def test_arrays_have_the_promised_shapes_and_types(split: Split) -> None:
    images, regions, _ = split.regions.shape
    assert images > 0
    assert np.asarray(split.regions[:]).dtype == split.boxes.dtype == np.float32
    assert split.boxes.shape == (images, regions, 4)
    assert split.present.shape == (images, regions)
    assert split.present.dtype == np.bool_
    assert np.isfinite(split.regions[:]).all()
    assert split.image_of.dtype == np.int32
    # Whole images, or regions of all of them.
    assert split.scenes is not None or split.present.any(axis=1).all()
    assert split.present.any(axis=1).all() or not regions
    if split.scenes is not None:
        assert {picture.dtype for picture in split.scenes[:]} == {np.dtype(np.uint8)}
        assert len(split.scenes) == images
    if split.texts is not None:
        assert len(split.texts) == len(split.captions)
    if split.categories is not None:
        assert split.categories.shape == (images,)


def test_boxes_lie_within_the_image_and_have_an_area(split: Split) -> None:
    boxes = split.boxes[split.present]
    if not len(boxes):
        return
    assert boxes.min() >= 0
    assert boxes.max() <= 1
    assert np.all(boxes[:, 2:] > boxes[:, :2])


def test_captions_come_in_the_order_of_their_images_and_every_image_has_some(split: Split) -> None:
    assert len(split.captions) == len(split.image_of)
    assert np.all(np.diff(split.image_of) >= 0)
    assert set(split.image_of.tolist()) == set(range(split.regions.shape[0]))


def test_captions_are_words_in_lower_case_without_marks(split: Split) -> None:
    for words in split.captions:
        assert len(words) > 0
        for word in words:
            assert word == word.lower().strip() != ""
            assert word not in ("<pad>", "<start>", "<end>", "<unk>")


def test_referents_go_with_the_words_and_lie_within_the_image(split: Split) -> None:
    if split.referents is None:
        return
    assert len(split.referents) == len(split.captions)
    for words, places in zip(split.captions, split.referents, strict=True):
        assert len(words) == len(places)
        for boxes in places:
            assert boxes.dtype == np.float32
            assert boxes.shape == (len(boxes), 4)
            assert np.all((boxes >= 0) & (boxes <= 1))
            assert np.all(boxes[:, 2:] > boxes[:, :2])
    assert any(len(boxes) for places in split.referents for boxes in places)


def test_loading_twice_gives_the_same_object_and_equal_options_the_same_arrays(dataset: Dataset) -> None:
    again = type(dataset).model_validate(dataset.model_dump())
    for name in NAMES:
        first = dataset.load(name)
        assert dataset.load(name) is first
        second = again.load(name)
        assert content(first) == content(second)
        assert np.array_equal(first.boxes, second.boxes)
        assert np.array_equal(first.image_of, second.image_of)
        assert list(map(list, first.captions)) == list(map(list, second.captions))


def test_splits_share_no_image(dataset: Dataset) -> None:
    seen = {name: {hashlib.sha256(image).digest() for image in content(dataset.load(name))} for name in NAMES}
    for name in NAMES:
        assert len(seen[name]) == dataset.load(name).regions.shape[0]
    assert sum(map(len, seen.values())) == len(set().union(*seen.values()))


def test_the_fingerprint_is_stable(dataset: Dataset) -> None:
    again = type(dataset).model_validate(dataset.model_dump())
    assert dataset.fingerprint() == again.fingerprint()
    assert len(dataset.fingerprint()) >= 32


def test_the_fingerprint_changes_with_every_number_among_the_options(dataset: Dataset) -> None:
    found = {dataset.fingerprint()}
    others = list(neighbours(dataset))
    for other in others:
        found.add(other.fingerprint())
    assert len(found) == len(others) + 1


def neighbours(dataset: Dataset) -> Iterator[Dataset]:
    """The data set with one number changed, once for every option that is a number and can be changed so."""
    options: dict[str, Any] = BaseModel.model_dump(dataset)
    for name, value in options.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        for other in (value + 1, value - 1, value / 2):
            try:
                changed = type(dataset).model_validate({**options, name: other})
            except ValidationError:
                continue
            yield changed
            break
