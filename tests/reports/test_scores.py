"""Clusters of unequal size: a ratio's spread, in tables, arms and contrasts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crosscut_reports.analysis import Question, analyse
from crosscut_reports.context import Context
from crosscut_reports.scores import linearised
from crosscut_reports.table import read

SIZES = np.array([1, 9, 2, 8, 3, 7, 4, 6])


def table(folder: Path, sizes: list[int], metric: str = "mrr") -> Path:
    """Two arms, three seeds; every query has 50 or 51 and a seed's own share."""
    rows = ["config,seed,query,cluster,metric,value"]
    for config in ("a", "b"):
        for seed in range(3):
            for cluster, size in enumerate(sizes):
                for query in range(size):
                    value = 50 + (query + cluster) % 2 + (3 + 0.1 * seed) * (config == "b")
                    rows.append(f"{config},{seed},{cluster}-{query},{cluster},{metric},{value}")
    path = folder / "scores.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_linearised_scores_keep_the_mean_and_have_the_residuals_of_the_ratio() -> None:
    draw = np.random.default_rng(0)
    sums = draw.normal(5, 1, (3, SIZES.size)) * SIZES
    values = sums * SIZES.size / SIZES.sum()
    found = linearised(values, SIZES)
    ratio = sums.sum(axis=1) / SIZES.sum()
    assert found.mean(axis=1) == pytest.approx(ratio)
    # Cochran (1977), 6.3: the residuals y − R·x over the mean of x.
    assert found - ratio[:, None] == pytest.approx((sums - ratio[:, None] * SIZES) / SIZES.mean())


def test_linearised_scores_have_the_deviation_of_the_bootstrapped_ratio() -> None:
    draw = np.random.default_rng(1)
    sizes = draw.integers(1, 8, 400).astype(float)
    hits = draw.binomial(sizes.astype(int), 0.6).astype(float)
    values = 100 * hits * sizes.size / sizes.sum()
    chosen = draw.integers(0, 400, (4000, 400))
    resampled = 100 * hits[chosen].sum(axis=1) / sizes[chosen].sum(axis=1)
    found = float(linearised(values[None], sizes).std(ddof=1)) / 20
    assert found == pytest.approx(float(resampled.std()), rel=0.04)
    assert float(values.std(ddof=1)) / 20 > 1.5 * found


def test_the_spread_of_cluster_sizes_does_not_widen_an_arms_interval(tmp_path: Path) -> None:
    scores = read(table(tmp_path, SIZES.tolist()))
    result = analyse(scores, Question(baseline="a", margin=1.0), Context("t"))
    for arm in result.arms:
        assert arm.ci is not None
        assert arm.ci[1] - arm.ci[0] < 1
        assert arm.ci[0] < arm.mean < arm.ci[1]
    (contrast,) = result.contrasts
    assert contrast.estimate == pytest.approx(3.1)
    assert contrast.se == pytest.approx(0.1 / 3**0.5)
    assert contrast.df == pytest.approx(2)
    (factor,) = result.factors
    assert factor.p == pytest.approx(contrast.p)
    assert contrast.wins == SIZES.size


def test_clusters_of_one_size_are_left_as_they_are(tmp_path: Path) -> None:
    assert read(table(tmp_path, [4, 4, 4])).metrics["mrr"].linear is None


def test_the_linear_scores_of_a_sum_are_the_sum_of_theirs(tmp_path: Path) -> None:
    rows = ["config,seed,query,cluster,metric,value"]
    draw = np.random.default_rng(2)
    for config in ("a", "b"):
        for direction in ("i2t", "t2i"):
            for cutoff in (1, 5, 10):
                for cluster, size in enumerate(SIZES if direction == "t2i" else [1] * SIZES.size):
                    for query in range(size):
                        name = f"{direction}_r{cutoff}"
                        value = 100 * draw.integers(0, 2)
                        rows.append(f"{config},1,{direction}{cluster}-{query},{cluster},{name},{value}")
    path = tmp_path / "recalls.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    metrics = read(path).metrics
    parts = [metric for name, metric in metrics.items() if name != "rsum"]
    expected = sum(part.values if part.linear is None else part.linear for part in parts)
    assert metrics["rsum"].linear is not None
    assert metrics["rsum"].linear == pytest.approx(expected)
    assert metrics["rsum"].linear.mean(axis=2) == pytest.approx(metrics["rsum"].runs)
