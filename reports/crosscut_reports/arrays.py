"""Scores from arrays that are at hand: a metric each, by arm, seed, and query where that is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from crosscut_reports.directions import higher_is_better, is_median
from crosscut_reports.scores import Array, MetricScores, Scores, linearised, resampled
from crosscut_reports.statistics import Median, Statistic


def from_arrays(
    metrics: Mapping[str, ArrayLike | Statistic],
    arms: Sequence[str],
    *,
    seeds: Sequence[str | int] | None = None,
    levels: Mapping[str, Mapping[str, str]] | None = None,
    clusters: Sequence[str | int] | None = None,
    lower_is_better: Sequence[str] = (),
) -> Scores:
    """Scores of arms.

    Args:
        metrics: name → (arms, seeds) a value a run, or (arms, seeds, queries) a value a query, of which the mean
            is the metric, or the median where its name ends in `medr`, whose values are ranks. A run that is
            missing is NaN throughout. Or a statistic of the same arms and seeds, such as a `statistics.Ratio`.
        arms: their names, in the order of the first axis.
        seeds: their labels, 0, 1, … by default; seed `s` of two arms is the same seed, which pairs them.
        levels: arm → factor → level; by default one factor, `arm`.
        clusters: the cluster of each query, such as the image of a caption; by default each query is its own.
        lower_is_better: metrics that are better when lower, beside those whose names say so.

    Raises:
        ValueError: shapes that do not agree, a run with some of its queries, or a value that is infinite.
    """
    if len(set(arms)) != len(arms):
        raise ValueError("arms: found a name twice, expected each once")
    if not metrics:
        raise ValueError("metrics: found none, expected one or more")
    given_as = {
        name: values if isinstance(values, Statistic) else np.asarray(values, dtype=np.float64)
        for name, values in metrics.items()
    }
    counts = {values.shape[1] for values in given_as.values() if len(values.shape) in (2, 3)}
    labels = [str(seed) for seed in (range(max(counts, default=0)) if seeds is None else seeds)]
    found = {}
    for name, values in given_as.items():
        better = higher_is_better(name) and name not in lower_is_better
        if len(values.shape) not in (2, 3) or values.shape[:2] != (len(arms), len(labels)):
            raise ValueError(
                f"{name}: found the shape {values.shape}, expected ({len(arms)}, {len(labels)}) and queries, "
                "if any"
            )
        if isinstance(values, Statistic):
            found[name] = resampled(name, values, higher_is_better=better)
        else:
            found[name] = _metric(name, values, clusters, better)
    given = (
        {arm: {"arm": arm} for arm in arms} if levels is None else {arm: dict(levels[arm]) for arm in arms}
    )
    return Scores(tuple(arms), given, tuple(labels), found)


def _metric(
    name: str,
    values: Array,
    clusters: Sequence[str | int] | None,
    better: bool,
) -> MetricScores:
    if np.isinf(values).any():
        raise ValueError(
            f"{name}: found an infinite value, expected finite ones, or NaN for a run that is missing"
        )
    if values.ndim == 2:
        return MetricScores(name, values[:, :, np.newaxis], higher_is_better=better)
    queries = values.shape[2]
    if not queries or (clusters is not None and len(clusters) != queries):
        raise ValueError(
            f"{name}: found {queries} queries, expected {'one or more' if clusters is None else len(clusters)}"
        )
    missing = np.isnan(values)
    if (missing.any(axis=2) != missing.all(axis=2)).any():
        raise ValueError(f"{name}: found a run with some of its queries, expected all of them or none")
    own = [str(label) for label in (range(queries) if clusters is None else clusters)]
    names = list(dict.fromkeys(own))
    place = {label: index for index, label in enumerate(names)}
    codes = np.array([place[label] for label in own])
    if is_median(name):
        try:
            statistic = Median.of_floats(values, codes, len(names))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        return resampled(name, statistic, queries=queries, higher_is_better=better)
    order = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes).astype(np.float64)
    starts = np.concatenate([[0], np.cumsum(sizes[:-1])]).astype(np.intp)
    sums = np.add.reduceat(values[:, :, order], starts, axis=2) * (len(names) / queries)
    return MetricScores(
        name,
        sums,
        tuple(names),
        queries,
        better,
        linear=linearised(sums, sizes) if np.ptp(sizes) else None,
    )
