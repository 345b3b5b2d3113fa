"""The outcome of a trained run: scalar metrics, and the rank of every query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class QueryRanks:
    """The ranks of one split in one direction.

    Ranks are stored, not scores: one int32 array gives R@K for every K, the median rank and the
    reciprocal ranks.
    """

    ranks: NDArray[np.int32]
    """(queries,) rank of the best correct item, from 1; ties count against the model."""
    clusters: NDArray[np.int32]
    """(queries,) the independent unit each query belongs to: the image, whichever way one retrieves."""

    def __post_init__(self) -> None:
        if self.ranks.shape != self.clusters.shape or self.ranks.ndim != 1:
            raise ValueError(
                f"ranks {self.ranks.shape} and clusters {self.clusters.shape} must be one-dimensional and "
                "of one length"
            )


@dataclass(frozen=True)
class QueryValues:
    """A metric by query, of which the metric itself is the mean."""

    values: NDArray[np.float32]
    """(queries,)"""
    clusters: NDArray[np.int32]
    """(queries,) the independent unit each query belongs to, as of `QueryRanks`."""

    def __post_init__(self) -> None:
        if self.values.shape != self.clusters.shape or self.values.ndim != 1:
            raise ValueError(
                f"values {self.values.shape} and clusters {self.clusters.shape} must be one-dimensional and "
                "of one length"
            )


@dataclass(frozen=True)
class QueryRanking:
    """The first items that each query of one split retrieves in one direction, in the order of `QueryRanks`."""

    items: NDArray[np.int32]
    """(queries, depth) places in the gallery, the best first, in the order that ranks go by: ties count against
    the model."""
    gallery: int
    """Items that each query is ranked against."""

    def __post_init__(self) -> None:
        if self.items.ndim != 2 or self.items.shape[1] > self.gallery:
            raise ValueError(
                f"rankings of the shape {self.items.shape} do not fit a gallery of {self.gallery} items"
            )


@dataclass(frozen=True)
class SplitFacts:
    """What a report should know of a split to compare it with others."""

    units: str
    """Splits of equal `units` have the same images in the same order: clusters of one number are the same."""
    series: str | None = None
    """What was done to it, where that has severities: splits of one series form a curve."""
    severity: float | None = None


@dataclass(frozen=True)
class QueryExample:
    """A query of text with all that one needs to look at it."""

    query: int
    """Its place among the queries of its split."""
    words: tuple[str, ...]
    boxes: NDArray[np.float32]
    """(regions, 4) of its own image, as shares of width and height."""
    attention: NDArray[np.float32] | None = None
    """(words, regions) weights, None where words do not attend."""
    picture: NDArray[np.uint8] | None = None
    """(height, width) or (height, width, 3), None where there are regions only."""


@dataclass(frozen=True)
class Evaluation:
    """What a trainable returns.

    `metrics` are named `split/metric` (`test/rsum`, `dev/t2i_r1`); `ranks` are named `split/direction`
    (`test/i2t`); `values` as the metrics that they are of (`test/i2t_mrr`). A search trial has metrics of the dev
    split only and no ranks.
    """

    metrics: Mapping[str, float]
    ranks: Mapping[str, QueryRanks] = field(default_factory=dict)
    values: Mapping[str, QueryValues] = field(default_factory=dict)
    """Metrics that are known by query and do not follow from `ranks`, so that queries can be paired."""
    traits: Mapping[str, QueryValues] = field(default_factory=dict)
    """What is known of queries beside how well they do, such as `test/t2i_words`, their numbers of words."""
    rankings: Mapping[str, QueryRanking] = field(default_factory=dict)
    """What queries retrieve, by the names of `ranks`."""
    examples: Mapping[str, Sequence[QueryExample]] = field(default_factory=dict)
    """Some queries to look at, by the names of `ranks`; the same ones in every run."""
    splits: Mapping[str, SplitFacts] = field(default_factory=dict)
    """What splits are, by the first part of the names of `ranks`."""
    spent: Mapping[str, float] = field(default_factory=dict)
    """Seconds by what they went into, such as `forward`: parts of the time of the run, not all of it."""
    notes: Sequence[str] = ()
    """What a reader of the result should know of this run, a sentence each and without its full stop, such as
    `its gradient was zero in epoch 4`. Empty for a run of which nothing is to be said."""
