"""What the crossed bootstrap needs of a statistic: its value in every run under weights of the clusters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Self

import numpy as np
from numpy.typing import NDArray

from crosscut_reports.estimate import Array

Places = NDArray[np.intp]
Runs = Iterable[tuple[int, int]]
"""Each the place of its arm and of its seed."""

EXAMPLE = (2, 3, 8)
"""Arms, seeds and clusters of an example."""


class Statistic(ABC):
    """A statistic of runs over clusters of queries.

    A weight says how often a cluster counts: 0 leaves it out, 2 has it twice. A run that is missing is NaN under
    all weights and touches no other run.
    """

    def __init__(self, present: NDArray[np.bool_], clusters: int) -> None:
        self.present = present
        """(arms, seeds) which runs there are."""
        self.clusters = clusters
        """Number of clusters."""
        self.drawn: dict[int, Array] = {}
        """Number of draws → the values under them, (arms, seeds, draws), where a bootstrap has asked."""

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of arms and of seeds."""
        arms, seeds = self.present.shape
        return arms, seeds

    def values(self, weights: Array) -> Array:
        """(arms, seeds, draws) every run's value under each of the weights (draws, clusters).

        NaN where a run is missing, and where the clusters that count say nothing: a ratio whose denominator is 0.

        Raises:
            ValueError: weights of another shape, negative ones, or ones that are not finite.
        """
        if weights.ndim != 2 or weights.shape[1] != self.clusters:
            raise ValueError(f"weights of the shape {weights.shape}: expected (draws, {self.clusters})")
        if weights.size and not (weights.min() >= 0 and weights.max() < np.inf):
            raise ValueError("weights: found a negative one or one that is not finite")
        return self._weighted(weights)

    def plain(self) -> Array:
        """(arms, seeds) the value of every run, all clusters counting once."""
        return np.asarray(self.values(np.ones((1, self.clusters)))[:, :, 0])

    @abstractmethod
    def direct(self) -> Array:
        """(arms, seeds) by the definition, without weights: an oracle for `plain`."""

    @abstractmethod
    def select(self, clusters: Places) -> Self:
        """The statistic of the clusters at these places; one that is named twice counts twice."""

    @classmethod
    @abstractmethod
    def example(cls, generator: np.random.Generator, missing: Runs = ()) -> Self:
        """One of drawn scores, of the size `EXAMPLE`; generators in the same state give the same scores."""

    @abstractmethod
    def _weighted(self, weights: Array) -> Array:
        """`values` of weights that are checked."""


def runs_present(scores: Array, name: str) -> NDArray[np.bool_]:
    """(arms, seeds) which runs of scores (arms, seeds, clusters) are there.

    Raises:
        ValueError: another number of axes, no clusters, an infinite value, or a run with some of its clusters.
    """
    if scores.ndim != 3 or not scores.shape[2]:
        raise ValueError(f"{name} of the shape {scores.shape}: expected (arms, seeds, clusters)")
    if np.isinf(scores).any():
        raise ValueError(f"{name}: found an infinite value, expected finite ones, or NaN for a missing run")
    missing = np.isnan(scores)
    if (missing.any(axis=2) != missing.all(axis=2)).any():
        raise ValueError(f"{name}: found a run with some of its clusters, expected all of them or none")
    return ~missing[:, :, 0]


def sums(scores: Array, weights: Array) -> Array:
    """(arms, seeds, draws) weighted sums of scores (arms, seeds, clusters), all of them finite."""
    arms, seeds, clusters = scores.shape
    found: Array = scores.reshape(arms * seeds, clusters) @ weights.T
    return found.reshape(arms, seeds, len(weights))
