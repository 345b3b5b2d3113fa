"""How splits are compared, in words."""

from __future__ import annotations

from crosscut_reports.result import Design, Drop, Shift


def paragraph(shift: Shift, design: Design) -> str:
    """What was computed of each split, and in which families."""
    forms = {_form(drop) for drop in shift.drops}
    found = [
        f"Splits are compared on {shift.metric}: every run's score on another split less its score on "
        f"{shift.source} is a score like any other, and a contrast of arms on it, a difference of differences, "
        "is an interaction, in which how hard a split is by itself cancels."
    ]
    if "paired" in forms:
        found.append("Splits of the same clusters are compared cluster by cluster.")
    if "independent" in forms:
        found.append(
            "The clusters of splits that ask different queries are independent samples: variances over clusters, "
            "each divided by the split's own number of clusters, add up."
        )
    if welch(shift):
        found.append(
            "A cluster of one of them has no difference whose sign could be flipped, so for these trained models "
            "p-values are of a t test with the degrees of freedom of Welch (1947) over clusters."
        )
    if "runs" in forms:
        found.append("Where a split's scores are known per run only, so is the difference.")
    found.append(
        f"Contrasts on {design.primary} are those of the whole report. All changes of arms are one family, all "
        "contrasts on other splits a second, all differences of these from those on "
        f"{shift.source} a third, each adjusted by {design.adjustment} and exploratory."
    )
    if design.primary != f"{shift.source}/{shift.metric}":
        found.append(f"Contrasts on {shift.source} are a fourth.")
    found.append("Equivalence is judged with the margin of the primary metric, since the metric is the same.")
    return " ".join(found)


def _form(drop: Drop) -> str:
    if drop.paired:
        return "paired"
    return "runs" if drop.contrast.clusters is None else "independent"


def welch(shift: Shift) -> bool:
    """Whether anything was tested over the clusters of two independent samples."""
    return any(_form(drop) == "independent" and drop.contrast.scope == "queries" for drop in shift.drops)
