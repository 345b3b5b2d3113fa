"""The default scope against published figures and against the matrix form of its own formulas."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from crosscut_reports import closed_form, seed_scope

Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def van_dyke(shared_data: Path) -> Array:
    """(2 arms, 5 seeds, 45 queries) of 0 and 1."""
    with (shared_data / "van_dyke_sensitivity.csv").open() as file:
        rows = list(csv.DictReader(file))
    arms, seeds, queries = (sorted({row[key] for row in rows}) for key in ("config", "seed", "query"))
    scores = np.full((len(arms), len(seeds), len(queries)), np.nan)
    for row in rows:
        place = (arms.index(row["config"]), seeds.index(row["seed"]), queries.index(row["query"]))
        scores[place] = float(row["value"])
    assert scores.shape == (2, 5, 45)
    assert np.isfinite(scores).all()
    return scores


def two_way(seeds: int, clusters: int, key: int = 1) -> Array:
    """Scores with seed, query and residual effects."""
    draw = np.random.default_rng(key)
    effects: Array = draw.normal(0, 0.7, (seeds, 1)) + draw.normal(0, 3, (1, clusters))
    return effects + draw.normal(0, 2, (seeds, clusters)) + 0.4


def test_van_dyke_contrast_gives_the_published_figures(van_dyke: Array) -> None:
    found = closed_form.contrast(van_dyke[0] - van_dyke[1])
    assert found.estimate == pytest.approx(-0.09777778, abs=5e-9)
    assert found.se == pytest.approx(0.03780451, abs=5e-9)
    assert found.df == pytest.approx(15.71732, abs=5e-6)
    assert found.p == pytest.approx(0.02008822, abs=5e-9)
    assert found.interval(0.95) == pytest.approx((-0.1780371, -0.0175185), abs=5e-8)


def test_van_dyke_factor_test_gives_the_published_figures(van_dyke: Array) -> None:
    found = closed_form.factor(van_dyke)
    assert pytest.approx(6.689493, abs=5e-7) == found.F
    assert found.df1 == 1
    assert found.df2 == pytest.approx(15.71732, abs=5e-6)
    assert found.p == pytest.approx(0.02008822, abs=5e-9)
    assert found.ms_levels == pytest.approx(0.02390123, abs=5e-9)
    assert found.ms_interaction == pytest.approx(0.001802469, abs=5e-10)
    assert found.cov2 == pytest.approx(0.00101459, abs=5e-9)
    assert found.cov3 == pytest.approx(0.0006604938, abs=5e-11)
    assert found.denominator == pytest.approx(0.003572952, abs=5e-10)


def test_moments_equal_those_of_the_whole_covariance_matrix() -> None:
    D = two_way(4, 30)
    covariance = np.cov(D)
    mean_off_diagonal = covariance[~np.eye(4, dtype=bool)].mean()
    rest = D - D.mean(1, keepdims=True) - D.mean(0, keepdims=True) + D.mean()
    found = closed_form.moments(D)
    assert float(found.query_covariance) == pytest.approx(mean_off_diagonal)
    assert float(found.residual_variance) == pytest.approx((rest**2).sum() / (3 * 29))
    assert float(found.seed_variance) == pytest.approx(D.mean(1).var(ddof=1))


def test_moments_of_a_stack_are_those_of_its_members() -> None:
    stack = np.stack([two_way(3, 20, key) for key in range(5)])
    found = closed_form.moments(stack)
    for place, D in enumerate(stack):
        assert found.query_covariance[place] == pytest.approx(float(closed_form.moments(D).query_covariance))


def test_factor_covariances_equal_those_of_the_whole_covariance_matrix() -> None:
    M = np.stack([two_way(4, 25, key) for key in range(3)])
    covariance = np.cov(M.reshape(12, 25)) / 25
    arm, seed = np.repeat(np.arange(3), 4), np.tile(np.arange(4), 3)
    other_seed = seed[:, None] != seed[None, :]
    same_arm = arm[:, None] == arm[None, :]
    found = closed_form.factor(M)
    assert found.cov2 == pytest.approx(covariance[same_arm & other_seed].mean())
    assert found.cov3 == pytest.approx(covariance[~same_arm & other_seed].mean())


def test_factor_of_two_levels_is_the_squared_contrast() -> None:
    M = np.stack([two_way(5, 40, key) for key in (3, 4)])
    contrast, factor = closed_form.contrast(M[0] - M[1]), closed_form.factor(M)
    assert contrast.statistic is not None
    assert pytest.approx(contrast.statistic**2) == factor.F
    assert factor.df2 == pytest.approx(contrast.df)
    assert factor.p == pytest.approx(contrast.p)


def test_components_recover_the_deviations_that_made_the_scores() -> None:
    found = closed_form.components(two_way(60, 400, key=8))
    assert found.sd_seed == pytest.approx(0.7, rel=0.2)
    assert found.sd_query == pytest.approx(3, rel=0.1)
    assert found.sd_residual == pytest.approx(2, rel=0.02)


def test_negative_query_covariance_is_clamped_and_leaves_the_t_test_over_seeds() -> None:
    D = np.array([[1.0, -1, 2, 0], [-1.0, 1, 0.5, 1.1], [0.5, 2, -1, 1]])
    assert float(closed_form.moments(D).query_covariance) < 0
    found = closed_form.contrast(D)
    reference = stats.ttest_1samp(D.mean(1), 0)
    assert found.components.sd_query == 0
    assert found.df == pytest.approx(2)
    assert found.p == pytest.approx(float(reference.pvalue))


def test_identical_arms_have_p_of_one() -> None:
    found = closed_form.contrast(np.zeros((3, 10)))
    assert (found.estimate, found.se, found.p, found.statistic) == (0, 0, 1, 0)
    assert found.interval(0.95) == (0, 0)


def test_a_difference_without_any_spread_has_no_test_and_says_why() -> None:
    found = closed_form.contrast(np.full((3, 10), 0.1 + 0.2))
    assert found.p is None
    assert found.statistic is None
    assert found.interval(0.95) is None
    assert found.reason is not None


def test_arms_that_differ_query_by_query_are_not_the_same_for_equal_means() -> None:
    # Each of three runs misses one query, each a different one, and the other side another.
    D = np.zeros((3, 9))
    for seed in range(3):
        D[seed, 2 * seed], D[seed, 2 * seed + 1] = 100.0, -100.0
    for found in (closed_form.contrast(D), seed_scope.paired(D.mean(axis=1), float(np.abs(D).max()))):
        assert (found.estimate, found.p, found.interval(0.95)) == (0, None, None)
        assert found.reason is not None
        assert "no spread between seeds" in found.reason


def test_unpaired_arms_are_the_same_only_score_by_score() -> None:
    a, b = np.zeros((3, 6)), np.zeros((4, 6))
    assert closed_form.unpaired([a + 1, b + 1], [1, -1]).p == 1
    a[range(3), range(3)] = b[range(4), range(4)] = 1
    found = closed_form.unpaired([a, b], [1, -1])
    assert (found.estimate, found.p) == (0, None)


def test_seeds_without_effect_leave_a_normal_test_over_queries() -> None:
    row = two_way(1, 50)
    found = closed_form.contrast(np.repeat(row, 3, axis=0))
    assert math.isinf(found.df)
    assert found.se == pytest.approx(float(row.std(ddof=1)) / math.sqrt(50))
    assert found.statistic is not None
    assert found.p == pytest.approx(float(2 * stats.norm.sf(abs(found.statistic))))


def test_unpaired_form_of_two_arms_follows_its_formula() -> None:
    a, b = two_way(4, 30, 11), two_way(6, 30, 12)
    covariance = np.cov(np.vstack([a, b]))
    C11 = covariance[:4, :4][~np.eye(4, dtype=bool)].mean()
    C22 = covariance[4:, 4:][~np.eye(6, dtype=bool)].mean()
    C12 = covariance[:4, 4:].mean()
    terms = a.mean(1).var(ddof=1) / 4, b.mean(1).var(ddof=1) / 6
    variance = sum(terms) + max(C11 + C22 - 2 * C12, 0) / 30
    found = closed_form.unpaired([a, b], [1, -1])
    assert found.estimate == pytest.approx(a.mean() - b.mean())
    assert found.se == pytest.approx(math.sqrt(variance))
    assert found.df == pytest.approx(variance**2 / (terms[0] ** 2 / 3 + terms[1] ** 2 / 5))


@pytest.mark.parametrize(("seeds", "low", "high"), [(3, 0.065, 0.09), (5, 0.045, 0.07), (10, 0.04, 0.06)])
def test_type_one_error_where_it_is_worst_is_what_the_docstring_says(
    seeds: int, low: float, high: float
) -> None:
    # A tenth of the variance is the queries'.
    draw = np.random.default_rng(9)
    query = draw.normal(0, 1, (4000, 1, 40))
    seed = draw.normal(0, math.sqrt(0.9 * seeds / (0.1 * 40)), (4000, seeds, 1))
    found = closed_form.moments(query + seed)
    own = found.seed_variance / seeds
    variance = own + found.query_covariance / 40
    statistic = np.abs(found.estimate) / np.sqrt(variance)
    p = np.asarray(2 * stats.t.sf(statistic, variance**2 / (own**2 / (seeds - 1))))
    assert low < np.mean(p < 0.05) < high


def test_factor_that_no_seed_moves_is_refused() -> None:
    row = two_way(1, 12)
    M = np.stack([np.repeat(row, 3, axis=0), np.repeat(row + 1, 3, axis=0)])
    with pytest.raises(closed_form.NoVariationError, match="same under every seed"):
        closed_form.factor(M)


@pytest.mark.parametrize("shape", [(1, 10), (3, 1), (30,)])
def test_scores_without_two_seeds_and_two_clusters_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        closed_form.contrast(np.zeros(shape))


def test_p_is_never_zero() -> None:
    p = closed_form.contrast(1e5 + two_way(200, 50)).p
    assert p is not None
    assert 0 < p < 1e-300
