"""Rankings: the items that queries retrieve first, from a matrix of similarities; no torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crosscut_trainables.evaluation import QueryRanking
from crosscut_trainables.measured import Measured
from crosscut_trainables.positive_ranks import Positives, by_image
from crosscut_trainables.trec import pessimistic_order


def ranking(name: str, scores: NDArray[np.float32], image_of: NDArray[np.int32], depth: int) -> Measured:
    """The first `depth` items of every query of the split `name`, both ways; nothing for a depth of 0.

    `scores` (images, captions); `image_of` (captions,). Queries come in the order of the ranks of
    `ranks.image_to_text` and `ranks.text_to_image`, and items in the order that these ranks go by.
    """
    if not depth:
        return Measured()
    of_images, of_captions = by_image(image_of, len(scores))
    asked = np.unique(image_of)
    return Measured(
        rankings={
            f"{name}/i2t": _first(scores, of_images, asked, depth),
            f"{name}/t2i": _first(scores.T, of_captions, np.arange(len(image_of)), depth),
        }
    )


def _first(
    scores: NDArray[np.float32], positives: Positives, queries: NDArray[np.integer], depth: int
) -> QueryRanking:
    kept = min(depth, scores.shape[1])
    items = np.empty((len(queries), kept), np.int32)
    for place, query in enumerate(queries.tolist()):
        items[place] = pessimistic_order(np.ascontiguousarray(scores[query]), positives.of(query), kept)
    return QueryRanking(items, scores.shape[1])
