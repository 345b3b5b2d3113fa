"""Step-down maxT against its definition, exact tests, and what it promises."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from crosscut_reports import max_t, query_scope
from crosscut_reports.adjustment import holm
from crosscut_reports.max_t import step_down

Array = NDArray[np.float64]


def draw(contrasts: int, clusters: int, seed: int = 0, shared: float = 0.7) -> Array:
    generator = np.random.default_rng(seed)
    common = generator.normal(0, 1, (1, clusters))
    own: Array = generator.normal(0, 1, (contrasts, clusters))
    return shared * common + own


def studentised(d: Array) -> Array:
    return np.abs(d.mean(axis=-1)) / (d.std(axis=-1, ddof=1) / np.sqrt(d.shape[-1]))


def by_definition(d: Array) -> tuple[Array, Array]:
    """p alone and step-down, every flip by itself, with t as it is defined."""
    signs = np.array(list(product((1.0, -1.0), repeat=d.shape[1])))
    found = np.stack([studentised(d * one) for one in signs])
    t = studentised(d)
    single = (found >= t - 1e-9).mean(axis=0)
    adjusted = np.empty(len(t))
    reached = 0.0
    order = np.argsort(-t)
    for place, contrast in enumerate(order):
        rest = found[:, order[place:]].max(axis=1)
        reached = max(reached, float((rest >= t[contrast] - 1e-9).mean()))
        adjusted[contrast] = reached
    return single, adjusted


def test_every_flip_of_a_small_family_is_counted_as_the_definition_does() -> None:
    d = draw(4, 9) + np.array([[1.2], [0.0], [0.6], [-0.9]])
    found = step_down(d)
    single, adjusted = by_definition(d)
    np.testing.assert_allclose(found.p, single)
    np.testing.assert_allclose(found.adjusted, adjusted)
    assert (found.adjusted > single + 1e-9).any()


def test_one_contrast_has_the_p_value_of_its_sign_flips() -> None:
    d = draw(1, 12) + 0.5
    np.testing.assert_array_equal(step_down(d).p, query_scope.sign_flips(d))
    np.testing.assert_array_equal(step_down(d).adjusted, step_down(d).p)
    long = draw(1, 200) + 0.12
    assert step_down(long).p[0] == pytest.approx(query_scope.sign_flips(long)[0], abs=0.015)


def test_adjusted_values_are_ordered_and_no_smaller_than_single_ones_nor_above_holms() -> None:
    d = draw(6, 300) + np.linspace(-0.2, 0.2, 6)[:, None]
    found = step_down(d)
    assert (found.adjusted >= found.p).all()
    order = np.argsort(-studentised(d))
    assert (np.diff(found.adjusted[order]) >= 0).all()
    assert (found.adjusted <= holm(found.p) + 0.01).all()


def test_the_same_contrast_again_costs_nothing_in_either_direction() -> None:
    d = draw(3, 60) + 0.15
    once, twice = step_down(d), step_down(np.concatenate([d, -3 * d]))
    np.testing.assert_array_equal(twice.p[:3], once.p)
    np.testing.assert_array_equal(twice.p[3:], once.p)
    np.testing.assert_array_equal(twice.adjusted, np.tile(once.adjusted, 2))
    assert twice.critical == pytest.approx(once.critical)


def test_a_contrast_without_a_difference_disturbs_no_other() -> None:
    d = draw(3, 80) + 0.2
    found = step_down(np.concatenate([d[:1], np.zeros((1, 80)), d[1:]]))
    alone = step_down(d)
    assert found.p[1] == found.adjusted[1] == 1.0
    np.testing.assert_array_equal(np.delete(found.adjusted, 1), alone.adjusted)


def test_nothing_at_all_differs() -> None:
    found = step_down(np.zeros((2, 50)))
    assert found.p.tolist() == found.adjusted.tolist() == [1.0, 1.0]


def test_a_difference_that_is_the_same_in_every_cluster_has_an_infinite_t() -> None:
    found = step_down(np.concatenate([np.full((1, 100), 2.0), draw(1, 100)]), draws=999)
    assert found.adjusted[0] == 1 / 1000
    few = step_down(np.full((1, 5), 2.0))
    assert few.p[0] == 2 / 32


def test_binary_differences_are_counted_by_their_patterns() -> None:
    generator = np.random.default_rng(3)
    hits = (generator.random((5, 4000)) < np.array([0.5, 0.5, 0.52, 0.5, 0.53])[:, None]) * 100.0
    d = hits[1:] - hits[:1]
    patterns, counts = max_t._patterns(d)
    assert patterns.shape[1] < 4000 / max_t._PATTERN_COST
    assert int(counts.sum()) == int(d.any(axis=0).sum())
    rebuilt = sum((np.outer(p, p) * n for p, n in zip(patterns.T, counts, strict=True)), np.zeros((4, 4)))
    np.testing.assert_allclose(rebuilt, d @ d.T)
    compressed = step_down(d)
    # The same with so small a disturbance that no two columns are one pattern.
    dense = step_down(d + generator.normal(0, 1e-6, d.shape))
    np.testing.assert_allclose(compressed.adjusted, dense.adjusted, atol=0.02)
    assert compressed.critical == pytest.approx(dense.critical, abs=0.05)


def test_columns_that_a_flip_makes_the_same_are_one_pattern() -> None:
    d = np.array([[1.0, -1, 2, 0, 0, 1], [3.0, -3, 1, 0, -5, 3]])
    patterns, counts = max_t._patterns(d)
    found = {tuple(pattern): int(count) for pattern, count in zip(patterns.T.tolist(), counts, strict=True)}
    assert found == {(1.0, 3.0): 3, (2.0, 1.0): 1, (0.0, 5.0): 1}


def test_ties_count_as_reached_in_single_precision_too() -> None:
    """17 clusters, so that flips are drawn: all differ by 1, so the extreme flips tie with what is observed."""
    d = np.concatenate([np.ones((1, 17)), draw(1, 17) * 0.01 + 1])
    found = step_down(d, draws=200_000)
    assert found.p[0] == pytest.approx(2 / 2**17, abs=3e-5)


def test_never_zero_and_the_same_to_the_last_bit() -> None:
    d = draw(3, 500) + 9
    first, second = step_down(d, draws=199), step_down(d.copy(), draws=199)
    assert first.p.tolist() == first.adjusted.tolist() == [1 / 200] * 3
    assert first.critical == second.critical
    other = step_down(draw(3, 500), draws=199, stream=1)
    assert (other.p != step_down(draw(3, 500), draws=199).p).any()


def test_more_flips_than_fit_at_once_are_done_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    d = draw(3, 120) + 0.1
    whole = step_down(d, draws=640)
    monkeypatch.setattr(max_t, "_ENTRIES", 120 * 64)
    parts = step_down(d, draws=640)
    np.testing.assert_array_equal(whole.adjusted, parts.adjusted)


def test_the_familywise_error_is_what_it_says() -> None:
    """1,000 studies of five dependent contrasts without an effect: 50 errors, give or take 3 × 6.9."""
    wrong = sum((step_down(draw(5, 40, seed), draws=199).adjusted <= 0.05).any() for seed in range(1000))
    assert 29 <= wrong <= 71


def test_one_contrasts_critical_value_is_near_students() -> None:
    assert step_down(draw(1, 60), draws=40_000).critical == pytest.approx(stats.t.ppf(0.975, 59), abs=0.06)


def test_simultaneous_intervals_hold_together() -> None:
    """500 studies: all four intervals hold in 475, give or take 3 × 4.9."""
    held = 0
    for seed in range(500):
        d = draw(4, 50, seed)
        critical = step_down(d, draws=399).critical
        held += bool((studentised(d) <= critical).all())
    assert 460 <= held <= 490


def test_too_few_flips_have_no_critical_value() -> None:
    assert step_down(draw(1, 5)).critical == np.inf > step_down(draw(1, 6)).critical
    assert step_down(draw(1, 50), draws=15).critical == np.inf


@pytest.mark.parametrize(
    ("d", "message"),
    [
        (np.zeros(5), "expected"),
        (np.zeros((0, 5)), "expected"),
        (np.zeros((2, 1)), "two clusters or more"),
        (np.array([[1.0, np.nan]]), "not finite"),
    ],
)
def test_what_cannot_be_flipped_is_refused(d: Array, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        step_down(d)
