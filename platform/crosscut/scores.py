"""From records to what the report computes with: scores per arm, seed and image."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crosscut.plan import Plan
from crosscut.records.record import Record
from crosscut.shelf import ReadDetails, RecordShelf
from crosscut_reports.between_splits import spans
from crosscut_reports.directions import higher_is_better
from crosscut_reports.hypothesis import Hypothesis
from crosscut_reports.scores import MetricScores, Queries, Scores, SplitFacts, linearised, resampled
from crosscut_reports.statistics import Median
from crosscut_trainables.evaluation import QueryRanks

CUTOFFS = (1, 5, 10)


def scores_of(
    plan: Plan,
    primary: str | None = None,
    details: ReadDetails | None = None,
    hypotheses: Sequence[Hypothesis] = (),
) -> Scores:
    """The scores of all runs of a plan that ended well, on the splits that the report is about.

    The dev split chose values and epochs, so its scores are no evidence: metrics are left out that are of another
    split than the primary one, unless the sweep's report asks for them, or they are the primary one on a split
    that runs were evaluated on, or a hypothesis names them: one of the sweep or of `hypotheses`. `primary` takes
    the place of the sweep's; `details` gives the details of a record, whose examples can be looked at.

    Recalls (`test/i2t_r1` …) and their sum `test/rsum` are known per image, from the ranks, and median ranks are
    resampled from them; every other metric that all runs have is known per run. A run that is missing or failed is
    NaN.
    """
    seeds = plan.seeds
    runs = [_padded([finished(record) for record in arm.finals], len(seeds)) for arm in plan.arms]
    present = [record for row in runs for record in row if record is not None]
    asked = plan.experiment.sweep.report
    split, _, suffix = (primary or asked.primary).rpartition("/")
    there = _splits(present)
    wanted = set(asked.metrics or ()) | {f"{other}/{suffix}" for other in there}
    declared = (*plan.experiment.sweep.hypotheses, *hypotheses)
    wanted |= {metric for one in declared for metric in one.metrics}
    for span in spans(declared, primary or asked.primary).values():
        wanted |= {span.there, span.here}
    names = [name for name in _names(present) if name.rpartition("/")[0] == split or name in wanted]
    # A trainable that has no such split is reported on what it has.
    chosen = names or _names(present)
    metrics: dict[str, MetricScores] = {}
    metrics.update((metric.name, metric) for metric in _per_cluster(runs, present, chosen))
    metrics.update((metric.name, metric) for metric in _by_value(runs, present, chosen))
    metrics.update((metric.name, metric) for metric in _medians(runs, present, chosen))
    for name in common_metrics(present):
        if name not in metrics and name in chosen:
            values = np.array([[r.metrics[name] if r else np.nan for r in row] for row in runs])
            metrics[name] = MetricScores(
                name, values[:, :, np.newaxis], higher_is_better=higher_is_better(name)
            )
    queries = _queries(runs, present, dict.fromkeys(("test", split)))
    shelf = None
    if queries is not None and details is not None:
        keys = {
            arm.arm.name: [record.key for record in row if record is not None]
            for arm, row in zip(plan.arms, runs, strict=True)
        }
        shelf = RecordShelf(queries.name, keys, details)
    return Scores(
        arms=tuple(arm.arm.name for arm in plan.arms),
        levels={arm.arm.name: arm.arm.levels for arm in plan.arms},
        seeds=tuple(str(seed) for seed in seeds),
        metrics=metrics,
        asked=tuple(len(arm.finals) for arm in plan.arms),
        splits=there,
        queries=queries,
        shelf=shelf,
    )


def _padded(records: list[Record | None], length: int) -> list[Record | None]:
    return records + [None] * (length - len(records))


def hits(ranks: QueryRanks, cutoff: int) -> NDArray[np.float64]:
    """(clusters,) recall at `cutoff` in percent, per cluster, such that the mean over clusters is the recall."""
    return _per_image(100.0 * (ranks.ranks <= cutoff), ranks.clusters)


def _per_image(values: NDArray[Any], clusters: NDArray[np.int32]) -> NDArray[np.float64]:
    """(clusters,) a metric per cluster, from `values` by query, such that the mean over clusters is the metric.

    A cluster's share is weighted by its number of queries, so this holds where images have unequal numbers of
    captions too: the mean over clusters of (n_c·C/N)·sum_c/n_c is sum/N.
    """
    _, cluster = np.unique(clusters, return_inverse=True)
    sums = np.bincount(cluster, weights=values)
    return np.asarray(sums * len(sums) / len(values))


def _splits(present: Sequence[Record]) -> dict[str, SplitFacts]:
    """What is known of the splits that every run was evaluated on; of units that differ, nothing is."""
    if not present:
        return {}
    shared = [name for name in present[0].splits if all(name in record.splits for record in present)]
    found: dict[str, SplitFacts] = {}
    for name in shared:
        facts = {record.splits[name] for record in present}
        one = next(iter(facts))
        found[name] = SplitFacts(one.units, one.series, one.severity) if len(facts) == 1 else SplitFacts()
    return found


def _queries(
    runs: Sequence[Sequence[Record | None]], present: Sequence[Record], splits: Iterable[str]
) -> Queries | None:
    """The texts of the first of these splits that every run ranks in the same order, None where there is none."""
    for split in splits:
        name = f"{split}/t2i"
        if not present or not all(name in record.ranks for record in present):
            continue
        clusters = present[0].ranks[name].clusters
        if not all(np.array_equal(record.ranks[name].clusters, clusters) for record in present):
            continue
        blank = np.zeros(len(clusters), np.int32)
        ranks = np.array([[r.ranks[name].ranks if r else blank for r in row] for row in runs], np.int32)
        lengths = [record.traits.get(f"{name}_words") for record in present]
        first = lengths[0]
        if first is None or not all(
            o is not None and np.array_equal(o.values, first.values) for o in lengths
        ):
            return Queries(name, ranks, clusters)
        words = first.values.astype(np.int32)
        return Queries(name, ranks, clusters, words if len(words) == len(clusters) else None)
    return None


def _names(present: Sequence[Record]) -> list[str]:
    """Metrics that every run has, or whose ranks every run has."""
    if not present:
        return []
    ranks = [name for name in present[0].ranks if all(name in record.ranks for record in present)]
    made = [f"{name}_r{cutoff}" for name in ranks for cutoff in CUTOFFS]
    made += [f"{name.rpartition('/')[0]}/rsum" for name in ranks]
    return list(dict.fromkeys([*common_metrics(present), *made]))


def _per_cluster(
    runs: Sequence[Sequence[Record | None]], present: Sequence[Record], chosen: Collection[str]
) -> Iterator[MetricScores]:
    """Each recall, and rsum, per cluster; of those that are chosen."""
    shared = sorted(set.intersection(*(set(r.ranks) for r in present))) if present else []
    for split in dict.fromkeys(name.rpartition("/")[0] for name in shared):
        recalls: list[MetricScores] = []
        directions = [name for name in shared if name.rpartition("/")[0] == split]
        rsum = f"{split}/rsum"
        for name in directions:
            # Runs that ranked other galleries are known per run only.
            first = present[0].ranks[name].clusters
            if all(np.array_equal(np.sort(r.ranks[name].clusters), np.sort(first)) for r in present):
                for cutoff in CUTOFFS:
                    if rsum in chosen or f"{name}_r{cutoff}" in chosen:
                        found = partial(_hits, name=name, cutoff=cutoff)
                        recalls.append(_clustered(f"{name}_r{cutoff}", runs, first, found))
        yield from (recall for recall in recalls if recall.name in chosen)
        # Recalls of both directions can be added per image where both have the same images.
        if (
            rsum in chosen
            and len(recalls) == 2 * len(CUTOFFS)
            and len({recall.clusters for recall in recalls}) == 1
        ):
            linear = [r.values if r.linear is None else r.linear for r in recalls]
            yield MetricScores(
                rsum,
                np.sum([recall.values for recall in recalls], axis=0),
                recalls[0].clusters,
                sum(recall.queries or 0 for recall in recalls) // len(CUTOFFS),
                linear=None if all(r.linear is None for r in recalls) else np.sum(linear, axis=0),
            )


def _clustered(
    name: str,
    runs: Sequence[Sequence[Record | None]],
    queries: NDArray[np.int32],
    of: Callable[[Record], NDArray[np.float64]],
) -> MetricScores:
    """The metric `name` per cluster, which `of` gives of a run; `queries` are the clusters of its queries."""
    labels, sizes = np.unique(queries, return_counts=True)
    blank = np.full(len(labels), np.nan)
    values = np.array([[of(r) if r else blank for r in row] for row in runs])
    return MetricScores(
        name,
        values,
        tuple(str(label) for label in labels),
        len(queries),
        higher_is_better=higher_is_better(name),
        linear=linearised(values, sizes.astype(np.float64)) if np.ptp(sizes) else None,
    )


def _by_value(
    runs: Sequence[Sequence[Record | None]], present: Sequence[Record], chosen: Collection[str]
) -> Iterator[MetricScores]:
    """Each further metric that is known by query, per cluster, so that the mean over clusters is the metric."""
    shared = sorted(set.intersection(*(set(r.values) for r in present))) if present else []
    for name in (name for name in shared if name in chosen):
        queries = present[0].values[name].clusters
        if not all(np.array_equal(np.sort(r.values[name].clusters), np.sort(queries)) for r in present):
            continue
        yield _clustered(name, runs, queries, partial(_values, name=name))


def _medians(
    runs: Sequence[Sequence[Record | None]], present: Sequence[Record], chosen: Collection[str]
) -> Iterator[MetricScores]:
    """Each median rank that is chosen, of ranks that all runs have of the same clusters."""
    for ranks in sorted(set.intersection(*(set(r.ranks) for r in present))) if present else []:
        name = f"{ranks}_medr"
        clusters = np.sort(present[0].ranks[ranks].clusters)
        if name not in chosen or not all(
            np.array_equal(np.sort(r.ranks[ranks].clusters), clusters) for r in present
        ):
            continue
        blank = np.zeros(len(clusters), np.int32)
        known = np.array([[_by_cluster(r.ranks[ranks]) if r else blank for r in row] for row in runs])
        labels, places = np.unique(clusters, return_inverse=True)
        statistic = Median(known, places, len(labels))
        yield resampled(name, statistic, queries=len(clusters), higher_is_better=higher_is_better(name))


def _by_cluster(ranks: QueryRanks) -> NDArray[np.int32]:
    """Ranks in the order of the clusters, which makes runs that went through queries in another order alike."""
    found: NDArray[np.int32] = ranks.ranks[np.argsort(ranks.clusters, kind="stable")]
    return found


def _hits(record: Record, name: str, cutoff: int) -> NDArray[np.float64]:
    return hits(record.ranks[name], cutoff)


def _values(record: Record, name: str) -> NDArray[np.float64]:
    return _per_image(record.values[name].values, record.values[name].clusters)


def finished(record: Record | None) -> Record | None:
    """The record of a run that ended well, None for any other."""
    return record if record is not None and record.status == "finished" else None


def common_metrics(present: Sequence[Record]) -> list[str]:
    """Metrics that every run has, in the order of the first."""
    if not present:
        return []
    return [name for name in present[0].metrics if all(name in record.metrics for record in present)]
