"""Data sets that are read from files: their formats, and what is said of files that are not as they should be."""

from __future__ import annotations

import json
import re
import runpy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from crosscut_trainables.data import DATASETS
from crosscut_trainables.data.content import SAMPLE, WHOLE, content_hash
from crosscut_trainables.data.file_data import FileData, lines_of
from crosscut_trainables.data.flickr8k import Flickr8k
from crosscut_trainables.data.karpathy import Karpathy
from crosscut_trainables.data.precomputed import Precomputed
from crosscut_trainables.data.words import TOKENIZERS, letters, treebank
from crosscut_trainables.retrieval import train
from crosscut_trainables.session import MemorySession

FOLDERS = runpy.run_path(str(Path(__file__).with_name("data_folders.py")))
WRITERS, OPTIONS = FOLDERS["WRITERS"], FOLDERS["OPTIONS"]
FROM_FILES = sorted(name for name, data in DATASETS.items() if issubclass(data, FileData))


@pytest.fixture(params=FROM_FILES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def folder(name: str, tmp_path: Path) -> Path:
    """A folder of the data set called `name`."""
    return written(name, tmp_path / "data")


def written(name: str, folder: Path) -> Path:
    folder.mkdir()
    WRITERS[name](folder)
    return folder


def made(name: str, folder: Path | str, **options: Any) -> Any:
    return DATASETS[name].model_validate({"folder": str(folder), **OPTIONS.get(name, {}), **options})


def test_every_data_set_of_files_has_a_writer(name: str) -> None:
    assert name in WRITERS


def test_without_a_folder_it_is_said_what_to_fetch_and_where_it_goes(name: str) -> None:
    data = DATASETS[name]
    assert issubclass(data, FileData)
    with pytest.raises(ValidationError, match="found '/nowhere', expected a folder: there is none") as error:
        made(name, "/nowhere")
    assert data.fetch in str(error.value)


def test_every_file_that_is_missing_is_named(name: str, folder: Path, tmp_path: Path) -> None:
    data = made(name, folder)
    assert isinstance(data, FileData)
    needed = [path for path in data.files() if not re.search("boxes|sizes|ids", path.name)]
    assert needed
    for number, path in enumerate(needed):
        copy = tmp_path / f"copy{number}"
        shutil.copytree(folder, copy)
        inside = path.relative_to(folder)
        (copy / inside).unlink()
        with pytest.raises(ValidationError, match=f"found no {re.escape(str(inside))} in ") as error:
            made(name, copy)
        assert data.fetch in str(error.value)


def test_the_fingerprint_is_of_the_content_wherever_it_lies(name: str, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "moved")
    here, there = (made(name, place) for place in (folder, tmp_path / "moved"))
    assert here.fingerprint() == there.fingerprint()
    assert isinstance(there, FileData)
    text = next(
        path for path in there.files() if path.suffix in (".txt", ".json") and "dog" in path.read_text()
    )
    text.write_text(text.read_text().replace("dog", "cat", 1))
    assert here.fingerprint() != there.fingerprint()


def test_options_are_part_of_the_fingerprint(name: str, folder: Path) -> None:
    one, other = (made(name, folder, tokenizer=tokenizer) for tokenizer in TOKENIZERS)
    assert one.fingerprint() != other.fingerprint()


def test_the_home_folder_may_be_written_short(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))
    data = made(name, f"~/{folder.name}")
    assert isinstance(data, FileData)
    assert data.place == folder


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A man's dog isn't here.", ["a", "man", "'s", "dog", "is", "n't", "here", "."]),
        ("Two dogs play. One is brown .", ["two", "dogs", "play", ".", "one", "is", "brown", "."]),
        ("a girl (smiling), ran", ["a", "girl", "(", "smiling", ")", ",", "ran"]),
    ],
)
def test_treebank_cuts_words_as_the_field_does(text: str, expected: list[str]) -> None:
    assert list(treebank(text)) == expected


def test_letters_drop_punctuation_and_keep_apostrophes_inside_words() -> None:
    assert letters("A man's 2 dogs, 'here' — isn't_it?") == ("a", "man's", "2", "dogs", "here", "isn't", "it")


class TestPrecomputed:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return written("precomputed", tmp_path / "data")

    def read(self, folder: Path, split: Any = "train", **options: Any) -> Any:
        return Precomputed(folder=str(folder), **options).load(split)

    def test_five_captions_in_order_belong_to_a_row_of_features(self, folder: Path) -> None:
        split = self.read(folder)
        features = np.load(folder / "train_ims.npy")
        np.testing.assert_array_equal(split.regions[:], features)
        assert split.image_of.tolist() == [image for image in range(6) for _ in range(5)]
        assert split.texts[6] == "Two dogs play. One is brown. number 1"
        assert split.captions[6][:4] == ("two", "dogs", "play", ".")

    def test_features_stay_in_their_file(self, folder: Path) -> None:
        assert isinstance(self.read(folder).regions, np.memmap)

    def test_with_a_caption_a_row_every_row_is_an_image(self, folder: Path) -> None:
        np.save(folder / "train_ims.npy", np.load(folder / "train_ims.npy").repeat(5, 0))
        (folder / "train_boxes.npy").unlink()
        split = self.read(folder)
        assert split.regions.shape == (30, 5, 7)
        assert split.image_of.tolist() == list(range(30))

    def test_rows_of_one_id_are_one_image(self, folder: Path) -> None:
        features = np.load(folder / "train_ims.npy")
        boxes = np.load(folder / "train_boxes.npy")
        np.save(folder / "train_ims.npy", features.repeat(5, 0))
        np.save(folder / "train_boxes.npy", boxes.repeat(5, 0))
        (folder / "train_ids.txt").write_text("\n".join(str(i // 5) for i in range(30)))
        split = self.read(folder)
        assert split.regions.shape == (6, 5, 7)
        np.testing.assert_array_equal(split.regions[np.array([4, 1])], features[[4, 1]])
        np.testing.assert_array_equal(split.boxes, boxes)
        assert split.image_of.tolist() == [image for image in range(6) for _ in range(5)]

    @pytest.mark.parametrize(
        ("ids", "sentence"),
        [
            ("\n".join(["a"] * 29), "found 29 ids, expected 30, one a caption"),
            ("\n".join("ab" * 15), "found ids of one image apart, expected captions of an image in a row"),
        ],
    )
    def test_ids_that_do_not_fit_are_refused(self, folder: Path, ids: str, sentence: str) -> None:
        np.save(folder / "train_ims.npy", np.load(folder / "train_ims.npy").repeat(5, 0))
        (folder / "train_boxes.npy").unlink()
        (folder / "train_ids.txt").write_text(ids)
        with pytest.raises(ValueError, match=rf"train_ids\.txt: {sentence}"):
            self.read(folder)

    def test_captions_that_do_not_fit_the_images_are_refused(self, folder: Path) -> None:
        with (folder / "dev_caps.txt").open("a") as file:
            file.write("one more\n")
        sentence = (
            r"dev_caps\.txt: found 16 captions for 3 images in dev_ims\.npy, expected as many, or 5 times"
        )
        with pytest.raises(ValueError, match=sentence):
            self.read(folder, "dev")

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (b"a\n\nb\n", "line 2: found an empty line"),
            (b"a\n\xff\xfe\n", "line 2: found bytes that are no UTF-8"),
        ],
    )
    def test_a_line_that_is_no_caption_is_told_with_its_number(
        self, folder: Path, content: bytes, sentence: str
    ) -> None:
        (folder / "test_caps.txt").write_bytes(content)
        with pytest.raises(ValueError, match=rf"test_caps\.txt, {sentence}"):
            self.read(folder, "test")

    def test_the_first_captions_of_dev_may_be_used_alone(self, folder: Path) -> None:
        split = self.read(folder, "dev", dev_captions=7)
        assert len(split.captions) == 7
        assert split.regions.shape[0] == len(split.boxes) == 2
        assert self.read(folder, "train", dev_captions=7).regions.shape[0] == 6

    def test_boxes_in_pixels_need_sizes(self, folder: Path) -> None:
        shares = np.load(folder / "train_boxes.npy")
        np.save(folder / "train_boxes.npy", shares * np.float32([640, 480, 640, 480]))
        with pytest.raises(
            ValueError, match=r"train_boxes\.npy: found boxes from .* expected shares of the image"
        ):
            self.read(folder)
        np.save(folder / "train_sizes.npy", np.tile([640, 480], (6, 1)))
        again = shutil.copytree(folder, folder.with_name("again"))
        np.testing.assert_allclose(self.read(again).boxes, shares, rtol=1e-5)

    def test_half_precision_is_read_as_single(self, folder: Path) -> None:
        np.save(folder / "train_ims.npy", np.load(folder / "train_ims.npy").astype(np.float16))
        evaluation = train(small({"name": "precomputed", "folder": str(folder)}), MemorySession())
        assert np.isfinite(evaluation.metrics["test/rsum"])

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (b"no array", "found no array that can be mapped"),
            (
                np.zeros((6, 5), np.float32),
                r"found an array of shape \(6, 5\), expected \(images, regions, features\)",
            ),
            (np.array(["a"]), "found no array of numbers"),
        ],
    )
    def test_what_holds_no_features_is_refused(self, folder: Path, content: Any, sentence: str) -> None:
        path = folder / "train_ims.npy"
        path.write_bytes(content) if isinstance(content, bytes) else np.save(path, content)
        with pytest.raises(ValueError, match=rf"train_ims\.npy: {sentence}"):
            self.read(folder)

    def test_other_names_of_splits_can_be_given(self, folder: Path) -> None:
        for file in list(folder.glob("test_*")):
            file.rename(folder / file.name.replace("test", "testall"))
        assert self.read(folder, "test", test="testall").regions.shape[0] == 4

    def test_a_model_that_looks_at_boxes_needs_them(self, folder: Path) -> None:
        config = small({"name": "precomputed", "folder": str(folder)}, backbone={"name": "pfan"})
        assert "test/rsum" in train(config, MemorySession()).metrics
        without = shutil.copytree(
            folder, folder.with_name("without"), ignore=shutil.ignore_patterns("*boxes*")
        )
        config = small({"name": "precomputed", "folder": str(without)}, backbone={"name": "pfan"})
        with pytest.raises(ValueError, match="positions looks at boxes, and this data set has none"):
            train(config, MemorySession())
        # Nor is attention shown where nobody knows where regions are.
        session = MemorySession()
        train(small({"name": "precomputed", "folder": str(without)}), session)
        assert session.pictures == []


class TestKarpathy:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return written("karpathy", tmp_path / "data")

    def change(self, folder: Path, change: Callable[[list[dict[str, Any]]], None]) -> Karpathy:
        path = folder / "dataset.json"
        plain = json.loads(path.read_text())
        change(plain["images"])
        path.write_text(json.dumps(plain))
        return Karpathy(folder=str(folder))

    def test_restval_joins_train_unless_it_is_not_to(self, folder: Path) -> None:
        assert Karpathy(folder=str(folder)).load("train").regions.shape[0] == 6
        assert Karpathy(folder=str(folder), restval=False).load("train").regions.shape[0] == 5

    def test_an_image_has_as_many_captions_as_the_file_says(self, folder: Path) -> None:
        split = Karpathy(folder=str(folder)).load("dev")
        assert np.bincount(split.image_of).tolist() == [2, 3, 4]

    def test_words_are_those_of_the_file_or_of_the_text(self, folder: Path) -> None:
        tokens = Karpathy(folder=str(folder)).load("test")
        raw = Karpathy(folder=str(folder), words_of="raw").load("test")
        assert tokens.texts is not None
        assert tokens.texts[0] == "A man's dog isn't here. number 9"
        assert tokens.captions[0][:3] == ("a", "man's", "dog")
        assert raw.captions[0][:3] == ("a", "man", "'s")

    def test_a_folder_of_an_image_is_looked_in(self, folder: Path) -> None:
        def move(images: list[dict[str, Any]]) -> None:
            (folder / "images" / "val2014").mkdir()
            (folder / "images" / "0.jpg").rename(folder / "images" / "val2014" / "0.jpg")
            images[0]["filepath"] = "val2014"

        assert self.change(folder, move).load("train").scenes is not None

    def test_pictures_that_are_missing_are_counted_and_the_first_is_named(self, folder: Path) -> None:
        for number in (2, 4):
            (folder / "images" / f"{number}.jpg").unlink()
        with pytest.raises(ValueError, match=r"2 of 6 pictures are missing, the first is .*/images/2\.jpg"):
            Karpathy(folder=str(folder)).load("train")

    def test_a_split_that_nobody_knows_is_refused(self, folder: Path) -> None:
        data = self.change(folder, lambda images: images[3].update(split="trian"))
        with pytest.raises(
            ValueError, match=r"images\[3\]\.split: found 'trian', expected one of train, restval"
        ):
            data.load("train")

    def test_an_image_that_lacks_something_is_told_with_its_number(self, folder: Path) -> None:
        data = self.change(folder, lambda images: images[3].pop("filename") and None)
        with pytest.raises(
            ValueError, match=r"images\[3\]: found no 'filename', expected filename and sentences"
        ):
            data.load("train")

    @pytest.mark.parametrize("text", ["{", "[]", '{"images": {}}'])
    def test_a_file_that_is_no_list_of_images_is_refused(self, folder: Path, text: str) -> None:
        (folder / "dataset.json").write_text(text)
        with pytest.raises(
            ValueError, match=r"dataset\.json: found (no JSON with a list|dict under) `images`"
        ):
            Karpathy(folder=str(folder)).load("train")

    def test_patches_and_pretrained_models_train_on_it_and_regions_are_refused(self, folder: Path) -> None:
        data = {"name": "karpathy", "folder": str(folder)}
        patches = {
            "image": {"name": "patches", "size": 20, "patch": 10, "layers": 1},
            "width": 8,
            "word_width": 8,
        }
        for config in (small(data, encoder=patches), small(data, pretrained={"name": "clip"})):
            assert np.isfinite(train(config, MemorySession()).metrics["test/rsum"])
        with pytest.raises(ValueError, match="linear is of regions, and this data set has whole images only"):
            train(small(data), MemorySession())


class TestFlickr8k:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return written("flickr8k", tmp_path / "data")

    def test_captions_are_those_of_the_listed_pictures(self, folder: Path) -> None:
        split = Flickr8k(folder=str(folder)).load("dev")
        assert split.regions.shape[0] == 3
        assert split.texts is not None
        assert split.texts[5] == "A man's dog isn't here. number 7"

    def test_a_listed_picture_without_a_caption_is_refused(self, folder: Path) -> None:
        with (folder / "Flickr_8k.devImages.txt").open("a") as file:
            file.write("nobody.jpg\n")
        with pytest.raises(
            ValueError, match=r"Flickr_8k\.devImages\.txt: found 'nobody\.jpg', which has no caption"
        ):
            Flickr8k(folder=str(folder)).load("dev")

    def test_a_line_of_another_form_is_told_with_its_number(self, folder: Path) -> None:
        path = folder / "Flickr8k.token.txt"
        path.write_text("0_ab.jpg A dog\n" + path.read_text())
        with pytest.raises(
            ValueError, match=r"token\.txt, line 1: found '0_ab\.jpg A dog', expected <picture>#<numb"
        ):
            Flickr8k(folder=str(folder)).load("train")


class TestNusWide:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return written("nus-wide", tmp_path / "data")

    def read(self, folder: Path, split: Any = "train", **options: Any) -> Any:
        return made("nus-wide", folder, **options).load(split)

    def test_each_split_has_as_many_images_of_each_category(self, folder: Path) -> None:
        for split, each in (("train", 8), ("dev", 1), ("test", 1)):
            assert np.bincount(self.read(folder, split).categories).tolist() == [each, each]

    def test_images_have_one_category_alone_and_a_text(self, folder: Path) -> None:
        seen = [
            path.name for split in ("train", "dev", "test") for path in self.read(folder, split).scenes.paths
        ]
        numbers = [int(name[:4]) for name in seen]
        assert len(set(numbers)) == 20
        # 0 and 1 have no tag, those from 30 on both categories or none.
        assert set(numbers) <= set(range(2, 30))
        split = self.read(folder)
        for number, category, words in zip(numbers, split.categories, split.captions, strict=False):
            assert category == number % 2
            assert words == ("holiday", f"tag{number}", "dog" if category == 0 else "cloud", "nikon")

    def test_another_seed_takes_other_images(self, folder: Path) -> None:
        assert self.read(folder, seed=1).texts != self.read(folder).texts

    def test_too_few_images_of_a_category_are_told(self, folder: Path) -> None:
        sentence = r"Labels_animal\.txt: found 14 images that have this category alone and a tag, expected 15"
        with pytest.raises(ValueError, match=sentence):
            self.read(folder, each=15)

    def test_labels_of_another_length_are_refused(self, folder: Path) -> None:
        with (folder / "Groundtruth" / "AllLabels" / "Labels_sky.txt").open("a") as file:
            file.write("1\n")
        with pytest.raises(
            ValueError, match=r"Labels_sky\.txt: found 41 values, expected 40 of 0 or 1, one for each"
        ):
            self.read(folder)

    @pytest.mark.parametrize("categories", [[], ["sky"], ["sky", "sky"]])
    def test_categories_are_two_different_ones_at_least(self, folder: Path, categories: list[str]) -> None:
        with pytest.raises(ValidationError, match="expected two different ones at least"):
            made("nus-wide", folder, categories=categories)

    def test_retrieval_is_measured_by_category_as_well(self, folder: Path) -> None:
        data = {"name": "nus-wide", "folder": str(folder), **OPTIONS["nus-wide"]}
        patches = {
            "image": {"name": "patches", "size": 20, "patch": 10, "layers": 1},
            "width": 8,
            "word_width": 8,
        }
        metrics = {"metrics": ["category_map", "map"]}
        evaluation = train(small(data, encoder=patches, evaluation=metrics), MemorySession())
        for way in ("i2t", "t2i"):
            # Two of test, one of each category: by category is by pair.
            assert evaluation.metrics[f"test/{way}_category_map"] == evaluation.metrics[f"test/{way}_map"]


def small(data: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {
        "data": data,
        "encoder": {"width": 8, "word_width": 8, "min_count": 1},
        "training": {"epochs": 1, "batch_size": 8},
        **options,
    }


def test_a_change_in_a_large_file_is_seen_though_it_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "large.npy"
    size = WHOLE + 3 * SAMPLE
    with path.open("wb") as file:
        file.truncate(size)
    found = {content_hash([path])}
    for place in (0, size - 1):
        with path.open("r+b") as file:
            file.seek(place)
            file.write(b"x")
        found.add(content_hash([path]))
    with path.open("ab") as file:
        file.write(b"\0")
    found.add(content_hash([path]))
    assert len(found) == 4


def test_lines_end_in_any_way_and_spaces_around_them_go(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_bytes(b"  one dog \r\ntwo\n\xc3\xa9t\xc3\xa9")
    assert list(lines_of(path)) == ["one dog", "two", "été"]
