"""Alignment, uniformity and mean distances: by hand, by direct loops, and in blocks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from crosscut_trainables import embedding_geometry as module
from crosscut_trainables.embedding_geometry import pair_geometry, uniformity
from crosscut_trainables.positive_ranks import by_image, by_lists

CROSS = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], np.float32)
"""Four vectors whose distances are √2 from their neighbours and 2 from their opposites."""


def unit(count: int, dimensions: int, seed: int) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).normal(size=(count, dimensions))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def distance(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return math.sqrt(math.fsum((float(a) - float(b)) ** 2 for a, b in zip(one, other, strict=True)))


def test_a_small_case_is_that_counted_by_hand() -> None:
    found = pair_geometry(CROSS, CROSS, by_lists([[0], [0, 1], [0], []]))
    root = math.sqrt(2)
    # Squares of the positive pairs: 0; 2 and 0; 4.
    assert found.alignment.tolist() == pytest.approx([0, 1, 4, math.nan], nan_ok=True)
    assert found.positive.tolist() == pytest.approx([0, root / 2, 2, math.nan], nan_ok=True)
    # Of each one's distances 0, √2, √2 and 2 those that are left.
    left = [(2 * root + 2) / 3, (root + 2) / 2, 2 * root / 3, (2 * root + 2) / 4]
    assert found.negative.tolist() == pytest.approx(left)
    # Six pairs: four of neighbours, two of opposites.
    assert uniformity(CROSS) == pytest.approx(math.log((4 * math.exp(-4) + 2 * math.exp(-8)) / 6))
    assert uniformity(CROSS, t=1) == pytest.approx(math.log((4 * math.exp(-2) + 2 * math.exp(-4)) / 6))


@pytest.mark.parametrize("block", [1, 7, 128])
def test_direct_loops_give_the_same_whatever_the_block(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    images, captions = unit(11, 5, 0), unit(40, 5, 1)
    image_of = np.sort(np.random.default_rng(2).integers(0, 11, 40)).astype(np.int32)
    positives, _ = by_image(image_of, 11)
    found = pair_geometry(images, captions, positives)
    for i in range(11):
        near = [distance(images[i], captions[c]) for c in range(40) if image_of[c] == i]
        far = [distance(images[i], captions[c]) for c in range(40) if image_of[c] != i]
        if near:
            assert found.alignment[i] == pytest.approx(np.mean(np.square(near)), rel=1e-12)
            assert found.positive[i] == pytest.approx(np.mean(near), rel=1e-12)
        else:
            assert math.isnan(found.alignment[i]) and math.isnan(found.positive[i])
        assert found.negative[i] == pytest.approx(np.mean(far), rel=1e-7)
    potentials = [math.exp(-2 * distance(captions[a], captions[b]) ** 2) for a in range(40) for b in range(a)]
    assert uniformity(captions) == pytest.approx(math.log(np.mean(potentials)), rel=1e-7)


def test_pairs_are_taken_from_either_side() -> None:
    images, captions = unit(4, 6, 0), unit(8, 6, 1)
    forth, back = by_image(np.repeat(np.arange(4), 2).astype(np.int32))
    one, other = pair_geometry(images, captions, forth), pair_geometry(captions, images, back)
    for part in ("alignment", "positive", "negative"):
        assert getattr(one, part).mean() == pytest.approx(getattr(other, part).mean())


def test_identical_vectors_are_fully_aligned_and_not_uniform_at_all() -> None:
    same = np.repeat(unit(1, 300, 3), 5, axis=0)
    found = pair_geometry(same, same, by_lists([[0], [1], [2], [3], [4]]))
    assert found.alignment.tolist() == found.positive.tolist() == [0.0] * 5
    assert uniformity(same) == pytest.approx(0.0, abs=1e-9)


def test_opposite_vectors_have_the_bounds() -> None:
    pair = np.array([[1.0, 0.0], [-1.0, 0.0]])
    assert uniformity(pair) == pytest.approx(-8.0)
    assert pair_geometry(pair[:1], pair[1:], by_lists([[0]])).alignment.tolist() == [4.0]


def test_near_pairs_keep_their_digits() -> None:
    angle = 1e-4
    one, other = np.array([[1.0, 0.0]]), np.array([[math.cos(angle), math.sin(angle)]])
    found = pair_geometry(one.astype(np.float32), other.astype(np.float32), by_lists([[0]]))
    assert found.alignment[0] == pytest.approx(angle**2, rel=1e-4)


def test_uniform_vectors_are_more_uniform_than_those_of_a_cone() -> None:
    spread = unit(50, 8, 4)
    cone = spread + 3 * unit(1, 8, 5)
    assert uniformity(spread) < uniformity(cone / np.linalg.norm(cone, axis=1, keepdims=True))


def test_without_negative_pairs_their_distance_is_none() -> None:
    assert math.isnan(pair_geometry(CROSS[:1], CROSS[:2], by_lists([[0, 1]])).negative[0])


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="row 1 of x has the length 2, expected 1"):
        uniformity(np.array([[1.0, 0.0], [2.0, 0.0]]))
    with pytest.raises(ValueError, match="row 0 of y has the length nan"):
        pair_geometry(CROSS, CROSS * np.nan, by_lists([[0], [], [], []]))
    with pytest.raises(ValueError, match="uniformity of 1 vectors"):
        uniformity(CROSS[:1])
    with pytest.raises(ValueError, match="x has 2 dimensions and y 3"):
        pair_geometry(CROSS, np.eye(3), by_lists([[0], [1], [2], [0]]))
    with pytest.raises(ValueError, match="query 0 has a positive outside"):
        pair_geometry(CROSS, CROSS, by_lists([[4], [], [], []]))
    with pytest.raises(ValueError, match="expected \\(n, dimensions\\)"):
        uniformity(np.ones(3))
