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
    notes: Sequence[str] = ()
    """What a reader of the result should know of this run, a sentence each and without its full stop, such as
    `its gradient was zero in epoch 4`. Empty for a run of which nothing is to be said."""
