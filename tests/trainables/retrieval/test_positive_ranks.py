"""Ranks of several positives: small cases by hand, the definition by brute force, and `ranks` where it applies."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from crosscut_trainables import positive_ranks as module
from crosscut_trainables import ranks
from crosscut_trainables.positive_ranks import (
    PositiveRanks,
    Positives,
    by_category,
    by_image,
    by_lists,
    positive_ranks,
)

NAN = np.nan


def ranked(scores: object, *lists: list[int], allow_empty: bool = False) -> list[list[int]]:
    array = np.atleast_2d(np.array(scores, np.float32))
    found = positive_ranks(array, by_lists(lists), allow_empty)
    return [found.of(query).tolist() for query in range(len(found))]


def tied(seed: int, queries: int, items: int) -> tuple[NDArray[np.float32], list[list[int]]]:
    """Scores with many ties, some infinite and NaN, and one to all items relevant."""
    random = np.random.default_rng(seed)
    scores = random.integers(0, 6, (queries, items)).astype(np.float32)
    scores[random.random(scores.shape) < 0.02] = np.nan
    scores[random.random(scores.shape) < 0.02] = np.inf
    scores[random.random(scores.shape) < 0.02] = -np.inf
    counts = random.integers(1, items + 1, queries)
    counts[::2] = np.minimum(counts[::2], 3)
    return scores, [random.choice(items, count, replace=False).tolist() for count in counts]


def test_ranks_count_all_items_other_positives_too() -> None:
    assert ranked([0.9, 0.1, 0.5, 0.7, 0.3], [0, 2, 1]) == [[1, 3, 5]]


def test_irrelevant_items_stand_before_relevant_ones_of_the_same_score() -> None:
    assert ranked([0.5, 0.5, 0.5, 0.9], [0, 1]) == [[3, 4]]
    assert ranked([0.5, 0.5, 0.5, 0.9], [0, 3]) == [[1, 4]]


def test_irrelevant_items_without_a_number_stand_before_all() -> None:
    assert ranked([NAN, 0.9, 0.1, np.inf], [1, 3]) == [[2, 3]]


def test_one_relevant_item_without_a_number_sends_all_of_the_query_behind_the_others_as_in_ranks() -> None:
    row = np.array([[0.9, NAN, 0.1, 0.2]], np.float32)
    assert ranked(row, [0, 1]) == [[3, 4]]
    both = np.concatenate([row, row])
    assert ranks.image_to_text(both, np.array([0, 0, 1, 1], np.int32)).ranks[0] == 3


@pytest.mark.parametrize("value", [0.5, NAN, np.inf, -np.inf])
def test_where_nothing_can_be_told_apart_the_positives_are_last(value: float) -> None:
    assert ranked([value] * 6, [1, 4]) == [[5, 6]]
    assert ranked([value] * 30, list(range(20))) == [list(range(11, 31))]


@pytest.mark.parametrize(("block", "few"), [(1, 0), (3, 2), (512, 12), (512, 1000)])
def test_ranks_are_the_definition_however_they_are_counted(
    block: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    monkeypatch.setattr(module, "FEW", few)
    scores, lists = tied(0, 40, 23)
    for row, own, found in zip(scores, lists, ranked(scores, *lists), strict=True):
        others = [row[item] for item in range(len(row)) if item not in own]
        marks = sorted((row[item] for item in own), reverse=True)
        if np.isnan(row[own]).any():
            marks = [np.float32(np.nan)] * len(own)
        before = [sum(not score < mark for score in others) for mark in marks]
        assert found == [place + n for place, n in enumerate(before, 1)]


@pytest.mark.parametrize("seed", range(5))
def test_the_best_rank_is_that_of_ranks_both_ways(seed: int) -> None:
    scores, _ = tied(seed, 12, 60)
    image_of = np.repeat(np.arange(12), 5).astype(np.int32)
    if seed % 2:
        image_of = np.random.default_rng(seed).permutation(image_of)
    captions, images = by_image(image_of)
    forth, back = positive_ranks(scores, captions), positive_ranks(scores.T, images)
    assert forth.ranks[forth.starts[:-1]].tolist() == ranks.image_to_text(scores, image_of).ranks.tolist()
    assert back.ranks.tolist() == ranks.text_to_image(scores, image_of).ranks.tolist()
    assert (forth.items, back.items) == (60, 12)


def test_the_order_of_the_gallery_changes_nothing() -> None:
    scores, lists = tied(1, 20, 30)
    order = np.random.default_rng(2).permutation(30)
    moved = [np.argsort(order)[own].tolist() for own in lists]
    assert ranked(scores[:, order], *moved) == ranked(scores, *lists)


def test_a_transposed_view_needs_no_copy_of_the_callers() -> None:
    scores, lists = tied(3, 20, 30)
    assert ranked(np.asfortranarray(scores), *lists) == ranked(scores, *lists)


def test_a_query_without_positives_must_be_allowed() -> None:
    with pytest.raises(ValueError, match="query 1 has no positive"):
        ranked(np.zeros((3, 2)), [0], [], [1])
    assert ranked(np.zeros((3, 2)), [0], [], [1], allow_empty=True) == [[2], [], [2]]


def test_places_and_queries_of_ranks_pass_over_an_empty_query() -> None:
    found = positive_ranks(np.zeros((4, 3), np.float32), by_lists([[], [0, 2], [], [1]]), allow_empty=True)
    assert found.query_of.tolist() == [1, 1, 3]
    assert found.places.tolist() == [1, 2, 1]
    assert found.counts.tolist() == [0, 2, 0, 1]


@pytest.mark.parametrize(
    ("starts", "indices", "message"),
    [
        ([0, 1, 2], [0, 3], "query 1 has a positive outside the gallery of 3 items: 3"),
        ([0, 1, 2], [-1, 0], "query 0 has a positive outside"),
        ([0, 1, 3], [2, 1, 1], "query 1 has positives that do not ascend: each item once, in order: 1"),
        ([0, 2], [0, 1], "positives of 1 queries, but scores of 2"),
        ([0, 2, 1], [0], "starts must ascend"),
        ([0, 1, 1], [0, 1], "starts must ascend from 0 to the number of indices, 2"),
    ],
)
def test_positives_that_do_not_fit_are_refused(starts: list[int], indices: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        positive_ranks(np.zeros((2, 3), np.float32), (np.array(starts), np.array(indices, np.int32)))


def test_scores_that_are_no_matrix_are_refused() -> None:
    with pytest.raises(ValueError, match="expected"):
        positive_ranks(np.zeros(3, np.float32), by_lists([[0]]))


@pytest.mark.parametrize("ranks_of", [[0, 1], [2, 2], [2, 1], [1, 4]])
def test_ranks_that_cannot_be_are_refused(ranks_of: list[int]) -> None:
    with pytest.raises(ValueError, match="query 0 has ranks"):
        PositiveRanks(np.array(ranks_of, np.int32), np.array([0, 2]), 3)


def test_by_image_gives_captions_of_images_in_any_order_and_images_of_captions() -> None:
    captions, images = by_image(np.array([2, 0, 2, 0, 0], np.int32), images=4)
    assert [captions.of(image).tolist() for image in range(4)] == [[1, 3, 4], [], [0, 2], []]
    assert [images.of(caption).tolist() for caption in range(5)] == [[2], [0], [2], [0], [0]]
    with pytest.raises(ValueError, match="expected 0 to 1"):
        by_image(np.array([0, 2], np.int32), images=2)


def test_by_category_finds_items_with_at_least_one_category_of_the_query() -> None:
    queries = [{"cat", "dog"}, {"car"}, set[str]()]
    items = [{"dog"}, {"car", "cat"}, {"tree"}, {"dog", "cat"}]
    found = by_category(queries, items)
    assert [found.of(query).tolist() for query in range(3)] == [[0, 1, 3], [1], []]
    names = ["cat", "dog", "car", "tree"]
    matrices = [np.array([[name in each for name in names] for each in side]) for side in (queries, items)]
    same = by_category(*matrices)
    assert same.starts.tolist() == found.starts.tolist()
    assert same.indices.tolist() == found.indices.tolist()


def test_by_category_is_the_same_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    queries, items = random.random((11, 4)) < 0.3, random.random((17, 4)) < 0.3
    whole = by_category(queries, items)
    monkeypatch.setattr(module, "BLOCK", 3)
    blocks = by_category(queries, items)
    assert whole.starts.tolist() == blocks.starts.tolist()
    assert whole.indices.tolist() == blocks.indices.tolist()
    whole.check(11, 17, allow_empty=True)


def test_categories_of_two_kinds_or_widths_and_texts_are_refused() -> None:
    matrix = np.ones((2, 3), np.bool_)
    with pytest.raises(ValueError, match="both matrices or both sequences"):
        by_category(matrix, [{"cat"}])
    with pytest.raises(ValueError, match="do not match"):
        by_category(matrix, np.ones((2, 4), np.bool_))
    with pytest.raises(ValueError, match="expected bool"):
        by_category(matrix, np.ones((2, 3)))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="of 1 are the text 'dog'"):
        by_category([{"cat"}, "dog"], [{"cat"}])


def test_by_lists_takes_any_order_and_refuses_an_item_named_twice() -> None:
    assert by_lists([[3, 1], []]).indices.tolist() == [1, 3]
    with pytest.raises(ValueError, match="query 1 names item 4 more than once"):
        by_lists([[0], [4, 2, 4]])


def test_a_plain_tuple_does_for_positives() -> None:
    scores = np.eye(2, dtype=np.float32)
    rows: Positives = by_lists([[0], [1]])
    assert positive_ranks(scores, (rows.starts, rows.indices)).ranks.tolist() == [1, 1]
