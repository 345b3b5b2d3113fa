"""Step-down maxT: a family of contrasts on one set of clusters, tested by flipping all of them jointly.

One sign is drawn for each cluster and shared by all contrasts, so that the dependence between contrasts is kept
and not paid for (Westfall and Young 1993). With d the means of n clusters, t is the studentised mean
√(n−1)·u/√(1−u²), u = Σd/√(n·Σd²). Signs do not change Σd², so |u| orders flips as |t| does, at the cost of one
product.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crosscut_reports.estimate import ROUNDING, Array
from crosscut_reports.query_scope import DRAWS, EXACT_CLUSTERS, random_bits

_STREAM = 19930501
"""Key of the counter-based generator. Fixed, so that a report is a function of its scores."""
_ENTRIES = 8_000_000
"""Signs that are held at once."""
_PATTERN_COST = 24
"""A binomial draw costs about as much as the flips of so many clusters."""
_SINGLE = 4e-6
"""What single precision may leave of a tie, as a share of the largest statistic that there can be."""


@dataclass(frozen=True)
class MaxT:
    """What joint flips say of a family."""

    p: Array
    """(contrasts,) of each test alone, from the same flips; never 0."""
    adjusted: Array
    """(contrasts,) step-down adjusted."""
    critical: float
    """The quantile 1 − α of the largest |t| under flips: estimates ± critical·SE hold together at that level.
    Infinite where there are too few flips for one."""


@dataclass(frozen=True)
class _Flips:
    """Statistics of the flips, a chunk of them at a time."""

    chunks: Iterator[Array]
    """(flips, contrasts) |u| of each chunk."""
    draws: int
    exact: bool
    """Whether the flips are all that there are, so that the observed signs are among them."""
    slack: float
    """Statistics that fall short of the observed one by no more than this have reached it."""


def step_down(d: Array, alpha: float = 0.05, draws: int = DRAWS, stream: int = _STREAM) -> MaxT:
    """Step-down maxT of contrasts' cluster means, d of the shape (contrasts, clusters).

    With |t| in falling order, the p-value of the i-th contrast is the share of flips in which the largest |t| of
    it and of those after it reaches its own, and no less than that of those before it. The share is exact where
    at most 16 clusters differ, else (1 + count)/(1 + draws). Clusters in which all contrasts are the same up to
    sign are one pattern, whose signed number is drawn as 2·Binomial(n, ½) − n, where that is cheaper. A contrast
    without a difference has p = 1. Randomness comes from Philox with the key `stream`.

    Raises:
        ValueError: d has another shape, or holds no finite numbers.
    """
    if d.ndim != 2 or d.shape[0] < 1 or d.shape[1] < 2:
        raise ValueError(
            f"differences of the shape {d.shape}: expected (contrasts, clusters), two clusters or more"
        )
    if not np.isfinite(d).all():
        raise ValueError("differences: found a value that is not finite")
    clusters = d.shape[1]
    scale = np.abs(d).max(axis=1)
    norm = np.sqrt((d**2).sum(axis=1))
    different = norm > 0
    unit = np.zeros_like(d)
    unit[different] = d[different] / norm[different, None]
    unit[np.abs(d) <= ROUNDING * scale[:, None]] = 0.0
    observed = np.abs(unit.sum(axis=1))
    order = np.argsort(-observed, kind="stable")
    flips = _flips(unit[order], draws, stream)
    ranked = observed[order]
    single = np.zeros(d.shape[0], dtype=np.int64)
    joint = np.zeros(d.shape[0], dtype=np.int64)
    largest = []
    for chunk in flips.chunks:
        single += (chunk >= ranked - flips.slack).sum(axis=0)
        tops = np.maximum.accumulate(chunk[:, ::-1], axis=1)[:, ::-1]
        joint += (tops >= ranked - flips.slack).sum(axis=0)
        largest.append(tops[:, 0])
    more = 0 if flips.exact else 1
    p, adjusted = np.empty(d.shape[0]), np.empty(d.shape[0])
    p[order] = (single + more) / (flips.draws + more)
    adjusted[order] = np.maximum.accumulate((joint + more) / (flips.draws + more))
    p[~different] = adjusted[~different] = 1.0
    return MaxT(p, adjusted, _critical(np.concatenate(largest), alpha, clusters, flips))


def _critical(largest: Array, alpha: float, clusters: int, flips: _Flips) -> float:
    """The smallest |t| that no more than a share α of flips, the observed one included, exceeds."""
    total = flips.draws + (0 if flips.exact else 1)
    # Of so many flips the largest may lie above; the observed signs count as one of them. Of all flips two share
    # the largest, so with fewer no test could reject.
    above = math.floor(alpha * total) - (0 if flips.exact else 1)
    if above < (2 if flips.exact else 0):
        return math.inf
    # |u| is √n times a cosine here, and t is √(n−1) times that of its angle.
    cosine = min(1.0, float(np.sort(largest)[::-1][above]) / math.sqrt(clusters))
    return math.inf if cosine >= 1 - ROUNDING else math.sqrt(clusters - 1) * cosine / math.sqrt(1 - cosine**2)


def _flips(unit: Array, draws: int, stream: int) -> _Flips:
    patterns, counts = _patterns(unit)
    if int(counts.sum()) <= EXACT_CLUSTERS:
        signs = _every(np.repeat(patterns, counts, axis=1))
        return _Flips(iter([signs]), signs.shape[0], True, ROUNDING * _size(unit))
    if patterns.shape[1] * _PATTERN_COST < unit.shape[1]:
        generator = np.random.Generator(np.random.Philox(key=[stream, 1]))
        return _Flips(_counted(patterns, counts, draws, generator), draws, False, ROUNDING * _size(unit))
    generator = np.random.Generator(np.random.Philox(key=[stream, 0]))
    return _Flips(_drawn(unit, draws, generator), draws, False, _SINGLE * _size(unit))


def _size(unit: Array) -> float:
    """The largest statistic that there can be."""
    return float(np.abs(unit).sum(axis=1).max(initial=0.0))


def _patterns(unit: Array) -> tuple[Array, NDArray[np.int64]]:
    """Distinct columns up to sign, (contrasts, patterns), without those that are 0, and how often each occurs."""
    columns = np.round(unit.T, 12) + 0.0
    columns = columns[columns.any(axis=1)]
    if not columns.size:
        return np.zeros((unit.shape[0], 0)), np.zeros(0, dtype=np.int64)
    # A flip makes a column its negative: the first number that is not 0 is made positive.
    first = columns[np.arange(len(columns)), (columns != 0).argmax(axis=1)]
    columns = columns * np.sign(first)[:, None] + 0.0
    # Whole rows as bytes are told apart many times faster than row by row.
    rows = np.ascontiguousarray(columns).view(np.dtype((np.void, columns.dtype.itemsize * columns.shape[1])))
    _, places, counts = np.unique(rows.ravel(), return_index=True, return_counts=True)
    return np.ascontiguousarray(columns[places].T), counts.astype(np.int64)


def _every(columns: Array) -> Array:
    """(2ⁿ, contrasts) |u| of all flips of n columns."""
    sums = np.zeros((1, columns.shape[0]))
    for column in columns.T:
        sums = np.concatenate([sums + column, sums - column])
    return np.abs(sums)


def _counted(
    patterns: Array, counts: NDArray[np.int64], draws: int, generator: np.random.Generator
) -> Iterator[Array]:
    chunk = max(1, _ENTRIES // max(1, patterns.shape[1]))
    for start in range(0, draws, chunk):
        heads = generator.binomial(counts, 0.5, size=(min(chunk, draws - start), counts.size))
        yield np.abs((2.0 * heads - counts) @ patterns.T)


def _drawn(unit: Array, draws: int, generator: np.random.Generator) -> Iterator[Array]:
    clusters = unit.shape[1]
    columns = np.ascontiguousarray(unit.T, dtype=np.float32)
    total = unit.sum(axis=1)
    chunk = max(1, _ENTRIES // clusters)
    for start in range(0, draws, chunk):
        rows = min(chunk, draws - start)
        bits = random_bits(generator, rows, clusters).astype(np.float32)
        # Σ s·d of signs s = 2b − 1 is 2·Σ b·d − Σ d: bits need no further pass.
        yield np.abs(2.0 * (bits @ columns).astype(np.float64) - total)
