"""Metrics that are no means over clusters: the crossed bootstrap over seeds and clusters of queries.

Seeds and clusters are resampled, independently of each other and with multinomial counts, the same for all arms
and contrasts (Brennan, Harris and Hanson 1987; Owen 2007, The pigeonhole bootstrap). It serves medians, ratios of
sums and whatever else `statistics.REGISTRY` holds. For a mean the closed form is the better tool: it is exact
where this draws.

It is mildly conservative with many seeds, since the variance of one cluster in one seed is counted up to three
times (Owen 2007), and percentiles alone are too narrow with few: a resample of S seeds has (S−1)/S of their
variance and knows nothing of Student's t. So the interval here is the wider of two, on either side:

- the percentiles of the draws, which also hold where a median of small ranks jumps;
- Student's t on SE² = var(r)/S + max(C, 0), with r the seeds' values and C their mean off-diagonal covariance over
  draws of clusters; df = SE⁴ / [(var(r)/S)²/(S−1)] (Hillis 2007, the bootstrap's covariance in place of that of
  means).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from crosscut_reports import closed_form
from crosscut_reports.estimate import ROUNDING, Array, Components, Estimate, student, t_tail
from crosscut_reports.statistics import Statistic

DRAWS = 2000
"""With them the smallest p is 2/2001."""
_STREAM = 20071201
"""Key of the counter-based generator. Fixed, so that a report is a function of its scores."""
_ENTRIES = 3_000_000
"""Weights that are held at once."""
_Rows = NDArray[np.intp]


def contrast(
    statistic: Statistic, weights: Mapping[int, float], seeds: Sequence[int] | None, *, draws: int = DRAWS
) -> Estimate:
    """A weighted sum of arms at new seeds and new queries.

    A draw weighs clusters by counts that are the same for all contrasts, and seeds by counts that are the same
    for all contrasts on the same seeds: draws of a − b and of b − c add up to those of a − c, and no contrast
    depends on which others are asked for. With L the larger of (1 + #{draws ≤ 0})/(1 + draws) and
    P(T ≥ estimate/SE), and U the same of the other side, p = 2·min(L, U), at most 1: below α where the interval of
    1 − α leaves out 0. It is 1 where the two sides are the same in every seed under every draw. Components are
    those that a mean would have with this variance: σ_seed² = var(r), σ_query² = C·Q.

    Args:
        statistic: its value in every run.
        weights: row of an arm → its weight.
        seeds: places of the seeds that all of these arms have. None: each arm has its own, drawn each by itself,
            and SE² = Σ w_a²·var(r_a)/S_a + max(ΣΣ w_a·w_b·C_ab, 0) with Satterthwaite's df.
        draws: how many.

    Raises:
        ValueError: fewer than two seeds or clusters, or a seed that an arm does not have.
    """
    groups = _groups(statistic, weights, seeds)
    if min(group.seeds.size for group in groups) < 2:
        raise ValueError("seeds: found one, expected two or more")
    plain, values = statistic.plain(), drawn(statistic, draws)
    own = [group.of(plain) for group in groups]
    resampled = [group.of(values) for group in groups]
    estimate = float(sum(r.mean() for r in own))
    terms = [float(r.var(ddof=1)) for r in own]
    lost = _lost(resampled)
    if lost:
        return Estimate(estimate, None, math.inf, None, reason=_without_value(lost, draws))
    scale = max(float(np.abs(values[np.ix_(group.arms, group.seeds)]).max()) for group in groups)
    C = np.atleast_2d(np.cov(np.stack([D.mean(axis=0) for D in resampled])))
    np.fill_diagonal(C, [float(closed_form.moments(D).query_covariance) for D in resampled])
    # Resampled clusters vary by (Q − 1)/Q of what new ones do.
    Q = statistic.clusters
    query_variance = max(float(C.sum()), 0.0) * Q / (Q - 1)
    found = sum(
        (
            (_shares_of_seeds(group, draws) * D).sum(axis=0)
            for group, D in zip(groups, resampled, strict=True)
        ),
        np.zeros(draws),
    )
    found[np.abs(found) <= ROUNDING * scale] = 0.0
    parts = Components(math.sqrt(sum(terms)), math.sqrt(query_variance * Q))
    sizes = tuple(group.seeds.size for group in groups)
    made = student(estimate, tuple(terms), sizes, query_variance, parts, scale, identical=not found.any())
    return _tested(made, found)


def queries(
    statistic: Statistic, weights: Mapping[int, float], seeds: Sequence[int] | None, *, draws: int = DRAWS
) -> Estimate:
    """The same for these trained models at new queries: clusters are resampled, seeds are as they are.

    SE² is the variance over draws of the mean over seeds, times Q/(Q−1); t has Q−1 degrees of freedom.
    """
    groups = _groups(statistic, weights, seeds)
    plain, values = statistic.plain(), drawn(statistic, draws)
    estimate = float(sum(group.of(plain).mean() for group in groups))
    resampled = [group.of(values) for group in groups]
    lost = _lost(resampled)
    if lost:
        return Estimate(estimate, None, math.inf, None, reason=_without_value(lost, draws))
    scale = max(float(np.abs(values[np.ix_(group.arms, group.seeds)]).max()) for group in groups)
    found = sum((D.mean(axis=0) for D in resampled), np.zeros(draws))
    found[np.abs(found) <= ROUNDING * scale] = 0.0
    Q = statistic.clusters
    variance = float(found.var(ddof=1)) * Q / (Q - 1)
    if abs(estimate) <= ROUNDING * scale:
        estimate = 0.0
    if variance <= (ROUNDING * scale) ** 2:
        p = 1.0 if not found.any() else None
        reason = None if p else "the difference is the same in every draw of queries, so there is no spread"
        return Estimate(estimate, 0.0, float(Q - 1), p, reason=reason)
    made = Estimate(
        estimate,
        math.sqrt(variance),
        float(Q - 1),
        1.0,
        Components(sd_query=math.sqrt(variance * Q)),
        query_variance=variance,
    )
    return _tested(made, found)


def drawn(statistic: Statistic, draws: int = DRAWS) -> Array:
    """(arms, seeds, draws) every run's value under draws of clusters; computed once for a statistic."""
    if statistic.clusters < 2:
        raise ValueError("found one cluster of queries: new queries need two or more")
    known = statistic.drawn.get(draws)
    if known is None:
        chunks = [statistic.values(weights) for weights in _cluster_weights(statistic.clusters, draws)]
        known = statistic.drawn[draws] = np.concatenate(chunks, axis=2)
    return known


@dataclass(frozen=True)
class _Group:
    """Arms of a contrast that share their seeds."""

    arms: _Rows
    weights: Array
    seeds: _Rows
    key: tuple[int, ...]
    """What tells its draws of seeds from those of others."""

    def of(self, values: Array) -> Array:
        """(seeds, …) the weighted sum of its arms, of values (arms, seeds, …)."""
        return np.asarray(np.tensordot(self.weights, values[np.ix_(self.arms, self.seeds)], 1))


def _groups(statistic: Statistic, weights: Mapping[int, float], seeds: Sequence[int] | None) -> list[_Group]:
    arms = np.array(list(weights), dtype=np.intp)
    factors = np.array(list(weights.values()))
    if seeds is None:
        own = [np.flatnonzero(statistic.present[arm]) for arm in arms]
        return [
            _Group(arms[[i]], factors[[i]], there, (int(arm) + 1, *there.tolist()))
            for i, (arm, there) in enumerate(zip(arms, own, strict=True))
        ]
    places = np.array(seeds, dtype=np.intp)
    if not statistic.present[np.ix_(arms, places)].all():
        raise ValueError(f"seeds {list(seeds)}: found one that an arm of the contrast does not have")
    return [_Group(arms, factors, places, (0, *places.tolist()))]


def _lost(resampled: Sequence[Array]) -> int:
    return int(np.isnan(np.concatenate(resampled)).any(axis=0).sum())


def _without_value(lost: int, draws: int) -> str:
    return f"in {lost} of {draws} draws of queries the metric has no value"


def _tested(made: Estimate, draws: Array) -> Estimate:
    """The estimate with its draws, and the p-value of both together."""
    if not made.se and not np.ptp(draws):
        return made
    low, high = (float((1 + (sign * draws <= 0).sum()) / (1 + draws.size)) for sign in (1, -1))
    if made.se:
        t = made.estimate / made.se
        low, high = max(low, t_tail(t, made.df)), max(high, t_tail(-t, made.df))
    return replace(made, p=min(1.0, 2 * min(low, high)), draws=draws, reason=None)


def _cluster_weights(clusters: int, draws: int) -> Iterator[Array]:
    """Chunks (draws, clusters) of multinomial counts, as many as there are clusters in each draw."""
    generator = np.random.Generator(np.random.Philox(key=[_STREAM, 0]))
    chunk = max(1, _ENTRIES // clusters)
    for start in range(0, draws, chunk):
        rows = min(chunk, draws - start)
        # Counting drawn places is several times faster than a multinomial of single counts.
        places = generator.integers(0, clusters, (rows, clusters), dtype=np.uint32).astype(np.int64)
        places += np.arange(rows)[:, None] * clusters
        counts = np.bincount(places.ravel(), minlength=rows * clusters)
        yield counts.reshape(rows, clusters).astype(np.float64)


def _shares_of_seeds(group: _Group, draws: int) -> Array:
    """(seeds, draws) multinomial counts of a group's seeds, as shares."""
    key = np.random.SeedSequence(group.key).generate_state(1, np.uint64)
    # Not 0, which is the clusters' own.
    generator = np.random.Generator(np.random.Philox(key=np.array([_STREAM, key[0] | np.uint64(1)])))
    seeds = group.seeds.size
    return np.asarray(generator.multinomial(seeds, np.full(seeds, 1 / seeds), size=draws).T / seeds)
