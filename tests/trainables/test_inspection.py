"""The inspection of a folder of data: counts, and everything that is wrong with it."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crosscut_trainables.data.inspection import Inspection, inspect, kind_of
from crosscut_trainables.data.precomputed import Precomputed
from crosscut_trainables.data.vocabulary import Vocabulary

WRITERS = runpy.run_path(str(Path(__file__).with_name("data_folders.py")))["WRITERS"]


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(name: str) -> Path:
        WRITERS[name](tmp_path)
        return tmp_path

    return write


def problem(found: Inspection) -> str:
    assert len(found.problems) == 1, found.problems
    return found.problems[0]


@pytest.mark.parametrize("name", sorted(set(WRITERS) - {"nus-wide"}))
def test_a_folder_is_recognised_by_its_files_and_nothing_is_wrong_with_it(name: str, write: Any) -> None:
    folder = write(name)
    assert kind_of(folder) == name
    found = inspect(folder)
    assert (found.name, found.problems) == (name, ())
    assert list(found.splits) == ["train", "dev", "test"]
    assert [summary.images for summary in found.splits.values()] == [6, 3, 4]


def test_counts_are_those_of_the_files(write: Any) -> None:
    folder = write("precomputed")
    found = inspect(folder)
    train, test = found.splits["train"], found.splits["test"]
    assert (train.captions, train.each) == (30, (5, 5))
    assert train.content == "5 regions × 7, boxes"
    captions = Precomputed(folder=str(folder)).load("train").captions
    assert train.words == (np.mean([len(caption) for caption in captions]), 11)
    vocabulary = Vocabulary.build(captions, 4)
    assert found.vocabulary == len(vocabulary.words)
    assert test.unknown == vocabulary.unknown_share(Precomputed(folder=str(folder)).load("test").captions)


def test_captions_of_an_image_may_be_of_any_number(write: Any) -> None:
    assert inspect(write("karpathy")).splits["dev"].each == (2, 4)


def test_a_folder_of_nothing_says_what_each_data_set_misses(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"found no data set in .*precomputed: folder: found no train_ims\.npy.*karpathy"
    ):
        inspect(tmp_path)
    with pytest.raises(ValueError, match="there is no such folder"):
        inspect(tmp_path / "nothing")
    with pytest.raises(ValueError, match=r"found no dataset\.json"):
        inspect(tmp_path, "karpathy")


def test_a_split_that_cannot_be_read_is_a_problem_and_the_others_are_summed_up(write: Any) -> None:
    folder = write("precomputed")
    with (folder / "dev_caps.txt").open("a") as file:
        file.write("one more\n")
    found = inspect(folder)
    assert "found 16 captions for 3 images" in problem(found)
    assert list(found.splits) == ["train", "test"]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [(np.nan, "test: features of image 2 are no numbers"), (0.0, "test: all features of image 2 are 0")],
)
def test_features_that_are_none_are_noticed(write: Any, value: float, sentence: str) -> None:
    folder = write("precomputed")
    features = np.load(folder / "test_ims.npy")
    features[2] = value
    np.save(folder / "test_ims.npy", features)
    assert problem(inspect(folder)) == sentence


def test_an_image_in_two_splits_is_noticed_by_its_features(write: Any) -> None:
    folder = write("precomputed")
    features = np.load(folder / "test_ims.npy")
    features[:2] = np.load(folder / "train_ims.npy")[:2]
    np.save(folder / "test_ims.npy", features)
    assert problem(inspect(folder)) == "2 images of test are in train as well"


def test_an_image_in_two_splits_is_noticed_by_its_file(write: Any) -> None:
    folder = write("karpathy")
    plain = json.loads((folder / "dataset.json").read_text())
    plain["images"].append({**plain["images"][0], "split": "test"})
    (folder / "dataset.json").write_text(json.dumps(plain))
    assert problem(inspect(folder)) == "1 image of test is in train as well"


def test_a_picture_that_cannot_be_read_is_noticed(write: Any) -> None:
    folder = write("flickr8k")
    path = folder / "Flicker8k_Dataset" / "7_ab.jpg"
    path.write_bytes(path.read_bytes()[:300])
    assert "7_ab.jpg: found no image that can be read" in problem(inspect(folder))


def test_what_cannot_be_used_with_it_is_remarked(write: Any) -> None:
    folder = write("precomputed")
    assert inspect(folder).remarks == ()
    for file in folder.glob("*_boxes.npy"):
        file.unlink()
    assert inspect(folder).remarks == (
        "there are no boxes, so pfan and the image encoder positions cannot be used",
    )


def test_whole_images_are_remarked(write: Any) -> None:
    assert "there are whole images only" in inspect(write("flickr8k")).remarks[0]
