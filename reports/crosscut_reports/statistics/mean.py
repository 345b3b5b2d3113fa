"""The mean over clusters."""

from __future__ import annotations

from typing import Self

import numpy as np

from crosscut_reports.estimate import Array
from crosscut_reports.statistics.base import EXAMPLE, Places, Runs, Statistic, runs_present, sums


class Mean(Statistic):
    """Σ w·score / Σ w.

    Where the metric is a mean over queries and clusters differ in their number of queries, it is a ratio of sums
    over clusters: see `Ratio`.
    """

    def __init__(self, scores: Array) -> None:
        """Of scores (arms, seeds, clusters), NaN throughout in a run that is missing.

        Raises:
            ValueError: another shape, an infinite score, or a run with some of its clusters.
        """
        super().__init__(runs_present(scores, "scores"), scores.shape[2])
        self.scores = scores
        self._known = np.where(self.present[:, :, None], scores, 0.0)

    def direct(self) -> Array:
        """(arms, seeds) means of the scores."""
        return np.asarray(self.scores.mean(axis=2))

    def select(self, clusters: Places) -> Self:
        """The mean over these clusters."""
        return type(self)(self.scores[:, :, clusters])

    @classmethod
    def example(cls, generator: np.random.Generator, missing: Runs = ()) -> Self:
        """Of standard normal scores."""
        scores = generator.standard_normal(EXAMPLE)
        for run in missing:
            scores[run] = np.nan
        return cls(scores)

    def _weighted(self, weights: Array) -> Array:
        count = weights.sum(axis=1)
        means = sums(self._known, weights) / np.where(count > 0, count, np.nan)
        means[~self.present] = np.nan
        return means
