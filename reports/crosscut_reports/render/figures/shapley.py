"""The Shapley shares: how the difference of two arms divides over the factors in which they differ."""

from __future__ import annotations

import textwrap
from math import isfinite

from crosscut_reports.render import numbers, prose
from crosscut_reports.render.characters import fit
from crosscut_reports.render.figures.drawing import MARKS, Drawing, level
from crosscut_reports.render.figures.spacing import spaced
from crosscut_reports.result import ContrastResult, Result

ALL = "all of them"
_ROW, _BAR = 0.34, 0.52
"""Inches of a row, and the share of it that a bar takes."""


def draw(result: Result) -> Drawing | None:
    """A bar a factor with its interval, the whole difference below; of the first target, None without one."""
    if not result.shapley:
        return None
    divided = result.shapley[0]
    rows = [(one.name.removesuffix(", Shapley"), one) for one in divided.shares if isfinite(one.estimate)]
    if not rows:
        return None
    if isfinite(divided.whole.estimate):
        rows.append((ALL, divided.whole))
    spacing = spaced([name for name, _ in rows], _ROW)
    drawing = spacing.drawing(_label(result, [one for _, one in rows]))
    drawing.axes.axvline(0, color="#555555", linewidth=0.8)
    decimals = numbers.decimals(result, result.design.primary)
    for y, (name, one) in zip(spacing.at, rows, strict=True):
        _bar(drawing, name, one, y, decimals, whole=one is divided.whole)
    spacing.name(drawing, [one is divided.whole for _, one in rows])
    return drawing


def _bar(drawing: Drawing, name: str, one: ContrastResult, y: float, decimals: int, *, whole: bool) -> None:
    mark = MARKS[one.verdict]
    key = f"share-{len(drawing.data)}"
    drawing.axes.barh(
        [y], [one.estimate], _BAR, color="#d9d9d9" if whole else "#a9cfe6", edgecolor="#555555",
        linewidth=0.6, hatch="////" if whole else None,
    )  # fmt: skip
    if one.ci is not None and all(map(isfinite, one.ci)):
        drawing.axes.plot(one.ci, (y, y), color="#1a1a1a", linewidth=1.4, solid_capstyle="butt")
    drawing.axes.plot(
        [one.estimate], [y], mark.shape, color=mark.colour, markersize=6, gid=key,
        markerfacecolor=mark.colour if mark.filled else "white", markeredgewidth=1.2,
    )  # fmt: skip
    estimate, bounds = numbers.signed(one.estimate, decimals), numbers.interval(one.ci, decimals, sign=True)
    drawing.data[key] = {
        "component": name, "share": estimate, "interval": bounds, "verdict": one.verdict,
    }  # fmt: skip
    drawing.aside(f"{mark.glyph} {estimate}  {bounds}" if one.ci else f"{mark.glyph} {estimate}", y)


def _label(result: Result, shown: list[ContrastResult]) -> str:
    divided = result.shapley[0]
    others = len(result.shapley) - 1
    found = prose.scope(shown)
    verdicts = {one.verdict for one in shown}
    marks = ", ".join(f"{mark.glyph} {verdict}" for verdict, mark in MARKS.items() if verdict in verdicts)
    ends = textwrap.wrap(fit(f"from {divided.baseline} to {divided.target}"), 84, break_on_hyphens=False)
    lines = [f"share of the difference in {result.design.primary}, {level(result)} intervals", *ends]
    if others:
        lines.append(f"one target of {others + 1}; the table has the others")
    scope = f"scope: {found}; " if found not in (None, numbers.NONE) else ""
    return "\n".join([*lines, f"{scope}{marks}"])
