"""The arms on other splits: what each loses or gains there, its number in a cell of its own."""

from __future__ import annotations

import textwrap
from math import isfinite, radians, sin
from typing import TYPE_CHECKING

from crosscut_reports.render import numbers, prose
from crosscut_reports.render.characters import fit
from crosscut_reports.render.figures.drawing import MARKS, WIDTH, Drawing
from crosscut_reports.render.figures.spacing import height
from crosscut_reports.result import Drop, Result, Shift

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

LOSS, GAIN = "#D55E00", "#0072B2"
"""Okabe and Ito's vermilion and blue, which are told apart with any colour vision."""
_CELL, _CHARACTER = 0.62, 0.085
"""Inches that a number needs, and a character of a split's name."""
_CELLS = 5.2
"""Inches that are left for all columns beside the longest names of arms."""
_ANGLE = 35
_NONE = "#f4f3f0"
"""Of no change, darker than the page so that its cell is seen."""


def draw(result: Result) -> Drawing | None:
    """The change of every arm on every other split, coloured from the greatest loss to as great a gain."""
    shift = result.shift
    drops = [] if shift is None else [drop for drop in shift.drops if isfinite(drop.contrast.estimate)]
    if shift is None or not drops:
        return None
    from matplotlib.colors import LinearSegmentedColormap

    arms = [own.arm for own in shift.own]
    longest = max(len(line) for split in shift.splits for line in _lines(split))
    level = _CHARACTER * longest * len(shift.splits) <= _CELLS
    head = 0.35 if level else 0.3 + _CHARACTER * longest * sin(radians(_ANGLE))
    row = max(0.36, *map(height, arms))
    drawing = Drawing.of_height(0.6 + head + row * len(arms))
    drawing.figure.set_figwidth(max(WIDTH, 3.2 + _CELL * len(shift.splits)))
    colours = LinearSegmentedColormap.from_list("change", [LOSS, _NONE, GAIN])
    most = max(abs(drop.contrast.estimate) for drop in drops) or 1.0
    places = numbers.decimals(result, result.design.primary)
    for drop in drops:
        row, column = arms.index(drop.arm), shift.splits.index(drop.split)
        _cell(drawing, drop, (column, row), colours, drop.contrast.estimate / most, places)
    _axes(drawing, result, shift, arms, level)
    return drawing


def _cell(
    drawing: Drawing, drop: Drop, place: tuple[int, int], colours: Colormap, share: float, places: int
) -> None:
    from matplotlib.patches import Rectangle

    red, green, blue, _ = colours(0.5 + share / 2)
    key = f"drop-{len(drawing.data)}"
    left, top = place[0] - 0.5, place[1] - 0.5
    drawing.axes.add_patch(
        Rectangle((left, top), 1, 1, facecolor=(red, green, blue), edgecolor="white", linewidth=1.2, gid=key)
    )
    contrast = drop.contrast
    change = numbers.signed(contrast.estimate, places)
    drawing.data[key] = {
        "arm": drop.arm, "split": drop.split, "change": change,
        "interval": numbers.interval(contrast.ci, places, sign=True), "verdict": contrast.verdict,
        "mean": numbers.points(drop.there.mean, places),
    }  # fmt: skip
    # Luminance by Rec. 709: which of black and white is read better on the cell.
    dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.5
    drawing.axes.text(
        *place, f"{change} {MARKS[contrast.verdict].glyph}", ha="center", va="center",
        color="white" if dark else "#1a1a1a", fontsize=8,
    )  # fmt: skip


def _axes(drawing: Drawing, result: Result, shift: Shift, arms: list[str], level: bool) -> None:
    axes = drawing.axes
    baseline = result.design.baseline
    labels = [f"{arm} (baseline)" if arm == baseline else arm for arm in arms]
    drawing.rows(labels, [arm == baseline for arm in arms], list(range(len(arms))))
    axes.grid(visible=False)
    axes.set_xlim(-0.5, len(shift.splits) - 0.5)
    axes.set_ylim(len(arms) - 0.5, -0.5)
    axes.spines["bottom"].set_visible(False)
    axes.xaxis.tick_top()
    axes.tick_params(axis="x", length=0, labelsize=8.5)
    texts = ["\n".join(_lines(split)) for split in shift.splits]
    if level:
        axes.set_xticks(range(len(texts)), texts)
    else:
        axes.set_xticks(range(len(texts)), texts, rotation=_ANGLE, ha="left", rotation_mode="anchor")
    found = prose.scope(drop.contrast for drop in shift.drops)
    scope = f"; scope: {found}" if found not in (None, numbers.NONE) else ""
    marks = ", ".join(f"{mark.glyph} {verdict}" for verdict, mark in MARKS.items())
    other_way = "" if shift.higher_is_better else ", where less is better"
    what = f"change of {shift.metric} from {shift.source}{other_way}; vermilion: a loss, blue: a gain"
    axes.set_xlabel(fit(f"{what}{scope}\n{marks}"))


def _lines(split: str) -> list[str]:
    return textwrap.wrap(fit(split), 36) or [""]
