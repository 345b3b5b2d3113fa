"""The arms at rising severities of what was done to a split."""

from __future__ import annotations

import textwrap
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING

from crosscut_reports.render import numbers
from crosscut_reports.render.characters import fit
from crosscut_reports.render.figures.drawing import WIDTH, Drawing, legend, level, look
from crosscut_reports.result import Result, SeverityCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = 2
_APART, _SPREAD = 0.05, 0.35
"""Shares of the smallest step between severities: that arms side by side are apart, and that all may take."""

_FEW = 6
"""Up to so many arms their intervals do not hide the lines."""


def draw(result: Result) -> Drawing | None:
    """A panel a series, a line an arm, its means with their intervals."""
    curves = [] if result.shift is None else list(result.shift.curves)
    if not curves:
        return None
    from matplotlib.figure import Figure

    series = list(dict.fromkeys(curve.series for curve in curves))
    arms = list(dict.fromkeys(curve.arm for curve in curves))
    columns = min(_COLUMNS, len(series))
    rows = -(-len(series) // columns)
    names = [textwrap.fill(fit(arm), 34, break_on_hyphens=False) for arm in arms]
    height = max(2.6 * rows + 0.3, 0.5 + 0.17 * sum(name.count("\n") + 1 for name in names))
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    panels = list(figure.subplots(rows, columns, sharey=True, squeeze=False).flat)
    drawing = Drawing(figure, panels[0])
    places = numbers.decimals(result, result.design.primary)
    for panel, name in zip(panels, series, strict=False):
        panel.set_title(textwrap.fill(fit(name), 44), fontsize=8.5, loc="left")
        _panel(drawing, panel, [curve for curve in curves if curve.series == name], arms, places)
    for panel in panels[len(series) :]:
        panel.set_axis_off()
    for row in range(rows):
        panels[row * columns].set_ylabel(fit(result.shift.metric if result.shift else ""))
    figure.supxlabel(f"severity, {level(result)} intervals", fontsize=8.5, color="#333333")
    figure.legend(handles=legend(names), loc="outside right upper", frameon=False)
    return drawing


def _panel(drawing: Drawing, panel: Axes, curves: list[SeverityCurve], arms: list[str], places: int) -> None:
    severities = sorted({point.severity for curve in curves for point in curve.points})
    steps = [high - low for low, high in pairwise(severities)]
    step = min(steps, default=1.0)
    apart = min(_APART, _SPREAD / len(arms))
    faint = 1.0 if len(arms) <= _FEW else 0.4
    for curve in curves:
        index = arms.index(curve.arm)
        aside = apart * step * (index - (len(arms) - 1) / 2)
        points = [point for point in curve.points if isfinite(point.mean)]
        x = [point.severity + aside for point in points]
        colour, line, shape = look(index)
        panel.plot(x, [point.mean for point in points], color=colour, linestyle=line, linewidth=1.1)
        for place, point in zip(x, points, strict=True):
            if point.ci is not None and all(map(isfinite, point.ci)):
                panel.plot((place, place), point.ci, color=colour, linewidth=0.9, alpha=faint)
            key = f"severity-{len(drawing.data)}"
            panel.plot([place], [point.mean], shape, color=colour, markersize=3.4, gid=key)
            drawing.data[key] = {
                "series": curve.series, "arm": curve.arm, "split": point.split,
                "severity": f"{point.severity:g}", "mean": numbers.points(point.mean, places),
                "interval": numbers.interval(point.ci, places),
            }  # fmt: skip
    panel.set_xticks(severities, [f"{severity:g}" for severity in severities])
    panel.grid(axis="y", color="#e6e6e6", linewidth=0.5)
    panel.set_axisbelow(True)
