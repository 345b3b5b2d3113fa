"""Meanings: which items of a training split are a pair of one meaning."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

NEIGHBOUR_BLOCK = 2**26
"""Numbers that comparing images by their captions may hold at once."""


def sibling(image_of: Tensor, generator: torch.Generator) -> Tensor:
    """(captions,) for each caption another one of its image, drawn evenly; a caption without one has itself.

    `image_of` (captions,) is ascending.
    """
    _, places, counts = image_of.unique_consecutive(return_inverse=True, return_counts=True)
    first = (counts.cumsum(0) - counts)[places]
    count = counts[places]
    own = torch.arange(len(image_of)) - first
    further = (torch.rand(len(image_of), generator=generator) * (count - 1)).long()
    # From 1 to count − 1 places on, around the captions of the image.
    found: Tensor = first + (own + torch.where(count > 1, 1 + further, 0)) % count
    return found


def nearest_by_captions(captions: Sequence[Sequence[str]], image_of: NDArray[np.int32]) -> Tensor:
    """(images,) the image whose captions are nearest to each one's, by the cosine of the tf-idf of their words.

    Of several that are as near, the first. Raises ValueError for a single image.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    count = int(image_of.max()) + 1
    if count < 2:
        raise ValueError("positives: captions need two images at least")
    texts: list[list[str]] = [[] for _ in range(count)]
    for words, image in zip(captions, image_of, strict=True):
        texts[image] += words
    table = TfidfVectorizer(analyzer=lambda words: words).fit_transform(texts)
    nearest = np.empty(count, np.int64)
    step = max(1, NEIGHBOUR_BLOCK // count)
    for start in range(0, count, step):
        cosines = (table[start : start + step] @ table.T).toarray()
        rows = np.arange(len(cosines))
        cosines[rows, start + rows] = -1
        nearest[start : start + step] = cosines.argmax(1)
    return torch.from_numpy(nearest)
