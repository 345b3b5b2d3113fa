"""Ratios of sums over clusters, and weighted sums of such ratios."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from crosscut_reports.estimate import Array
from crosscut_reports.statistics.base import EXAMPLE, Places, Runs, Statistic, runs_present, sums


class Ratio(Statistic):
    """Σ_k c_k·(Σ w·numerator_k / Σ w·denominator_k), the inner sums running over clusters.

    A metric that is pooled over words, pairs or queries of unequal clusters is such a ratio; rsum is a sum of six.
    """

    def __init__(
        self,
        numerators: Sequence[Array],
        denominators: Sequence[Array],
        coefficients: Sequence[float] | None = None,
    ) -> None:
        """Of one ratio or several.

        Args:
            numerators: (arms, seeds, clusters) each, NaN throughout in a run that is missing.
            denominators: of the same shapes and runs, none negative.
            coefficients: c_k, by default 1 each.

        Raises:
            ValueError: numbers, shapes or runs that do not agree, a negative denominator, an infinite value, or
                a run with some of its clusters.
        """
        factors = [1.0] * len(numerators) if coefficients is None else [float(c) for c in coefficients]
        if not numerators or len(denominators) != len(numerators) or len(factors) != len(numerators):
            raise ValueError(
                f"found {len(numerators)} numerators, {len(denominators)} denominators and {len(factors)} "
                "coefficients, expected as many of each, one or more"
            )
        present = runs_present(numerators[0], "numerators")
        for part in (*numerators, *denominators):
            if part.shape != numerators[0].shape:
                raise ValueError(f"found the shapes {part.shape} and {numerators[0].shape}, expected one")
            if (runs_present(part, "numerators and denominators") != present).any():
                raise ValueError(
                    "found a run that some numerators or denominators lack, expected all or none"
                )
        if any((part < 0).any() for part in denominators):
            raise ValueError("denominators: found a negative one")
        super().__init__(present, numerators[0].shape[2])
        self.numerators = tuple(numerators)
        self.denominators = tuple(denominators)
        self.coefficients = tuple(factors)
        known = present[:, :, None]
        self._known = [
            (factor, np.where(known, top, 0.0), np.where(known, bottom, 0.0))
            for factor, top, bottom in zip(factors, numerators, denominators, strict=True)
        ]

    @classmethod
    def f1(cls, tp: Array, fp: Array, fn: Array) -> Self:
        """F1 = 2TP/(2TP + FP + FN) of pooled counts, (arms, seeds, clusters) each (van Rijsbergen 1979)."""
        return cls([2 * tp], [2 * tp + fp + fn])

    def direct(self) -> Array:
        """(arms, seeds) of plain sums, run by run."""
        found = np.full(self.shape, np.nan)
        for arm, seed in np.argwhere(self.present):
            parts = [
                (factor, float(top[arm, seed].sum()), float(bottom[arm, seed].sum()))
                for factor, top, bottom in zip(
                    self.coefficients, self.numerators, self.denominators, strict=True
                )
            ]
            if all(bottom > 0 for _, _, bottom in parts):
                found[arm, seed] = sum(factor * top / bottom for factor, top, bottom in parts)
        return found

    def select(self, clusters: Places) -> Self:
        """The ratios of sums over these clusters."""
        return type(self)(
            [part[:, :, clusters] for part in self.numerators],
            [part[:, :, clusters] for part in self.denominators],
            self.coefficients,
        )

    @classmethod
    def example(cls, generator: np.random.Generator, missing: Runs = ()) -> Self:
        """A ratio of counts less half of another."""
        tops = [generator.integers(0, 9, EXAMPLE).astype(np.float64) for _ in range(2)]
        bottoms = [generator.integers(1, 9, EXAMPLE).astype(np.float64) for _ in range(2)]
        for run in missing:
            for part in (*tops, *bottoms):
                part[run] = np.nan
        return cls(tops, bottoms, (1.0, -0.5))

    def _weighted(self, weights: Array) -> Array:
        found = np.zeros((*self.shape, len(weights)))
        for factor, top, bottom in self._known:
            below = sums(bottom, weights)
            found += factor * sums(top, weights) / np.where(below > 0, below, np.nan)
        found[~self.present] = np.nan
        return found
