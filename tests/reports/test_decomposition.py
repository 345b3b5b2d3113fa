"""Shapley values, ablation paths and interactions against their definitions, and in the report."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from crosscut_reports import ablation_path, closed_form, interactions, seed_scope
from crosscut_reports.analysis import analyse
from crosscut_reports.arrays import from_arrays
from crosscut_reports.closed_form import NoVariationError
from crosscut_reports.context import Context
from crosscut_reports.question import Question
from crosscut_reports.render import write
from crosscut_reports.result import Result
from crosscut_reports.shapley import shares, targets

Array = NDArray[np.float64]


def factorial(*levels: int) -> dict[str, dict[str, str]]:
    """Arms of a full factorial: `0,1` has the factor a at 0 and b at 1."""
    return {
        ",".join(map(str, cell)): {"abcdef"[i]: str(level) for i, level in enumerate(cell)}
        for cell in product(*(range(count) for count in levels))
    }


def test_shares_average_the_gain_over_all_orders() -> None:
    levels = factorial(2, 2, 2)
    draw = np.random.default_rng(0)
    score = {arm: Fraction(int(draw.integers(0, 100))) for arm in levels}
    gained = dict.fromkeys("abc", Fraction(0))
    orders = list(permutations("abc"))
    for order in orders:
        has = {"a": "0", "b": "0", "c": "0"}
        for factor in order:
            before = score[",".join(has.values())]
            has[factor] = "1"
            gained[factor] += (score[",".join(has.values())] - before) / len(orders)
    for contrast, (factor, expected) in zip(shares(levels, "0,0,0", "1,1,1"), gained.items(), strict=True):
        assert contrast.name == f"{factor}: 1 vs 0, Shapley"
        found = sum(
            Fraction(weight).limit_denominator(24) * score[arm] for arm, weight in contrast.weights.items()
        )
        assert found == expected


@pytest.mark.parametrize("factors", [2, 3, 5])
def test_shares_sum_to_the_whole(factors: int) -> None:
    levels = factorial(*[2] * factors)
    first, last = next(iter(levels)), list(levels)[-1]
    total: dict[str, float] = {}
    for contrast in shares(levels, first, last):
        assert sum(contrast.weights.values()) == pytest.approx(0)
        for arm, weight in contrast.weights.items():
            total[arm] = total.get(arm, 0.0) + weight
    assert {arm: round(weight, 12) for arm, weight in total.items() if abs(weight) > 1e-12} == {
        last: 1,
        first: -1,
    }


def test_a_component_that_does_nothing_has_no_share() -> None:
    levels = factorial(2, 2)
    score = {arm: 5.0 * (has["a"] == "1") for arm, has in levels.items()}
    own, none = (sum(w * score[arm] for arm, w in c.weights.items()) for c in shares(levels, "0,0", "1,1"))
    assert (own, none) == (5.0, 0.0)


def test_shares_need_every_arm_between() -> None:
    levels = factorial(2, 2, 2)
    assert shares({arm: has for arm, has in levels.items() if arm != "0,1,1"}, "0,0,0", "1,1,1") == []
    assert shares(levels | {"again": levels["0,1,1"]}, "0,0,0", "1,1,1") == []
    assert shares(levels, "0,0,0", "1,0,0") == []
    # Between arms that share a level the other factors' arms suffice.
    assert [c.name for c in shares(levels, "0,0,1", "1,1,1")] == ["a: 1 vs 0, Shapley", "b: 1 vs 0, Shapley"]


def test_targets_differ_in_every_factor() -> None:
    assert targets(factorial(2, 2), "0,0") == ["1,1"]
    assert targets(factorial(3, 2), "1,0") == ["0,1", "2,1"]
    assert targets({"x": {"f": "x"}}, "x") == []
    assert targets({**factorial(2, 2), "odd": {"a": "1"}}, "0,0") == ["1,1"]


def test_the_path_takes_the_best_arm_at_each_step() -> None:
    levels = factorial(2, 2, 2)
    means = dict.fromkeys(levels, 0.0) | {
        "0,1,0": 3.0,
        "1,0,0": 2.0,
        "0,1,1": 2.5,
        "1,1,0": 2.0,
        "1,1,1": 9.0,
    }
    steps = ablation_path.path(levels, "0,0,0", "1,1,1", means)
    assert steps is not None
    assert [step.arm for step in steps] == ["0,1,0", "0,1,1", "1,1,1"]
    assert [(step.factor, step.left, step.right) for step in steps] == [
        ("b", "1", "0"),
        ("c", "1", "0"),
        ("a", "1", "0"),
    ]
    assert steps[1].contrast.weights == {"0,1,1": 1.0, "0,1,0": -1.0}


def test_the_path_turns_back_from_a_blind_alley() -> None:
    levels = {arm: has for arm, has in factorial(2, 2, 2).items() if arm not in ("0,1,1", "1,1,0")}
    means = dict.fromkeys(levels, 0.0) | {"0,1,0": 9.0}
    steps = ablation_path.path(levels, "0,0,0", "1,1,1", means)
    assert steps is not None and [step.arm for step in steps] == ["1,0,0", "1,0,1", "1,1,1"]
    means["1,0,1"] = float("nan")
    assert ablation_path.path(levels, "0,0,0", "1,1,1", means) is None


def test_of_arms_with_the_same_levels_the_path_takes_the_better_one_and_ends_at_the_target() -> None:
    levels = {**factorial(2, 2), "twin": {"a": "1", "b": "0"}, "last": {"a": "1", "b": "1"}}
    means = dict.fromkeys(levels, 1.0) | {"1,0": float("nan"), "twin": 3.0, "1,1": 9.0, "last": 2.0}
    steps = ablation_path.path(levels, "0,0", "last", means)
    assert steps is not None and [step.arm for step in steps] == ["twin", "last"]
    assert ablation_path.path(levels, "0,0", "last", means | {"0,0": float("nan")}) is None


def test_the_best_arm_is_better_than_the_baseline_or_there_is_none() -> None:
    assert ablation_path.best({"a": 1.0, "b": 2.0, "c": 2.0, "d": float("nan")}, "a") == "b"
    assert ablation_path.best({"a": 2.0, "b": 2.0}, "a") is None
    assert ablation_path.best({"a": float("nan"), "b": 2.0}, "a") is None


def draw(*shape: int, seed: int = 0) -> Array:
    generator = np.random.default_rng(seed)
    noise: Array = generator.normal(0, 1, shape)
    return noise


@pytest.mark.parametrize("levels", [2, 3, 5])
def test_one_factors_test_is_the_known_one(levels: int) -> None:
    M = draw(levels, 6, 40) + draw(levels, 6, 1) + draw(1, 1, 40) + draw(levels, 1, 40)
    known, found = closed_form.factor(M), interactions.interaction(M, 1, queries=True)
    assert (found.F, found.df1, found.df2, found.p) == pytest.approx((known.F, known.df1, known.df2, known.p))
    assert (found.cov2, found.cov3) == pytest.approx((known.cov2, known.cov3))
    runs, alone = seed_scope.factor(M.mean(2)), interactions.interaction(M.mean(2), 1, queries=False)
    assert (alone.F, alone.df1, alone.df2) == pytest.approx((runs.F, runs.df1, runs.df2))


def test_an_interaction_of_one_degree_of_freedom_is_the_squared_t_of_its_contrast() -> None:
    M = draw(2, 2, 5, 30) + draw(2, 2, 5, 1) + draw(2, 2, 1, 30)
    D = M[0, 0] - M[0, 1] - M[1, 0] + M[1, 1]
    contrast, found = closed_form.contrast(D), interactions.interaction(M, 2, queries=True)
    assert contrast.statistic is not None
    assert (found.F, found.df2, found.p) == pytest.approx((contrast.statistic**2, contrast.df, contrast.p))
    r = D.mean(1)
    alone = interactions.interaction(M.mean(3), 2, queries=False)
    known = float(stats.ttest_1samp(r, 0).statistic)
    assert (alone.F, alone.df2) == pytest.approx((known**2, 4))


def test_a_larger_interaction_is_that_of_repeated_measures_by_projection() -> None:
    runs = draw(3, 4, 7)
    a, b, s = runs.shape

    def inner(size: int) -> Array:
        return np.eye(size) - 1 / size

    projected = np.einsum("ij,kl,jlm->ikm", inner(a), inner(b), runs)
    means = projected.mean(2)
    df1 = (a - 1) * (b - 1)
    effect = s * (means**2).sum() / df1
    error = ((projected - means[:, :, None]) ** 2).sum() / df1 / (s - 1)
    found = interactions.interaction(runs, 2, queries=False)
    assert (found.F, found.df1, found.df2) == pytest.approx((effect / error, df1, df1 * (s - 1)))


# Scores of 8 subjects under factors of 2, 2 and 3 levels: data and results of the R package ez, as the tests of
# statsmodels' AnovaRM have them.
SUBJECTS = np.array(
    [
        [[7, 3, 6, 6, 5, 8, 6, 7], [7, 11, 9, 11, 10, 10, 11, 11], [8, 14, 10, 11, 12, 10, 11, 12]],
        [[16, 7, 11, 9, 10, 11, 8, 8], [16, 10, 13, 10, 10, 14, 11, 12], [24, 29, 10, 22, 25, 28, 22, 24]],
        [[1, 3, 5, 8, 3, 5, 6, 8], [9, 18, 19, 1, 12, 15, 2, 3], [3, 4, 13, 21, 2, 11, 18, 2]],
        [[12, 7, 12, 3, 19, 1, 4, 13], [13, 14, 3, 4, 8, 19, 21, 2], [4, 9, 12, 2, 5, 8, 2, 4]],
    ],
    dtype=float,
).reshape(2, 2, 3, 8)


@pytest.mark.parametrize(
    ("scores", "F", "df2", "p"),
    [
        (SUBJECTS[0], 17.10545, 14, 1.741322e-4),
        (SUBJECTS[0].mean(axis=1), 40.14159, 7, 3.905263e-4),
        (SUBJECTS[0].mean(axis=0), 29.21739, 14, 1.007549e-5),
        (SUBJECTS.mean(axis=0), 0.8457797, 14, 0.450021759),
        (SUBJECTS.mean(axis=2), 21.7593382, 7, 0.002301792),
        (SUBJECTS.mean(axis=1), 6.2416695, 14, 0.011536846),
        (SUBJECTS, 5.4253359, 14, 0.018010647),
    ],
)
def test_published_repeated_measures_come_out(scores: Array, F: float, df2: float, p: float) -> None:
    found = interactions.interaction(scores, scores.ndim - 1, queries=False)
    assert (found.F, found.df2, found.p) == pytest.approx((F, df2, p), rel=2e-5)


def test_with_queries_the_covariance_is_that_of_the_projected_whole() -> None:
    shape, seeds, clusters = (3, 2), 5, 40
    M = draw(*shape, seeds, clusters) + 2 * draw(*shape, 1, clusters, seed=1)
    P = np.kron(np.eye(3) - 1 / 3, np.eye(2) - 1 / 2)
    X = M.reshape(6, seeds, clusters)
    K = np.cov(X.reshape(-1, clusters)).reshape(6, seeds, 6, seeds) / clusters
    between = (K.sum((1, 3)) - np.einsum("isjs->ij", K)) / (seeds * (seeds - 1))
    C = float((P * between).sum()) / 2
    r = np.einsum("ij,jsc->isc", P, X).mean(2)
    effect = seeds * float((r.mean(1) ** 2).sum()) / 2
    error = float(((r - r.mean(1)[:, None]) ** 2).sum()) / 2 / (seeds - 1)
    found = interactions.interaction(M, 2, queries=True)
    assert found.cov2 - found.cov3 == pytest.approx(C)
    assert found.denominator == pytest.approx(error + seeds * max(C, 0))
    assert pytest.approx(effect / found.denominator) == found.F


def test_helmert_contrasts_are_orthonormal_and_sum_to_nothing() -> None:
    for levels in (2, 3, 7):
        basis = interactions.helmert(levels)
        np.testing.assert_allclose(basis @ basis.T, np.eye(levels - 1), atol=1e-12)
        np.testing.assert_allclose(basis.sum(1), 0, atol=1e-12)


def test_what_does_not_vary_over_seeds_has_no_test() -> None:
    with pytest.raises(NoVariationError):
        interactions.interaction(np.ones((2, 2, 4)), 2, queries=False)


def test_the_error_of_an_interaction_without_an_effect() -> None:
    """500 studies of 3 × 3 levels, 5 seeds, 60 clusters: 25 errors, give or take 3 × 4.9."""
    wrong = 0
    for seed in range(500):
        M = 40 + 3 * draw(3, 3, 5, 60, seed=seed) + draw(3, 3, 5, 1, seed=seed + 10_000)
        wrong += interactions.interaction(M, 2, queries=True).p < 0.05
    assert 10 <= wrong <= 40


def reported(*levels: int, seeds: int = 5, **asked: Any) -> Result:
    arms = factorial(*levels)
    effect = np.array([4.0 * (has["a"] == "1") + 2.0 * (has.get("b") == "1") for has in arms.values()])
    values = 50 + effect[:, None, None] + draw(len(arms), seeds, 30) + 0.3 * draw(len(arms), seeds, 1, seed=2)
    given: dict[str, Any] = {"baseline": next(iter(arms)), **asked}
    return analyse(from_arrays({"rsum": values}, tuple(arms), levels=arms), Question(**given), Context("f"))


def test_a_full_factorial_is_decomposed_in_the_report(tmp_path: Path) -> None:
    result = reported(2, 2, 2)
    (divided,) = result.shapley
    assert (divided.baseline, divided.target) == ("0,0,0", "1,1,1")
    assert sum(one.estimate for one in divided.shares) == pytest.approx(divided.whole.estimate)
    assert [round(one.estimate) for one in divided.shares] == [4, 2, 0]
    assert all(one.family == 4 and not one.declared for one in (*divided.shares, divided.whole))
    assert result.path is not None
    assert [step.factor for step in result.path.steps][:2] == ["a", "b"]
    gained = sum(step.contrast.estimate for step in result.path.steps)
    assert gained == pytest.approx(result.path.steps[-1].mean - result.path.mean)
    assert [one.factor for one in result.interactions] == ["a × b", "a × c", "b × c"]
    assert all((one.cells, one.combinations) == (2, 2) for one in result.interactions)
    write(result, tmp_path)
    plain = json.loads((tmp_path / "report.json").read_text())
    assert len(plain["shapley"][0]["shares"]) == 3 and len(plain["path"]["steps"]) == len(result.path.steps)
    for name in ("report.html", "report.md"):
        text = (tmp_path / name).read_text()
        for heading in ("Interactions", "Shares of the components", "Ablation path"):
            assert heading in text, (name, heading)


def test_lower_is_better_takes_the_path_downwards() -> None:
    arms = factorial(2, 2)
    values = 50 - np.array([[0.0], [1], [3], [6]]) + 0.1 * draw(4, 5)
    scores = from_arrays({"loss": values}, tuple(arms), levels=arms)
    path = analyse(scores, Question(baseline="0,0"), Context("f")).path
    assert path is not None and [step.arm for step in path.steps] == ["1,0", "1,1"]
    assert all(step.contrast.estimate > 0 for step in path.steps) and path.steps[-1].mean < path.mean


def test_what_is_not_there_is_left_out() -> None:
    one = reported(3)
    assert one.shapley == () and one.path is None and one.interactions == ()
    assert reported(2, 2, baseline=None).shapley == ()
    two_seeds = reported(2, 2, seeds=2)
    assert two_seeds.interactions == () and len(two_seeds.shapley) == 1
    # Nine arms differ from the baseline in both factors.
    assert reported(4, 4).shapley == ()
