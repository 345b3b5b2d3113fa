"""Tests over seeds against published figures, SciPy and the textbook table of a factorial."""

from __future__ import annotations

import csv
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from crosscut_reports import seed_scope
from crosscut_reports.closed_form import NoVariationError

DARWIN = [6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75]


def test_darwins_maize_gives_the_published_p() -> None:
    assert seed_scope.paired(np.array(DARWIN, dtype=float)).p == pytest.approx(0.049703, abs=5e-7)


def test_unpaired_arms_give_welchs_test() -> None:
    draw = np.random.default_rng(3)
    a, b = draw.normal(1, 2, 5), draw.normal(0, 0.5, 9)
    reference = stats.ttest_ind(a, b, equal_var=False)
    found = seed_scope.unpaired([a, b], [1, -1])
    assert found.statistic == pytest.approx(float(reference.statistic))
    assert found.df == pytest.approx(float(reference.df))
    assert found.p == pytest.approx(float(reference.pvalue))


def test_weighted_unpaired_contrast_follows_satterthwaite() -> None:
    draw = np.random.default_rng(4)
    runs = [draw.normal(0, 1, n) for n in (3, 4, 6)]
    weights = [1.0, -0.5, -0.5]
    terms = [w**2 * r.var(ddof=1) / r.size for w, r in zip(weights, runs, strict=True)]
    found = seed_scope.unpaired(runs, weights)
    assert found.se == pytest.approx(sum(terms) ** 0.5)
    df = sum(terms) ** 2 / sum(t**2 / (r.size - 1) for t, r in zip(terms, runs, strict=True))
    assert found.df == pytest.approx(df)


def test_one_degree_of_freedom_effects_are_squared_t_of_the_seeds_contrast() -> None:
    draw = np.random.default_rng(5)
    seeds = 6
    # runs[i, j, s]: two factors of two levels, each combination under every seed.
    runs = draw.normal(0, 1, (2, 2, seeds)) + draw.normal(0, 2, (2, 2, 1)) + draw.normal(0, 2, seeds)
    tables = {
        "first": np.stack([runs[0].mean(0), runs[1].mean(0)]),
        "second": np.stack([runs[:, 0].mean(0), runs[:, 1].mean(0)]),
        "interaction": np.stack([(runs[0, 0] + runs[1, 1]) / 2, (runs[0, 1] + runs[1, 0]) / 2]),
    }
    signs = {
        "first": ((1, -1), (1, 1)),
        "second": ((1, 1), (1, -1)),
        "interaction": ((1, -1), (1, -1)),
    }
    for name, table in tables.items():
        r = table[0] - table[1]
        t = float(stats.ttest_1samp(r, 0).statistic)
        # The textbook table of sums of squares, effect against effect x seeds, from all single runs.
        corners = product(enumerate(signs[name][0]), enumerate(signs[name][1]))
        c = np.sum([a * b * runs[i, j] for (i, a), (j, b) in corners], axis=0)
        effect = c.sum() ** 2 / (4 * seeds)
        error = ((c**2).sum() / 4 - effect) / (seeds - 1)
        found = seed_scope.factor(table)
        assert pytest.approx(t**2) == found.F, name
        assert pytest.approx(effect / error) == found.F, name
        assert (found.df1, found.df2) == (1, seeds - 1)
        assert found.p == pytest.approx(seed_scope.paired(r).p)


def test_factor_of_three_levels_is_the_two_way_table_without_replication() -> None:
    runs = np.array([[10.0, 12, 11, 13], [14, 15, 13, 17], [9, 12, 10, 11]])
    found = seed_scope.factor(runs)
    total = ((runs - runs.mean()) ** 2).sum()
    levels = 4 * ((runs.mean(1) - runs.mean()) ** 2).sum()
    seeds = 3 * ((runs.mean(0) - runs.mean()) ** 2).sum()
    F = (levels / 2) / ((total - levels - seeds) / 6)
    assert pytest.approx(F) == found.F
    assert found.p == pytest.approx(float(stats.f.sf(F, 2, 6)))


def test_one_seed_gives_an_estimate_and_no_test() -> None:
    found = seed_scope.paired(np.array([1.5]))
    assert (found.estimate, found.se, found.p) == (1.5, None, None)
    assert found.reason == "one seed says nothing of the spread between seeds"
    assert seed_scope.unpaired([np.array([1.0]), np.array([1.0, 2.0])], [1, -1]).p is None


def test_equal_seeds_of_unequal_arms_are_not_tested() -> None:
    found = seed_scope.paired(np.full(4, 0.3))
    assert found.p is None
    with pytest.raises(NoVariationError):
        seed_scope.factor(np.array([[1.0, 1, 1], [2, 2, 2]]))


def test_published_ten_seeds_agree_with_scipy(shared_data: Path) -> None:
    recalls: dict[tuple[str, str], float] = {}
    with (shared_data / "flickr30k_ten_seeds.csv").open() as file:
        for row in csv.DictReader(file):
            key = (row["config"], row["seed"])
            recalls[key] = recalls.get(key, 0.0) + float(row["value"])
    sgr, vsrn = (np.array([recalls[arm, str(seed)] for seed in range(1, 11)]) for arm in ("SGR", "VSRN"))
    assert sgr.mean() == pytest.approx(489.3, abs=0.05)
    assert vsrn.std(ddof=1) == pytest.approx(5.4, abs=0.05)
    reference = stats.ttest_rel(sgr, vsrn)
    found = seed_scope.paired(sgr - vsrn)
    assert found.p == pytest.approx(float(reference.pvalue))
    interval = reference.confidence_interval(0.95)
    assert found.interval(0.95) == pytest.approx((float(interval.low), float(interval.high)))
