"""From records to what the report computes with: scores per arm, seed and image, and the story around them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from statistics import fmean, stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crosscut.arm_plan import ArmPlan
from crosscut.plan import Plan
from crosscut.records.key import digest
from crosscut.records.record import Record
from crosscut_reports.context import Context, Failure, Note, Tuning
from crosscut_reports.directions import higher_is_better
from crosscut_reports.question import Question
from crosscut_reports.scores import MetricScores, Scores, linearised
from crosscut_trainables.evaluation import QueryRanks

CUTOFFS = (1, 5, 10)


def scores_of(plan: Plan) -> Scores:
    """The scores of all runs of a plan that ended well, on the splits that the report is about.

    The dev split chose values and epochs, so its scores are no evidence: metrics are left out that are of another
    split than the primary one, unless the sweep's report asks for them.

    Recalls (`test/i2t_r1` …) and their sum `test/rsum` are known per image, from the ranks; every other metric
    that all runs have is known per run. A run that is missing or failed is NaN.
    """
    runs = [[_good(record) for record in arm.finals] for arm in plan.arms]
    present = [record for row in runs for record in row if record is not None]
    metrics: dict[str, MetricScores] = {}
    metrics.update((metric.name, metric) for metric in _per_cluster(runs, present))
    metrics.update((metric.name, metric) for metric in _by_value(runs, present))
    for name in _common(present):
        if name not in metrics:
            values = np.array([[r.metrics[name] if r else np.nan for r in row] for row in runs])
            metrics[name] = MetricScores(
                name, values[:, :, np.newaxis], higher_is_better=higher_is_better(name)
            )
    asked = plan.experiment.sweep.report
    split = asked.primary.rpartition("/")[0]
    kept = {
        name: found
        for name, found in metrics.items()
        if name.rpartition("/")[0] == split or name in (asked.metrics or ())
    }
    # A trainable that has no such split is reported on what it has.
    metrics = kept or metrics
    return Scores(
        arms=tuple(arm.arm.name for arm in plan.arms),
        levels={arm.arm.name: arm.arm.levels for arm in plan.arms},
        seeds=tuple(str(seed) for seed in plan.arms[0].seeds),
        metrics=metrics,
    )


def question_of(plan: Plan) -> Question:
    """What the sweep declared before its runs."""
    sweep, baseline = plan.experiment.sweep, plan.experiment.baseline
    return Question(
        primary=sweep.report.primary,
        alpha=sweep.report.alpha,
        margin=sweep.report.margin,
        baseline=None if baseline is None else baseline.name,
        hypotheses=[hypothesis.to_json() for hypothesis in sweep.hypotheses],
        metrics=sweep.report.metrics,
    )


def context_of(plan: Plan) -> Context:
    """How the arms were tuned, what failed, what trainables note, and where the runs came from."""
    sweep = plan.experiment.sweep
    runs = [record for arm in plan.arms for record in arm.finals if record is not None]
    return Context(
        name=sweep.name,
        question=sweep.question,
        tuning=[_tuning(arm) for arm in plan.arms],
        failures=[_failure(record) for record in plan.failures if record.failure is not None],
        notes=[note for arm in plan.arms for note in _notes(arm)],
        attention={arm.arm.name: found for arm in plan.arms if (found := _attention(arm))},
        provenance=_provenance(plan, runs),
        planned=plan.runs[1],
        recorded=sum(record.status == "finished" for record in runs),
    )


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


def _per_cluster(
    runs: Sequence[Sequence[Record | None]], present: Sequence[Record]
) -> Iterator[MetricScores]:
    """Each recall, and rsum, per cluster."""
    shared = sorted(set.intersection(*(set(r.ranks) for r in present))) if present else []
    for split in dict.fromkeys(name.rpartition("/")[0] for name in shared):
        recalls: list[MetricScores] = []
        directions = [name for name in shared if name.rpartition("/")[0] == split]
        for name in directions:
            # Runs that ranked other galleries are known per run only.
            first = present[0].ranks[name].clusters
            if all(np.array_equal(np.sort(r.ranks[name].clusters), np.sort(first)) for r in present):
                for cutoff in CUTOFFS:
                    found = partial(_hits, name=name, cutoff=cutoff)
                    recalls.append(_clustered(f"{name}_r{cutoff}", runs, first, found))
        yield from recalls
        # Recalls of both directions can be added per image where both have the same images.
        if len(recalls) == 2 * len(CUTOFFS) and len({recall.clusters for recall in recalls}) == 1:
            linear = [r.values if r.linear is None else r.linear for r in recalls]
            yield MetricScores(
                f"{split}/rsum",
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


def _by_value(runs: Sequence[Sequence[Record | None]], present: Sequence[Record]) -> Iterator[MetricScores]:
    """Each further metric that is known by query, per cluster, so that the mean over clusters is the metric."""
    shared = sorted(set.intersection(*(set(r.values) for r in present))) if present else []
    for name in shared:
        queries = present[0].values[name].clusters
        if not all(np.array_equal(np.sort(r.values[name].clusters), np.sort(queries)) for r in present):
            continue
        yield _clustered(name, runs, queries, partial(_values, name=name))


def _hits(record: Record, name: str, cutoff: int) -> NDArray[np.float64]:
    return hits(record.ranks[name], cutoff)


def _values(record: Record, name: str) -> NDArray[np.float64]:
    return _per_image(record.values[name].values, record.values[name].clusters)


def _good(record: Record | None) -> Record | None:
    return record if record is not None and record.status == "finished" else None


def _common(present: Sequence[Record]) -> list[str]:
    """Metrics that every run has, in the order of the first."""
    if not present:
        return []
    return [name for name in present[0].metrics if all(name in record.metrics for record in present)]


def _tuning(arm: ArmPlan) -> Tuning:
    search = arm.sweep.search
    trials = [record for record in arm.trials if record is not None]
    values = arm.values
    if search is None:
        return Tuning(arm.arm.name, 0, 0, 0, "", None, {})
    maximize = search.mode == "max"
    ended = [r for r in trials if r.status != "failed"]
    scores = [score for r in ended if (score := r.best(search.metric, maximize)) is not None]
    return Tuning(
        arm=arm.arm.name,
        trials=len(trials),
        pruned=sum(r.status == "pruned" for r in trials),
        failed=sum(r.status == "failed" for r in trials),
        metric=search.metric,
        best=(max(scores) if maximize else min(scores)) if scores else None,
        values=values or {},
        scores=tuple(scores),
    )


def _failure(record: Record) -> Failure:
    assert record.failure is not None
    work = record.work
    return Failure(work.arm, work.phase, work.number, record.failure.kind, record.failure.reason)


def _notes(arm: ArmPlan) -> Iterator[Note]:
    for record in (*arm.trials, *arm.finals):
        if record is not None:
            work = record.work
            yield from (Note(work.arm, work.phase, work.number, text) for text in record.notes)


def _attention(arm: ArmPlan) -> dict[str, tuple[float, float]]:
    """Attention metric → mean and standard deviation over the arm's seeds, NaN with one seed."""
    present = [record for record in arm.finals if _good(record) is not None and record is not None]
    found: dict[str, tuple[float, float]] = {}
    for name in _common(present):
        if "attention_" in name:
            values = [record.metrics[name] for record in present]
            found[name] = (fmean(values), stdev(values) if len(values) > 1 else math.nan)
    return found


def _provenance(plan: Plan, runs: Sequence[Record]) -> dict[str, str]:
    """Label → text; several values of one thing are all named, since a careful reader wants to know."""

    def distinct(values: Sequence[Any]) -> str:
        return ", ".join(sorted({str(value) for value in values if value is not None})) or "unknown"

    sweep = plan.experiment.sweep
    found = {
        "sweep": f"{sweep.name} (hash {digest(sweep.to_json())[:16]})",
        "trainable": sweep.trainable,
        "data fingerprint": distinct([arm.arm.data for arm in plan.arms]),
        "commit": distinct([record.provenance.get("commit") for record in runs]),
        "workers per run": distinct([record.provenance.get("workers") for record in runs]),
        "device": distinct([record.provenance.get("device") for record in runs]),
        "seeds": ", ".join(str(seed) for seed in plan.arms[0].seeds),
    }
    versions = [record.provenance.get("versions", {}) for record in runs]
    for package in dict.fromkeys(name for version in versions for name in version):
        found[package] = distinct([version.get(package) for version in versions])
    return found
