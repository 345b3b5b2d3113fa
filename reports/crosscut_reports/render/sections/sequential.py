"""Seeds added until decided: the sequential test beside the closed form."""

from __future__ import annotations

from crosscut_reports.render import numbers
from crosscut_reports.render.sections.section import Section
from crosscut_reports.result import Result

REASONS = {
    "better": "better",
    "worse": "worse",
    "equivalent": "equivalent",
    "futile": "stopped: little chance to be settled within the maximum",
    "maximum": "not settled by the most seeds",
    None: "open",
}


def section(result: Result) -> Section | None:
    """One row a declared hypothesis; None where the number of seeds was fixed."""
    if not result.sequential:
        return None
    level = f"{100 * (1 - result.design.alpha):g}%"
    rows = []
    for one in result.sequential:
        places = numbers.decimals(result, one.metric)
        rows.append(
            (
                one.name,
                one.metric,
                REASONS[one.reason],
                numbers.count(one.seeds),
                numbers.signed(one.estimate, places),
                numbers.interval(one.interval, places, sign=True) if one.interval else "no bounds yet",
                numbers.interval(one.closed, places, sign=True),
                f"{one.e:.3g}",
                numbers.p_value(one.p, result.design.alpha),
            )
        )
    caption = (
        "Seeds were added after looking at results. The confidence sequence and the E-value hold for new seeds on "
        "these queries, whatever made one stop: together with their family they err with a chance of at most "
        f"{result.design.alpha:g}, where E ≥ 1/α rejects. The closed-form interval is that of a number of seeds "
        "that was fixed before, over all seeds that there are; here it is too sure, and stands beside it for "
        "comparison. "
        "p is 1 over the largest E so far, adjusted by Holm."
    )
    head = (
        "Hypothesis", "Metric", "Outcome", "Seeds", "Estimate", f"{level} confidence sequence (valid)",
        f"{level} closed form (not valid)", "E", "p",
    )  # fmt: skip
    return Section("Seeds added until decided", caption, head, tuple(rows), left=3, figure="sequential")
