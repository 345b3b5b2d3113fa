"""Verdicts, and the sentence that states one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtri, stdtrit

from crosscut_reports import equivalence
from crosscut_reports.estimate import Estimate, t_quantile
from crosscut_reports.measurement import FEWEST_SEEDS
from crosscut_reports.result import SCOPE_TEXT, Scope, Verdict

POWER = 0.8
MOST_SEEDS = 1000
"""Plans for more seeds end here."""

Outlook = Literal["settled", "seeds", "many", "never", "queries", "untested"]
"""What would settle a contrast: nothing more; so many seeds; more than `MOST_SEEDS`; no number of seeds; this
scope cannot plan seeds; there is no test at all."""


@dataclass(frozen=True)
class Judgement:
    """A contrast's verdict and what follows from it."""

    verdict: Verdict
    negligible: bool
    """The (1−2α) interval lies inside the margin, whatever the verdict."""
    outlook: Outlook
    seeds_to_decide: int | None
    smallest_effect: float | None
    multiplier: float = 1.0
    """What the family multiplies this contrast's p-value by, as long as nothing else changes."""


def smallest_effect(estimate: Estimate, alpha: float, power: float = POWER) -> float | None:
    """Minimum detectable effect at this size: (t_{1−α/2,df} + t_{power,df})·SE, in points.

    SE² is σ_s²/S + σ_q²/Q + σ_sq²/(SQ) in the scope with new seeds and queries, and its own part of that in
    the others. None where nothing varies.
    """
    if not estimate.se:
        return None
    return (t_quantile(1 - alpha / 2, estimate.df) + t_quantile(power, estimate.df)) * estimate.se


def further_seeds(
    estimate: Estimate, alpha: float, margin: float, multiplier: float = 1.0
) -> tuple[Outlook, int | None]:
    """The smallest number of further seeds (for each arm) that would settle the contrast.

    Variances and the estimate are taken to stay as they are. Settled means that zero lies outside the
    interval of level 1 − α/multiplier, `multiplier` being Holm's at the contrast's turn, or that the (1−2α)
    interval lies inside the margin. Up to `MOST_SEEDS` seeds in all.
    """
    size, level = abs(estimate.estimate), alpha / multiplier
    limit = math.sqrt(estimate.query_variance)
    if not (size > float(ndtri(1 - level / 2)) * limit or size + float(ndtri(1 - alpha)) * limit < margin):
        return "never", None
    more = np.arange(1, MOST_SEEDS + 1 - max(estimate.seed_counts))
    if more.size == 0:
        return "many", None
    variances = np.asarray(estimate.seed_variances)[:, None]
    counts = np.asarray(estimate.seed_counts)[:, None] + more[None, :]
    terms = variances / counts
    variance = terms.sum(axis=0) + estimate.query_variance
    spread = (terms**2 / (counts - 1)).sum(axis=0)
    if variance[0] == 0 or spread[0] == 0:
        # Seeds make no difference, so more of them change nothing.
        return "never", None
    df, se = variance**2 / spread, np.sqrt(variance)
    settled = (size > stdtrit(df, 1 - level / 2) * se) | (size + stdtrit(df, 1 - alpha) * se < margin)
    if not settled.any():
        return "many", None
    return "seeds", int(more[int(np.argmax(settled))])


def judge(
    estimate: Estimate,
    p_adjusted: float | None,
    scope: Scope,
    alpha: float,
    margin: float,
    multiplier: float = 1.0,
) -> Judgement:
    """better or worse where the adjusted p is below α, else equivalent where the (1−2α) interval lies inside
    (−margin, margin), else undecided.

    A contrast can be both significant and inside the margin. It is then better or worse, and `negligible`.
    Equivalence is not adjusted for the family.
    """
    negligible = equivalence.within(estimate, alpha, margin)
    smallest = smallest_effect(estimate, alpha)
    if estimate.p is None:
        return Judgement("undecided", negligible, "untested", None, smallest)
    if p_adjusted is not None and p_adjusted < alpha and estimate.estimate != 0:
        verdict: Verdict = "better" if estimate.estimate > 0 else "worse"
        return Judgement(verdict, negligible, "settled", None, smallest)
    if negligible:
        return Judgement("equivalent", negligible, "settled", None, smallest)
    if scope == "queries":
        return Judgement("undecided", negligible, "queries", None, smallest)
    outlook, seeds = further_seeds(estimate, alpha, margin, multiplier)
    return Judgement("undecided", negligible, outlook, seeds, smallest, multiplier)


def _decimals(size: float) -> int:
    """So many that `size` shows two significant digits."""
    return min(6, max(0, 1 - math.floor(math.log10(size)))) if size > 0 else 1


def number(value: float, decimals: int, signed: bool = False) -> str:
    """A number with a true minus sign and without a negative zero."""
    rounded = round(value, decimals) + 0.0
    text = f"{abs(rounded):.{decimals}f}"
    if rounded < 0:
        return f"−{text}"
    return f"+{text}" if signed and rounded > 0 else text


def p_text(p: float, alpha: float = 0.05) -> str:
    """As in "p = 0.012" or "p < 0.001"; never 0, and never rounded across `alpha`."""
    if p < 0.001:
        return "p < 0.001"
    decimals = 3 if p < 0.0995 else 2
    while decimals < 9 and (round(p, decimals) < alpha) != (p < alpha):
        decimals += 1
    return f"p = {p:.{decimals}f}"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _unsettled(alpha: float, seeds: int, differing: int | None) -> str:
    """Why the scope "queries" leaves a contrast undecided, and what would help."""
    # Sign flips of n clusters give no p below 2/2ⁿ.
    if differing is not None and 2.0 ** (1 - differing) >= alpha:
        differ = "1 cluster differs" if differing == 1 else f"{differing} clusters differ"
        return f", since only {differ}, too few for sign flips to give a p below {alpha:g}"
    if seeds >= FEWEST_SEEDS:
        return "; more queries would narrow the interval, and this scope says nothing of further seeds"
    return (
        "; more queries would narrow the interval, and it takes three seeds or more to say what further "
        "seeds would do"
    )


def _conclusion(
    judgement: Judgement,
    estimate: Estimate,
    alpha: float,
    margin: float,
    decimals: int,
    seeds: int,
    differing: int | None,
) -> str:
    inside = f"the margin of ±{margin:g} points"
    if judgement.verdict in ("better", "worse"):
        if judgement.negligible:
            return f"{judgement.verdict}, but the effect lies within {inside}, so it is negligible"
        return judgement.verdict
    if judgement.verdict == "equivalent":
        level = f"{100 * (1 - 2 * alpha):g}%"
        if estimate.se == 0:
            return f"equivalent, the two sides being the same in every run, within {inside}"
        return f"equivalent, since the {level} interval lies within {inside}"
    if judgement.outlook == "untested":
        return f"undecided, because {estimate.reason}"
    if estimate.se == 0:
        return (
            "undecided, the two sides being the same in every run, with no margin set to call them equivalent"
        )
    if judgement.outlook == "seeds":
        more = judgement.seeds_to_decide or 0
        return f"undecided; {_count(more, 'more seed')} would decide it if the estimate stayed"
    if judgement.outlook == "many":
        return f"undecided; even {MOST_SEEDS} seeds would not decide it if the estimate stayed"
    if judgement.outlook == "queries":
        return f"undecided{_unsettled(alpha, seeds, differing)}"
    if estimate.query_variance > 0:
        limit = math.sqrt(estimate.query_variance)
        half = number(float(ndtri(1 - alpha / (2 * judgement.multiplier))) * limit, decimals)
        level = " at the family's level" if judgement.multiplier != 1 else ""
        text = (
            "undecided; if the estimate stayed, more seeds would not decide it: however many, the queries "
            f"alone leave ±{half} points{level}"
        )
        # Only this holds whatever the truth is: an interval wider than the margin never fits inside it.
        hopeless = margin > 0 and float(ndtri(1 - alpha)) * limit >= margin
        return f"{text}, and more seeds cannot show equivalence" if hopeless else text
    return "undecided, and more seeds would not decide it if the estimate stayed"


def sentence(
    name: str,
    metric: str,
    estimate: Estimate,
    judgement: Judgement,
    *,
    p_adjusted: float | None,
    family: int,
    scope: Scope,
    alpha: float,
    margin: float,
    seeds: int,
    clusters: int | None,
    differing: int | None = None,
    declared: bool = True,
    higher_is_better: bool = True,
) -> str:
    """The verdict in words that a reader can quote, every figure with its scope.

    The interval is of this contrast alone, so that a p-value adjusted for others says for how many. With
    `differing` clusters that do not tie, the scope "queries" can tell where they are too few for its test.
    Figures show as many decimals as give the interval's half-width two significant digits.
    """
    interval = estimate.interval(1 - alpha)
    half = (interval[1] - interval[0]) / 2 if interval is not None else 0.0
    # One decimal at least, since recalls are printed so; a wide interval needs no less.
    decimals = max(1, _decimals(half or abs(estimate.estimate)))
    facts: list[str] = []
    if interval is not None:
        low, high = (number(bound, decimals) for bound in interval)
        facts.append(f"{100 * (1 - alpha):g}% interval {low} to {high}")
    if p_adjusted is not None:
        adjusted = f" adjusted for {family} contrasts" if family > 1 else ""
        facts.append(p_text(p_adjusted, alpha) + adjusted)
    facts.append(SCOPE_TEXT[scope])
    size: Sequence[str] = [_count(seeds, "seed")] + ([_count(clusters, "cluster")] if clusters else [])
    setting = f"({', '.join(facts)}; {', '.join(size)}; {'declared' if declared else 'exploratory'})"
    points = f"{number(estimate.estimate, decimals, signed=True)} points"
    if higher_is_better:
        change = f"{name} — {metric} {points}"
    else:
        change = f"{name} — gain of {points} on {metric}, where lower is better"
    conclusion = _conclusion(judgement, estimate, alpha, margin, decimals, seeds, differing)
    if scope == "queries" and judgement.outlook == "settled":
        conclusion += "; another training seed may tell otherwise"
    return f"{change} {setting}: {conclusion}."
