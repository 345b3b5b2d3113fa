"""The Pareto fronts of searches with several metrics, and which trial of each was chosen."""

from __future__ import annotations

from crosscut_reports.context import Tuning
from crosscut_reports.render import numbers
from crosscut_reports.render.sections.section import Section
from crosscut_reports.result import Result

TIME = "seconds"
"""The metric that is the recorded time of a trial."""


def section(result: Result) -> Section | None:
    """A row a trial on the front of its arm, arm by arm; None where no search had several metrics, or no trial of
    one finished."""
    found = [tuning for tuning in result.context.tuning if tuning.front]
    if not found:
        return None
    metrics = list(found[0].directions)
    rows = tuple(
        (
            tuning.arm,
            "chosen" if one["chosen"] else numbers.NONE,
            numbers.settings(one["values"]),
            str(one["trial"]),
            *(numbers.score(one["scores"][metric]) for metric in metrics),
        )
        for tuning in found
        for one in tuning.front
    )
    head = (
        "Arm", "Chosen", "Values", "Trial", *(f"{metric} ({way})" for metric, way in found[0].directions.items())
    )  # fmt: skip
    return Section("Several metrics in tuning", _caption(found), head, rows, left=3, figure="pareto")


def _caption(found: list[Tuning]) -> str:
    first = found[0]
    metrics = list(first.directions)
    parts = [
        "Of each arm’s finished search trials those on its Pareto front: no other trial is at least as good on "
        f"{numbers.words(metrics)} and better on one of them. The seeds of an arm are trained with the values of "
        f"the trial {first.rule}; of equals with those of the earlier one.",
        "Each trial is one run with one seed on the dev split, so trials that lie close may change places with "
        "another seed, and a front of many trials flatters.",
    ]
    if TIME in metrics:
        parts.append("Seconds are those that were recorded, on whatever machine a trial ran.")
    others = f"; of {len(metrics)} metrics it has the first two" if len(metrics) > 2 else ""
    figure = "The figure shows all finished trials, those off the front faint, the chosen one ringed"
    parts.append(f"{figure}{others}.")
    return " ".join(parts)
