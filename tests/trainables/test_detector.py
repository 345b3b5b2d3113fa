"""Regions: digits and distractors, told apart by overlap, with features that show what is there."""

from __future__ import annotations

import numpy as np
import pytest

from crosscut_trainables.data.detector import FEATURES, NEAR, detect, features
from crosscut_trainables.data.digit_scenes import DigitScenes, draw_scene
from crosscut_trainables.data.draws import Draws
from crosscut_trainables.data.scene import Box, overlap

OPTIONS = DigitScenes(train_scenes=100, dev_scenes=1, test_scenes=1)
CROWDED = DigitScenes(
    train_scenes=50, dev_scenes=1, test_scenes=1, grid=2, min_digits=4, max_digits=4, regions=20
)
DENSE = DigitScenes(train_scenes=50, dev_scenes=1, test_scenes=1, composition="dense")
FULL = DigitScenes(
    train_scenes=30, dev_scenes=1, test_scenes=1, composition="dense", max_digits=8, regions=20
)
LONELY = DigitScenes(
    train_scenes=50, dev_scenes=1, test_scenes=1, text="accurate", min_digits=1, max_digits=1
)
KINDS = [OPTIONS, CROWDED, DENSE, FULL, LONELY]
NAMES = ["default", "crowded", "dense", "full", "lonely"]


@pytest.mark.parametrize("options", KINDS, ids=NAMES)
def test_every_digit_is_found_once_and_distractors_are_no_digits(options: DigitScenes) -> None:
    for index in range(options.train_scenes):
        scene, _ = draw_scene(options, "train", index)
        boxes = detect(scene, options.regions, Draws(1, index))
        assert len(boxes) == options.regions
        hits = np.array([[overlap(box, p.box) for p in scene.digits] for box in boxes])
        assert np.all((hits > 0.5).sum(axis=0) == 1)
        assert np.all((hits > 0.5) | (hits < NEAR))
        assert (hits > 0.5).any(axis=1).sum() == len(scene.digits)


@pytest.mark.parametrize("options", KINDS, ids=NAMES)
def test_regions_differ_and_lie_within_the_image(options: DigitScenes) -> None:
    for index in range(options.train_scenes):
        scene, _ = draw_scene(options, "train", index)
        boxes = detect(scene, options.regions, Draws(1, index))
        assert len(set(boxes)) == len(boxes)
        assert all(0 <= x1 < x2 <= scene.side and 0 <= y1 < y2 <= scene.side for x1, y1, x2, y2 in boxes)


def test_about_half_of_the_digits_boxes_are_off_by_one_pixel_at_one_edge() -> None:
    off = []
    for index in range(100):
        scene, _ = draw_scene(OPTIONS, "train", index)
        for placed in scene.digits:
            box = max(detect(scene, 8, Draws(1, index)), key=lambda b: overlap(b, placed.box))
            off.append(sum(abs(a - b) for a, b in zip(box, placed.box, strict=True)))
    assert set(off) == {0, 1}
    assert 0.35 < np.mean(off) < 0.65


def test_the_order_of_regions_says_nothing_about_what_they_are() -> None:
    first = []
    for index in range(100):
        scene, _ = draw_scene(OPTIONS, "train", index)
        boxes = detect(scene, 8, Draws(2, index))
        first.append(any(overlap(boxes[0], p.box) > 0.5 for p in scene.digits) - len(scene.digits) / 8)
    # Standard deviation of the mean of 100 draws of at most 0.5 each.
    assert abs(np.mean(first)) < 4 * 0.05


def test_a_region_of_eight_by_eight_pixels_keeps_its_pixels_and_its_place_follows() -> None:
    image = np.arange(20 * 20, dtype=np.int64).reshape(1, 20, 20) % 256
    found = features(image.astype(np.uint8), [[(3, 5, 11, 13)]])
    assert found.shape == (1, 1, FEATURES)
    assert found.dtype == np.float32
    assert np.allclose(found[0, 0, :64].reshape(8, 8), image[0, 5:13, 3:11] / 255)
    assert np.allclose(found[0, 0, 64:], [3 / 20, 5 / 20, 11 / 20, 13 / 20, 8 / 20, 8 / 20])


@pytest.mark.parametrize("box", [(0, 0, 4, 4), (2, 3, 18, 19), (1, 0, 7, 12), (0, 0, 20, 20)])
def test_resampling_is_exact_on_a_slope(box: Box) -> None:
    x1, y1, x2, y2 = box
    rows, columns = np.mgrid[0:20, 0:20]
    image = (5 * columns + 7 * rows).astype(np.uint8)
    crop = features(image[None], [[box]])[0, 0, :64].reshape(8, 8) * 255
    # A pixel's value stands at its centre; samples beyond the outermost centres take the outermost value.
    x = np.clip(x1 + (np.arange(8) + 0.5) * (x2 - x1) / 8 - 0.5, x1, x2 - 1)
    y = np.clip(y1 + (np.arange(8) + 0.5) * (y2 - y1) / 8 - 0.5, y1, y2 - 1)
    assert np.allclose(crop, 5 * x[None, :] + 7 * y[:, None], atol=1e-3)


def test_a_region_shows_nothing_from_outside_its_box() -> None:
    image = np.full((1, 20, 20), 255, np.uint8)
    image[0, 6:12, 4:15] = 0
    assert features(image, [[(4, 6, 15, 12)]])[0, 0, :64].max() == 0
    assert features(255 - image, [[(4, 6, 15, 12)]])[0, 0, :64].min() == 1


def test_overlap_is_intersection_over_union() -> None:
    assert overlap((0, 0, 8, 8), (0, 0, 8, 8)) == 1
    assert overlap((0, 0, 8, 8), (4, 0, 12, 8)) == pytest.approx(32 / 96)
    assert overlap((0, 0, 8, 8), (8, 0, 16, 8)) == 0
