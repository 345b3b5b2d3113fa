"""Ranks of correct items, from a matrix of similarities; no torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crosscut_trainables.evaluation import QueryRanks

BLOCK = 512
"""Images whose similarities are compared at once."""


def image_to_text(scores: NDArray[np.float32], image_of: NDArray[np.int32]) -> QueryRanks:
    """The rank of the best of each image's captions among all captions.

    `scores` (images, captions); `image_of` (captions,). Ranks count from 1. A tie counts against the model: a
    wrong caption with the same score stands before the correct one, and so does one whose score is NaN; the
    image's other captions are never counted. Images without captions are no queries.
    """
    queries = np.unique(image_of)
    ranks = np.empty(len(queries), np.int32)
    for first in range(0, len(queries), BLOCK):
        images = queries[first : first + BLOCK]
        block = scores[images]
        correct = image_of[None, :] == images[:, None]
        own = np.where(correct, block, -np.inf).max(axis=1)
        # `not below` rather than `at least`: a NaN compares as neither, and must not win.
        ranks[first : first + BLOCK] = 1 + (~(block < own[:, None]) & ~correct).sum(axis=1)
    return QueryRanks(ranks, queries.astype(np.int32))


def all_last(i2t: QueryRanks, t2i: QueryRanks, images: int) -> bool:
    """Whether every query of both directions stands last, as where all pairs have one score and ties count against
    the model. `images` are those that captions are ranked among."""
    captions = np.bincount(t2i.clusters, minlength=images)[i2t.clusters]
    last = 1 + len(t2i.ranks) - captions
    return images > 1 and bool((t2i.ranks == images).all() and (i2t.ranks == last).all())


def text_to_image(scores: NDArray[np.float32], image_of: NDArray[np.int32]) -> QueryRanks:
    """The rank of each caption's image among all images; ties as in `image_to_text`."""
    captions = np.arange(len(image_of))
    own = scores[image_of, captions]
    ranks = np.zeros(len(image_of), np.int32)
    for first in range(0, len(scores), BLOCK):
        # The caption's own image is not below itself: it is the 1 from which ranks count.
        ranks += (~(scores[first : first + BLOCK] < own)).sum(axis=0, dtype=np.int32)
    return QueryRanks(ranks, image_of.astype(np.int32))
