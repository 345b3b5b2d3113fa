"""What is measured of one split, from the similarities of all its images with all its captions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from crosscut_trainables.data.split import Split
from crosscut_trainables.evaluation import (
    QueryExample,
    QueryRanking,
    QueryRanks,
    QueryValues,
    SplitFacts,
)
from crosscut_trainables.metrics import retrieval_metrics
from crosscut_trainables.positive_ranks import PositiveRanks, positive_ranks
from crosscut_trainables.query_metrics import fold_slices, metric
from crosscut_trainables.ranks import image_to_text, text_to_image
from crosscut_trainables.relevance import Judgements, prefix_of

Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Measured:
    """Metrics of a split, and what they are made of by query."""

    metrics: dict[str, float] = field(default_factory=dict)
    ranks: dict[str, QueryRanks] = field(default_factory=dict)
    values: dict[str, QueryValues] = field(default_factory=dict)
    traits: dict[str, QueryValues] = field(default_factory=dict)
    rankings: dict[str, QueryRanking] = field(default_factory=dict)
    examples: dict[str, Sequence[QueryExample]] = field(default_factory=dict)
    splits: dict[str, SplitFacts] = field(default_factory=dict)

    def __or__(self, other: Measured) -> Measured:
        return Measured(
            **{part.name: getattr(self, part.name) | getattr(other, part.name) for part in fields(self)}
        )


def recalls(name: str, scores: Scores, image_of: NDArray[np.int32]) -> Measured:
    """Recalls, rsum and median ranks of the split `name`, with the ranks of both directions.

    `scores` (images, captions); `image_of` (captions,).
    """
    i2t, t2i = image_to_text(scores, image_of), text_to_image(scores, image_of)
    return Measured(retrieval_metrics(name, i2t, t2i), {f"{name}/i2t": i2t, f"{name}/t2i": t2i})


def in_folds(name: str, scores: Scores, image_of: NDArray[np.int32], folds: int) -> Measured:
    """The same of the split `name-<folds>fold`, where each query is ranked among its own fold alone.

    COCO 1K: folds are contiguous and of as many images. Recalls are means over all queries, which are the means
    over folds where these have as many captions as well, and rsum is the sum of six of them. Published code has
    printed six times the image-to-text mean as rsum. Raises ValueError where folds do not divide the images.
    """
    i2t: list[QueryRanks] = []
    t2i: list[QueryRanks] = []
    for fold in fold_slices(len(scores), folds):
        own = np.flatnonzero((image_of >= fold.start) & (image_of < fold.stop))
        block, images = scores[fold][:, own], (image_of[own] - fold.start).astype(np.int32)
        for found, ranks in ((i2t, image_to_text(block, images)), (t2i, text_to_image(block, images))):
            found.append(QueryRanks(ranks.ranks, (ranks.clusters + fold.start).astype(np.int32)))
    split = f"{name}-{folds}fold"
    both = {f"{split}/{direction}": _joined(parts) for direction, parts in (("i2t", i2t), ("t2i", t2i))}
    return Measured(retrieval_metrics(split, *both.values()), both)


def further(
    name: str,
    scores: Scores,
    image_of: NDArray[np.int32],
    metrics: Sequence[str],
    relevant: Judgements,
) -> Measured:
    """Metrics of `query_metrics.METRICS`, or with any cutoff, by query, in both directions.

    Each goes by what is `relevant` under the prefix of its name. What lies between 0 and 1 is in percent. The
    metric of the split is the mean over its queries; a query without anything relevant is none.
    """
    found = Measured()
    galleries = {"i2t": scores, "t2i": scores.T}
    queries = {"i2t": np.arange(len(scores), dtype=np.int32), "t2i": image_of}
    for prefix, both in relevant.items():
        for (direction, gallery), positives in zip(galleries.items(), both, strict=True):
            ranks = positive_ranks(gallery, positives, allow_empty=True)
            for named in (named for named in metrics if prefix_of(named) == prefix):
                values = _percent(named.removeprefix(prefix), ranks)
                # An image without captions is no query of its own.
                asked = np.isin(queries[direction], image_of) & ~np.isnan(values)
                full = f"{name}/{direction}_{named}"
                own = QueryValues(values[asked].astype(np.float32), queries[direction][asked])
                found |= Measured({full: float(own.values.mean(dtype=np.float64))}, values={full: own})
    return found


def lengths(name: str, split: Split) -> Measured:
    """`name/t2i_words`: how many words each caption has, which recall goes by in AsCL (arXiv 2405.10029)."""
    words = np.array([len(caption) for caption in split.captions], np.float32)
    return Measured(traits={f"{name}/t2i_words": QueryValues(words, split.image_of.astype(np.int32))})


def _percent(named: str, ranks: PositiveRanks) -> NDArray[np.float64]:
    """(queries,) a metric, in percent where it lies between 0 and 1."""
    chosen = metric(named)
    values = chosen.of(ranks)
    return 100.0 * values if chosen.better == "higher" else values


def _joined(parts: Sequence[QueryRanks]) -> QueryRanks:
    return QueryRanks(
        np.concatenate([part.ranks for part in parts]), np.concatenate([part.clusters for part in parts])
    )
