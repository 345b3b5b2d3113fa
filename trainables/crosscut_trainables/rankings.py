"""Rankings: the items that queries retrieve first, from a matrix of similarities; no torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crosscut_trainables.evaluation import QueryRanking
from crosscut_trainables.measured import Measured
from crosscut_trainables.positive_ranks import BLOCK, Positives, by_image


def ranking(name: str, scores: NDArray[np.float32], image_of: NDArray[np.int32], depth: int) -> Measured:
    """The first `depth` items of every query of the split `name`, both ways; nothing for a depth of 0.

    `scores` (images, captions); `image_of` (captions,). Queries come in the order of the ranks of
    `ranks.image_to_text` and `ranks.text_to_image`, and items in the order that these ranks go by.
    """
    if not depth:
        return Measured()
    of_images, of_captions = by_image(image_of, len(scores))
    asked = np.unique(image_of)
    both = {
        f"{name}/i2t": first_items(scores, of_images, depth)[asked],
        f"{name}/t2i": first_items(scores.T, of_captions, depth),
    }
    galleries = scores.shape[::-1]
    return Measured(
        rankings={
            way: QueryRanking(items, gallery)
            for (way, items), gallery in zip(both.items(), galleries, strict=True)
        }
    )


def first_items(
    scores: NDArray[np.float32],
    positives: tuple[NDArray[np.int64], NDArray[np.int32]],
    depth: int | None = None,
) -> NDArray[np.int32]:
    """(queries, depth) the first items of every query, None for all of the gallery, in the order that ranks go by.

    `scores` (queries, items), of which a view such as `scores.T` does; `positives` as in `Positives`, where a
    query may have none. Raises ValueError for positives that do not fit, and a depth below 1.
    """
    rows = Positives(*positives)
    if scores.ndim != 2:
        raise ValueError(f"scores have the shape {scores.shape}, expected (queries, items)")
    if depth is not None and depth < 1:
        raise ValueError(f"found depth {depth}, expected 1 or more")
    queries, gallery = scores.shape
    rows.check(queries, gallery, allow_empty=True)
    items = np.empty((queries, gallery if depth is None else min(depth, gallery)), np.int32)
    for first in range(0, queries, BLOCK):
        block = np.ascontiguousarray(scores[first : first + BLOCK])
        for query, row in enumerate(block, first):
            items[query] = pessimistic_order(row, rows.of(query), depth)
    return items


def pessimistic_order(
    row: NDArray[np.float32], own: NDArray[np.int32], depth: int | None = None
) -> NDArray[np.int64]:
    """The first `depth` items of one query, None for all, in the order that `positive_ranks` ranks them by.

    `row` (items,) scores, `own` (k,) the query's relevant items. By falling score; irrelevant items before
    relevant ones of the same score, and irrelevant ones without a number (NaN) before everything; what is
    then still alike comes in the order of the gallery. Where a relevant item's score is NaN all relevant ones
    come last.
    """
    relevant = np.zeros(len(row), np.bool_)
    relevant[own] = True
    keys = np.where(np.isnan(row), np.inf, row)
    if np.isnan(row[own]).any():
        keys[own] = -np.inf
    kept = len(row) if depth is None else min(depth, len(row))
    candidates = np.arange(len(row))
    if 0 < kept < len(row):
        # Whatever is tied with the last kept item may still come before it.
        limit = np.partition(keys, len(row) - kept)[len(row) - kept]
        candidates = np.flatnonzero(keys >= limit)
    order = np.lexsort((relevant[candidates], -keys[candidates]))
    return candidates[order][:kept]
