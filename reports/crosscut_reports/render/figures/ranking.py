"""The critical-difference diagram: average ranks of arms, and bars that join those that no pair tells apart."""

from __future__ import annotations

import textwrap

from crosscut_reports.render.characters import fit
from crosscut_reports.render.figures.drawing import Drawing
from crosscut_reports.result import Ranking, Result

_ROW = 0.22
"""Inches of a name."""
_BAR = 0.13
"""Inches of a bar."""
_WIDE = 38
"""Characters of a name in one line; longer ones are cut, their whole being in the table."""


def draw(result: Result) -> Drawing | None:
    """Demšar's (2006): the best arm on the left, the critical difference above. None without a ranking."""
    found = result.ranking
    if found is None:
        return None
    count = len(found.arms)
    left = (count + 1) // 2
    bars = len(found.groups) * _BAR + 0.12
    height = 1.0 + bars + left * _ROW
    drawing = Drawing.of_height(height)
    axes = drawing.axes
    axes.set_ylim(-(bars + left * _ROW + 0.1), 0.55)
    axes.set_xlim(1 - 0.02 * (count - 1), count + 0.02 * (count - 1))
    axes.set_yticks([])
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.set_xticks([])
    step = max(1, (count - 1) // 10)
    axes.plot((1, count), (0, 0), color="#333333", linewidth=0.9)
    for tick in range(1, count + 1, step):
        axes.plot((tick, tick), (0, 0.06), color="#333333", linewidth=0.9)
        axes.text(tick, 0.09, str(tick), ha="center", va="bottom")
    _critical(drawing, found, result.design.alpha)
    for place, (first, last) in enumerate(found.groups):
        y = -0.12 - place * _BAR
        pad = 0.004 * (count - 1)
        axes.plot(
            (found.ranks[first] - pad, found.ranks[last] + pad), (y, y), color="#1a1a1a", linewidth=3,
            solid_capstyle="butt",
        )  # fmt: skip
    for place in range(count):
        _arm(drawing, found, place, left, bars)
    axes.set_xlabel(fit(f"average rank on {found.metric}, 1 being best, over {found.seeds} seeds"))
    return drawing


def _critical(drawing: Drawing, found: Ranking, alpha: float) -> None:
    end = min(1 + found.critical, len(found.arms))
    drawing.axes.plot((1, end), (0.32, 0.32), color="#333333", linewidth=1.2, marker="|", markersize=6)
    beyond = " (the whole axis is shorter)" if end < 1 + found.critical else ""
    text = f"critical difference {found.critical:.2f} at α = {alpha:g}{beyond}"
    drawing.axes.text(1, 0.38, text, ha="left", va="bottom")


def _arm(drawing: Drawing, found: Ranking, place: int, left: int, bars: float) -> None:
    """The better half is named on the left, the best one first; the other half on the right, the worst first."""
    count, rank = len(found.arms), found.ranks[place]
    on_left = place < left
    y = -(bars + (place if on_left else count - 1 - place) * _ROW + 0.1)
    edge = 1 - 0.02 * (count - 1) if on_left else count + 0.02 * (count - 1)
    drawing.axes.plot((rank, rank, edge), (0, y, y), color="#8a8a8a", linewidth=0.7)
    key = f"ranking-{place}"
    drawing.axes.plot([rank], [0], "o", color="#0072B2", markersize=4, gid=key, clip_on=False)
    name = textwrap.shorten(fit(found.arms[place]), _WIDE, placeholder=" …") or fit(found.arms[place])[:_WIDE]
    label = f"{name}  {rank:.2f}" if on_left else f"{rank:.2f}  {name}"
    drawing.axes.annotate(
        label, (edge, y), (-4 if on_left else 4, 0), "data", "offset points",
        ha="right" if on_left else "left", va="center", annotation_clip=False,
    )  # fmt: skip
    drawing.data[key] = {"arm": found.arms[place], "rank": f"{rank:.2f}"}
