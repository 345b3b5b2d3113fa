"""Attention against the weight, or the overlap, that counts."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from crosscut_reports.attention import PARTS, AttentionRow, rows
from crosscut_reports.render import numbers
from crosscut_reports.render.characters import fit
from crosscut_reports.render.figures.drawing import WIDTH, Drawing, legend, look
from crosscut_reports.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAMES = {"precision": "attention precision", "recall": "attention recall", "f1": "attention F1"}


def draw(result: Result) -> Drawing | None:
    """A panel for precision, recall and F1 on the first split of a sweep of thresholds, a line an arm.

    The x axis is the weight where weights were swept, at the overlap that runs were set to, else the overlap.
    """
    found = rows(result.context.attention)
    swept, by_weight = [row for row in found if row.weight is not None and row.iou is None], True
    if not swept:
        swept, by_weight = [row for row in found if row.iou is not None and row.weight is None], False
    split = next((name for name in ("test", *(row.split for row in swept)) if _of(swept, name)), None)
    if split is None:
        return None
    from matplotlib.figure import Figure

    shown = _of(swept, split)
    arms = list(dict.fromkeys(row.arm for row in shown))
    columns = 2 if max(map(len, arms)) > 30 else 3
    figure = Figure(figsize=(WIDTH, 2.6 + 0.17 * -(-len(arms) // columns)), layout="constrained")
    panels = list(figure.subplots(1, len(PARTS), sharey=True))
    drawing = Drawing(figure, panels[0])
    for panel, part in zip(panels, PARTS, strict=True):
        panel.set_title(_NAMES[part], fontsize=8.5, loc="left")
        _panel(drawing, panel, shown, arms, part, by_weight)
    panels[0].set_ylabel("percent")
    threshold = (
        "weight above which a region is attended" if by_weight else "overlap above which a region is relevant"
    )
    figure.supxlabel(
        fit(f"{threshold}; {split}, mean ± standard deviation over seeds"), fontsize=8.5, color="#333333"
    )
    figure.legend(
        handles=legend([fit(arm) for arm in arms]), loc="outside upper left", ncols=columns, frameon=False
    )
    return drawing


def _of(found: list[AttentionRow], split: str) -> list[AttentionRow]:
    return [row for row in found if row.split == split]


def _panel(
    drawing: Drawing, panel: Axes, shown: list[AttentionRow], arms: list[str], part: str, by_weight: bool
) -> None:
    for index, arm in enumerate(arms):
        colour, line, shape = look(index)
        points = [
            (row.weight if by_weight else row.iou, row.parts[part])
            for row in shown
            if row.arm == arm and part in row.parts
        ]
        known = [(at, mean, sd) for at, (mean, sd) in points if at is not None and isfinite(mean)]
        panel.plot(
            [at for at, _, _ in known], [mean for _, mean, _ in known],
            color=colour, linestyle=line, linewidth=1.0,
        )  # fmt: skip
        for at, mean, sd in known:
            if isfinite(sd):
                panel.plot((at, at), (mean - sd, mean + sd), color=colour, linewidth=0.9, alpha=0.55)
            key = f"attention-{len(drawing.data)}"
            panel.plot([at], [mean], shape, color=colour, markersize=3.2, gid=key)
            drawing.data[key] = {
                "arm": arm, "metric": part, "threshold": f"{at:g}", "value": numbers.spread((mean, sd)),
            }  # fmt: skip
    panel.set_ylim(0, None)
    panel.grid(axis="y", color="#e6e6e6", linewidth=0.5)
    panel.set_axisbelow(True)
