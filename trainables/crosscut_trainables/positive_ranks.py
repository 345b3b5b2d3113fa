"""Ranks of all correct items of every query, where a query may have several; no torch."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BLOCK = 512
"""Queries whose scores are compared at once, so that memory stays bounded."""

FEW = 12
"""Up to so many positives of a query, counting what is below each is cheaper than sorting the row once."""

Categories = NDArray[np.bool_] | Sequence[Collection[Hashable]]
"""What each of n items belongs to: a bool matrix (n, categories), or n sets of names."""


class Positives(NamedTuple):
    """The relevant items of each query, in compressed rows: a plain tuple (starts, indices) does as well."""

    starts: NDArray[np.int64]
    """(queries + 1,) where each query's items begin in `indices`; the last is their number."""
    indices: NDArray[np.int32]
    """(positives,) items of the gallery, strictly ascending within a query."""

    @property
    def counts(self) -> NDArray[np.int64]:
        """(queries,) how many relevant items each query has."""
        return np.diff(self.starts)

    def of(self, query: int) -> NDArray[np.int32]:
        """The relevant items of one query, ascending."""
        return self.indices[self.starts[query] : self.starts[query + 1]]

    def check(self, queries: int, items: int, allow_empty: bool = False) -> None:
        """Raise ValueError unless this fits scores (queries, items), naming the query at fault.

        A query without a positive is at fault unless `allow_empty`.
        """
        _check_starts(self.starts, len(self.indices), "indices")
        if len(self.starts) != queries + 1:
            raise ValueError(f"positives of {len(self.starts) - 1} queries, but scores of {queries}")
        outside = (self.indices < 0) | (self.indices >= items)
        descending = _no_ascent(self.indices, self.starts)
        for fault, what in (
            (outside, f"a positive outside the gallery of {items} items"),
            (descending, "positives that do not ascend: each item once, in order"),
        ):
            if fault.any():
                place = int(np.argmax(fault))
                raise ValueError(f"query {_query_at(self.starts, place)} has {what}: {self.indices[place]}")
        if not allow_empty and not self.counts.all():
            raise ValueError(f"query {int(np.argmin(self.counts))} has no positive")


@dataclass(frozen=True)
class PositiveRanks:
    """The ranks of every query's relevant items in one direction of one gallery.

    Every metric of `query_metrics` is a function of these.
    """

    ranks: NDArray[np.int32]
    """(positives,) ranks from 1, query by query, strictly ascending within a query."""
    starts: NDArray[np.int64]
    """(queries + 1,) where each query's ranks begin; the last is their number. A query may have none."""
    items: int
    """Size of the gallery that each query is ranked against."""

    def __post_init__(self) -> None:
        _check_starts(self.starts, len(self.ranks), "ranks")
        fault = (self.ranks < 1) | (self.ranks > self.items) | _no_ascent(self.ranks, self.starts)
        if fault.any():
            query = _query_at(self.starts, int(np.argmax(fault)))
            raise ValueError(
                f"query {query} has ranks {self.of(query).tolist()}, expected ascending ones from 1 to "
                f"{self.items}"
            )

    def __len__(self) -> int:
        """How many queries there are."""
        return len(self.starts) - 1

    @property
    def counts(self) -> NDArray[np.int64]:
        """(queries,) how many relevant items each query has: R of the formulas."""
        return np.diff(self.starts)

    @property
    def query_of(self) -> NDArray[np.int64]:
        """(positives,) the query that each rank belongs to."""
        return np.repeat(np.arange(len(self)), self.counts)

    @property
    def places(self) -> NDArray[np.int64]:
        """(positives,) 1 for a query's best positive, 2 for the next: how many hits there are down to it."""
        return np.arange(1, len(self.ranks) + 1) - np.repeat(self.starts[:-1], self.counts)

    def of(self, query: int) -> NDArray[np.int32]:
        """The ranks of one query's relevant items, ascending."""
        return self.ranks[self.starts[query] : self.starts[query + 1]]


def positive_ranks(
    scores: NDArray[np.float32],
    positives: tuple[NDArray[np.int64], NDArray[np.int32]],
    allow_empty: bool = False,
) -> PositiveRanks:
    """The ranks of all relevant items of each query.

    `scores` (queries, items), of which a view such as `scores.T` does; `positives` as in `Positives`. Ranks
    count from 1 and count all items, other positives too. A tie counts against the model, as in `ranks`:
    irrelevant items stand before relevant ones of the same score, and so do those whose score is NaN. Where
    one of a query's relevant items has NaN for its score, all of them stand after all others. The best of a
    query's ranks is thus always the one that `ranks.image_to_text` and `ranks.text_to_image` give.

    Raises ValueError for positives that do not fit the scores, and for a query without one, which has no
    ranks, unless `allow_empty`.
    """
    rows = Positives(*positives)
    if scores.ndim != 2:
        raise ValueError(f"scores have the shape {scores.shape}, expected (queries, items)")
    queries, items = scores.shape
    rows.check(queries, items, allow_empty)
    ranks = np.empty(len(rows.indices), np.int32)
    for first in range(0, queries, BLOCK):
        block = np.ascontiguousarray(scores[first : first + BLOCK])
        for query, row in enumerate(block, first):
            own = rows.of(query)
            if len(own):
                ranks[rows.starts[query] : rows.starts[query + 1]] = _ranks_in(row, own)
    return PositiveRanks(ranks, rows.starts, items)


def by_image(image_of: NDArray[np.int32], images: int | None = None) -> tuple[Positives, Positives]:
    """The usual case, both ways: the captions of each image, and the image of each caption.

    `image_of` (captions,); `images` is their number where the last ones have no caption. An image without
    captions is a query without positives. Raises ValueError for a caption of an image that is not there.
    """
    count = int(image_of.max(initial=-1)) + 1 if images is None else images
    if len(image_of) and not 0 <= image_of.min() <= image_of.max() < count:
        raise ValueError(
            f"image_of runs from {image_of.min()} to {image_of.max()}, expected 0 to {count - 1}"
        )
    captions = np.argsort(image_of, kind="stable").astype(np.int32)
    starts = _starts(np.bincount(image_of, minlength=count))
    return (
        Positives(starts, captions),
        Positives(np.arange(len(image_of) + 1, dtype=np.int64), image_of.astype(np.int32)),
    )


def by_category(queries: Categories, items: Categories) -> Positives:
    """Relevant are items that share at least one category with the query, as in category-level mAP@k.

    Both are bool matrices of the same width, or both sequences of sets. Raises ValueError where they are not.
    """
    if not isinstance(queries, np.ndarray) and not isinstance(items, np.ndarray):
        names = {name: column for column, name in enumerate(dict.fromkeys(_names(queries) + _names(items)))}
        asked, held = _matrix(queries, names), _matrix(items, names)
    elif isinstance(queries, np.ndarray) and isinstance(items, np.ndarray):
        asked, held = queries, items
        if asked.ndim != 2 or held.ndim != 2 or asked.shape[1] != held.shape[1]:
            raise ValueError(f"categories of queries {asked.shape} and of items {held.shape} do not match")
        if asked.dtype != np.bool_ or held.dtype != np.bool_:
            raise ValueError(f"categories are {asked.dtype} and {held.dtype}, expected bool")
    else:
        raise ValueError("categories of queries and of items must be both matrices or both sequences of sets")
    columns = held.T.astype(np.float32)
    counts, indices = [], [np.empty(0, np.int32)]
    for first in range(0, len(asked), BLOCK):
        # Counts of shared categories are whole numbers, which float32 holds exactly.
        shared = asked[first : first + BLOCK].astype(np.float32) @ columns > 0
        counts.append(shared.sum(axis=1))
        indices.append(np.nonzero(shared)[1].astype(np.int32))
    return Positives(_starts(np.concatenate([np.empty(0, np.int64), *counts])), np.concatenate(indices))


def by_lists(lists: Iterable[Collection[int]]) -> Positives:
    """Positives given as the items of each query, in any order.

    Raises ValueError for a query that names an item twice, which would count twice.
    """
    rows = [np.sort(np.fromiter(items, np.int32, len(items))) for items in lists]
    for query, row in enumerate(rows):
        twice = row[1:][row[1:] == row[:-1]]
        if len(twice):
            raise ValueError(f"query {query} names item {twice[0]} more than once")
    counts = np.array([len(row) for row in rows], np.int64)
    return Positives(_starts(counts), np.concatenate([np.empty(0, np.int32), *rows]))


def _ranks_in(row: NDArray[np.float32], own: NDArray[np.int32]) -> NDArray[np.int64]:
    """Ascending ranks of the positives `own` (k,) in one query's scores `row` (items,)."""
    ascending = np.sort(row[own])
    places = np.arange(1, len(own) + 1)
    if np.isnan(ascending[-1]):  # NaN sorts last
        return len(row) - len(own) + places
    if len(own) <= FEW:
        below = np.array([np.count_nonzero(row < score) for score in ascending])
    else:
        below = np.searchsorted(np.sort(row), ascending, side="left")
    # What is not below is at least as high or NaN: all of it, less the positives among it, stands before.
    before = (len(row) - below) - (len(own) - np.searchsorted(ascending, ascending, side="left"))
    return np.asarray(before[::-1] + places)


def _starts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts


def _check_starts(starts: NDArray[np.int64], size: int, name: str) -> None:
    """Raise ValueError unless `starts` cut an array of `size` into rows."""
    if (
        starts.ndim != 1
        or not len(starts)
        or starts[0] != 0
        or starts[-1] != size
        or (np.diff(starts) < 0).any()
    ):
        raise ValueError(f"starts must ascend from 0 to the number of {name}, {size}")


def _no_ascent(values: NDArray[np.int32], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(values,) whether each is not above the one before it in its own row."""
    fault = np.zeros(len(values), np.bool_)
    fault[1:] = values[1:] <= values[:-1]
    fault[starts[:-1][np.diff(starts) > 0]] = False
    return fault


def _query_at(starts: NDArray[np.int64], place: int) -> int:
    return int(np.searchsorted(starts, place, side="right")) - 1


def _names(sets: Sequence[Collection[Hashable]]) -> list[Hashable]:
    for place, names in enumerate(sets):
        if isinstance(names, str):
            raise ValueError(f"categories of {place} are the text {names!r}, expected a set of names")
    return [name for names in sets for name in names]


def _matrix(sets: Sequence[Collection[Hashable]], column_of: dict[Hashable, int]) -> NDArray[np.bool_]:
    matrix = np.zeros((len(sets), len(column_of)), np.bool_)
    for row, names in enumerate(sets):
        matrix[row, [column_of[name] for name in names]] = True
    return matrix
