"""How much searched parameters matter."""

from __future__ import annotations

from crosscut_reports.render import numbers
from crosscut_reports.render.sections.section import Section
from crosscut_reports.result import Result


def section(result: Result) -> Section | None:
    """A row an arm and parameter; None where no arm has trials enough."""
    found = result.context.importance
    if not found:
        return None
    rows = tuple(
        (
            one.arm,
            one.parameter,
            f"{one.importance:.2f}",
            numbers.NONE if one.interval is None else f"{one.interval[0]:.2f} to {one.interval[1]:.2f}",
            numbers.count(one.trials),
        )
        for one in found
    )
    caption = (
        "How much each searched parameter matters for being among the best tenth of an arm’s trials, as a share "
        "of all of its parameters (PED-ANOVA, Watanabe, Bansal and Hutter 2023), with its 90% interval over "
        "resampled trials. Arms with fewer than ten trials are left out: they could not tell. Trials that a "
        "sampler chose are no random sample, so a parameter that it soon settled may look unimportant."
    )
    head = ("Arm", "Parameter", "Share", "90% interval", "Trials")
    return Section("What mattered in tuning", caption, head, rows, left=2, figure="importance")
