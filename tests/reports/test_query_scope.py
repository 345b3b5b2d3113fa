"""Sign flips against published figures, exact tests and themselves."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from crosscut_reports import query_scope

DARWIN = np.array([6.0, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75])


def p_of(d: np.ndarray, draws: int = query_scope.DRAWS) -> float:
    return float(query_scope.sign_flips(d[None, :], draws=draws)[0])


def test_darwins_maize_gives_the_published_exact_share() -> None:
    assert p_of(DARWIN) == 1726 / 32768


def test_zero_differences_do_not_count() -> None:
    assert p_of(np.concatenate([DARWIN, np.zeros(500)])) == 1726 / 32768


def test_enumeration_counts_every_flip() -> None:
    d = np.array([0.1, 0.2, 0.3, -0.6, 1.1])
    flips = [abs(sum(s * x for s, x in zip(signs, d, strict=True))) for signs in product((1, -1), repeat=5)]
    assert p_of(d) == sum(flip >= abs(d.sum()) - 1e-9 for flip in flips) / 32


def test_binary_differences_give_exact_mcnemar() -> None:
    d = np.concatenate([np.full(31, 100.0), np.full(14, -100.0), np.zeros(60)])
    assert p_of(d) == pytest.approx(float(stats.binomtest(14, 45).pvalue))


def test_sampled_share_is_near_the_exact_one_and_never_zero() -> None:
    d = np.random.default_rng(0).normal(0.3, 1, 200)
    assert p_of(d) == pytest.approx(float(stats.ttest_1samp(d, 0).pvalue), abs=0.004)
    assert p_of(d + 5, draws=99) == 1 / 100


def test_few_valued_differences_agree_with_flipping_each() -> None:
    d = np.random.default_rng(1).choice([-40.0, -20, 0, 20, 40, 100 / 3], 1200)
    compressed = p_of(d)
    signs = 2.0 * np.random.default_rng(2).integers(0, 2, (8000, d.size)) - 1
    share = float((np.abs(signs @ d) >= abs(d.sum()) - 1e-6).mean())
    assert compressed == pytest.approx(share, abs=0.02)


def test_same_scores_give_the_same_p_to_the_last_bit() -> None:
    d = np.random.default_rng(3).normal(0.1, 1, (4, 90))
    first, second = query_scope.sign_flips(d), query_scope.sign_flips(d.copy())
    np.testing.assert_array_equal(first, second)
    assert (query_scope.sign_flips(d, stream=1) != first).any()


def test_contrasts_tested_together_share_their_flips() -> None:
    d = np.random.default_rng(4).normal(0.1, 1, 90)
    together = query_scope.sign_flips(np.stack([d, -2 * d, d**3]))
    assert together[0] == together[1] == p_of(d)


def test_p_is_below_alpha_as_often_as_it_says() -> None:
    d = np.random.default_rng(5).standard_normal((1000, 40)) ** 3
    p = query_scope.sign_flips(d, draws=499)
    assert 0.03 < (p <= 0.05).mean() < 0.07


def test_interval_is_that_of_the_cluster_means() -> None:
    D = np.random.default_rng(6).normal(0.5, 2, (2, 80))
    found = query_scope.contrast(D)
    reference = stats.ttest_1samp(D.mean(0), 0).confidence_interval(0.95)
    assert found.interval(0.95) == pytest.approx((float(reference.low), float(reference.high)))
    assert found.p == p_of(D.mean(0))
    assert found.df == 79


def test_identical_models_have_p_of_one() -> None:
    found = query_scope.contrast(np.zeros((1, 20)))
    assert (found.estimate, found.se, found.p) == (0, 0, 1)


def test_one_cluster_gives_no_test() -> None:
    found = query_scope.contrast(np.array([[1.0], [2.0]]))
    assert found.p is None
    assert found.reason == "there is one cluster of queries only"


def test_models_that_differ_seed_by_seed_are_not_the_same_for_equal_means() -> None:
    D = np.zeros((2, 8))
    D[0, 0], D[1, 0] = 1.0, -1.0
    found = query_scope.contrast(D)
    assert (found.estimate, found.p) == (0, None)
    assert query_scope.contrast(np.zeros((2, 8))).p == 1
