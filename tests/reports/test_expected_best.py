"""The expected best of n trials against published figures and against all subsets."""

from __future__ import annotations

from itertools import combinations
from statistics import fmean

import numpy as np
import pytest

from crosscut_reports.expected_best import _weights, band, expected_best

SCORES = [0.75, 0.80, 0.70, 0.78, 0.72]


def test_published_figures() -> None:
    found = expected_best(SCORES)
    assert found[1] == pytest.approx(0.7760, abs=5e-5)
    assert found[4] == pytest.approx(0.8000, abs=5e-5)


@pytest.mark.parametrize(("higher", "best"), [(True, max), (False, min)])
def test_it_is_the_mean_of_the_best_over_all_subsets(higher: bool, best: object) -> None:
    assert callable(best)
    expected = [fmean(best(chosen) for chosen in combinations(SCORES, n)) for n in range(1, 6)]
    assert expected_best(SCORES, higher_is_better=higher) == pytest.approx(expected)


def test_one_trial_and_none() -> None:
    assert expected_best([0.5]) == [0.5]
    assert expected_best([]) == []


@pytest.mark.parametrize("higher", [True, False])
def test_weights_are_those_of_the_curve(higher: bool) -> None:
    ordered = sorted(SCORES, reverse=higher)
    assert _weights(5) @ ordered == pytest.approx(expected_best(SCORES, higher_is_better=higher))


def test_the_band_holds_the_curve_and_is_as_wide_as_other_trials_would_move_it() -> None:
    draw = np.random.default_rng(0)
    scores = draw.normal(0, 1, 40).tolist()
    found, curve = band(scores), expected_best(scores)
    assert all(low <= best <= high for (low, high), best in zip(found, curve, strict=True))
    # One trial's expected best is the mean of all, with its standard error.
    half = (found[0][1] - found[0][0]) / 2
    assert half == pytest.approx(1.645 * float(np.std(scores)) / 40**0.5, rel=0.15)
    assert band(scores) == found
    wide, narrow = band(scores, level=0.99), band(scores, level=0.5)
    assert all(w[0] <= n[0] and n[1] <= w[1] for w, n in zip(wide, narrow, strict=True))


def test_the_band_is_turned_where_lower_is_better() -> None:
    turned = band([-score for score in SCORES], higher_is_better=False)
    assert [(-high, -low) for low, high in turned] == [pytest.approx(bounds) for bounds in band(SCORES)]


def test_a_band_of_one_trial_and_of_none() -> None:
    assert band([0.5]) == [(0.5, 0.5)]
    assert band([]) == []
