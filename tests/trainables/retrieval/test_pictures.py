"""Whole images in files: read as they are asked for, whatever their sizes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from crosscut_trainables.data.digit_scenes import DigitScenes
from crosscut_trainables.data.pictures import PictureFiles, resized
from crosscut_trainables.data.split import Split
from crosscut_trainables.encoders import IMAGE_ENCODERS
from crosscut_trainables.encoders.patches import Patches
from crosscut_trainables.pretrained import PRETRAINED


def painted(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.fixture
def files(tmp_path: Path) -> PictureFiles:
    """Three images of several sizes, the last one grey."""
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    Image.fromarray(painted(20, 30, 0)).save(paths[0])
    Image.fromarray(painted(40, 24, 1)).save(paths[1])
    Image.fromarray(painted(31, 31, 2)[..., 0]).save(paths[2])
    return PictureFiles(paths)


@pytest.fixture
def split(files: PictureFiles) -> Split:
    """A split of whole images alone."""
    return Split(
        regions=np.zeros((3, 0, 0), np.float32),
        boxes=np.zeros((3, 0, 4), np.float32),
        present=np.zeros((3, 0), np.bool_),
        captions=[["a", "dog"], ["two", "dogs"], ["n't", "a", "dog"]],
        image_of=np.arange(3, dtype=np.int32),
        scenes=files,
        texts=["A dog.", "Two dogs!", "Isn't a dog"],
    )


def test_one_picture_comes_for_a_number_and_a_list_for_several(files: PictureFiles) -> None:
    assert len(files) == 3
    np.testing.assert_array_equal(files[0], painted(20, 30, 0))
    assert [picture.shape for picture in files[np.array([2, 0])]] == [(31, 31, 3), (20, 30, 3)]
    assert [picture.shape for picture in files[1:]] == [(40, 24, 3), (31, 31, 3)]


def test_a_grey_file_becomes_rgb(files: PictureFiles) -> None:
    np.testing.assert_array_equal(files[2], np.repeat(painted(31, 31, 2)[..., :1], 3, axis=2))


def test_a_photograph_that_lies_on_its_side_is_put_upright(tmp_path: Path) -> None:
    turned = Image.fromarray(painted(20, 30))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.png", exif=exif)
    assert PictureFiles([tmp_path / "turned.png"])[0].shape == (30, 20, 3)


@pytest.mark.parametrize("content", [None, b"no image", b""])
def test_what_is_no_image_is_told_with_its_path(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"broken\.jpg: found no image that can be read"):
        PictureFiles([path])[0]


def test_nothing_is_read_but_what_is_asked_for(tmp_path: Path) -> None:
    Image.fromarray(painted(20, 20)).save(tmp_path / "there.png")
    files = PictureFiles([tmp_path / "there.png", tmp_path / "not there.png"])
    assert files[np.array([0])][0].shape == (20, 20, 3)


def test_a_picture_is_resized_whole() -> None:
    halves = np.zeros((10, 40, 3), np.uint8)
    halves[:, 20:] = 200
    small = resized(halves, 8)
    assert small.shape == (8, 8, 3)
    assert (small[:, :3] == 0).all() and (small[:, 5:] == 200).all()


def test_patches_of_files_are_those_of_the_pictures_at_one_size(split: Split, files: PictureFiles) -> None:
    seen = Patches(patch=4, size=12).view(split)
    assert seen.regions.shape == (3, 9, 48)
    assert seen.present.all() and seen.boxes.shape == (3, 9, 4)
    whole = resized(files[1], 12) / np.float32(255)
    np.testing.assert_allclose(seen.regions[np.array([1])][0, 5], whole[4:8, 8:12].reshape(48), rtol=1e-6)
    np.testing.assert_array_equal(seen.regions[1], seen.regions[:][1])


def test_images_of_several_sizes_need_a_size(split: Split) -> None:
    seen = Patches(patch=4).view(split)
    with pytest.raises(
        ValueError, match=r"encoder\.image\.size: found images of 20 by 30 and of 40 by 24 pixels"
    ):
        seen.regions[:]


def test_patches_of_grey_arrays_are_the_same_whether_all_or_one_is_asked_for() -> None:
    seen = Patches(patch=7).view(DigitScenes(train_scenes=5, dev_scenes=1, test_scenes=1).load("train"))
    assert seen.regions.shape == (5, 25, 49)
    for image in range(5):
        np.testing.assert_array_equal(seen.regions[image], seen.regions[:][image])


@pytest.mark.parametrize("name", sorted(set(IMAGE_ENCODERS) - {"patches"}))
def test_encoders_of_regions_refuse_data_with_whole_images_only(name: str, split: Split) -> None:
    encoder = IMAGE_ENCODERS[name].model_validate({})
    sentence = (
        f"encoder.image: {name} is of regions, and this data set has whole images only; expected patches"
    )
    with pytest.raises(ValueError, match=sentence):
        encoder.view(split)


@pytest.mark.parametrize("name", sorted(PRETRAINED))
def test_a_pretrained_model_reads_files_of_any_size_and_texts_as_written(name: str, split: Split) -> None:
    loaded = PRETRAINED[name].model_validate({}).load()
    seen = loaded.view(split)
    pictures = seen.regions[:]
    assert pictures.shape == seen.regions.shape
    np.testing.assert_allclose(pictures[1], seen.regions[np.array([1])][0], rtol=1e-6)
    [(pieces, _)] = loaded.vocabulary.pieces_of([["Isn't", "a", "dog"]])
    assert seen.captions[2] == pieces
    assert (seen.boxes >= 0).all() and (seen.boxes <= 1).all()


def test_texts_and_pictures_must_be_as_many_as_captions_and_images(split: Split) -> None:
    with pytest.raises(ValueError, match="3 captions, but 1 texts"):
        dataclasses.replace(split, texts=["A dog."])
    with pytest.raises(ValueError, match="3 images, but 1 pictures"):
        dataclasses.replace(split, scenes=np.zeros((1, 4, 4), np.uint8))
