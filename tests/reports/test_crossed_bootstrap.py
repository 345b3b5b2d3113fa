"""Medians, ratios and other metrics that are no means, at new seeds and new queries."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crosscut_reports import closed_form, crossed_bootstrap, query_scope
from crosscut_reports.analysis import analyse
from crosscut_reports.arrays import from_arrays
from crosscut_reports.context import Context
from crosscut_reports.estimate import percentiles
from crosscut_reports.question import Question
from crosscut_reports.render import methods
from crosscut_reports.statistics import Mean, Median, Ratio
from crosscut_reports.table import TableError, read


def scores(
    arms: int = 2, seeds: int = 5, clusters: int = 200, effect: float = 0.0, seed: int = 0
) -> np.ndarray:
    """Arms that share their queries and their seeds."""
    draw = np.random.default_rng(seed)
    own = draw.normal(0, 0.3, (arms, seeds, clusters))
    made = draw.normal(0, 0.2, (arms, 1, clusters)) + draw.normal(0, 0.02, (arms, seeds, 1)) + own
    made[0] += effect
    return made


def test_of_means_it_agrees_with_the_closed_form() -> None:
    M = scores()
    found = crossed_bootstrap.contrast(Mean(M), {0: 1.0, 1: -1.0}, range(5))
    exact = closed_form.contrast(M[0] - M[1])
    assert found.estimate == pytest.approx(exact.estimate)
    assert found.se == pytest.approx(exact.se, rel=0.06)
    assert found.df == pytest.approx(exact.df, rel=0.25)
    assert found.components.sd_seed == pytest.approx(np.std((M[0] - M[1]).mean(axis=1), ddof=1))
    assert found.query_variance == pytest.approx(exact.query_variance, rel=0.25)
    low, high = found.interval(0.95) or (0, 0)
    inner = exact.interval(0.95) or (0, 0)
    assert high - low >= 0.9 * (inner[1] - inner[0])
    assert found.draws is not None
    assert low <= percentiles(found.draws, 0.95)[0] < percentiles(found.draws, 0.95)[1] <= high


def test_for_these_models_it_agrees_with_the_normal_theory_of_clusters() -> None:
    M = scores()
    found = crossed_bootstrap.queries(Mean(M), {0: 1.0, 1: -1.0}, range(5))
    exact = query_scope.contrast(M[0] - M[1], p=1.0)
    assert found.estimate == pytest.approx(exact.estimate)
    assert found.se == pytest.approx(exact.se, rel=0.06)
    assert found.df == exact.df == 199


def test_unpaired_seeds_have_a_variance_each() -> None:
    M = scores(seeds=8)
    M[0, 4:] = np.nan
    M[1, :4] = np.nan
    found = crossed_bootstrap.contrast(Mean(M), {0: 1.0, 1: -1.0}, None)
    exact = closed_form.unpaired([M[0, :4], M[1, 4:]], [1.0, -1.0])
    assert found.estimate == pytest.approx(exact.estimate)
    assert found.seed_variances == pytest.approx(exact.seed_variances)
    assert found.seed_counts == (4, 4)
    assert found.se == pytest.approx(exact.se, rel=0.06)


def test_draws_are_shared_so_that_contrasts_add_up() -> None:
    one = Median(np.random.default_rng(1).geometric(0.1, (3, 4, 90)), np.repeat(np.arange(30), 3), 30)
    ab, bc, ac = (
        crossed_bootstrap.contrast(one, weights, range(4))
        for weights in ({0: 1.0, 1: -1.0}, {1: 1.0, 2: -1.0}, {0: 1.0, 2: -1.0})
    )
    assert ab.draws is not None
    assert bc.draws is not None
    assert ac.draws is not None
    np.testing.assert_allclose(ab.draws + bc.draws, ac.draws, atol=1e-9)
    again = crossed_bootstrap.contrast(Median(one.ranks, one.cluster, 30), {0: 1.0, 1: -1.0}, range(4))
    np.testing.assert_array_equal(again.draws, ab.draws)


@pytest.mark.parametrize("effect", [0.0, 0.05, 0.1, 0.3])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_p_is_below_alpha_just_where_the_interval_leaves_out_zero(effect: float, alpha: float) -> None:
    for seed in range(6):
        M = scores(effect=effect, seed=seed, clusters=60)
        for found in (
            crossed_bootstrap.contrast(Mean(M), {0: 1.0, 1: -1.0}, range(5)),
            crossed_bootstrap.queries(Mean(M), {0: 1.0, 1: -1.0}, range(5)),
        ):
            low, high = found.interval(1 - alpha) or (0, 0)
            assert found.p is not None
            assert found.p > 0
            assert (found.p < alpha) == (not low <= 0 <= high)


def test_p_is_never_zero_and_one_of_sides_that_are_the_same() -> None:
    M = scores(effect=50.0)
    far = crossed_bootstrap.contrast(Mean(M), {0: 1.0, 1: -1.0}, range(5))
    assert far.p == pytest.approx(2 / 2001)
    M[1] = M[0]
    for resample in (crossed_bootstrap.contrast, crossed_bootstrap.queries):
        same = resample(Mean(M), {0: 1.0, 1: -1.0}, range(5))
        assert same.p == 1.0
        assert same.interval(0.95) == (0.0, 0.0)


def test_a_median_that_jumps_has_an_interval_that_reaches_over_the_jump() -> None:
    # Every run has the median 1, and nearly half of the ranks are 2: draws of queries reach 2 now and then.
    ranks = np.where(np.arange(101)[None, None, :] < 52, 1, 2).repeat(2, axis=0).repeat(4, axis=1)
    ranks[1] = 1
    found = crossed_bootstrap.contrast(Median(ranks, np.arange(101), 101), {0: 1.0, 1: -1.0}, range(4))
    assert found.estimate == 0
    assert found.p == 1.0
    low, high = found.interval(0.95) or (0, 0)
    assert (low, high) == (pytest.approx(0, abs=1), pytest.approx(1, abs=1))
    assert high >= 1


def test_draws_too_few_for_a_level_leave_no_bound() -> None:
    assert percentiles(np.arange(99.0), 0.95) == (1.0, 97.0)
    assert percentiles(np.arange(99.0), 0.99) == (-np.inf, np.inf)


def test_a_ratio_without_a_value_in_some_draws_has_no_test() -> None:
    bottoms = np.zeros((2, 3, 10))
    bottoms[:, :, 0] = 1
    one = Ratio([bottoms.copy()], [bottoms])
    found = crossed_bootstrap.contrast(one, {0: 1.0, 1: -1.0}, range(3))
    assert found.p is None
    assert found.reason is not None
    assert "draws of queries the metric has no value" in found.reason


@pytest.mark.parametrize(
    ("clusters", "seeds", "message"),
    [(1, (0, 1, 2), "one cluster"), (5, (0,), "two or more"), (5, (0, 1, 2), "does not have")],
)
def test_too_little_to_resample_is_refused(clusters: int, seeds: tuple[int, ...], message: str) -> None:
    M = scores(clusters=clusters, seeds=3)
    if "have" in message:
        M[1, 2] = np.nan
    with pytest.raises(ValueError, match=message):
        crossed_bootstrap.contrast(Mean(M), {0: 1.0, 1: -1.0}, seeds)


def ranks(seed: int = 0, seeds: int = 5) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return draw.geometric(np.array([0.05, 0.2])[:, None, None], (2, seeds, 150)).astype(float)


def test_a_report_resamples_a_median_and_says_so() -> None:
    made = from_arrays({"medr": ranks(), "rsum": ranks(1)}, ("a", "b"), clusters=[i // 5 for i in range(150)])
    result = analyse(made, Question(primary="medr", hypotheses=({"arm": "b vs a"},)), Context(name="x"))
    found = result.contrasts[0]
    direct = np.median(ranks(), axis=2).mean(axis=1)
    assert found.estimate == pytest.approx(direct[0] - direct[1]), "lower is better"
    assert (found.scope, found.clusters, found.verdict) == ("seeds-and-queries", 30, "better")
    assert (found.wins, found.ties, found.losses) == (None, None, None)
    assert result.design.resampled == ("medr",)
    assert {arm.scope for arm in result.arms} == {"seeds-and-queries"}
    text = " ".join([*methods.methods(result), *methods.references(result)])
    assert "medr is no mean over queries" in text
    assert "pigeonhole" in text
    plain = analyse(made, Question(primary="rsum", metrics=()), Context(name="x"))
    assert "pigeonhole" not in " ".join([*methods.methods(plain), *methods.references(plain)])
    assert all(factor.scope == "seeds" for factor in result.factors)


@pytest.mark.parametrize(("seeds", "scope"), [(1, "queries"), (2, "queries"), (3, "seeds-and-queries")])
def test_with_few_seeds_the_models_are_taken_as_they_are(seeds: int, scope: str) -> None:
    made = from_arrays({"medr": ranks(seeds=seeds)}, ("a", "b"))
    result = analyse(made, Question(), Context(name="x"))
    assert {one.scope for one in result.contrasts} == {scope}
    assert result.contrasts[0].p is not None
    assert result.contrasts[0].adjustment == "Holm"


def test_a_table_of_ranks_has_their_median(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    rows = ["config,seed,query,metric,value"]
    values = ranks()
    for arm, seed, query in np.ndindex(values.shape):
        rows.append(f"{'ab'[arm]},{seed},{query},i2t_medr,{values[arm, seed, query]:g}")
    table.write_text("\n".join(rows))
    found = read(table).metrics["i2t_medr"]
    assert isinstance(found.statistic, Median)
    np.testing.assert_array_equal(found.runs, np.median(values, axis=2))
    table.write_text("\n".join([*rows[:-1], rows[-1].rpartition(",")[0] + ",1.5"]))
    with pytest.raises(
        TableError, match=r"metric 'i2t_medr': found 1\.5, expected ranks, whole numbers from 1"
    ):
        read(table)


def test_a_statistic_of_ones_own_is_taken_as_it_is() -> None:
    tops, bottoms = np.random.default_rng(2).integers(1, 9, (2, 2, 4, 40)).astype(float)
    made = from_arrays({"f1": Ratio([tops], [bottoms])}, ("a", "b"))
    found = analyse(made, Question(), Context(name="x")).contrasts[0]
    runs = tops.sum(axis=2) / bottoms.sum(axis=2)
    assert found.estimate == pytest.approx((runs[1] - runs[0]).mean())
    with pytest.raises(ValueError, match="found the shape"):
        from_arrays({"f1": Ratio([tops], [bottoms])}, ("a", "b", "c"))


def test_it_covers_as_often_as_it_says() -> None:
    """A median of continuous scores: true difference 0 by symmetry. 240 studies: .95 ± 4 errors."""
    studies, misses = 240, 0
    for study in range(studies):
        draw = np.random.default_rng([9, study])
        made = draw.normal(0, 1, (2, 1, 80)) + draw.normal(0, 0.25, (2, 4, 1)) + draw.normal(0, 1, (2, 4, 80))
        ranked = np.argsort(np.argsort(made, axis=None)).reshape(made.shape) + 1
        found = crossed_bootstrap.contrast(
            Median(ranked, np.arange(80), 80), {0: 1.0, 1: -1.0}, range(4), draws=300
        )
        low, high = found.interval(0.95) or (0, 0)
        misses += not low <= 0 <= high
    assert misses <= studies * 0.05 + 4 * np.sqrt(studies * 0.05 * 0.95)
    assert misses >= 1, "an interval that always covers says nothing"


def test_estimates_compare_without_their_draws() -> None:
    found = crossed_bootstrap.contrast(Mean(scores()), {0: 1.0, 1: -1.0}, range(5))
    assert found == replace(found, draws=None)
