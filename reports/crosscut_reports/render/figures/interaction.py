"""The interaction plot: whether the effect of one factor depends on the level of another."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import fsum, isfinite, radians, sin
from typing import TYPE_CHECKING

from crosscut_reports.contrast import cells
from crosscut_reports.render import numbers, prose
from crosscut_reports.render.characters import fit
from crosscut_reports.render.figures.drawing import WIDTH, Drawing, level, look
from crosscut_reports.result import ArmResult, Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PANELS = 3
MOST_LINES = 8
"""With more levels of either factor lines cannot be told apart, and the pair is left out."""
_APART, _SPREAD = 0.04, 0.24
"""Shares of the step between levels: that lines side by side are apart, and that all may take."""
_ACROSS = 5.4
"""Inches of a panel, beside its legend."""
_CHARACTER, _LINE = 0.075, 0.17
"""Inches of a character, and of a line of text."""
_LEAST = 0.3
"""Inches from level to level, at least; the figure grows with more."""
_ANGLE = 35
_NAME, _WIDE, _NARROW = 26, 90, 12
"""Characters of a line of a level's name, of one under a panel, and the fewest that names are broken into."""


@dataclass(frozen=True)
class Point:
    """A combination of two levels."""

    across: str
    line: str
    mean: float
    arms: tuple[ArmResult, ...]
    """What it is averaged over."""

    @property
    def ci(self) -> tuple[float, float] | None:
        """The interval of a single arm, which is the only one that is known."""
        return self.arms[0].ci if len(self.arms) == 1 else None


@dataclass(frozen=True)
class Panel:
    """A pair of factors: the levels of one along the x axis, a line a level of the other."""

    across: str
    line: str
    across_levels: tuple[str, ...]
    line_levels: tuple[str, ...]
    points: tuple[Point, ...]
    """Line by line, in the order of the levels."""
    used: int
    """Combinations of the other factors' levels that have all levels of the two, which are averaged over."""
    combinations: int


def panels(result: Result) -> list[Panel]:
    """A panel for every two factors that vary, in the order of the factors.

    Means of the primary metric are averaged over the arms of a cell, then over the cells of the other factors
    that have every combination of the two factors' levels, each with the same weight. The factor with more levels
    lies along the x axis, of equals the second. Pairs without such a cell, and with more than `MOST_LINES` lines,
    are left out.
    """
    known = {
        one.arm: one for one in result.arms if one.metric == result.design.primary and isfinite(one.mean)
    }
    levels = {name: one.levels for name, one in known.items()}
    occurring = {
        factor: {has[factor] for has in levels.values() if factor in has} for factor in result.design.factors
    }
    varied = {
        factor: tuple(name for name in names if name in occurring[factor])
        for factor, names in result.design.factors.items()
        if len(occurring[factor]) > 1
    }
    found = []
    for first, second in combinations(varied, 2):
        across, line = (first, second) if len(varied[first]) > len(varied[second]) else (second, first)
        if len(varied[line]) > MOST_LINES:
            continue
        grouped = cells(levels, (across, line))
        corners = [(a, b) for b in varied[line] for a in varied[across]]
        whole = [cell for cell in grouped if all(corner in cell for corner in corners)]
        if whole:
            points = tuple(_point(corner, whole, known) for corner in corners)
            found.append(Panel(across, line, varied[across], varied[line], points, len(whole), len(grouped)))
    return found


def _point(
    corner: tuple[str, str],
    whole: Sequence[Mapping[tuple[str, ...], list[str]]],
    known: Mapping[str, ArmResult],
) -> Point:
    members = [[known[arm] for arm in cell[corner]] for cell in whole]
    mean = fsum(fsum(one.mean for one in arms) / len(arms) for arms in members) / len(members)
    return Point(*corner, mean, tuple(one for arms in members for one in arms))


def draw(result: Result) -> Drawing | None:
    """The first `MOST_PANELS` pairs, one below the other on the same scale; None where there is no pair."""
    found = panels(result)
    shown = found[:MOST_PANELS]
    if not shown:
        return None
    from matplotlib.figure import Figure

    legends = [[line for name in panel.line_levels for line in _lines(name, _NAME)] for panel in shown]
    heights = [
        max(2.0, _LINE * (len(lines) + len(_lines(panel.line, _NAME)) + 1)) + _below(panel)
        for panel, lines in zip(shown, legends, strict=True)
    ]
    width = max(WIDTH, 3.0 + _LEAST * max(len(panel.across_levels) for panel in shown))
    figure = Figure(figsize=(width, 0.5 + sum(heights)), layout="constrained")
    axes = list(figure.subplots(len(shown), 1, squeeze=False, height_ratios=heights).flat)
    drawing = Drawing(figure, axes[0])
    places = numbers.decimals(result, result.design.primary)
    for panel, at in zip(shown, axes, strict=True):
        _draw(drawing, at, panel, places)
        at.set_ylabel(textwrap.fill(fit(result.design.primary), 30))
    ends = [end for at in axes for end in at.get_ylim()]
    for at in axes:
        at.set_ylim(min(ends), max(ends))
    figure.supxlabel(fit(_label(result, found, shown)), fontsize=8.5, color="#333333")
    return drawing


def _draw(drawing: Drawing, axes: Axes, panel: Panel, places: int) -> None:
    apart = min(_APART, _SPREAD / len(panel.line_levels))
    for index, name in enumerate(panel.line_levels):
        colour, line, shape = look(index)
        aside = apart * (index - (len(panel.line_levels) - 1) / 2)
        points = [point for point in panel.points if point.line == name]
        x = [at + aside for at in range(len(points))]
        label = "\n".join(_lines(name, _NAME))
        axes.plot(
            x, [point.mean for point in points], color=colour, linestyle=line, linewidth=1.2, marker=shape,
            markersize=4, label=label,
        )  # fmt: skip
        for place, point in zip(x, points, strict=True):
            if point.ci is not None and all(map(isfinite, point.ci)):
                axes.plot((place, place), point.ci, color=colour, linewidth=0.9)
            key = f"interaction-{len(drawing.data)}"
            axes.plot([place], [point.mean], shape, color=colour, markersize=4, gid=key)
            drawing.data[key] = {
                "across": f"{panel.across} = {point.across}", "line": f"{panel.line} = {point.line}",
                "mean": numbers.points(point.mean, places), "interval": numbers.interval(point.ci, places),
                "arms": str(len(point.arms)),
            }  # fmt: skip
    ticks = _ticks(panel)
    at_right = "right" if ticks.angle else "center"
    axes.set_xticks(
        range(len(ticks.texts)), ticks.texts, rotation=ticks.angle, ha=at_right,
        va="center" if ticks.angle == 90 else "top", rotation_mode="anchor" if ticks.angle else "default",
    )  # fmt: skip
    axes.set_xlim(-0.4, len(ticks.texts) - 0.6)
    axes.set_xlabel("\n".join(_lines(_over(panel), _WIDE)))
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.legend(
        loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0, frameon=False, alignment="left",
        title="\n".join(_lines(panel.line, _NAME)),
    )  # fmt: skip


def _over(panel: Panel) -> str:
    """The factor of the x axis, and what its points are averaged over."""
    if panel.combinations == 1:
        return panel.across
    whole = numbers.plural(panel.combinations, "combination")
    if panel.used == panel.combinations:
        return f"{panel.across}; averaged over {whole} of other factors"
    return f"{panel.across}; averaged over {panel.used} of {whole} of other factors; the others lack a level"


def _label(result: Result, found: Sequence[Panel], shown: Sequence[Panel]) -> str:
    single = [arm for panel in shown for point in panel.points if point.ci for arm in point.arms]
    text = f"means of {result.design.primary}"
    scope = prose.scope(single)
    if single:
        text += f", {level(result)} intervals where a point is one arm"
        text += f"\nscope: {scope}" if scope not in (None, numbers.NONE) else ""
    if len(found) > len(shown):
        text += f"\nthe first {len(shown)} of {len(found)} pairs of factors"
    return text


@dataclass(frozen=True)
class _Ticks:
    """The names of the levels along the x axis, and how they are turned."""

    texts: list[str]
    angle: int
    inches: float
    """That they need below the axis."""


def _ticks(panel: Panel) -> _Ticks:
    """Level where their lines fit beside each other, else turned, upright where they have several lines."""
    names = [fit(name) for name in panel.across_levels]
    each = max(_ACROSS / len(names), _LEAST)
    characters = int(0.95 * each / _CHARACTER)
    if characters >= _NARROW or max(map(len, names)) <= characters:
        lines = [_lines(name, characters) for name in names]
        return _Ticks(["\n".join(text) for text in lines], 0, _LINE * max(map(len, lines)))
    wide, angle, most = _NAME, _ANGLE, 1
    if max(map(len, names)) > wide:
        angle, most = 90, max(1, int(each / _LINE))
        while any(len(_lines(name, wide)) > most for name in names):
            wide += 4
    lines = [_lines(name, wide) for name in names]
    longest = max(len(line) for text in lines for line in text)
    return _Ticks(
        ["\n".join(text) for text in lines], angle, _CHARACTER * longest * sin(radians(angle)) + _LINE
    )


def _lines(name: str, characters: int) -> list[str]:
    return textwrap.wrap(fit(name), characters, break_on_hyphens=False) or [""]


def _below(panel: Panel) -> float:
    """Inches of the texts under a panel."""
    return _LINE * len(_lines(_over(panel), _WIDE)) + _ticks(panel).inches
