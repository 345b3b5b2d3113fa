"""Which way a metric is better, told by its name."""

from __future__ import annotations

import re

LOWER_IS_BETTER = (
    "medr", "meanr", "rank", "loss", "error", "seconds", "alignment", "uniformity", "positive_distance",
    "unknown_words",
)  # fmt: skip


def higher_is_better(metric: str) -> bool:
    """Whether more of the metric is better: it is, unless the name ends in one of `LOWER_IS_BETTER`.

    >>> higher_is_better("test/i2t_r1"), higher_is_better("test/i2t_medr")
    (True, False)
    """
    words = re.split(r"[/_ .-]", metric.lower())
    return not {words[-1], "_".join(words[-2:])} & set(LOWER_IS_BETTER)
