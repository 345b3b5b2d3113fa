"""Adjusted p-values against published ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from crosscut_reports.adjustment import benjamini_hochberg, holm, holm_multipliers

BENJAMINI_HOCHBERG_1995 = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
    0.7590, 1.000,
]  # fmt: skip


def test_holm_gives_the_known_answer_in_the_order_of_the_tests() -> None:
    assert holm([0.04, 0.001, 0.03, 0.2]) == pytest.approx([0.09, 0.004, 0.09, 0.2])


def test_holm_multipliers_count_the_tests_not_yet_passed() -> None:
    assert holm_multipliers([0.04, 0.001, 0.03, 0.2]).tolist() == [2, 4, 3, 1]


def test_benjamini_hochberg_of_the_1995_paper() -> None:
    found = benjamini_hochberg(BENJAMINI_HOCHBERG_1995)
    # The paper finds four at a false discovery rate of .05.
    assert (found < 0.05).sum() == 4
    assert found == pytest.approx(stats.false_discovery_control(BENJAMINI_HOCHBERG_1995))
    published = [0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.06385714, 0.06385714, 0.0645, 0.0765, 0.486]
    assert found[:10] == pytest.approx(published, abs=5e-9)


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg, holm_multipliers])
def test_a_missing_p_leaves_the_family_and_spoils_no_other(adjust: type) -> None:
    found = adjust([0.04, np.nan, 0.001, 0.03, 0.2])
    assert np.isnan(found[1])
    assert np.delete(found, 1) == pytest.approx(adjust([0.04, 0.001, 0.03, 0.2]))
    assert np.isnan(adjust([np.nan])).all()
    assert adjust([]).size == 0


def test_order_of_tests_does_not_matter() -> None:
    p = np.random.default_rng(0).random(30)
    order = np.random.default_rng(1).permutation(30)
    for adjust in (holm, benjamini_hochberg):
        np.testing.assert_array_equal(adjust(p[order]), adjust(p)[order])
        assert (adjust(p) >= p).all()
        assert (adjust(p) <= 1).all()


def test_a_number_that_is_no_p_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a number from 0 to 1"):
        holm([0.5, 1.5])
