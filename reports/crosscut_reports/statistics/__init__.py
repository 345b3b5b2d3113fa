"""Statistics of runs over weighted clusters of queries, by name: what a crossed bootstrap can resample."""

from __future__ import annotations

from collections.abc import Mapping

from crosscut_reports.statistics.base import Statistic
from crosscut_reports.statistics.mean import Mean
from crosscut_reports.statistics.median import Median
from crosscut_reports.statistics.ratio import Ratio

REGISTRY: Mapping[str, type[Statistic]] = {"mean": Mean, "median": Median, "ratio": Ratio}
"""Every statistic; conformance tests run over all of them."""

__all__ = ["REGISTRY", "Mean", "Median", "Ratio", "Statistic"]
