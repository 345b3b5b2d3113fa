"""Power against simulated studies, exact distributions, and its limits."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from crosscut_reports import closed_form, query_scope
from crosscut_reports.estimate import Components
from crosscut_reports.power import (
    Needed,
    Parts,
    clusters_needed,
    detectable,
    differences,
    equivalence_power,
    of_components,
    pooled,
    power,
    seed_interval,
    seeds_needed,
)
from crosscut_reports.verdict import smallest_effect

TYPICAL = Parts(1.0, 8.0, 20.0)


def studies(parts: Parts, seeds: int, clusters: int, difference: float, count: int) -> list[float]:
    """p-values of the default scope."""
    draw = np.random.default_rng(0)
    found = []
    for _ in range(count):
        D = (
            difference
            + parts.sd_seed * draw.standard_normal((seeds, 1))
            + parts.sd_query * draw.standard_normal((1, clusters))
            + parts.sd_residual * draw.standard_normal((seeds, clusters))
        )
        p = closed_form.contrast(D).p
        found.append(1.0 if p is None else p)
    return found


@pytest.mark.parametrize(("seeds", "clusters", "difference"), [(5, 200, 2.0), (10, 200, 1.5), (5, 50, 4.0)])
def test_power_is_the_share_of_studies_that_find_the_difference(
    seeds: int, clusters: int, difference: float
) -> None:
    share = float(np.mean(np.array(studies(TYPICAL, seeds, clusters, difference, 2000)) < 0.05))
    # The test estimates what the plan knows, which costs or gains it a little with few seeds.
    assert power(TYPICAL, seeds, clusters, difference) == pytest.approx(share, abs=0.06)


def test_with_seeds_alone_it_is_that_of_the_t_test() -> None:
    parts = Parts(2.0)
    for seeds in (3, 8, 30):
        critical, shift = stats.t.ppf(0.975, seeds - 1), 1.5 * math.sqrt(seeds) / 2.0
        exact = stats.nct.sf(critical, seeds - 1, shift) + stats.nct.cdf(-critical, seeds - 1, shift)
        assert power(parts, seeds, 100, 1.5) == pytest.approx(exact, abs=1e-6)
        assert power(parts, seeds, 100, 1.5, scope="seeds") == pytest.approx(exact, abs=1e-6)


def test_without_a_difference_it_is_the_error_rate() -> None:
    assert power(TYPICAL, 5, 300, 0.0) == pytest.approx(0.05)
    assert power(TYPICAL, 5, 300, 0.0, family=4) == pytest.approx(0.0125)


def test_fixed_models_have_the_spread_of_clusters_alone() -> None:
    parts, seeds, clusters = Parts(9.0, 8.0, 20.0), 4, 150
    draw = np.random.default_rng(1)
    found = 0
    for _ in range(1500):
        means = 2.0 + draw.normal(0, math.sqrt(8.0**2 + 20.0**2 / seeds), clusters)
        estimate = query_scope.contrast(means[None, :], 1.0)
        found += abs(estimate.estimate) > stats.t.ppf(0.975, clusters - 1) * (estimate.se or 0)
    assert power(parts, seeds, clusters, 2.0, scope="queries") == pytest.approx(found / 1500, abs=0.04)


def test_more_of_anything_finds_more() -> None:
    grid = [
        [power(TYPICAL, s, q, d) for d in (0.5, 1, 2, 4)] for s in (3, 5, 10) for q in (100, 1000, 10_000)
    ]
    assert all(a < b for row in grid for a, b in pairwise(row))
    by_seeds = [power(TYPICAL, s, 500, 1.0) for s in range(3, 40)]
    assert by_seeds == sorted(by_seeds)
    by_clusters = [power(TYPICAL, 5, q, 1.0) for q in (50, 100, 500, 5000)]
    assert by_clusters == sorted(by_clusters)
    assert power(TYPICAL, 5, 500, 1.0, family=10) < power(TYPICAL, 5, 500, 1.0)


def test_what_is_detectable_has_that_power_and_is_near_the_short_formula() -> None:
    size = detectable(TYPICAL, 10, 1000)
    assert power(TYPICAL, 10, 1000, size) == pytest.approx(0.8, abs=1e-6)
    D = np.random.default_rng(2).normal(0, 1, (10, 1)) + np.random.default_rng(3).normal(0, 8, (1, 1000))
    estimate = closed_form.contrast(D + np.random.default_rng(4).normal(0, 20, (10, 1000)))
    parts = of_components(estimate.components)
    assert parts is not None
    assert smallest_effect(estimate, 0.05) == pytest.approx(detectable(parts, 10, 1000), rel=0.1)


def test_the_seeds_needed_are_the_fewest_that_suffice() -> None:
    needed = seeds_needed(TYPICAL, 1000, 1.2)
    assert needed.count is not None
    assert power(TYPICAL, needed.count, 1000, 1.2) >= 0.8 > power(TYPICAL, needed.count - 1, 1000, 1.2)
    assert seeds_needed(TYPICAL, 1000, 50.0) == Needed(3)


def test_where_the_queries_alone_leave_too_much_no_number_of_seeds_is_enough() -> None:
    assert seeds_needed(TYPICAL, 100, 0.5) == Needed(None, never=True)
    limit = 8.0 / math.sqrt(100)
    assert stats.norm.sf(1.96 - 0.5 / limit) < 0.8
    # A difference that is so small that more seeds than anyone runs would do.
    assert seeds_needed(Parts(100.0), 100, 1.0) == Needed(None, never=False)


def test_the_clusters_needed_are_the_fewest_that_suffice() -> None:
    needed = clusters_needed(TYPICAL, 10, 1.2)
    assert needed.count is not None
    assert power(TYPICAL, 10, needed.count, 1.2) >= 0.8 > power(TYPICAL, 10, needed.count - 1, 1.2)
    assert clusters_needed(TYPICAL, 3, 0.5) == Needed(None, never=True)
    fixed = clusters_needed(TYPICAL, 3, 0.5, scope="queries")
    assert fixed.count is not None and fixed.count > 1000


def test_equivalence_is_found_as_often_as_its_interval_lies_within_the_margin() -> None:
    parts, seeds, clusters, margin = Parts(0.5, 4.0, 8.0), 8, 400, 1.0
    draw = np.random.default_rng(5)
    found = 0
    for _ in range(1500):
        D = (
            0.5 * draw.standard_normal((seeds, 1))
            + 4 * draw.standard_normal((1, clusters))
            + 8 * draw.standard_normal((seeds, clusters))
        )
        interval = closed_form.contrast(D).interval(0.9)
        found += interval is not None and -margin < interval[0] and interval[1] < margin
    assert equivalence_power(parts, seeds, clusters, margin) == pytest.approx(found / 1500, abs=0.07)
    assert equivalence_power(TYPICAL, 3, 50, 0.1) == 0.0
    assert equivalence_power(Parts(0.0), 3, 50, 0.1) == 1.0


def test_a_pilots_spread_over_seeds_is_uncertain_by_chi_square() -> None:
    low, high = seed_interval(Parts(2.0), 5, 100, level=0.9)
    expected = [2.0 * math.sqrt(4 / stats.chi2.ppf(q, 4)) for q in (0.95, 0.05)]
    assert [low.sd_seed, high.sd_seed] == pytest.approx(expected)
    # Where the residual is most of what one sees, there may be no spread of seeds at all.
    assert seed_interval(Parts(0.5, 1.0, 40.0), 5, 100)[0].sd_seed == 0.0
    with pytest.raises(ValueError, match="expected two or more"):
        seed_interval(TYPICAL, 1, 100)


def test_several_contrasts_are_pooled_by_their_root_mean_square() -> None:
    assert pooled([Parts(3.0, 1.0, 2.0), Parts(4.0, 7.0, 2.0)]) == Parts(math.sqrt(12.5), 5.0, 2.0)
    with pytest.raises(ValueError, match="found none"):
        pooled([])


def test_parts_are_numbers_from_zero_on() -> None:
    for wrong in (-1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="sd_query: found"):
            Parts(1.0, wrong)
    assert of_components(Components()) is None
    assert of_components(Components(1.0, None, 2.0)) == Parts(1.0, 0.0, 2.0)


def test_what_cannot_be_planned_is_refused() -> None:
    with pytest.raises(ValueError, match="seeds: found 1"):
        power(TYPICAL, 1, 100, 1.0)
    with pytest.raises(ValueError, match="clusters: found 1"):
        power(TYPICAL, 3, 1, 1.0, scope="queries")


def test_nothing_that_varies_finds_everything() -> None:
    still = Parts(0.0)
    assert power(still, 3, 10, 0.1) == 1.0 and power(still, 3, 10, 0.0) == 0.05
    assert power(Parts(0.0, 5.0), 3, 100, 1.4) == pytest.approx(stats.norm.sf(1.96 - 2.8), abs=0.001)


def test_differences_worth_a_row_are_round_and_span_what_is_detectable() -> None:
    found = differences(TYPICAL, range(3, 21), 1000)
    assert found == sorted(found) and 2 <= len(found) <= 4
    assert all(float(f"{size:.2g}") == size for size in found)
    assert found[-1] == pytest.approx(detectable(TYPICAL, 3, 1000), rel=0.05)
