"""Scores from a long table: one row a value, in a file that any tool may have written, or a data frame.

Columns: `seed`, `metric`, `value`; `config`, or one column per factor, or both; optionally `query` and
`cluster`. Every other column with more than one level is a factor. With `config` the arm is the config, and a
column counts as a factor only where it is a function of it. Without, the arm is the combination of levels and
is named by them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crosscut_reports.columns import RESERVED, Coded, Codes, Columns, TableError, load, near_name, of_frame
from crosscut_reports.directions import higher_is_better, is_median
from crosscut_reports.scores import MetricScores, Scores, linearised, resampled
from crosscut_reports.statistics import Median

__all__ = ["TableError", "from_frame", "read"]

RECALLS = ("i2t_r1", "i2t_r5", "i2t_r10", "t2i_r1", "t2i_r5", "t2i_r10")


def read(path: str | Path, *, metric: str | None = None, factors: Sequence[str] | None = None) -> Scores:
    """Read the table at `path`.

    Values keep the table's unit. Where there are queries, a cluster's score is the sum of its queries' values
    times C/N, for C clusters and N queries, so that the plain mean over clusters is the mean over queries
    also where clusters are unequal. Of a metric whose name ends in `medr` the values of queries are ranks, and it
    is their median. Without a `cluster` column each query is a cluster of its own. A run with
    no row for a metric is missing; a run with some of its queries is refused. Six recalls without their sum
    get an `rsum`.

    `metric` must be among the metrics then; `factors` makes the arms the combinations of those columns.
    Raises TableError.
    """
    return _scores(load(Path(path)), metric, factors)


def from_frame(
    frame: Any, *, metric: str | None = None, factors: Sequence[str] | None = None, name: str = "frame"
) -> Scores:
    """The same from a data frame (pandas, Polars, Arrow, or a mapping of columns), which errors call `name`."""
    return _scores(of_frame(frame, name), metric, factors)


def _scores(columns: Columns, metric: str | None, factors: Sequence[str] | None) -> Scores:
    seed, metrics = columns.coded("seed"), columns.coded("metric")
    arms, levels, arm_codes = _arms(columns, factors)
    order = _seed_order(seed.labels)
    rows = _Rows(
        columns, arms, tuple(seed.labels[i] for i in order), arm_codes, np.argsort(order)[seed.codes], metrics
    )
    query_codes, clusters_of, cluster_labels = _queries(columns)
    _refuse_duplicates(rows, query_codes)
    found = {
        name: _metric(
            rows, name, np.flatnonzero(metrics.codes == code), query_codes, clusters_of, cluster_labels
        )
        for code, name in enumerate(metrics.labels)
    }
    found.update(_rsums(found))
    if metric is not None and metric not in found:
        raise columns.fault(f"has no metric {metric!r}", near=near_name(metric, found), choices=found)
    return Scores(arms=arms, levels=levels, seeds=rows.seeds, metrics=found)


@dataclass(frozen=True)
class _Rows:
    """Which run every row belongs to."""

    columns: Columns
    arms: tuple[str, ...]
    seeds: tuple[str, ...]
    arm: Codes
    seed: Codes
    metric: Coded


def _arms(
    columns: Columns, factors: Sequence[str] | None
) -> tuple[tuple[str, ...], dict[str, dict[str, str]], Codes]:
    """Names of the arms, their levels, and the arm of every row."""
    free = [name for name in columns.names if name not in RESERVED]
    for name in factors or ():
        if name not in free:
            raise columns.fault(f"has no factor {name!r}", near=near_name(name, free), choices=free)
    if factors or "config" not in free:
        chosen = list(dict.fromkeys(factors)) if factors else free
        coded = {name: columns.coded(name) for name in chosen}
        varying = [name for name in chosen if len(coded[name].labels) > 1] or chosen
        first, codes = _combine([coded[name].codes for name in varying])
        cells = [{name: coded[name].labels[coded[name].codes[row]] for name in varying} for row in first]
        names = [", ".join(cell.values()) for cell in cells]
        if len(set(names)) < len(names):  # a level that itself holds ", " can make two arms look alike
            names = [", ".join(f"{name}={level}" for name, level in cell.items()) for cell in cells]
        return tuple(names), dict(zip(names, cells, strict=True)), codes
    config = columns.coded("config")
    first = _first_rows(config)
    used: dict[str, Coded] = {}
    for name in free:
        other = columns.text[name]
        if (
            name != "config"
            and len(other.labels) > 1
            and bool((other.codes[first][config.codes] == other.codes).all())
        ):
            used[name] = columns.coded(name)
    used = used or {"config": config}
    levels = {
        arm: {name: column.labels[column.codes[row]] for name, column in used.items()}
        for arm, row in zip(config.labels, first, strict=True)
    }
    return config.labels, levels, config.codes


def _first_rows(column: Coded) -> Codes:
    """The first row of every label."""
    first: Codes = np.unique(column.codes, return_index=True)[1].astype(np.int64)
    return first


def _combine(codes: Sequence[Codes]) -> tuple[Codes, Codes]:
    """Distinct combinations in order of appearance: the first row of each, and the number of every row."""
    joint = np.zeros_like(codes[0])
    for code in codes:
        joint = joint * (int(code.max()) + 1) + code
    _, first, inverse = np.unique(joint, return_index=True, return_inverse=True)
    order = np.argsort(first)
    return first[order].astype(np.int64), np.argsort(order)[inverse.reshape(-1)].astype(np.int64)


def _seed_order(labels: Sequence[str]) -> Codes:
    """Whole numbers by size, anything else in order of appearance."""
    try:
        keys = [int(label) for label in labels]
    except ValueError:
        keys = list(range(len(labels)))
    return np.argsort(np.asarray(keys, dtype=object), kind="stable").astype(np.int64)


def _queries(columns: Columns) -> tuple[Codes | None, Codes, tuple[str, ...]]:
    """The query of every row (-1 where a row has none), the cluster of every query, the clusters' labels.

    A query is known by its name and its cluster together, so captions may be numbered within their image.
    """
    named = [name for name in ("query", "cluster") if name in columns.names]
    if not named:
        return None, np.zeros(0, dtype=np.int64), ()
    query, cluster = columns.text[named[0]], columns.text[named[-1]]
    first, codes = _combine([query.codes, cluster.codes])
    empty = np.zeros(len(codes), dtype=bool)
    for name in named:
        if "" in columns.text[name].labels:
            blank = columns.text[name].codes == columns.text[name].labels.index("")
            if name == "cluster" and bool((blank & ~empty).any()):
                row = int(np.flatnonzero(blank & ~empty)[0])
                raise columns.fault(
                    f"row {columns.row_number(row)}: column 'cluster' is empty where 'query' is not"
                )
            empty |= blank
    return np.where(empty, -1, codes), cluster.codes[first], cluster.labels


def _refuse_duplicates(rows: _Rows, query: Codes | None) -> None:
    keys = [rows.arm, rows.seed, rows.metric.codes, *([] if query is None else [query + 1])]
    first, codes = _combine(keys)
    if len(first) == len(codes):
        return
    again = int(np.flatnonzero(first[codes] != np.arange(len(codes)))[0])
    before = int(first[codes[again]])
    columns = rows.columns
    key = {
        "config": rows.arms[rows.arm[again]],
        "seed": rows.seeds[rows.seed[again]],
        "metric": rows.metric.labels[rows.metric.codes[again]],
    }
    if query is not None and query[again] >= 0:
        key |= {
            name: columns.text[name].labels[columns.text[name].codes[again]]
            for name in ("query", "cluster")
            if name in columns.names
        }
    listed = ", ".join(f"{name} {value!r}" for name, value in key.items())
    raise columns.fault(
        f"rows {columns.row_number(before)} and {columns.row_number(again)} are the same measurement "
        f"({listed}); every arm, seed, metric and query may occur once"
    )


def _metric(
    rows: _Rows,
    name: str,
    at: Codes,
    query: Codes | None,
    clusters_of: Codes,
    cluster_labels: tuple[str, ...],
) -> MetricScores:
    """The scores of the metric whose rows are `at`."""
    columns, shape = rows.columns, (len(rows.arms), len(rows.seeds))
    run = rows.arm[at] * shape[1] + rows.seed[at]
    values = columns.values[at]
    better = higher_is_better(name)
    if query is None or bool((query[at] < 0).all()):
        scores = np.full(shape[0] * shape[1], np.nan)
        scores[run] = values
        return MetricScores(name, scores.reshape(*shape, 1), higher_is_better=better)
    if bool((query[at] < 0).any()):
        row = int(at[np.flatnonzero(query[at] < 0)[0]])
        raise columns.fault(
            f"row {columns.row_number(row)}: metric {name!r} has no query here but has queries in other rows"
        )
    queries = np.unique(query[at])
    _refuse_missing(rows, name, run, len(queries))
    cluster = clusters_of[query[at]]
    present = np.unique(clusters_of[queries])
    column = np.searchsorted(present, cluster)
    if is_median(name):
        ranks = np.full((shape[0] * shape[1], len(queries)), np.nan)
        ranks[run, np.searchsorted(queries, query[at])] = values
        try:
            codes = np.searchsorted(present, clusters_of[queries])
            statistic = Median.of_floats(ranks.reshape(*shape, len(queries)), codes, len(present))
        except ValueError as error:
            raise columns.fault(f"metric {name!r}: {error}") from None
        return resampled(name, statistic, queries=len(queries), higher_is_better=better)
    # Each cluster's mean weighs n_c·C/N, which is its sum times C/N.
    cells = shape[0] * shape[1] * len(present)
    sums = np.bincount(run * len(present) + column, weights=values, minlength=cells)
    scores = sums.reshape(*shape, len(present)).astype(np.float64) * (len(present) / len(queries))
    scores[np.bincount(run, minlength=shape[0] * shape[1]).reshape(shape) == 0] = np.nan
    labels = tuple(cluster_labels[i] for i in present)
    sizes = np.bincount(np.searchsorted(present, clusters_of[queries]), minlength=len(present)).astype(float)
    return MetricScores(
        name,
        scores,
        clusters=labels,
        queries=len(queries),
        higher_is_better=better,
        linear=linearised(scores, sizes) if np.ptp(sizes) else None,
    )


def _refuse_missing(rows: _Rows, name: str, run: Codes, queries: int) -> None:
    """Refuse runs that have some of a metric's queries only."""
    counts = np.bincount(run, minlength=len(rows.arms) * len(rows.seeds))
    partial = np.flatnonzero((counts > 0) & (counts < queries))
    if not partial.size:
        return
    arm, seed = divmod(int(partial[0]), len(rows.seeds))
    more = f" (and {partial.size - 1} more runs lack some)" if partial.size > 1 else ""
    raise rows.columns.fault(
        f"metric {name!r}: {queries - int(counts[partial[0]])} of {queries} queries are missing for config "
        f"{rows.arms[arm]!r}, seed {rows.seeds[seed]!r}{more}; a run has every query or none"
    )


def _rsums(metrics: Mapping[str, MetricScores]) -> dict[str, MetricScores]:
    """The sum of the six recalls for every `split/` that has all of them and no rsum."""
    sums: dict[str, MetricScores] = {}
    for name in metrics:
        prefix = name.removesuffix(RECALLS[0])
        target = f"{prefix}rsum"
        if name == prefix or (prefix and not prefix.endswith("/")) or target in metrics:
            continue
        parts = [metrics.get(prefix + recall) for recall in RECALLS]
        present = [part for part in parts if part is not None]
        if len(present) == len(RECALLS):
            sums[target] = _sum(target, present)
    return sums


def _sum(name: str, parts: Sequence[MetricScores]) -> MetricScores:
    """Per cluster where all parts have the same clusters, per run otherwise."""
    clusters = parts[0].clusters
    if clusters is None or any(set(part.clusters or ()) != set(clusters) for part in parts):
        runs = np.stack([part.runs[:, :, None] for part in parts]).sum(axis=0)
        return MetricScores(name, runs)
    total = np.zeros_like(parts[0].values)
    linear = np.zeros_like(total)
    for part in parts:
        place = {label: i for i, label in enumerate(part.clusters or ())}
        order = [place[label] for label in clusters]
        total = total + part.values[:, :, order]
        linear = linear + (part.values if part.linear is None else part.linear)[:, :, order]
    # Both directions ask their own queries: i2t the images, t2i the captions.
    directions = {prefix: part.queries or 0 for prefix, part in zip(RECALLS, parts, strict=True)}
    return MetricScores(
        name,
        total,
        clusters=clusters,
        queries=directions["i2t_r1"] + directions["t2i_r1"],
        linear=linear if any(part.linear is not None for part in parts) else None,
    )
