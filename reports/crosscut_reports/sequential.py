"""Adding seeds until decided: a t test that may be looked at after every seed.

The E-value is a ratio of two likelihoods of the t statistic: of effect sizes drawn from a normal prior with
variance g, and of none. Under no effect it ever reaches 1/α with a chance of at most α (Ville's inequality),
whatever made one stop. It holds for per-seed differences that are normal and independent, on these queries.

Lai (1976). On confidence sequences. Annals of Statistics 4(2), 265–280. Wang and Ramdas (2025). Anytime-valid
t-tests and confidence sequences for Gaussian means with unknown variance. Sequential Analysis 44(1), 56–110.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from crosscut_reports.adjustment import holm
from crosscut_reports.between_splits import margin_holds
from crosscut_reports.estimate import ROUNDING, Array

Reason = Literal["better", "worse", "equivalent", "futile", "maximum"]

PRIOR = 1.0
"""Prior variance of the effect size: effects about as large as the spread over seeds are looked for."""
FUTILE = 0.05
"""Below this chance of being settled within the maximum a hypothesis gets no more seeds."""
_DRAWS = 2000
_STREAM = 19760401


@dataclass(frozen=True)
class Look:
    """What is known of a hypothesis after so many seeds."""

    seeds: int
    """Seeds with a result."""
    estimate: float
    e: float
    """The E-value; 1 says nothing."""
    p: float
    """Valid at any time: the least 1/E of this look and those before it, at most 1."""
    interval: tuple[float, float] | None
    """The confidence sequence at level 1 − α; None where it has no bounds yet."""


@dataclass(frozen=True)
class Course:
    """The course of one hypothesis."""

    looks: tuple[Look, ...]
    """After each round from the first one that is looked at, until it is settled."""
    reason: Reason | None
    """Why it gets no more seeds, None while it is open."""
    round: int
    """Seeds that had been given out when it was settled, or so far."""
    p_adjusted: float
    """By Holm over the family, at that round."""


def log_e(t: Array, n: int, g: float = PRIOR) -> Array:
    """ln E of t statistics of n values.

    E = (1+ng)^(−1/2)·[(1+t²/ν)/(1+t²/(ν(1+ng)))]^((ν+1)/2), ν = n−1. Needs two values or more.
    """
    df, spread = n - 1, 1 + n * g
    squared = np.square(t) / df
    return np.asarray(
        -0.5 * math.log(spread) + (df + 1) / 2 * (np.log1p(squared) - np.log1p(squared / spread))
    )


def e_value(t: float, n: int, g: float = PRIOR) -> float:
    """E of a t statistic of n values: 1 with fewer than two, and where t is infinite the most that it can be."""
    if n < 2:
        return 1.0
    if math.isinf(t):
        return math.exp((n - 1) / 2 * math.log1p(n * g))
    return float(np.exp(log_e(np.asarray(t), n, g)))


def confidence_sequence(r: Array, alpha: float, g: float = PRIOR) -> tuple[float, float] | None:
    """The values of the mean of r (n,) that E does not reject at 1/α; None where it rejects none.

    With A = ((1+ng)/α²)^(1/n) it is r̄ ± (s/√n)·√(ν(A−1)/(1−A/(1+ng))), which is without bounds where A ≥ 1+ng.
    """
    n = r.size
    if n < 2:
        return None
    spread = 1 + n * g
    bound = (spread / alpha**2) ** (1 / n)
    if bound >= spread:
        return None
    half = float(r.std(ddof=1)) / math.sqrt(n) * math.sqrt((n - 1) * (bound - 1) / (1 - bound / spread))
    return (float(r.mean()) - half, float(r.mean()) + half)


def follow(
    values: Mapping[str, Array],
    *,
    alpha: float,
    margin: float,
    minimum: int,
    maximum: int,
    g: float = PRIOR,
) -> dict[str, Course]:
    """Decides hypotheses of one family round by round, each round being one more seed for those that are open.

    Args:
        values: name → (seeds,) the contrast under each seed, in the order in which seeds were given out, positive
            where the left side is better; NaN where a run of it has no result.
        alpha: bounds the chance that any hypothesis without an effect is ever called better or worse.
        margin: differences below it do not matter; with 0 nothing is equivalent.
        minimum: the first round that is looked at.
        maximum: the round after which no more seeds are given out.

    A hypothesis is better or worse where Holm's adjustment of p = 1/max E over the family is at most α: each p is
    valid at any time, so their minimum over looks is, and Holm holds under any dependence. It is equivalent where
    the (1−2α) confidence sequence lies inside the margin, two one-sided tests that hold at any time. It is futile
    where the chance of either within the maximum is below `FUTILE`, as the values so far predict; that costs no
    validity, since it only stops. What is settled stays so. A round is looked at only when every hypothesis that
    is open has had its seed, so the outcome does not depend on which run was faster.
    """
    looks: dict[str, list[Look]] = {name: [] for name in values}
    settled: dict[str, tuple[Reason, int, float]] = {}
    last = dict.fromkeys(values, 1.0)
    done = 0
    for at in range(minimum, maximum + 1):
        waiting = [name for name in values if name not in settled]
        if not waiting or any(values[name].size < at for name in waiting):
            break
        done = at
        for name in waiting:
            looks[name].append(_look(values[name][:at], looks[name], alpha, g))
        p = np.array([looks[name][-1].p for name in values])
        adjusted = holm(p)
        last = dict(zip(values, adjusted.tolist(), strict=True))
        rejected = int((adjusted <= alpha).sum())
        for name in waiting:
            level = alpha / max(1, len(values) - rejected)
            reason = _reason(
                _known(values[name][:at]), looks[name][-1], last[name], alpha, level, margin, maximum - at, g
            )
            if reason is not None:
                settled[name] = (reason, at, last[name])
    return {name: Course(tuple(looks[name]), *settled.get(name, (None, done, last[name]))) for name in values}


def per_seed(weights: Mapping[str, float], runs: Mapping[str, Sequence[float]]) -> Array:
    """(seeds,) the contrast under each seed that all of its arms have had, NaN where one has no result.

    `runs` has arm → values in the order of the seeds, positive being better.
    """
    seeds = min((len(runs[arm]) for arm in weights), default=0)
    total = np.zeros(seeds)
    for arm, weight in weights.items():
        total += weight * np.asarray(runs[arm][:seeds], dtype=np.float64)
    return total


def common_margin(metrics: Iterable[str], primary: str, margin: float) -> float:
    """The margin of a family: it is in points of the primary metric, so it holds where all members are on that."""
    return margin if all(margin_holds(metric, primary) for metric in metrics) else 0.0


def open_arms(weights: Mapping[str, Mapping[str, float]], courses: Mapping[str, Course]) -> set[str]:
    """Arms that need another seed: those that an open hypothesis weighs. `weights` has name → arm → weight."""
    still: Iterable[str] = (name for name, course in courses.items() if course.reason is None)
    return {arm for name in still for arm, weight in weights[name].items() if weight}


def _known(values: Array) -> Array:
    found: Array = values[~np.isnan(values)]
    return found


def _t(r: Array) -> float:
    """The one-sample t; infinite where values agree on a difference, 0 where they agree on none."""
    mean, sd, scale = float(r.mean()), float(r.std(ddof=1)), float(np.abs(r).max())
    if sd <= ROUNDING * scale:
        return math.copysign(math.inf, mean) if scale > 0 else 0.0
    return mean / (sd / math.sqrt(r.size))


def _look(values: Array, before: list[Look], alpha: float, g: float) -> Look:
    if np.isinf(values).any():
        raise ValueError("per-seed values: found one that is infinite")
    r = _known(values)
    floor = before[-1].p if before else 1.0
    if r.size < 2:
        return Look(r.size, float(r.mean()) if r.size else math.nan, 1.0, floor, None)
    e = e_value(_t(r), r.size, g)
    return Look(r.size, float(r.mean()), e, min(floor, 1 / e), confidence_sequence(r, alpha, g))


def _reason(
    r: Array, look: Look, adjusted: float, alpha: float, level: float, margin: float, left: int, g: float
) -> Reason | None:
    if adjusted <= alpha:
        return "better" if look.estimate > 0 else "worse"
    within = confidence_sequence(r, 2 * alpha, g) if margin > 0 else None
    if within is not None and -margin < within[0] and within[1] < margin:
        return "equivalent"
    if left <= 0:
        return "maximum"
    return "futile" if r.size > 2 and _chance(r, level, alpha, margin, left, g) < FUTILE else None


def _chance(r: Array, level: float, alpha: float, margin: float, left: int, g: float) -> float:
    """The chance that `left` further seeds settle it, as r predicts under a flat prior of mean and log σ.

    σ² is (n−1)s²/χ²(n−1), the mean normal around r̄ with variance σ²/n, further values normal around that. Drawn
    with a generator of their own, so the same values have the same chance.
    """
    n, scale = r.size, float(np.abs(r).max())
    if float(r.std(ddof=1)) <= ROUNDING * scale:
        return 0.0 if scale == 0 and margin <= 0 else 1.0
    draw = np.random.Generator(np.random.Philox(key=[_STREAM, n]))
    sigma = np.sqrt((n - 1) * float(r.var(ddof=1)) / draw.chisquare(n - 1, _DRAWS))
    mean = float(r.mean()) + draw.standard_normal(_DRAWS) * sigma / math.sqrt(n)
    further = mean[:, None] + draw.standard_normal((_DRAWS, left)) * sigma[:, None]
    decided: NDArray[np.bool_] = np.zeros(_DRAWS, dtype=bool)
    total, squares = np.full(_DRAWS, float(r.sum())), np.full(_DRAWS, float((r**2).sum()))
    for more in range(left):
        total, squares, count = total + further[:, more], squares + further[:, more] ** 2, n + more + 1
        center = total / count
        error = np.sqrt(np.maximum(squares - count * center**2, 1e-300) / (count - 1) / count)
        decided |= log_e(center / error, count, g) >= -math.log(level)
        spread = 1 + count * g
        bound = (spread / (2 * alpha) ** 2) ** (1 / count)
        if margin > 0 and bound < spread:
            half = error * math.sqrt((count - 1) * (bound - 1) / (1 - bound / spread))
            decided |= np.abs(center) + half < margin
    return float(decided.mean())
