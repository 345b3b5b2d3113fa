"""Recalls and median ranks, from ranks; no torch."""

from __future__ import annotations

import numpy as np

from crosscut_trainables.evaluation import QueryRanks

CUTOFFS = (1, 5, 10)
NAMES = (*(f"{d}_r{k}" for d in ("i2t", "t2i") for k in CUTOFFS), "rsum", "i2t_medr", "t2i_medr")
"""What `retrieval_metrics` gives, without the split."""


def retrieval_metrics(split: str, i2t: QueryRanks, t2i: QueryRanks) -> dict[str, float]:
    """R@1, R@5 and R@10 of both directions in percent, their sum rsum (0 to 600), and the median ranks.

    Names are `split/i2t_r1`, ..., `split/rsum`, `split/i2t_medr`, `split/t2i_medr`. R@K is the share of the
    queries that have a correct item among the first K. The median rank is the middle one, halfway between two
    where their number is even.
    """
    metrics: dict[str, float] = {}
    for direction, queries in (("i2t", i2t), ("t2i", t2i)):
        for k in CUTOFFS:
            metrics[f"{split}/{direction}_r{k}"] = 100.0 * float(np.mean(queries.ranks <= k))
    metrics[f"{split}/rsum"] = sum(metrics.values())
    metrics[f"{split}/i2t_medr"] = float(np.median(i2t.ranks))
    metrics[f"{split}/t2i_medr"] = float(np.median(t2i.ranks))
    return metrics
