"""Recalls and median ranks from ranks."""

from __future__ import annotations

import numpy as np
import pytest

from crosscut_trainables.evaluation import QueryRanks
from crosscut_trainables.metrics import retrieval_metrics


def of(*ranks: int) -> QueryRanks:
    return QueryRanks(np.array(ranks, np.int32), np.arange(len(ranks), dtype=np.int32))


def test_recalls_medians_and_their_sum_are_those_counted_by_hand() -> None:
    metrics = retrieval_metrics("test", of(1, 5, 6, 11), of(1, 1, 2, 10, 100))
    assert metrics == {
        "test/i2t_r1": 25.0,
        "test/i2t_r5": 50.0,
        "test/i2t_r10": 75.0,
        "test/t2i_r1": 40.0,
        "test/t2i_r5": 60.0,
        "test/t2i_r10": 80.0,
        "test/rsum": 330.0,
        "test/i2t_medr": 5.5,
        "test/t2i_medr": 2.0,
    }


def test_rsum_of_a_perfect_model_is_600() -> None:
    assert retrieval_metrics("dev", of(1, 1), of(1, 1, 1))["dev/rsum"] == 600.0


def test_recall_never_falls_as_k_grows() -> None:
    ranks = of(*np.random.default_rng(0).integers(1, 30, 50))
    metrics = retrieval_metrics("dev", ranks, ranks)
    assert metrics["dev/i2t_r1"] <= metrics["dev/i2t_r5"] <= metrics["dev/i2t_r10"]
    assert metrics["dev/i2t_r5"] == pytest.approx(100 * np.mean(ranks.ranks <= 5))
