"""What a metric's name tells: which way it is better, and whether it is a median."""

from __future__ import annotations

import re

LOWER_IS_BETTER = (
    "medr", "meanr", "rank", "loss", "error", "seconds", "alignment", "uniformity", "positive_distance",
    "unknown_words",
)  # fmt: skip


MEDIANS = ("medr", "median_rank")
"""How the names of medians of ranks end."""


def is_median(metric: str) -> bool:
    """Whether the metric is the median of ranks, where ranks are known by query.

    >>> is_median("test/i2t_medr"), is_median("test/i2t_meanr")
    (True, False)
    """
    return bool(_ends(metric) & set(MEDIANS))


def higher_is_better(metric: str) -> bool:
    """Whether more of the metric is better: it is, unless the name ends in one of `LOWER_IS_BETTER`.

    >>> higher_is_better("test/i2t_r1"), higher_is_better("test/i2t_medr")
    (True, False)
    """
    return not _ends(metric) & set(LOWER_IS_BETTER)


def _ends(metric: str) -> set[str]:
    words = re.split(r"[/_ .-]", metric.lower())
    return {words[-1], "_".join(words[-2:])}
