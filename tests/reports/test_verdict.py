"""Verdicts, plans for more seeds, and the sentences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from crosscut_reports import closed_form, query_scope, seed_scope
from crosscut_reports.estimate import Components, Estimate, student
from crosscut_reports.verdict import (
    Judgement,
    further_seeds,
    judge,
    number,
    p_text,
    sentence,
    smallest_effect,
)


def made(estimate: float, seed: float, seeds: int = 5, query: float = 0.0) -> Estimate:
    """An estimate of a seed variance and a query variance (of the mean)."""
    return student(
        estimate, (seed,), (seeds,), query, Components(), 100.0, identical=estimate == seed == query == 0
    )


def said(estimate: Estimate, margin: float = 1.0, p_adjusted: float | None = None, **change: Any) -> str:
    p = estimate.p if p_adjusted is None else p_adjusted
    judgement = judge(estimate, p, "seeds-and-queries", 0.05, margin)
    facts: dict[str, Any] = {"p_adjusted": p, "family": 4, "scope": "seeds-and-queries", "alpha": 0.05}
    facts |= {"margin": margin, "seeds": 5, "clusters": 300} | change
    return sentence("constraints: ccr vs none", "test/rsum", estimate, judgement, **facts)


def test_the_four_verdicts() -> None:
    cases = {
        "better": made(3.0, 1.0),
        "worse": made(-3.0, 1.0),
        "equivalent": made(0.1, 0.5),
        "undecided": made(0.9, 2.0),
    }
    for verdict, estimate in cases.items():
        assert judge(estimate, estimate.p, "seeds-and-queries", 0.05, 1.0).verdict == verdict


def test_adjusted_p_decides_not_the_raw_one() -> None:
    estimate = made(1.8, 1.0)
    assert estimate.p is not None
    assert estimate.p < 0.05
    assert judge(estimate, 0.08, "seeds-and-queries", 0.05, 0.0).verdict == "undecided"


def test_significant_within_the_margin_is_better_but_negligible() -> None:
    estimate = made(0.5, 0.01)
    judgement = judge(estimate, estimate.p, "seeds-and-queries", 0.05, 1.0)
    assert (judgement.verdict, judgement.negligible) == ("better", True)
    text = said(estimate)
    assert text.endswith("better, but the effect lies within the margin of ±1 points, so it is negligible.")


def test_identical_arms_are_equivalent_with_a_margin_and_undecided_without() -> None:
    same = made(0.0, 0.0)
    assert judge(same, 1.0, "seeds-and-queries", 0.05, 0.5).verdict == "equivalent"
    without = judge(same, 1.0, "seeds-and-queries", 0.05, 0.0)
    assert (without.verdict, without.outlook, without.seeds_to_decide) == ("undecided", "never", None)
    assert "the same in every run" in said(same, margin=0.0)


def test_further_seeds_is_the_smallest_number_that_settles_it() -> None:
    estimate = made(1.0, 2.0, seeds=4, query=0.02)
    outlook, more = further_seeds(estimate, 0.05, 0.0, multiplier=3)
    assert outlook == "seeds"
    assert more is not None

    def excludes_zero(seeds: int) -> bool:
        interval = made(1.0, 2.0, seeds=seeds, query=0.02).interval(1 - 0.05 / 3)
        return interval is not None and interval[0] > 0

    assert excludes_zero(4 + more)
    assert not any(excludes_zero(seeds) for seeds in range(4, 4 + more))


def test_further_seeds_can_also_show_equivalence() -> None:
    outlook, more = further_seeds(made(0.0, 2.0, seeds=4), 0.05, 0.8)
    assert outlook == "seeds"
    assert more is not None
    interval = made(0.0, 2.0, seeds=4 + more).interval(0.9)
    before = made(0.0, 2.0, seeds=3 + more).interval(0.9)
    assert interval is not None
    assert before is not None
    assert interval[1] < 0.8 <= before[1]


def test_more_seeds_cannot_settle_what_the_queries_leave_open() -> None:
    estimate = made(0.5, 1.0, query=0.5)
    assert further_seeds(estimate, 0.05, 0.0) == ("never", None)
    # Equivalence has its own limit: 0.5 + 1.645·√0.5 is below 2.
    assert further_seeds(estimate, 0.05, 2.0)[0] == "seeds"
    half = 1.96 * math.sqrt(0.5)
    text = said(estimate, margin=0.0)
    assert text.endswith(
        "undecided; if the estimate stayed, more seeds would not decide it: however many, the queries alone "
        f"leave ±{half:.1f} points."
    )


def test_more_seeds_cannot_show_equivalence_only_where_the_queries_alone_reach_the_margin() -> None:
    estimate = made(0.5, 1.0, query=0.5)
    limit = 1.6449 * math.sqrt(0.5)
    assert said(estimate, margin=limit - 0.01).endswith(" points, and more seeds cannot show equivalence.")
    assert "would not decide it" in said(estimate, margin=limit + 0.01)
    assert "equivalence" not in said(estimate, margin=limit + 0.01)


def test_what_the_queries_leave_is_at_the_level_that_decides() -> None:
    estimate = made(0.5, 1.0, query=0.5)
    judgement = judge(estimate, 1.0, "seeds-and-queries", 0.05, 0.0, 4.0)
    text = sentence(
        "a", "m", estimate, judgement, p_adjusted=1.0, family=4, scope="seeds-and-queries", alpha=0.05,
        margin=0.0, seeds=5, clusters=9,
    )  # fmt: skip
    half = float(stats.norm.ppf(1 - 0.05 / 8)) * math.sqrt(0.5)
    assert text.endswith(f"leave ±{half:.1f} points at the family's level.")


def test_more_than_a_thousand_seeds_is_said_so() -> None:
    estimate = made(0.01, 1.0)
    assert further_seeds(estimate, 0.05, 0.0) == ("many", None)
    assert "even 1000 seeds would not decide it" in said(estimate, margin=0.0)


def test_smallest_effect_follows_the_formula_of_the_components() -> None:
    draw = np.random.default_rng(0)
    S, Q = 6, 200
    D = draw.normal(0, 1, (S, 1)) + draw.normal(0, 3, (1, Q)) + draw.normal(0, 2, (S, Q))
    found = closed_form.contrast(D)
    parts = found.components
    assert parts.sd_seed is not None
    assert parts.sd_query is not None
    assert parts.sd_residual is not None
    root = math.sqrt(parts.sd_seed**2 / S + parts.sd_query**2 / Q + parts.sd_residual**2 / (S * Q))
    t = stats.t.ppf(0.975, found.df) + stats.t.ppf(0.8, found.df)
    assert smallest_effect(found, 0.05) == pytest.approx(float(t) * root)
    assert smallest_effect(made(0.0, 0.0), 0.05) is None


def test_sentence_of_a_better_arm() -> None:
    estimate = made(1.8, 1.2)
    assert said(estimate, p_adjusted=0.012) == (
        "constraints: ccr vs none — test/rsum +1.8 points (95% interval 0.4 to 3.2, p = 0.012 adjusted for 4 "
        "contrasts, new seeds and new queries; 5 seeds, 300 clusters; declared): better."
    )


def test_sentence_of_a_family_of_one_speaks_of_no_adjustment() -> None:
    text = said(made(-4.0, 1.2), p_adjusted=0.0004, family=1, declared=False)
    assert ", p < 0.001, " in text
    assert "test/rsum −4.0 points (" in text
    assert text.endswith("300 clusters; exploratory): worse.")


def test_sentence_where_lower_is_better_says_what_positive_means() -> None:
    text = said(made(2.0, 1.0), higher_is_better=False)
    assert text.startswith(
        "constraints: ccr vs none — gain of +2.0 points on test/rsum, where lower is better ("
    )


def test_sentence_without_a_test_says_why() -> None:
    text = said(seed_scope.paired(np.array([1.25])), scope="seeds", seeds=1, clusters=None, family=0)
    assert text == (
        "constraints: ccr vs none — test/rsum +1.2 points (new seeds, these queries; 1 seed; declared): "
        "undecided, because one seed says nothing of the spread between seeds."
    )


def test_query_scope_plans_no_seeds() -> None:
    found = query_scope.contrast(np.random.default_rng(0).normal(0, 1, (1, 40)))
    judgement = judge(found, found.p, "queries", 0.05, 0.0)
    assert (judgement.verdict, judgement.outlook) == ("undecided", "queries")


def queried(d: list[float], seeds: int = 1, margin: float = 0.0) -> str:
    """The sentence of clusters' differences under the scope "queries"."""
    found = query_scope.contrast(np.array([d] * seeds))
    judgement = judge(found, found.p, "queries", 0.05, margin)
    facts: dict[str, Any] = {"p_adjusted": found.p, "family": 1, "scope": "queries", "alpha": 0.05}
    facts |= {"margin": margin, "seeds": seeds, "clusters": len(d), "differing": int(np.count_nonzero(d))}
    return sentence("arm: a vs b", "hit", found, judgement, **facts)


def test_a_lopsided_interval_beside_a_p_of_one_is_explained() -> None:
    assert queried([1.0] + [0.0] * 9) == (
        "arm: a vs b — hit +0.10 points (95% interval −0.13 to 0.33, p = 1.00, these trained models, new "
        "queries; 1 seed, 10 clusters; declared): undecided, since only 1 cluster differs, too few for sign "
        "flips to give a p below 0.05."
    )


def test_too_few_clusters_is_said_of_no_more_than_five() -> None:
    assert "since only 5 clusters differ" in queried([1.0] * 5 + [0.0] * 15)
    assert queried([1.0] * 6 + [0.0] * 14).endswith(": better; another training seed may tell otherwise.")


def test_query_scope_asks_for_three_seeds_only_where_there_are_fewer() -> None:
    d = [1.0, -1.0] * 10 + [1.0]
    assert "it takes three seeds or more" in queried(d, seeds=2)
    assert queried(d, seeds=3).endswith("and this scope says nothing of further seeds.")


def test_equivalence_in_the_query_scope_is_of_these_models() -> None:
    assert queried([1.0, -1.0] * 10, margin=5.0).endswith(
        "±5 points; another training seed may tell otherwise."
    )


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (1e-300, "p < 0.001"),
        (0.00099, "p < 0.001"),
        (0.0124, "p = 0.012"),
        (0.04996, "p = 0.04996"),
        (0.05004, "p = 0.050"),
        (0.31, "p = 0.31"),
        (1.0, "p = 1.00"),
    ],
)
def test_p_is_never_printed_as_zero_nor_across_alpha(p: float, text: str) -> None:
    assert p_text(p) == text


def test_numbers_have_a_true_minus_and_no_negative_zero() -> None:
    assert number(-1.25, 2) == "−1.25"
    assert number(-0.001, 1, signed=True) == "0.0"
    assert number(2, 1, signed=True) == "+2.0"


def test_every_outlook_has_its_own_sentence() -> None:
    texts = {
        said(made(0.9, 2.0), margin=0.0),
        said(made(0.01, 1.0), margin=0.0),
        said(made(0.5, 1.0, query=0.5), margin=0.0),
        said(made(0.0, 1.0), margin=0.0),
    }
    assert len({text.split("): ")[1] for text in texts}) == 4


def test_judgement_of_an_untested_contrast_is_undecided() -> None:
    found = seed_scope.paired(np.full(3, 2.0))
    assert judge(found, None, "seeds", 0.05, 1.0) == Judgement("undecided", False, "untested", None, None)
