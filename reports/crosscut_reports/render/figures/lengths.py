"""Recall on short queries and on long ones, a panel a recall and a line an arm."""

from __future__ import annotations

import textwrap
from math import isfinite
from typing import TYPE_CHECKING

from crosscut_reports.render import lengths_prose, numbers
from crosscut_reports.render.characters import fit
from crosscut_reports.render.figures.drawing import WIDTH, Drawing, legend, level, look
from crosscut_reports.result import SCOPE_TEXT, LengthBand, Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SPREAD = 0.5
"""Share of the step between two bins that the arms of a bin take, side by side."""
_ABOVE = 2.0
"""Points that a panel goes beyond 0 and 100, so that a mark there is whole."""
_CHARACTERS = 104
"""Of a row of the legend, each entry with ten beside its name."""


def draw(result: Result) -> Drawing | None:
    """The means of every arm that is drawn with their intervals; see `lengths_prose.drawn`."""
    arms = lengths_prose.drawn(result)
    if not arms:
        return None
    from matplotlib.figure import Figure

    metrics = lengths_prose.metrics(result)
    baseline = result.design.baseline
    labels = [f"{arm} (baseline)" if arm == baseline else arm for arm in arms]
    names = [textwrap.fill(fit(label), 46, break_on_hyphens=False) for label in labels]
    longest = max(len(line) for name in names for line in name.split("\n"))
    columns = max(1, min(4, len(arms), _CHARACTERS // (longest + 10)))
    lines = max(name.count("\n") + 1 for name in names) * -(-len(arms) // columns)
    figure = Figure(figsize=(WIDTH, 2.9 + 0.17 * lines), layout="constrained")
    panels = list(figure.subplots(1, len(metrics), squeeze=False).flat)
    drawing = Drawing(figure, panels[0])
    for panel, metric in zip(panels, metrics, strict=True):
        panel.set_title(fit(lengths_prose.label(metric)), fontsize=8.5, loc="left")
        _panel(drawing, panel, result, metric, arms)
    panels[0].set_ylabel("recall in percent")
    found = lengths_prose.scope(result)
    scope = f"; scope: {SCOPE_TEXT[found]}" if found else ""
    figure.supxlabel(f"words of the query, {level(result)} intervals{scope}", fontsize=8.5, color="#333333")
    figure.legend(handles=legend(names), loc="outside upper left", ncols=columns, frameon=False)
    return drawing


def _panel(drawing: Drawing, panel: Axes, result: Result, metric: str, arms: list[str]) -> None:
    places = numbers.decimals(result, metric)
    apart = min(0.09, _SPREAD / len(arms))
    for arm, bands in lengths_prose.rows(result, metric):
        if arm not in arms:
            continue
        index = arms.index(arm)
        colour, line, shape = look(index)
        aside = apart * (index - (len(arms) - 1) / 2)
        there = [(at + aside, band) for at, band in enumerate(bands) if band and isfinite(band.mean)]
        panel.plot(
            [x for x, _ in there], [band.mean for _, band in there],
            color=colour, linestyle=line, linewidth=1.0,
        )  # fmt: skip
        for x, band in there:
            if band.ci is not None and all(map(isfinite, band.ci)):
                panel.plot((x, x), band.ci, color=colour, linewidth=0.9, alpha=0.55)
            key = f"length-{len(drawing.data)}"
            panel.plot([x], [band.mean], shape, color=colour, markersize=3.2, gid=key)
            drawing.data[key] = _data(band, places)
    bins = lengths_prose.lengths(result.lengths)
    panel.set_xticks(range(len(bins)), [_short(band) for band in bins])
    panel.set_xlim(-0.5, len(bins) - 0.5)
    low, high = panel.get_ylim()
    panel.set_ylim(max(low, -_ABOVE), min(high, 100 + _ABOVE))
    panel.grid(axis="y", color="#e6e6e6", linewidth=0.5)
    panel.set_axisbelow(True)


def _data(band: LengthBand, places: int) -> dict[str, str]:
    return {
        "arm": band.arm, "metric": band.metric, "words": lengths_prose.words(band),
        "queries": str(band.queries), "mean": numbers.points(band.mean, places),
        "interval": numbers.interval(band.ci, places),
    }  # fmt: skip


def _short(band: LengthBand) -> str:
    return str(band.low) if band.low == band.high else f"{band.low}–{band.high}"
