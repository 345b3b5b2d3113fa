"""Seeds added until decided: the confidence sequence of every declared hypothesis, and why it stopped."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from crosscut_reports.render import numbers
from crosscut_reports.render.figures.drawing import MARKS, Drawing, Mark, level
from crosscut_reports.render.figures.spacing import spaced
from crosscut_reports.render.sections.sequential import REASONS
from crosscut_reports.result import SCOPE_TEXT, Result, SequentialResult
from crosscut_reports.sequential import common_margin

OUTCOMES: Mapping[str | None, Mark] = {
    "better": MARKS["better"],
    "worse": MARKS["worse"],
    "equivalent": MARKS["equivalent"],
    "futile": Mark("#8A7A00", "X", "✖"),
    "maximum": Mark("#CC79A7", "D", "◆"),
    None: MARKS["undecided"],
}
"""How the reason of a stop is shown, None for a hypothesis that is open."""

_SHORT: Mapping[str | None, str] = {"maximum": "most seeds, not settled", None: "open"}

_ROW, _LEGEND = 0.38, 0.4
"""Inches of a row, and of the legend."""


def draw(result: Result) -> Drawing | None:
    """A row a hypothesis, under its metric where there are several; None where seeds were fixed."""
    found = result.sequential
    if not found:
        return None
    metrics = list(dict.fromkeys(one.metric for one in found))
    several = len(metrics) > 1
    rows: list[tuple[str, SequentialResult | None]] = []
    for metric in metrics:
        rows += [(metric, None)] if several else []
        rows += [(one.name, one) for one in found if one.metric == metric]
    spacing = spaced([label for label, _ in rows], _ROW)
    margin = common_margin(metrics, result.design.primary, result.design.margin)
    shaded = f"; shaded: the margin of ±{margin:g}" if margin > 0 else ""
    unit = "the metric’s points" if several else metrics[0]
    text = f"difference in {unit}, {level(result)} confidence sequences{shaded}"
    drawing = spacing.drawing(
        f"{text}\nvalid at any number of seeds; scope: {SCOPE_TEXT['seeds']}", above=_LEGEND
    )
    if margin > 0:
        drawing.axes.axvspan(-margin, margin, color="#0072B2", alpha=0.09, linewidth=0)
    drawing.axes.axvline(0, color="#555555", linewidth=0.8)
    for y, (_, one) in zip(spacing.at, rows, strict=True):
        if one is not None:
            _row(drawing, one, y, numbers.decimals(result, one.metric))
    spacing.name(drawing, [one is None for _, one in rows])
    _legend(drawing, {one.reason for one in found})
    return drawing


def _row(drawing: Drawing, one: SequentialResult, y: float, decimals: int) -> None:
    mark = OUTCOMES[one.reason]
    key = f"sequential-{len(drawing.data)}"
    if one.interval is not None and all(map(isfinite, one.interval)):
        drawing.axes.plot(one.interval, (y, y), color=mark.colour, linewidth=1.4, solid_capstyle="butt")
    drawing.axes.plot(
        [one.estimate], [y], mark.shape, color=mark.colour, markersize=6, gid=key,
        markerfacecolor=mark.colour if mark.filled else "white", markeredgewidth=1.2,
    )  # fmt: skip
    estimate = numbers.signed(one.estimate, decimals)
    bounds = numbers.interval(one.interval, decimals, sign=True) if one.interval else "no bounds yet"
    reason = _SHORT.get(one.reason, one.reason or "")
    drawing.data[key] = {
        "name": one.name, "metric": one.metric, "estimate": estimate, "interval": bounds, "reason": reason,
        "e": f"{one.e:.3g}", "seeds": str(one.seeds),
    }  # fmt: skip
    seeds = numbers.plural(one.seeds, "seed")
    drawing.aside(f"{estimate}  {bounds}\nE {one.e:.3g}, {seeds}: {mark.glyph} {reason}", y)


def _legend(drawing: Drawing, reasons: set[str | None]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [], [], linestyle="none", marker=mark.shape, color=mark.colour, label=REASONS[reason],
            markerfacecolor=mark.colour if mark.filled else "white", markeredgewidth=1.2, markersize=6,
        )
        for reason, mark in OUTCOMES.items()
        if reason in reasons
    ]  # fmt: skip
    drawing.figure.legend(
        handles=handles, loc="outside upper right", ncols=min(4, len(handles)), frameon=False,
        handletextpad=0.2,
    )  # fmt: skip
