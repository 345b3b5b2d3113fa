"""Recall by the length of the query: how each arm does on short texts and on long ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from crosscut_reports.arm_means import arm_mean
from crosscut_reports.measurement import Table
from crosscut_reports.question import Question
from crosscut_reports.result import LengthBand
from crosscut_reports.scores import Array, MetricScores, Queries, Scores, linearised

CUTOFFS = (1, 5, 10)
MOST_BINS = 5


def bins(words: NDArray[np.int32]) -> tuple[tuple[int, int], ...]:
    """Fewest and most words of each bin of lengths, both included; empty where all queries have one length.

    Of all ways to cut the lengths that occur into two to five bins, none of which splits a length, it is the one
    whose bins are nearest to a fifth of the queries: the least sum of squared differences from it. Of equally
    near ones it is that with the lower first cut. A bin that would be far below a fifth thus joins its
    neighbour. The lengths alone decide, never a score.
    """
    found, counts = np.unique(words, return_counts=True)
    lengths, below = found.tolist(), [0, *np.cumsum(counts).tolist()]
    if len(lengths) < 2:
        return ()
    # In whole numbers, so that ties are ties: `best[end]` has the cost and the cuts of the lengths before `end`.
    best: list[tuple[int, tuple[int, ...]] | None] = [(0, ()), *([None] * len(lengths))]
    ways = []
    for number in range(1, MOST_BINS + 1):
        longer: list[tuple[int, tuple[int, ...]] | None] = [None] * len(best)
        for end in range(number, len(best)):
            longer[end] = min(
                (one[0] + (MOST_BINS * (below[end] - below[start]) - below[-1]) ** 2, (*one[1], end))
                for start in range(end)
                if (one := best[start]) is not None
            )
        best, last = longer, longer[-1]
        if number > 1 and last is not None:
            ways.append(last)
    cuts = min(ways)[1]
    return tuple((lengths[low], lengths[high - 1]) for low, high in zip((0, *cuts), cuts, strict=False))


def find(scores: Scores, question: Question) -> tuple[LengthBand, ...]:
    """Every arm's recalls on the queries of each bin of lengths, metric by metric and arm by arm.

    The mean is over the bin's queries, with the interval that an arm's mean has elsewhere: in the scope that its
    seeds allow, the units being the clusters, of which a bin may hold some queries only. Empty where lengths are
    not known or are all the same.
    """
    queries = scores.queries
    if queries is None or queries.words is None:
        return ()
    found: list[LengthBand] = []
    edges = bins(queries.words)
    members = [(queries.words >= low) & (queries.words <= high) for low, high in edges]
    for cutoff in CUTOFFS:
        metrics = [_recall(queries, chosen, cutoff) for chosen in members]
        tables = [Table(replace(scores, metrics={one.name: one}), one.name) for one in metrics]
        for arm in scores.arms:
            found += _bands(scores, question, tables, edges, arm)
    return tuple(found)


def _bands(
    scores: Scores, question: Question, tables: Sequence[Table], edges: Sequence[tuple[int, int]], arm: str
) -> list[LengthBand]:
    found = []
    for table, (low, high) in zip(tables, edges, strict=True):
        mean = arm_mean(scores, table, arm, question, {})
        if mean is not None:
            number = table.metric.queries or 0
            found.append(LengthBand(arm, mean.metric, low, high, number, mean.mean, mean.ci, mean.scope))
    return found


def _recall(queries: Queries, chosen: NDArray[np.bool_], cutoff: int) -> MetricScores:
    """Recall of the chosen queries in percent, per cluster, such that its mean over clusters is theirs."""
    order = np.flatnonzero(chosen)
    order = order[np.argsort(queries.clusters[order], kind="stable")]
    labels, starts, sizes = np.unique(queries.clusters[order], return_index=True, return_counts=True)
    ranks = queries.ranks[:, :, order]
    sums: Array = np.add.reduceat(100.0 * (ranks <= cutoff), starts, axis=2)
    values = sums * (len(labels) / len(order))
    values[(ranks == 0).any(axis=2)] = np.nan
    linear = linearised(values, sizes.astype(np.float64)) if np.ptp(sizes) else None
    name = f"{queries.name}_r{cutoff}"
    return MetricScores(name, values, tuple(map(str, labels.tolist())), len(order), linear=linear)
