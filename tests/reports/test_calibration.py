"""The simulation study in small: errors and coverage within bounds from binomial error."""

from __future__ import annotations

import runpy
from itertools import product
from math import sqrt
from pathlib import Path
from typing import Any

import pytest

STUDY: dict[str, Any] = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "calibration.py"))
DRAWS = 1500


def bounds(low: float, high: float) -> tuple[float, float]:
    """The range that a share is to lie in, wider by three standard errors."""
    return low - 3 * sqrt(low * (1 - low) / DRAWS), high + 3 * sqrt(high * (1 - high) / DRAWS)


@pytest.mark.parametrize(
    ("seeds", "binary", "clustered"), list(product((5, 10), (False, True), (False, True)))
)
def test_the_closed_form_keeps_its_level_where_tests_over_queries_do_not(
    seeds: int, binary: bool, clustered: bool
) -> None:
    setting = STUDY["Setting"](seeds, 500, binary, clustered)
    error, coverage = STUDY["simulate"](setting, DRAWS, seed=7)
    least, most = bounds(0.04, 0.06)
    assert least < error[0] < most
    least, most = bounds(0.93, 0.97)
    assert least < coverage[0] < most
    # Queries of one image are no independent queries: .2 of such tests err.
    if clustered:
        assert error[1] > 0.1


def test_three_seeds_err_as_much_as_is_said_and_no_more() -> None:
    error, _ = STUDY["simulate"](STUDY["Setting"](3, 5000, False, False), DRAWS, seed=7)
    assert 0.05 < error[0] < bounds(0.08, 0.08)[1]


def test_the_tables_of_families_and_added_seeds_are_made() -> None:
    families = STUDY["families"](60, 1).splitlines()
    assert len(families) == 6 and all(row.count("|") == families[0].count("|") for row in families)
    added = STUDY["added"](400, 1).splitlines()
    assert len(added) == 7 and all(row.count("|") == added[0].count("|") for row in added)
    shares = [cell.strip() for cell in added[2].split("|")]
    assert float(shares[3]) < 0.05 < float(shares[4])
