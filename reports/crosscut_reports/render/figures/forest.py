"""The forest plot: contrasts of the primary metric with their intervals."""

from __future__ import annotations

from math import isfinite

from crosscut_reports.render import numbers, prose
from crosscut_reports.render.figures.drawing import MARKS, Drawing, level
from crosscut_reports.render.figures.spacing import spaced
from crosscut_reports.result import SCOPE_TEXT, ContrastResult, Result, Verdict

_ROW = 0.31
_LEGEND = 0.3
"""Inches of a row, and of the legend over them."""


def draw(result: Result) -> Drawing | None:
    """Estimates of the primary metric's contrasts with their intervals, over the margin."""
    chosen = [c for c in result.contrasts if c.metric == result.design.primary and isfinite(c.estimate)]
    groups = {
        "Declared in the sweep file": [c for c in chosen if c.declared],
        "Exploratory": [c for c in chosen if not c.declared],
    }
    if not chosen:
        return None
    rows: list[tuple[str, ContrastResult | None]] = []
    for heading, members in groups.items():
        if members:
            rows.append((heading, None))
            rows.extend((_name(result, contrast), contrast) for contrast in members)
    margin = result.design.margin
    band = f"; shaded: the margin of ±{margin:g}" if margin > 0 else ""
    text = f"difference in {result.design.primary}, {level(result)} intervals{band}"
    spacing = spaced([name for name, _ in rows], _ROW)
    drawing = spacing.drawing(f"{text}\nscope: {SCOPE_TEXT[result.design.scope]}", _LEGEND)
    axes = drawing.axes
    if margin > 0:
        axes.axvspan(-margin, margin, color="#0072B2", alpha=0.09, linewidth=0)
    axes.axvline(0, color="#555555", linewidth=0.8)
    for y, (_, contrast) in zip(spacing.at, rows, strict=True):
        if contrast is not None:
            _contrast(drawing, contrast, y, numbers.decimals(result, contrast.metric))
    spacing.name(drawing, [contrast is None for _, contrast in rows])
    _legend(drawing, {contrast.verdict for contrast in chosen})
    return drawing


def _name(result: Result, contrast: ContrastResult) -> str:
    usual = contrast.scope == result.design.scope
    return contrast.name if usual else f"{contrast.name} ({prose.scope_text(contrast)})"


def _contrast(drawing: Drawing, contrast: ContrastResult, y: float, places: int) -> None:
    mark = MARKS[contrast.verdict]
    estimate = numbers.signed(contrast.estimate, places)
    bounds = numbers.interval(contrast.ci, places, sign=True)
    if contrast.ci is not None and all(map(isfinite, contrast.ci)):
        drawing.axes.plot(contrast.ci, (y, y), color=mark.colour, linewidth=1.4, solid_capstyle="butt")
    key = f"contrast-{len(drawing.data)}"
    drawing.axes.plot(
        [contrast.estimate], [y], mark.shape, color=mark.colour, markersize=6, gid=key,
        markerfacecolor=mark.colour if mark.filled else "white", markeredgewidth=1.2,
    )  # fmt: skip
    drawing.data[key] = {
        "name": contrast.name, "estimate": estimate, "interval": bounds, "verdict": contrast.verdict,
        "declared": "yes" if contrast.declared else "no",
    }  # fmt: skip
    drawing.aside(f"{estimate}  {bounds}" if contrast.ci else estimate, y)


def _legend(drawing: Drawing, verdicts: set[Verdict]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [], [], linestyle="none", marker=mark.shape, color=mark.colour, label=verdict,
            markerfacecolor=mark.colour if mark.filled else "white", markeredgewidth=1.2, markersize=6,
        )
        for verdict, mark in MARKS.items()
        if verdict in verdicts
    ]  # fmt: skip
    drawing.figure.legend(
        handles=handles, loc="outside upper right", ncols=len(handles), frameon=False, handletextpad=0.2
    )
