"""Scores: what every statistic of a report starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crosscut_reports.statistics import Statistic

Array = NDArray[np.float64]


def linearised(values: Array, sizes: Array) -> Array:
    """Scores (…, clusters) whose mean is that of `values` and whose spread is that of a ratio.

    `values` are sums over a cluster's queries times C/N for C clusters and N queries, so their mean is the
    mean over queries: a ratio of two sums over clusters, whose number of queries, `sizes` (clusters,), is as
    random as their scores. With v a cluster's value, n its size and run the mean of a run, the first-order
    (Taylor) expansion of the ratio gives run + (v − run·n·C/N) (Cochran 1977, Sampling Techniques, 6.3).
    Without it a cluster of more queries counts as one of better scores, and an arm's interval is too wide.
    """
    run = values.mean(axis=-1, keepdims=True)
    return np.asarray(run + (values - run * (sizes / sizes.mean())))


@dataclass(frozen=True)
class MetricScores:
    """One metric of all arms and seeds, per cluster where it is a mean over clusters.

    `values` has the shape (arms, seeds, clusters). A cluster is the independent unit (an image with its
    captions), and the mean over clusters is the metric itself, so a recall counts 0 to 100 per cluster and
    rsum is the sum of six of them. A metric that is known per run only has one column and no cluster labels.
    A run that is missing is NaN in all its columns.
    """

    name: str
    values: Array
    clusters: tuple[str, ...] | None = None
    """Labels of the clusters, None where scores are known per run only."""
    queries: int | None = None
    """How many queries the clusters hold together."""
    higher_is_better: bool = True
    linear: Array | None = None
    """`values` with the clusters' unequal sizes taken out of their spread, of the same shape; see `linearised`.
    None where clusters are of one size. The variance of an arm is that of `linear`; whether an arm is ahead on
    a cluster is told by `values`. Of a sum of metrics it is the sum of theirs."""
    blocks: tuple[int, ...] | None = None
    """Sizes of the samples that the clusters are of, where these are several: the first so many clusters are one
    sample, those after them the next. Then `linear` is there and has the variance of the whole, while whether an
    arm is ahead on a single cluster has no meaning; see `splits.difference`. None: one sample."""

    statistic: Statistic | None = None
    """Of a metric that is no mean over clusters, such as a median of ranks: its value in every run under weights
    of the clusters, for the crossed bootstrap. Then `values` has one column, the metric of each run, and
    `clusters` is None."""

    @property
    def per_cluster(self) -> bool:
        """Whether scores are known per cluster, so that the scopes with new queries are possible."""
        return self.clusters is not None

    @property
    def runs(self) -> Array:
        """(arms, seeds) the metric of every run, NaN where the run is missing."""
        means: Array = self.values.mean(axis=2)
        return means


def resampled(
    name: str, statistic: Statistic, *, queries: int | None = None, higher_is_better: bool = True
) -> MetricScores:
    """A metric that is no mean over clusters."""
    values = statistic.plain()[:, :, np.newaxis]
    return MetricScores(name, values, None, queries, higher_is_better, statistic=statistic)


@dataclass(frozen=True)
class SplitFacts:
    """What is known of a split that metrics are of."""

    units: str | None = None
    """Splits of equal `units` have the same clusters; None where that is not known."""
    series: str | None = None
    """What was done to the split, where that has severities; else None."""
    severity: float | None = None


@dataclass(frozen=True)
class Queries:
    """The queries of one split in one direction, for what is asked of them one by one."""

    name: str
    """Such as `test/t2i`."""
    ranks: NDArray[np.int32]
    """(arms, seeds, queries) rank of the best correct item, from 1; 0 in runs that are missing."""
    clusters: NDArray[np.int32]
    """(queries,) the cluster of each."""
    words: NDArray[np.int32] | None = None
    """(queries,) the length of each in words, None where it is not known."""


@dataclass(frozen=True)
class QueryView:
    """A query with what one needs to look at it."""

    words: tuple[str, ...]
    boxes: NDArray[np.float32]
    """(regions, 4) x1, y1, x2, y2 as shares of the picture's width and height."""
    picture: NDArray[np.uint8] | None
    """(height, width) or (height, width, 3), None where there is none."""
    attention: Mapping[str, NDArray[np.float32]]
    """arm → (words, regions) weights, averaged over its seeds, for arms whose words attend."""


class Shelf(Protocol):
    """Where queries can be looked at, some of them."""

    @property
    def queries(self) -> Sequence[int]:
        """Places, among the queries of `Scores.queries`, of those that can be looked at."""
        ...

    def view(self, query: int, arms: Sequence[str]) -> QueryView:
        """One of them, with the attention of these arms."""
        ...


@dataclass(frozen=True)
class Scores:
    """All metrics of a set of arms with their seeds.

    `levels[arm][factor]` is the arm's level of each factor. Seeds are labels: seed `s` of two arms is the
    same seed, which pairs them.
    """

    arms: tuple[str, ...]
    levels: Mapping[str, Mapping[str, str]]
    seeds: tuple[str, ...]
    metrics: Mapping[str, MetricScores]
    """By name, `split/metric`; those of other splits than the primary metric's are for the comparison of
    splits."""
    splits: Mapping[str, SplitFacts] = field(default_factory=dict)
    """What is known of splits, by the first part of the names of metrics."""
    queries: Queries | None = None
    shelf: Shelf | None = None
    asked: tuple[int, ...] | None = None
    """How many of the first seeds each arm was to have; None where all were to have all."""

    def seeds_asked(self, row: int) -> int:
        """How many of the first seeds the arm in that row was to have."""
        return len(self.seeds) if self.asked is None else self.asked[row]

    @property
    def factors(self) -> dict[str, tuple[str, ...]]:
        """The levels of every factor, in order of appearance; factors with one level are left out."""
        found: dict[str, dict[str, None]] = {}
        for arm in self.arms:
            for factor, level in self.levels[arm].items():
                found.setdefault(factor, {})[level] = None
        return {factor: tuple(levels) for factor, levels in found.items() if len(levels) > 1}
