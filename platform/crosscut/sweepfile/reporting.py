"""The report's part of a sweep file: what is decided about the statistics before the runs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from crosscut.sweepfile.section import Number, Section
from crosscut_reports.result import Screen

Metric = Annotated[str, Field(min_length=1)]


class Reporting(Section):
    """What the report takes as given."""

    primary: Metric = "test/rsum"
    """The metric that verdicts are about."""
    alpha: Annotated[Number, Field(gt=0, lt=0.5)] = 0.05
    """Significance level of the family of declared hypotheses; intervals have the level 1 - alpha."""
    margin: Annotated[Number, Field(ge=0)] = 0.0
    """Smaller differences, in points of the primary metric, do not matter. With 0 nothing is equivalent."""
    screen: Screen = "holm"
    """How p-values of exploratory families are adjusted: holm, benjamini-hochberg or benjamini-yekutieli."""
    metrics: tuple[Metric, ...] | None = None
    """Metrics that the report shows; all that the runs have where it is not given."""
