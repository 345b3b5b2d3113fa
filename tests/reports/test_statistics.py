"""What every statistic that a bootstrap can resample must do."""

from __future__ import annotations

import numpy as np
import pytest

from crosscut_reports.statistics import REGISTRY, Mean, Median, Ratio, Statistic
from crosscut_reports.statistics.base import EXAMPLE

ARMS, SEEDS, CLUSTERS = EXAMPLE


@pytest.fixture(params=list(REGISTRY))
def kind(request: pytest.FixtureRequest) -> type[Statistic]:
    return REGISTRY[request.param]


def example(kind: type[Statistic], missing: tuple[tuple[int, int], ...] = ()) -> Statistic:
    return kind.example(np.random.default_rng(3), missing)


def test_plain_is_what_the_definition_gives(kind: type[Statistic]) -> None:
    one = example(kind)
    assert one.plain().shape == (ARMS, SEEDS)
    np.testing.assert_allclose(one.plain(), one.direct(), rtol=1e-12)
    assert len(np.unique(one.direct())) > 1


def test_a_weight_says_how_often_a_cluster_counts(kind: type[Statistic]) -> None:
    one = example(kind)
    draw = np.random.default_rng(5)
    counts = draw.integers(0, 4, (20, CLUSTERS))
    counts[:, 0] += 1
    values = one.values(counts.astype(float))
    for place, row in enumerate(counts):
        chosen = np.repeat(np.arange(CLUSTERS), row)
        np.testing.assert_allclose(values[:, :, place], one.select(chosen).direct(), rtol=1e-12)


def test_the_order_of_clusters_changes_nothing(kind: type[Statistic]) -> None:
    one = example(kind)
    order = np.random.default_rng(6).permutation(CLUSTERS)
    np.testing.assert_allclose(one.select(order).plain(), one.plain(), rtol=1e-12)
    weights = np.random.default_rng(7).integers(1, 4, (5, CLUSTERS)).astype(float)
    np.testing.assert_allclose(one.select(order).values(weights[:, order]), one.values(weights), rtol=1e-12)


def test_a_run_that_is_missing_is_nan_and_disturbs_no_other(kind: type[Statistic]) -> None:
    whole, gappy = example(kind), example(kind, ((0, 1),))
    weights = np.random.default_rng(8).integers(0, 3, (6, CLUSTERS)).astype(float)
    weights[:, 0] = 1
    found, expected = gappy.values(weights), whole.values(weights)
    assert np.isnan(found[0, 1]).all()
    assert not gappy.present[0, 1]
    assert gappy.present.sum() == ARMS * SEEDS - 1
    expected[0, 1] = np.nan
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert np.isnan(gappy.direct()[0, 1])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones((2, CLUSTERS + 1)), "expected \\(draws, 8\\)"),
        (np.ones(CLUSTERS), "expected \\(draws, 8\\)"),
        (-np.ones((1, CLUSTERS)), "negative"),
        (np.full((1, CLUSTERS), np.nan), "not finite"),
        (np.full((1, CLUSTERS), np.inf), "not finite"),
    ],
)
def test_weights_that_make_no_sense_are_refused(
    kind: type[Statistic], weights: np.ndarray, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        example(kind).values(weights)


def test_a_median_is_numpys_also_far_from_the_plain_one() -> None:
    draw = np.random.default_rng(0)
    ranks = np.concatenate([np.ones((1, 1, 60), int), draw.integers(500, 900, (1, 1, 40))], axis=2)
    one = Median(ranks, np.arange(100), 100)
    weights = np.ones((3, 100))
    weights[1, :60] = 0
    weights[2, 60:] = 2
    found = one.values(weights)[0, 0]
    assert found[0] == 1
    assert found[1] == np.median(ranks[0, 0, 60:])
    assert found[2] == np.median(np.concatenate([ranks[0, 0], ranks[0, 0, 60:]]))


def test_a_median_needs_whole_weights() -> None:
    with pytest.raises(ValueError, match="found a fraction"):
        Median(np.ones((1, 1, 2), int), np.arange(2), 2).values(np.array([[0.5, 1.0]]))


@pytest.mark.parametrize("value", [0.0, 1.5, -3.0, 3e9])
def test_ranks_are_whole_numbers_from_one(value: float) -> None:
    with pytest.raises(ValueError, match="expected ranks, whole numbers from 1"):
        Median.of_floats(np.array([[[1.0, value]]]), np.arange(2), 2)


def test_ratios_are_pooled_over_clusters() -> None:
    tp, fp, fn = (np.array([[[3.0, 1.0]]]), np.array([[[1.0, 0.0]]]), np.array([[[0.0, 5.0]]]))
    one = Ratio.f1(tp, fp, fn)
    assert one.plain()[0, 0] == pytest.approx(2 * 4 / (2 * 4 + 1 + 5))
    assert np.isnan(Ratio([np.zeros((1, 1, 2))], [np.zeros((1, 1, 2))]).plain()).all(), "nothing below"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ratio([], []), "as many of each"),
        (lambda: Ratio([np.ones((1, 1, 2))], [-np.ones((1, 1, 2))]), "found a negative one"),
        (lambda: Ratio([np.ones((1, 1, 2))], [np.ones((1, 1, 3))]), "found the shapes"),
        (lambda: Mean(np.ones((1, 2))), "expected \\(arms, seeds, clusters\\)"),
        (lambda: Mean(np.array([[[1.0, np.inf]]])), "infinite"),
        (lambda: Mean(np.array([[[1.0, np.nan]]])), "some of its clusters"),
        (lambda: Median(np.array([[[1, 0]]]), np.arange(2), 2), "0 throughout"),
        (lambda: Median(np.array([[[1, 2]]]), np.arange(3), 3), "clusters of the shape"),
        (lambda: Median(np.array([[[1, 2]]]), np.array([0, 2]), 2), "expected 0 to 1"),
    ],
)
def test_scores_that_make_no_sense_are_refused(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]
