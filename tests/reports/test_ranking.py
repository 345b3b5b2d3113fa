"""Average ranks, Friedman's test and the critical difference."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from crosscut_reports.analysis import analyse
from crosscut_reports.arrays import from_arrays
from crosscut_reports.context import Context
from crosscut_reports.question import Question
from crosscut_reports.ranking import critical_difference, friedman, groups, range_quantile
from crosscut_reports.render import figures
from crosscut_reports.render.figures import ranking as diagram
from crosscut_reports.render.sections import ranking as section
from crosscut_reports.result import Result

# Demšar 2006, Table 6; row 13 of the third column holds a tie that is none before rounding.
DEMSAR = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.97501, 0.975],
        [0.957, 0.978, 0.946, 0.970],
    ]
)


def test_demsars_example_to_its_printed_digits() -> None:
    found = friedman(DEMSAR)
    assert [f"{rank:.3f}" for rank in found.ranks] == ["3.143", "2.000", "2.893", "1.964"]
    assert f"{found.chi2:.2f} {found.F:.2f}" == "9.28 3.69"
    assert (found.df1, found.df2) == (3, 39)
    assert found.p == pytest.approx(stats.f.sf(found.F, 3, 39))
    assert f"{critical_difference(14, 4, 0.05):.2f} {critical_difference(14, 4, 0.10):.2f}" == "1.25 1.12"


def test_without_ties_it_is_scipys() -> None:
    scores = np.random.default_rng(0).normal(size=(7, 5))
    found = friedman(scores)
    assert found.chi2 == pytest.approx(stats.friedmanchisquare(*scores.T).statistic)
    np.testing.assert_allclose(found.ranks, stats.rankdata(-scores, axis=1).mean(axis=0))


def test_ties_share_the_mean_of_their_ranks() -> None:
    scores = np.random.default_rng(1).integers(0, 3, (6, 5)).astype(float)
    np.testing.assert_allclose(friedman(scores).ranks, stats.rankdata(-scores, axis=1).mean(axis=0))


@pytest.mark.parametrize("count", [2, 3, 6, 27, 200])
@pytest.mark.parametrize("alpha", [0.05, 0.001])
def test_the_range_is_the_studentized_one_of_infinite_degrees(count: int, alpha: float) -> None:
    expected = stats.studentized_range.ppf(1 - alpha, count, np.inf)
    assert range_quantile(count, alpha) == pytest.approx(expected, rel=1e-6)


def test_where_all_seeds_rank_alike_p_is_the_chance_of_that() -> None:
    scores = np.arange(4.0) + np.arange(3.0)[:, None]
    found = friedman(scores)
    assert math.isinf(found.F)
    assert found.p == pytest.approx(1 / 24**2)
    assert found.ranks.tolist() == [4, 3, 2, 1]


def test_nothing_differs_where_all_are_tied() -> None:
    found = friedman(np.ones((3, 4)))
    assert (found.chi2, found.F, found.p) == (0, 0, 1)


@pytest.mark.parametrize("scores", [np.ones((1, 3)), np.ones((3, 1)), np.ones(3)])
def test_too_little_to_rank_is_refused(scores: np.ndarray) -> None:
    with pytest.raises(ValueError, match="two or more of each"):
        friedman(scores)


@pytest.mark.parametrize(
    ("ranks", "expected"),
    [
        ([1, 2, 3, 4], [(0, 1), (1, 2), (2, 3)]),
        ([1, 1.5, 1.9, 4], [(0, 2)]),
        ([1, 3, 5], []),
        ([2, 2, 2], [(0, 2)]),
    ],
)
def test_groups_are_the_longest_stretches_below_the_critical_difference(
    ranks: list[float], expected: list[tuple[int, int]]
) -> None:
    assert groups(np.array(ranks, float), 1.5) == expected


def test_a_difference_of_just_the_critical_one_tells_apart() -> None:
    assert groups(np.array([1.0, 2.5]), 1.5) == []


def ranked(arms: int, seeds: int = 5, names: tuple[str, ...] = (), **options: object) -> Result:
    draw = np.random.default_rng(2)
    values = draw.normal(50, 1, (arms, seeds)) + np.arange(arms)[:, None]
    labels = names or tuple(f"arm {index}" for index in range(arms))
    return analyse(from_arrays({"rsum": values}, labels), Question(**options), Context(name="x"))  # type: ignore[arg-type]


def test_a_report_ranks_the_arms_on_its_primary_metric() -> None:
    result = ranked(5)
    found = result.ranking
    assert found is not None
    assert found.arms[0] == "arm 4"
    assert list(found.ranks) == sorted(found.ranks)
    assert sum(found.ranks) == pytest.approx(15)
    shown = section.section(result)
    assert shown is not None
    assert [row[0] for row in shown.rows] == list(found.arms)
    assert shown.rows[0][1] == f"{found.ranks[0]:.2f}"
    apart = sum(rank - found.ranks[0] >= found.critical for rank in found.ranks)
    assert shown.rows[0][2] == f"{apart} of 4"
    assert f"χ² = {found.chi2:.2f}" in shown.caption


def test_lower_ranks_first_where_lower_is_better() -> None:
    scores = from_arrays({"loss": [[3.0, 3.1], [2.0, 2.1], [1.0, 1.1]]}, ("a", "b", "c"))
    found = analyse(scores, Question(), Context(name="x")).ranking
    assert found is not None
    assert found.arms == ("c", "b", "a")
    assert found.F is None, "all seeds rank alike"


@pytest.mark.parametrize(("arms", "seeds"), [(2, 5), (3, 1)])
def test_two_arms_or_one_seed_have_no_ranking(arms: int, seeds: int) -> None:
    result = ranked(arms, seeds)
    assert result.ranking is None
    assert section.section(result) is None
    assert diagram.draw(result) is None


@pytest.mark.parametrize("arms", [3, 27, 200])
def test_the_diagram_names_every_arm_with_its_rank(arms: int) -> None:
    result = ranked(arms)
    found, drawing = result.ranking, diagram.draw(result)
    assert found is not None
    assert drawing is not None
    told = [(one["arm"], one["rank"]) for one in drawing.data.values()]
    assert told == [(arm, f"{rank:.2f}") for arm, rank in zip(found.arms, found.ranks, strict=True)]


def test_names_of_any_kind_are_drawn() -> None:
    result = ranked(4, names=("a_$x$ <b>&", "x" * 200, "\\frac{1}{2}%", "日本\x00"))
    assert "ranking" in figures.draw(result)
