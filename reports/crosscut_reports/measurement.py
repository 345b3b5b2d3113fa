"""One contrast measured on one metric: which scope and seeds it can have, and its estimate there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from crosscut_reports import closed_form, crossed_bootstrap, query_scope, seed_scope
from crosscut_reports.contrast import Contrast
from crosscut_reports.estimate import ROUNDING, Array, Components, Estimate
from crosscut_reports.result import Scope
from crosscut_reports.scores import MetricScores, Scores

FEWEST_SEEDS = 3
"""Below so many seeds their spread is not known well enough for the scopes with new seeds."""


@dataclass(frozen=True)
class Basis:
    """What a contrast can be measured on."""

    scope: Scope
    paired: bool
    """All arms have the seeds `seeds`; else every arm is measured on its own."""
    seeds: tuple[int, ...]
    """Places of the common seeds, empty where seeds are not paired."""
    count: int
    """Seeds of the arm that has fewest."""


@dataclass(frozen=True)
class Measurement:
    """A contrast's estimate on one metric; positive favours the left side, where lower is better too."""

    contrast: Contrast
    metric: str
    basis: Basis
    estimate: Estimate
    signs: tuple[int, int, int] | None
    """Wins, ties and losses of clusters, else of seeds; None for unpaired seeds without clusters, and for
    clusters of several samples."""
    clusters: int | None
    higher_is_better: bool = True
    """Of the metric, whichever way `estimate` is turned."""
    flipped: Array | None = None
    """(clusters,) the contrast's cluster means where its p-value is of sign flips, else None: a family flips them
    jointly."""
    units: tuple[str, ...] | None = None
    """Labels of the clusters: only of the same ones can flips be joint."""


class Table:
    """A metric's scores as measurements need them: which runs there are, oriented so that more is better."""

    def __init__(self, scores: Scores, metric: str) -> None:
        self.metric: MetricScores = scores.metrics[metric]
        self.rows: Mapping[str, int] = {arm: i for i, arm in enumerate(scores.arms)}
        self.present: NDArray[np.bool_] = np.asarray(np.isfinite(self.metric.values).all(axis=2))
        self.runs: Array = np.full(self.present.shape, np.nan)
        self.runs[self.present] = self.metric.values[self.present].mean(axis=1)
        found = np.abs(self.metric.values[self.present])
        self.rounding = ROUNDING * float(found.max(initial=0.0))
        self.sign = 1.0 if self.metric.higher_is_better else -1.0

    @property
    def clusters(self) -> int | None:
        """Number of clusters, None where scores are known per run only."""
        if self.metric.statistic is not None:
            return self.metric.statistic.clusters
        return self.metric.values.shape[2] if self.metric.per_cluster else None

    def seeds_of(self, arm: str) -> NDArray[np.intp]:
        """Places of the seeds that the arm has."""
        return np.flatnonzero(self.present[self.rows[arm]])

    def common_seeds(self, arms: Iterable[str]) -> NDArray[np.intp]:
        """Places of the seeds that all of the arms have."""
        return np.flatnonzero(self.present[[self.rows[arm] for arm in arms]].all(axis=0))

    def scope(self, seeds: int, wanted: Scope | None) -> Scope:
        """The scope for so many seeds: the one wanted where the scores allow it."""
        if (self.clusters or 0) < 2:
            return "seeds"
        if wanted is not None and wanted != "seeds-and-queries":
            return wanted
        return "seeds-and-queries" if seeds >= FEWEST_SEEDS else "queries"

    def level_scope(self, seeds: int, wanted: Scope | None) -> Scope:
        """The scope of F tests: of statistics that are no means over clusters they know the runs alone."""
        return self.scope(seeds, wanted) if self.metric.statistic is None else "seeds"

    def basis(self, arms: Sequence[str], wanted: Scope | None) -> Basis | None:
        """What a contrast of these arms is measured on; None where an arm has no run.

        Common seeds pair the arms. Where there are too few of them and every arm has enough seeds of its own,
        the unpaired form is taken instead: the choice rests on the design, never on scores.
        """
        own = min(self.seeds_of(arm).size for arm in arms)
        if own == 0:
            return None
        common = self.common_seeds(arms)
        scope = self.scope(own, wanted)
        if common.size >= min(own, FEWEST_SEEDS):
            return Basis(scope, True, tuple(int(s) for s in common), int(common.size))
        return Basis(scope, False, (), own)

    def scores_of(self, arm: str, seeds: Sequence[int] | NDArray[np.intp]) -> Array:
        """(seeds, clusters) of an arm, oriented."""
        found: Array = self.sign * self.metric.values[self.rows[arm]][np.asarray(seeds)]
        return found

    def linear_of(self, arm: str, seeds: Sequence[int] | NDArray[np.intp]) -> Array:
        """(seeds, clusters) of an arm, oriented, as variances want them: see `MetricScores.linear`."""
        values = self.metric.values if self.metric.linear is None else self.metric.linear
        found: Array = self.sign * values[self.rows[arm]][np.asarray(seeds)]
        return found

    def cleared(self, differences: Array) -> Array:
        """Differences with what is only rounding set to exact zeros, in place."""
        differences[np.abs(differences) <= self.rounding] = 0.0
        return differences

    def difference(self, weights: Mapping[str, float], seeds: Sequence[int]) -> Array:
        """(seeds, clusters) the weighted sum of arms under common seeds."""
        return self._weighted(weights, seeds, self.scores_of)

    def linear_difference(self, weights: Mapping[str, float], seeds: Sequence[int]) -> Array:
        """The same of linear scores."""
        return self._weighted(weights, seeds, self.linear_of)

    def _weighted(
        self,
        weights: Mapping[str, float],
        seeds: Sequence[int],
        scores: Callable[[str, Sequence[int]], Array],
    ) -> Array:
        D = np.zeros((len(seeds), self.metric.values.shape[2]))
        for arm, weight in weights.items():
            D += weight * scores(arm, seeds)
        return self.cleared(D)


def _prepare(table: Table, contrast: Contrast, basis: Basis) -> Array:
    """(seeds, clusters) the contrast's scores; where unpaired one row, of means over each arm's seeds."""
    if basis.paired:
        return table.difference(contrast.weights, basis.seeds)
    means = [table.scores_of(arm, table.seeds_of(arm)).mean(axis=0) for arm in contrast.weights]
    return table.cleared(np.asarray(list(contrast.weights.values())) @ np.stack(means))[None, :]


def _estimate(table: Table, contrast: Contrast, basis: Basis, D: Array, p: float | None) -> Estimate:
    """From `D` as `_prepare` gives it; variances over clusters are of linear scores."""
    if table.metric.statistic is not None and basis.scope != "seeds":
        weights = {table.rows[arm]: table.sign * weight for arm, weight in contrast.weights.items()}
        resample = (
            crossed_bootstrap.contrast if basis.scope == "seeds-and-queries" else crossed_bootstrap.queries
        )
        return resample(table.metric.statistic, weights, basis.seeds if basis.paired else None)
    linear = D
    own = [table.linear_of(arm, table.seeds_of(arm)) for arm in contrast.weights]
    if table.metric.linear is not None:
        if basis.paired:
            linear = table.linear_difference(contrast.weights, basis.seeds)
        else:
            means = np.stack([scores.mean(axis=0) for scores in own])
            linear = table.cleared(np.asarray(list(contrast.weights.values())) @ means)[None, :]
    if basis.scope == "queries":
        if table.metric.blocks is not None:
            return query_scope.independent(linear, table.metric.blocks)
        return query_scope.contrast(linear, p)
    if basis.paired:
        if basis.scope == "seeds-and-queries":
            return closed_form.contrast(linear)
        return seed_scope.paired(D.mean(axis=1), float(np.abs(D).max()))
    factors = list(contrast.weights.values())
    if basis.scope == "seeds-and-queries":
        return closed_form.unpaired(own, factors)
    identical = not D.any() and all(float(np.ptp(scores, axis=0).max()) <= table.rounding for scores in own)
    return seed_scope.unpaired([scores.mean(axis=1) for scores in own], factors, identical)


def _signs(table: Table, basis: Basis, D: Array) -> tuple[int, int, int] | None:
    """Wins, ties and losses over clusters, or over seeds where there are no clusters. None where clusters are of
    several samples, or the metric is no mean over them, since one of them has no difference of its own."""
    if table.metric.statistic is not None or table.metric.blocks is not None:
        return None
    if not table.metric.per_cluster and not basis.paired:
        return None
    units = table.cleared(D.mean(axis=0 if table.metric.per_cluster else 1))
    wins, losses = int((units > 0).sum()), int((units < 0).sum())
    return wins, int(units.size) - wins - losses, losses


def measure(
    scores: Scores, metric: str, contrasts: Sequence[Contrast], wanted: Scope | None
) -> list[Measurement | None]:
    """All contrasts on one metric, None for those with an arm that has no run.

    Contrasts of the scope "queries" share their sign flips.
    """
    table = Table(scores, metric)
    bases = [table.basis(list(contrast.weights), wanted) for contrast in contrasts]
    prepared = [
        None if basis is None else _prepare(table, contrast, basis)
        for contrast, basis in zip(contrasts, bases, strict=True)
    ]
    flips = table.metric.blocks is None and table.metric.statistic is None
    flipped = [
        place for place, basis in enumerate(bases) if flips and basis is not None and basis.scope == "queries"
    ]
    p: dict[int, float] = {}
    if flipped:
        means = np.stack([D.mean(axis=0) for place in flipped if (D := prepared[place]) is not None])
        p = dict(zip(flipped, query_scope.sign_flips(means).tolist(), strict=True))
    found: list[Measurement | None] = []
    for place, (contrast, basis, D) in enumerate(zip(contrasts, bases, prepared, strict=True)):
        if basis is None or D is None:
            found.append(None)
            continue
        estimate = _estimate(table, contrast, basis, D, p.get(place))
        if table.metric.blocks is not None:
            # Deviations of clusters are scaled to give the variance of the whole, so theirs alone mean nothing.
            estimate = replace(estimate, components=Components(sd_seed=estimate.components.sd_seed))
        found.append(
            Measurement(
                contrast,
                metric,
                basis,
                estimate,
                _signs(table, basis, D),
                table.clusters,
                table.metric.higher_is_better,
                D.mean(axis=0) if place in p else None,
                table.metric.clusters,
            )
        )
    return found
