"""Metrics of retrieval by query, from the ranks of all its relevant items; no torch.

Each gives one float64 a query, so that a report can pair queries. A query without a relevant item has no
metric: its value is NaN, which a mean must leave out. R is the number of a query's relevant items, rel(r) 1
where the item of rank r is relevant and 0 elsewhere, P@r the share of relevant items among the first r.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from itertools import pairwise
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crosscut_trainables.metrics import CUTOFFS
from crosscut_trainables.positive_ranks import PositiveRanks, by_image, positive_ranks

Values = NDArray[np.float64]
"""(queries,) a metric's value for each query, NaN for one without a relevant item."""


def recall_at(found: PositiveRanks, k: int) -> Values:
    """The field's R@K: 1 where any relevant item is among the first k, else 0.

    Raises ValueError for k < 1, as all metrics with a cutoff do.
    """
    return _where_any(found, best_rank(found) <= _cutoff(k))


def precision_at(found: PositiveRanks, k: int) -> Values:
    """P@k: relevant items among the first k, over k even where R or the gallery is smaller (trec_eval's P)."""
    return _sums(found, found.ranks <= _cutoff(k)) / k


def share_at(found: PositiveRanks, k: int) -> Values:
    """Relevant items among the first k, over R: what trec_eval and information retrieval call recall."""
    return _sums(found, found.ranks <= _cutoff(k)) / found.counts


def average_precision(found: PositiveRanks) -> Values:
    """(1/R) Σ_r P@r·rel(r) over the whole gallery: without interpolation, as trec_eval's map."""
    return _sums(found, found.places / found.ranks) / found.counts


def average_precision_at(found: PositiveRanks, k: int) -> Values:
    """Σ_{r≤k} P@r·rel(r) / min(R, k), which is 1 where the first k are as good as they can be.

    trec_eval's map_cut divides by R instead, and cannot reach 1 where R > k. Some code divides by the
    relevant items among the first k, which rewards finding fewer.
    """
    gained = (found.places / found.ranks) * (found.ranks <= _cutoff(k))
    return _sums(found, gained) / np.minimum(found.counts, k)


def average_precision_at_r(found: PositiveRanks) -> Values:
    """mAP@R of one query: (1/R) Σ_{r≤R} P@r·rel(r).

    From Musgrave, Belongie and Lim, "A Metric Learning Reality Check" (arXiv 2003.08505), and ECCV Caption
    (Chun et al., arXiv 2204.03359).
    """
    gained = (found.places / found.ranks) * (found.ranks <= found.counts[found.query_of])
    return _sums(found, gained) / found.counts


def r_precision(found: PositiveRanks) -> Values:
    """P@R: relevant items among the first R, over R."""
    return _sums(found, found.ranks <= found.counts[found.query_of]) / found.counts


def ndcg_at(found: PositiveRanks, k: int) -> Values:
    """Σ_{r≤k} rel(r)/log₂(r+1), over what it is where all relevant items come first.

    Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques" (2002), with gains of 0 and 1.
    """
    gained = (found.ranks <= _cutoff(k)) / np.log2(found.ranks + 1.0)
    best = np.cumsum(1 / np.log2(np.arange(2.0, min(k, found.items) + 2)))
    reached = np.minimum(found.counts, len(best))
    return _sums(found, gained) / (best[reached - 1] if len(best) else 1.0)


def reciprocal_rank(found: PositiveRanks) -> Values:
    """1 / the rank of the best relevant item; its mean is MRR."""
    return 1 / best_rank(found)


def best_rank(found: PositiveRanks) -> Values:
    """The rank of the best relevant item, from 1: the one that `ranks` gives."""
    best = np.full(len(found), np.nan)
    some = found.counts > 0
    best[some] = found.ranks[found.starts[:-1][some]]
    return best


def mean_rank_of_positives(found: PositiveRanks) -> Values:
    """The mean rank of a query's relevant items, from (R + 1)/2."""
    return _sums(found, found.ranks) / found.counts


@dataclass(frozen=True)
class Metric:
    """A metric by query, and which way it is better."""

    of: Callable[[PositiveRanks], Values]
    better: Literal["higher", "lower"] = "higher"


class AtCutoff(Protocol):
    """A metric by query that looks at the first k items."""

    def __call__(self, found: PositiveRanks, k: int) -> Values: ...


AT: Mapping[str, AtCutoff] = {
    "r": recall_at,
    "precision_at_": precision_at,
    "share_at_": share_at,
    "map_at_": average_precision_at,
    "ndcg_at_": ndcg_at,
}
"""Metrics that have a cutoff, by what stands before it in their names: `r5`, `precision_at_5`."""

METRICS: Mapping[str, Metric] = {
    **{f"{name}{k}": Metric(partial(function, k=k)) for name, function in AT.items() for k in CUTOFFS},
    "map": Metric(average_precision),
    "map_at_r": Metric(average_precision_at_r),
    "r_precision": Metric(r_precision),
    "mrr": Metric(reciprocal_rank),
    "best_rank": Metric(best_rank, "lower"),
    "mean_rank": Metric(mean_rank_of_positives, "lower"),
}
"""Every metric by name; those with a cutoff at 1, 5 and 10. Reports read the same direction off the names."""


def metric(name: str) -> Metric:
    """The metric of that name, with any cutoff: `r50`, `map_at_50`. Raises ValueError with the near name."""
    if name in METRICS:
        return METRICS[name]
    match = re.fullmatch(r"(.*?)([1-9]\d*)", name)
    if match and match[1] in AT:
        return Metric(partial(AT[match[1]], k=int(match[2])))
    near = get_close_matches(name, METRICS, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"found metric {name!r}, expected one of {', '.join(METRICS)}{meant}")


def fold_slices(images: int, folds: int = 5) -> list[slice]:
    """Contiguous folds of as many images each, as for COCO 1K: five of 1,000 of the 5,000 test images.

    Raises ValueError where they do not divide evenly: a smaller gallery is an easier one.
    """
    if folds < 1 or images < folds or images % folds:
        raise ValueError(f"{images} images do not make {folds} folds of one size")
    size = images // folds
    return [slice(first, first + size) for first in range(0, images, size)]


@dataclass(frozen=True)
class Folded:
    """Metrics by query where each query is ranked against the gallery of its own fold alone."""

    i2t: Mapping[str, Values]
    """By metric, (images,); NaN for an image without captions."""
    t2i: Mapping[str, Values]
    """By metric, (captions,)."""
    image_folds: NDArray[np.int64]
    """(images,) the fold of each image."""
    caption_folds: NDArray[np.int64]
    """(captions,) the fold of each caption: that of its image."""

    def means(self) -> dict[str, float]:
        """`i2t_r1`, `t2i_r1` and so on: the mean over folds of a metric's mean within each fold."""
        sides = (("i2t", self.i2t, self.image_folds), ("t2i", self.t2i, self.caption_folds))
        return {
            f"{side}_{name}": float(np.mean([np.nanmean(values[of == fold]) for fold in np.unique(of)]))
            for side, by_name, of in sides
            for name, values in by_name.items()
        }

    def recalls(self, split: str) -> dict[str, float]:
        """`split/i2t_r1` to `split/t2i_r10` in percent, means over folds, and their sum `split/rsum`.

        Raises KeyError where R@1, R@5 or R@10 was not asked for.
        """
        means = self.means()
        recalls = {f"{split}/{d}_r{k}": 100 * means[f"{d}_r{k}"] for d in ("i2t", "t2i") for k in CUTOFFS}
        return {**recalls, f"{split}/rsum": sum(recalls.values())}


def five_fold(
    scores: NDArray[np.float32],
    image_of: NDArray[np.int32],
    names: Sequence[str] = ("r1", "r5", "r10"),
    folds: int = 5,
) -> Folded:
    """The metrics `names` of both directions in contiguous folds of the images: the COCO 1K protocol.

    `scores` (images, captions); `image_of` (captions,), in any order. A trap of published numbers: in
    five-fold mode the reference code (VSE++, and SCAN and others after it) prints six times the mean
    image-to-text recall as its rsum, mostly more than the sum of the six recalls that `Folded.recalls` gives.

    Raises ValueError for an unknown metric, an `image_of` that does not fit, images that do not divide into
    folds, and a fold without captions.
    """
    metrics = {name: metric(name) for name in names}
    images, captions = scores.shape
    if image_of.shape != (captions,) or image_of.min(initial=0) < 0 or image_of.max(initial=0) >= images:
        raise ValueError(
            f"image_of {image_of.shape} does not give each of {captions} captions one of {images} images"
        )
    i2t = {name: np.full(images, np.nan) for name in names}
    t2i = {name: np.full(captions, np.nan) for name in names}
    image_folds = np.empty(images, np.int64)
    slices = fold_slices(images, folds)
    for fold, of_images in enumerate(slices):
        image_folds[of_images] = fold
        own = np.flatnonzero((image_of >= of_images.start) & (image_of < of_images.stop))
        if not len(own):
            raise ValueError(
                f"fold {fold}, images {of_images.start} to {of_images.stop - 1}, has no captions"
            )
        block = scores[of_images][:, own]
        to_captions, to_image = by_image(image_of[own] - of_images.start, len(block))
        forth = positive_ranks(block, to_captions, allow_empty=True)
        back = positive_ranks(block.T, to_image)
        for name, each in metrics.items():
            i2t[name][of_images] = each.of(forth)
            t2i[name][own] = each.of(back)
    return Folded(i2t, t2i, image_folds, image_folds[image_of])


@dataclass(frozen=True)
class LengthBin:
    """The queries whose length is at least `low` and below `high` words; None is no bound."""

    low: int | None
    high: int | None
    count: int
    mean: float
    """Mean of the metric over the `count` queries, NaN where there are none."""


def by_length(values: Values, lengths: ArrayLike, edges: Sequence[int]) -> list[LengthBin]:
    """A metric by bins of query length, as AsCL (arXiv 2405.10029) reports recall.

    `values` (queries,), of which NaN are left out; `lengths` (queries,) in words; `edges` ascending: n of
    them make n + 1 bins, below the first, from each up to the next, and from the last. Raises ValueError for
    edges that do not ascend and for shapes that differ.
    """
    words = np.asarray(lengths)
    if words.shape != values.shape:
        raise ValueError(f"values {values.shape} and lengths {words.shape} must have one shape")
    if any(low >= high for low, high in pairwise(edges)):
        raise ValueError(f"edges {list(edges)} do not ascend")
    held = ~np.isnan(values)
    bins = np.digitize(words, np.asarray(edges)) if len(edges) else np.zeros(len(words), np.int64)
    bounds = [None, *edges, None]
    result = []
    for place in range(len(edges) + 1):
        inside = values[held & (bins == place)]
        mean = float(inside.mean()) if len(inside) else float("nan")
        result.append(LengthBin(bounds[place], bounds[place + 1], len(inside), mean))
    return result


def _cutoff(k: int) -> int:
    if k < 1:
        raise ValueError(f"found cutoff {k}, expected 1 or more")
    return k


def _sums(found: PositiveRanks, values: ArrayLike) -> Values:
    """(queries,) sums of `values` (positives,) by query, NaN for a query without a relevant item."""
    weights = np.asarray(values, np.float64)
    sums = np.bincount(found.query_of, weights=weights, minlength=len(found)).astype(np.float64)
    return _where_any(found, sums)


def _where_any(found: PositiveRanks, values: ArrayLike) -> Values:
    return np.where(found.counts > 0, values, np.nan)
