"""Two one-sided tests against the figures of R's package `equivalence`."""

from __future__ import annotations

import numpy as np
import pytest

from crosscut_reports import closed_form
from crosscut_reports.equivalence import from_pairs, from_samples, two_one_sided, within

A = [4.0, 7, 8, 6, 3, 2]
B = [6.0, 8, 7, 10, 11, 9]


def test_published_figures() -> None:
    assert from_samples(A, B, 1, "equal") == pytest.approx(0.9650974, abs=5e-8)
    assert from_samples(A, B, 1) == pytest.approx(0.9643479, abs=5e-8)
    assert from_pairs(A, B, 1) == pytest.approx(0.9293826, abs=5e-8)
    # Printed without rounding, so the last digit stands for up to one unit.
    assert from_samples(A, B, 10, "equal") == pytest.approx(0.00017933, abs=1e-8)


def test_direction_does_not_matter() -> None:
    assert from_samples(A, B, 3) == pytest.approx(from_samples(B, A, 3))


def test_p_below_alpha_says_the_same_as_the_interval() -> None:
    draw = np.random.default_rng(0)
    answers = set()
    for _ in range(60):
        found = closed_form.contrast(draw.normal(draw.normal(0, 0.3), 1, (4, 60)))
        assert found.se is not None
        inside = within(found, 0.05, 0.5)
        assert inside == (two_one_sided(found.estimate, found.se, found.df, 0.5) < 0.05)
        answers.add(inside)
    assert answers == {True, False}


def test_nothing_is_within_a_margin_of_zero() -> None:
    assert not within(closed_form.contrast(np.zeros((3, 5))), 0.05, 0.0)
    assert within(closed_form.contrast(np.zeros((3, 5))), 0.05, 0.1)
    with pytest.raises(ValueError, match="expected a number above 0"):
        two_one_sided(0.0, 1.0, 5, 0.0)


def test_known_difference_is_inside_or_outside() -> None:
    assert 0 < two_one_sided(0.5, 0.0, 4, 1.0) < 1e-100
    assert two_one_sided(1.0, 0.0, 4, 1.0) == 1
