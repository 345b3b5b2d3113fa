"""Ranks of correct items: small cases by hand, and the definition by brute force."""

from __future__ import annotations

import numpy as np
import pytest

from crosscut_trainables import ranks
from crosscut_trainables.ranks import image_to_text, text_to_image

IMAGE_OF = np.array([0, 0, 1, 1], np.int32)


def test_ranks_of_a_small_case_are_those_counted_by_hand() -> None:
    scores = np.array([[0.1, 0.9, 0.5, 0.2], [0.8, 0.7, 0.3, 0.6]], np.float32)
    # Image 0: its caption 1 is first. Image 1: captions 0 and 1, which are not its own, stand before 3.
    assert image_to_text(scores, IMAGE_OF).ranks.tolist() == [1, 3]
    # Captions 0 and 3 fit the other image better, captions 1 and 2 ... 2 fits image 0 better.
    assert text_to_image(scores, IMAGE_OF).ranks.tolist() == [2, 1, 2, 1]


def test_clusters_are_images_in_both_directions() -> None:
    scores = np.zeros((2, 4), np.float32)
    assert image_to_text(scores, IMAGE_OF).clusters.tolist() == [0, 1]
    assert text_to_image(scores, IMAGE_OF).clusters.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("value", [0.5, np.nan])
def test_a_model_that_cannot_tell_anything_apart_is_ranked_last(value: float) -> None:
    scores = np.full((2, 4), value, np.float32)
    assert image_to_text(scores, IMAGE_OF).ranks.tolist() == [3, 3]  # two captions are not its own
    assert text_to_image(scores, IMAGE_OF).ranks.tolist() == [2, 2, 2, 2]


def test_a_nan_among_others_counts_against_the_model() -> None:
    scores = np.array([[0.9, 0.1, np.nan, 0.0], [0.1, 0.1, 0.9, 0.9]], np.float32)
    assert image_to_text(scores, IMAGE_OF).ranks.tolist() == [2, 1]
    assert text_to_image(scores, IMAGE_OF).ranks.tolist() == [1, 2, 2, 1]


@pytest.mark.parametrize("block", [1, 3, 512])
def test_ranks_are_the_definition_whatever_the_block(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "BLOCK", block)
    random = np.random.default_rng(0)
    image_of = np.sort(random.integers(0, 7, 20)).astype(np.int32)
    scores = random.integers(0, 6, (7, 20)).astype(np.float32)  # with many ties
    found = image_to_text(scores, image_of)
    for image, rank in zip(found.clusters, found.ranks, strict=True):
        best = max(s for s, i in zip(scores[image], image_of, strict=True) if i == image)
        before = sum(s >= best for s, i in zip(scores[image], image_of, strict=True) if i != image)
        assert rank == 1 + before
    for caption, rank in enumerate(text_to_image(scores, image_of).ranks):
        own = scores[image_of[caption], caption]
        assert rank == 1 + sum(scores[i, caption] >= own for i in range(7) if i != image_of[caption])


def test_an_image_without_captions_is_no_query() -> None:
    image_of = np.array([0, 2], np.int32)
    assert image_to_text(np.eye(3, 2, dtype=np.float32), image_of).clusters.tolist() == [0, 2]
