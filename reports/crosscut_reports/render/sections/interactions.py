"""Interactions of two factors."""

from __future__ import annotations

from crosscut_reports.render import numbers, prose
from crosscut_reports.render.sections.section import Section
from crosscut_reports.result import Result


def section(result: Result) -> Section | None:
    """A row a pair of factors; None where no pair has all combinations of its levels."""
    if not result.interactions:
        return None
    rows = tuple(
        (
            one.factor,
            one.metric,
            prose.tested_over(one),
            prose.scope_text(one),
            numbers.points(one.F),
            f"{numbers.degrees(one.df1)}, {numbers.degrees(one.df2)}",
            numbers.p_value(one.p, result.design.alpha),
            numbers.p_value(one.p_adjusted, result.design.alpha),
        )
        for one in result.interactions
    )
    caption = (
        "F tests of whether the effect of one factor depends on the level of another, over all degrees of freedom "
        "at once and over the combinations of further factors in which all combinations of the two occur. They "
        "are exploratory, and adjusted by Holm among themselves."
    )
    head = ("Factors", "Metric", "Tested", "Scope", "F", "df", "p", "p adjusted")
    return Section("Interactions", caption, head, rows, left=4, figure="interaction")
