"""Metrics of retrieval by query, from the ranks of all its relevant items; no torch.

Each gives one float64 a query, so that a report can pair queries. A query without a relevant item has no
metric: its value is NaN, which a mean must leave out. R is the number of a query's relevant items, rel(r) 1
where the item of rank r is relevant and 0 elsewhere, P@r the share of relevant items among the first r.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crosscut_trainables.metrics import CUTOFFS
from crosscut_trainables.positive_ranks import PositiveRanks

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
