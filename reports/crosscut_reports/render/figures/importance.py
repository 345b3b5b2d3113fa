"""How much searched parameters matter, arm by arm."""

from __future__ import annotations

from math import isfinite

from crosscut_reports.context import Importance
from crosscut_reports.render import numbers
from crosscut_reports.render.figures.drawing import Drawing
from crosscut_reports.render.figures.spacing import spaced
from crosscut_reports.result import Result

MOST_ARMS = 6
"""The first so many are drawn; the table has them all."""
_ROW = 0.29
"""Inches of a row."""


def draw(result: Result) -> Drawing | None:
    """A dot a parameter with its interval, under its arm; None where no arm has trials enough."""
    known = [one for one in result.context.importance if isfinite(one.importance)]
    if not known:
        return None
    arms = list(dict.fromkeys(one.arm for one in known))
    shown = arms[:MOST_ARMS]
    rows: list[tuple[str, str, Importance | None]] = []
    for arm in shown:
        members = [one for one in known if one.arm == arm]
        label = f"{arm} (baseline)" if arm == result.design.baseline else arm
        rows.append((label, numbers.plural(members[0].trials, "trial"), None))
        rows += [(one.parameter, _share(one), one) for one in members]
    spacing = spaced([label for label, _, _ in rows], _ROW)
    few = "" if len(arms) == len(shown) else f"\nthe first {len(shown)} arms of {len(arms)}"
    drawing = spacing.drawing(
        f"share of what matters for the dev score, 90% intervals over resampled trials{few}"
    )
    for y, (_, text, one) in zip(spacing.at, rows, strict=True):
        drawing.aside(text, y)
        if one is not None:
            _dot(drawing, one, y)
    spacing.name(drawing, [one is None for _, _, one in rows])
    drawing.axes.set_xlim(-0.02, 1.02)
    return drawing


def _dot(drawing: Drawing, one: Importance, y: float) -> None:
    if one.interval is not None and all(map(isfinite, one.interval)):
        drawing.axes.plot(one.interval, (y, y), color="#0072B2", linewidth=1.4, solid_capstyle="butt")
    key = f"importance-{len(drawing.data)}"
    drawing.axes.plot([one.importance], [y], "o", color="#0072B2", markersize=5, gid=key)
    drawing.data[key] = {
        "arm": one.arm, "parameter": one.parameter, "share": f"{one.importance:.2f}",
        "interval": _bounds(one), "trials": str(one.trials),
    }  # fmt: skip


def _share(one: Importance) -> str:
    return f"{one.importance:.2f}" + ("" if one.interval is None else f"  {_bounds(one)}")


def _bounds(one: Importance) -> str:
    return numbers.NONE if one.interval is None else f"{one.interval[0]:.2f} to {one.interval[1]:.2f}"
