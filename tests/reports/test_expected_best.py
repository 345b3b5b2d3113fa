"""The expected best of n trials against published figures and against all subsets."""

from __future__ import annotations

from itertools import combinations
from statistics import fmean

import pytest

from crosscut_reports.expected_best import expected_best

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
