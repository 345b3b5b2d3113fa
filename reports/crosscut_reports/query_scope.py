"""Scope "these trained models, new queries": sign flips of clusters, or Welch's t where they are two samples.

Says nothing of training noise: another seed may tell another story. It is what remains with fewer than three
seeds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

from crosscut_reports import closed_form
from crosscut_reports.estimate import ROUNDING, SMALLEST_P, Array, Components, Estimate, t_tail

DRAWS = 9999
"""Sampled sign flips; with them the smallest p is 1/10000."""
EXACT_CLUSTERS = 16
"""Up to so many clusters that differ, all sign flips are enumerated."""
_STREAM = 20220303
"""Key of the counter-based generator. Fixed, so that a report is a function of its scores."""
_CHUNK_ENTRIES = 4_000_000
_FLIP_COST = 64
"""A binomial draw costs about as much as the flips of so many clusters."""


def sign_flips(d: Array, *, draws: int = DRAWS, stream: int = _STREAM) -> Array:
    """Two-sided sign-flip p-values of contrasts' cluster means, d of the shape (contrasts, clusters).

    Under the null a cluster's difference is as likely to have either sign. The statistic is |Σ d|, which
    orders flips as the studentised mean does, since Σd² does not change with signs. p is the exact share of
    all flips where at most 16 clusters differ; the exact binomial tail where all differences have one size
    (exact McNemar for one binary query a cluster); else (1 + count)/(1 + draws) from `draws` flips, shared by
    the contrasts. Few-valued differences are drawn as 2·Binomial(n_g, ½) − n_g for each size g. Zero
    differences change nothing and are left out. Randomness comes from Philox with the key `stream`.
    """
    p = np.empty(d.shape[0])
    sampled: list[int] = []
    for row, values in enumerate(d):
        scale = float(np.abs(values).max(initial=0.0))
        sizes = np.abs(values[np.abs(values) > ROUNDING * scale])
        observed = abs(float(values.sum())) - ROUNDING * float(sizes.sum())
        if sizes.size == 0:
            p[row] = 1.0
        elif sizes.size <= EXACT_CLUSTERS:
            p[row] = _enumerated(sizes, observed)
        else:
            rounded = np.round(values / scale, 9)
            distinct, counts = np.unique(np.abs(rounded[rounded != 0]), return_counts=True)
            if distinct.size == 1:
                p[row] = _binomial(sizes.size, int((values > ROUNDING * scale).sum()))
            elif distinct.size * _FLIP_COST < sizes.size:
                generator = np.random.Generator(np.random.Philox(key=[stream, 1]))
                p[row] = _compressed(distinct, counts, abs(float(rounded.sum())), draws, generator)
            else:
                sampled.append(row)
    if sampled:
        generator = np.random.Generator(np.random.Philox(key=[stream, 0]))
        p[sampled] = _sampled(d[sampled], draws, generator)
    return p


def _enumerated(sizes: Array, observed: float) -> float:
    sums = np.zeros(1)
    for size in sizes:
        sums = np.concatenate([sums + size, sums - size])
    return int((np.abs(sums) >= observed).sum()) / int(sums.size)


def _binomial(n: int, wins: int) -> float:
    return min(1.0, max(2.0 * float(bdtr(min(wins, n - wins), n, 0.5)), SMALLEST_P))


def _compressed(
    sizes: Array, counts: NDArray[np.intp], observed: float, draws: int, generator: np.random.Generator
) -> float:
    heads = generator.binomial(counts, 0.5, size=(draws, counts.size))
    sums = np.abs((2.0 * heads - counts) @ sizes)
    reached = int((sums >= observed - ROUNDING * float(counts @ sizes)).sum())
    return (1 + reached) / (1 + draws)


def _sampled(d: Array, draws: int, generator: np.random.Generator) -> Array:
    clusters = d.shape[1]
    observed = np.abs(d.sum(axis=1)) - ROUNDING * np.abs(d).sum(axis=1)
    count = np.zeros(d.shape[0], dtype=np.int64)
    chunk = max(1, _CHUNK_ENTRIES // clusters)
    for start in range(0, draws, chunk):
        rows = min(chunk, draws - start)
        signs = 2.0 * random_bits(generator, rows, clusters).astype(np.float64) - 1.0
        count += (np.abs(signs @ d.T) >= observed).sum(axis=0)
    return np.asarray((1 + count) / (1 + draws), dtype=np.float64)


def random_bits(generator: np.random.Generator, rows: int, clusters: int) -> NDArray[np.uint8]:
    """(rows, clusters) of 0 and 1, a sign for each cluster in each flip."""
    width = -(-clusters // 8)
    raw = np.frombuffer(generator.bytes(rows * width), dtype=np.uint8).reshape(rows, width)
    return np.unpackbits(raw, axis=1, count=clusters)


def contrast(D: Array, p: float | None = None) -> Estimate:
    """The contrast whose scores are D (seeds, clusters), tested by sign flips of its cluster means.

    The interval is the normal-theory one of the cluster means, t with clusters − 1 degrees of freedom, since
    that of the flips needs many thousand flips a bound and agrees with it at the sizes of a test split. `p`
    hands over a p-value of `sign_flips` computed together with other contrasts'.
    """
    seeds, clusters = D.shape
    means = D.mean(axis=0)
    estimate = float(means.mean())
    if clusters < 2:
        return Estimate(estimate, None, math.inf, None, reason="there is one cluster of queries only")
    scale = float(np.abs(D).max())
    se = float(means.std(ddof=1)) / math.sqrt(clusters)
    parts = closed_form.components(D) if seeds > 1 else Components(sd_query=float(means.std(ddof=1)))
    if abs(estimate) <= ROUNDING * scale:
        estimate = 0.0
    df = float(clusters - 1)
    if se <= ROUNDING * scale:
        if scale > 0:
            # Also where the means are all 0: models that differ seed by seed are not the same.
            reason = "the difference is the same in every cluster, so there is no spread to test it against"
            return Estimate(estimate, 0.0, df, None, parts, reason=reason)
        return Estimate(estimate, 0.0, df, 1.0, parts)
    found = float(sign_flips(means[None, :])[0]) if p is None else p
    return Estimate(estimate, se, df, found, parts, query_variance=se**2)


def independent(D: Array, blocks: Sequence[int]) -> Estimate:
    """The contrast whose scores are D (seeds, clusters), its clusters being samples of their own.

    `D` is such that the variance of all its clusters, divided by their number Q, is the sum over samples of each
    one's variance divided by its size, as `splits.difference` makes it. So a sample's share of SE² is the sum of
    its squared deviations divided by Q(Q−1), and df = SE⁴ / Σ_b share_b²/(Q_b−1) (Welch 1947). A cluster has
    no difference here whose sign could be flipped, so p is of the t test.
    """
    means = D.mean(axis=0)
    clusters, estimate = means.size, float(means.mean())
    scale = float(np.abs(D).max())
    deviations = np.split((means - estimate) ** 2, np.cumsum(blocks)[:-1])
    shares = [float(squares.sum()) / (clusters * (clusters - 1)) for squares in deviations]
    se = math.sqrt(sum(shares))
    parts = closed_form.components(D) if D.shape[0] > 1 else Components()
    if abs(estimate) <= ROUNDING * scale:
        estimate = 0.0
    if se <= ROUNDING * scale:
        df = float(clusters - len(blocks))
        if scale > 0:
            reason = (
                "scores are the same in every cluster, so there is no spread to test the difference against"
            )
            return Estimate(estimate, 0.0, df, None, parts, reason=reason)
        return Estimate(estimate, 0.0, df, 1.0, parts)
    spread = sum(share**2 / (size - 1) for share, size in zip(shares, blocks, strict=True))
    df = se**4 / spread
    return Estimate(
        estimate, se, df, min(1.0, 2 * t_tail(abs(estimate) / se, df)), parts, query_variance=se**2
    )
