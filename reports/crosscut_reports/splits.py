"""Splits that are compared: which there are, whether they ask the same queries, and what lies between two."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from crosscut_reports.estimate import ROUNDING, Array
from crosscut_reports.scores import MetricScores, SplitFacts

TEST = "test"
"""The split that others are compared with, where there is one of the name."""
SEEN = frozenset({"dev", "val", "valid", "validation", "train"})
"""Splits that values, epochs or weights were chosen on: no shift, and no evidence."""


def split_of(metric: str) -> str:
    """`test` of `test/rsum`: what stands before the last slash, empty where there is none."""
    return metric.rpartition("/")[0]


@dataclass(frozen=True)
class Compared:
    """Splits that have one metric in common."""

    source: str
    others: tuple[str, ...]
    suffix: str
    """The metric's name without its split."""

    def metric(self, split: str) -> str:
        """The metric's name on a split."""
        return f"{split}/{self.suffix}"


def compared(metrics: Iterable[str], primary: str) -> Compared | None:
    """The splits that the primary metric is known on, in order of appearance; None where there is one only.

    The source is `test`, or where that has no such metric the primary metric's own split. Splits in `SEEN` are
    compared with nothing.
    """
    own, _, suffix = primary.rpartition("/")
    there = [split_of(name) for name in metrics if "/" in name and name.rpartition("/")[2] == suffix]
    source = TEST if TEST in there else own
    others = tuple(dict.fromkeys(split for split in there if split != source and split not in SEEN))
    return Compared(source, others, suffix) if source and others else None


def same_clusters(there: MetricScores, here: MetricScores, facts: tuple[SplitFacts, SplitFacts]) -> bool:
    """Whether two splits have the same clusters, more than one, by their labels and by what is known of them.

    Where nothing is known of either, equal labels say so. Labels that are the same by chance alone cost
    precision and not validity: a pair of unrelated clusters is as good a draw as any.
    """
    if there.clusters is None or here.clusters is None or len(here.clusters) < 2:
        return False
    labels = set(here.clusters)
    alike = set(there.clusters) == labels and len(there.clusters) == len(here.clusters) == len(labels)
    return alike and facts[0].units == facts[1].units


def difference(there: MetricScores, here: MetricScores, *, together: bool, name: str) -> MetricScores:
    """Scores of the difference of two splits, `there` less `here`, of every arm and seed that has both.

    `together`: cluster by cluster, aligned by their labels. Else clusters are independent samples, one after
    the other: with Q_b clusters in a sample, Q in both and the sign of a sample, `values` are sign·x·Q/Q_b,
    whose mean is the difference of means, and `linear` is that difference + sign·k_b·(x − mean_b), where
    k_b = √(Q(Q−1)/(Q_b(Q_b−1))). So the covariance over all clusters of any two rows, divided by Q, is the sum
    over samples of cov_b/Q_b, as the variance of a difference of independent means is, and every form that takes
    a covariance over clusters holds as it stands. Splits that are known per run only, or of one cluster, have
    a difference per run.
    """
    sizes = [len(metric.clusters or ()) for metric in (there, here)]
    rounding = ROUNDING * max(_largest(there.values), _largest(here.values))
    if together and there.clusters is not None and here.clusters is not None:
        place = {label: i for i, label in enumerate(there.clusters)}
        order = [place[label] for label in here.clusters]
        values = _cleared(there.values[:, :, order] - here.values, rounding)
        linear = None
        if there.linear is not None or here.linear is not None:
            linear = _cleared(_linear(there)[:, :, order] - _linear(here), rounding)
        return MetricScores(name, values, here.clusters, there.queries, there.higher_is_better, linear)
    runs = _cleared(there.runs - here.runs, rounding)[:, :, None]
    if min(sizes) < 2:
        return MetricScores(name, runs, higher_is_better=there.higher_is_better)
    total = sum(sizes)
    parts = [(there, 1.0, sizes[0]), (here, -1.0, sizes[1])]
    values = np.concatenate([sign * (total / size) * metric.values for metric, sign, size in parts], axis=2)
    deviations = [
        sign * math.sqrt(total * (total - 1) / (size * (size - 1))) * _centred(_linear(metric))
        for metric, sign, size in parts
    ]
    labels = [f"{metric.name}: {label}" for metric in (there, here) for label in metric.clusters or ()]
    queries = None if None in (there.queries, here.queries) else (there.queries or 0) + (here.queries or 0)
    return MetricScores(
        name,
        values,
        tuple(labels),
        queries,
        there.higher_is_better,
        runs + np.concatenate(deviations, axis=2),
        tuple(sizes),
    )


def _linear(metric: MetricScores) -> Array:
    return metric.values if metric.linear is None else metric.linear


def _centred(scores: Array) -> Array:
    return np.asarray(scores - scores.mean(axis=2, keepdims=True))


def _largest(values: Array) -> float:
    known = np.abs(values[np.isfinite(values)])
    return float(known.max(initial=0.0))


def _cleared(differences: Array, rounding: float) -> Array:
    """The same with what is only rounding set to exact zeros."""
    return np.where(np.abs(differences) <= rounding, 0.0, differences)
