"""The median rank over queries."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from crosscut_reports.estimate import Array
from crosscut_reports.statistics.base import EXAMPLE, Places, Runs, Statistic

_WINDOW = 4.0
"""The median is first looked for among the queries whose share below is ½ ± this/√clusters. Clusters of one
query that are resampled leave it at eight standard deviations."""
_ROWS = 8192
"""Ranks that are counted at once."""
_DENSE = 32
"""A rank that more than one in so many clusters has is counted faster by a dense product than by a sparse one."""
_SINGLE = 2.0**24
"""Counts below it are exact in single precision."""


@dataclass(frozen=True)
class _Window:
    """Ranks of one run among which its median is looked for."""

    run: int
    values: Array
    """(ranks,) distinct and rising."""
    rows: Places
    """(queries,) 0 for a query before the window, i + 1 for one of the i-th rank; none after the window."""
    cluster: Places
    """(queries,) the cluster of each."""


class _Block:
    """Windows whose ranks are counted together."""

    def __init__(self, windows: list[_Window], clusters: int) -> None:
        self.windows = windows
        sizes = [1 + window.values.size for window in windows]
        self.starts = np.cumsum([0, *sizes])
        rows = np.concatenate([w.rows + start for w, start in zip(windows, self.starts[:-1], strict=True)])
        columns = np.concatenate([window.cluster for window in windows])
        ones = np.ones(rows.size, dtype=np.float32)
        counts = sparse.csr_array((ones, (rows, columns)), shape=(int(self.starts[-1]), clusters))
        self.frequent = np.diff(counts.indptr) * _DENSE > clusters
        self.dense = counts[self.frequent].toarray()
        self.rare = counts[~self.frequent]

    def counts(self, weights: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        """(rows, draws) how many queries each row has under weights (clusters, draws)."""
        found = np.empty((self.frequent.size, weights.shape[1]), dtype=weights.dtype)
        found[self.frequent] = self.dense @ weights
        found[~self.frequent] = self.rare @ weights
        return found


class Median(Statistic):
    """The median of ranks, as numpy has it: the mean of the two middle ones where their number is even.

    Weights are counts of clusters here, so they are whole numbers. How many queries have a rank up to r is a
    product of counts and weights, for the ranks around the plain median and all draws at once; the search is
    widened for draws whose median lies farther away.
    """

    def __init__(
        self, ranks: NDArray[np.integer[Any]], cluster: NDArray[np.integer[Any]], clusters: int
    ) -> None:
        """Of ranks (arms, seeds, queries).

        Args:
            ranks: whole numbers from 1, or 0 throughout in a run that is missing.
            cluster: (queries,) the place of each query's cluster.
            clusters: how many clusters there are; some may be without a query.

        Raises:
            ValueError: other shapes or numbers, or a run with some of its queries.
        """
        if ranks.ndim != 3 or not ranks.shape[2] or cluster.shape != ranks.shape[2:]:
            raise ValueError(
                f"found ranks of the shape {ranks.shape} and clusters of the shape {cluster.shape}, expected "
                "(arms, seeds, queries) and (queries,)"
            )
        if cluster.min() < 0 or cluster.max() >= clusters:
            raise ValueError(
                f"cluster: found {cluster.min()} to {cluster.max()}, expected 0 to {clusters - 1}"
            )
        known = ranks > 0
        if (ranks < 0).any() or (known.any(axis=2) != known.all(axis=2)).any():
            raise ValueError("ranks: expected whole numbers from 1, or 0 throughout in a run that is missing")
        super().__init__(np.asarray(known.all(axis=2)), clusters)
        self.ranks = ranks
        self.cluster = cluster.astype(np.intp)

    @classmethod
    def of_floats(cls, ranks: Array, cluster: NDArray[np.integer[Any]], clusters: int) -> Self:
        """Of ranks that are held as floats, NaN in runs that are missing.

        Raises:
            ValueError: one is no whole number from 1.
        """
        known = ranks[np.isfinite(ranks)]
        if (known != np.floor(known)).any() or (known < 1).any() or (known > np.iinfo(np.int32).max).any():
            wrong = known[(known != np.floor(known)) | (known < 1) | (known > np.iinfo(np.int32).max)][0]
            raise ValueError(f"found {wrong:g}, expected ranks, whole numbers from 1")
        return cls(np.nan_to_num(ranks).astype(np.int32), cluster, clusters)

    def direct(self) -> Array:
        """(arms, seeds) numpy's medians of the ranks."""
        return np.where(self.present, np.median(self.ranks, axis=2), np.nan)

    def select(self, clusters: Places) -> Self:
        """The median over the queries of these clusters."""
        sizes = np.bincount(self.cluster, minlength=self.clusters)
        by_cluster = np.split(np.argsort(self.cluster, kind="stable"), np.cumsum(sizes)[:-1])
        queries = np.concatenate([by_cluster[place] for place in clusters])
        return type(self)(
            self.ranks[:, :, queries], np.repeat(np.arange(len(clusters)), sizes[clusters]), len(clusters)
        )

    @classmethod
    def example(cls, generator: np.random.Generator, missing: Runs = ()) -> Self:
        """Of small ranks, in clusters of one to three queries."""
        arms, seeds, clusters = EXAMPLE
        cluster = np.repeat(np.arange(clusters), generator.integers(1, 4, clusters))
        ranks = generator.geometric(0.2, (arms, seeds, cluster.size))
        for run in missing:
            ranks[run] = 0
        return cls(ranks, cluster, clusters)

    def _weighted(self, weights: Array) -> Array:
        if (weights != np.floor(weights)).any():
            raise ValueError("weights: found a fraction, expected counts of clusters")
        arms, seeds = self.shape
        found = np.full((arms * seeds, len(weights)), np.nan)
        total = weights @ np.bincount(self.cluster, minlength=self.clusters)
        known = np.flatnonzero(total > 0)
        columns: NDArray[np.floating[Any]] = np.ascontiguousarray(weights[known].T)
        if total.max(initial=0.0) < _SINGLE:
            columns = columns.astype(np.float32)
        for block in self._first:
            for run, medians in self._search(block, columns, total[known], self._share):
                found[run, known] = medians
        return found.reshape(arms, seeds, len(weights))

    @property
    def _share(self) -> float:
        return _WINDOW / math.sqrt(self.clusters)

    @cached_property
    def _first(self) -> list[_Block]:
        """All runs, as they are searched first."""
        blocks: list[_Block] = []
        group: list[_Window] = []
        rows = 0
        for run in np.flatnonzero(self.present):
            window = self._window(int(run), self._share)
            group.append(window)
            rows += window.values.size
            if rows > _ROWS:
                blocks.append(_Block(group, self.clusters))
                group, rows = [], 0
        return [*blocks, _Block(group, self.clusters)] if group else blocks

    def _window(self, run: int, share: float) -> _Window:
        ranks = self.ranks.reshape(-1, self.cluster.size)[run]
        last = ranks.size - 1
        ends = [max(0, math.floor((0.5 - share) * last)), min(last, math.ceil((0.5 + share) * last))]
        lowest, highest = np.partition(ranks, ends)[ends]
        queries = np.flatnonzero(ranks <= highest)
        values = np.unique(ranks[(ranks >= lowest) & (ranks <= highest)])
        # A rank before the window would be found at place 0, as the first of the window is.
        rows = np.searchsorted(values, ranks[queries]) + (ranks[queries] >= lowest)
        return _Window(run, values.astype(np.float64), rows, self.cluster[queries])

    def _search(
        self, block: _Block, weights: NDArray[np.floating[Any]], total: Array, share: float
    ) -> Iterator[tuple[int, Array]]:
        """Runs of a block with their medians (draws,), under weights (clusters, draws) of `total` queries."""
        counts = block.counts(weights)
        for window, start in zip(block.windows, block.starts[:-1], strict=True):
            up_to = counts[start : start + 1 + window.values.size].cumsum(axis=0)
            # How many ranks of the window, and the row before it, end before the query in the middle.
            values = np.concatenate([[np.nan], window.values, [np.nan]])
            lower, upper = (
                values[(up_to <= middle).sum(axis=0)] for middle in ((total - 1) // 2, total // 2)
            )
            medians = (lower + upper) / 2
            outside = np.flatnonzero(np.isnan(medians))
            if outside.size:
                wider = _Block([self._window(window.run, 2 * share)], self.clusters)
                ((_, medians[outside]),) = self._search(wider, weights[:, outside], total[outside], 2 * share)
            yield window.run, medians
