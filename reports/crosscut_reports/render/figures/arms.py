"""The arms: every seed of each, and their means with intervals."""

from __future__ import annotations

from math import isfinite

from crosscut_reports.render import numbers, prose
from crosscut_reports.render.figures.drawing import Drawing, level
from crosscut_reports.render.figures.spacing import spaced
from crosscut_reports.result import ArmResult, Result

MOST_JOINED = 12
"""Up to so many arms the lines that join a seed's runs can be followed."""
_ROW = 0.36
"""Inches of a row."""
_BELOW = 0.16
"""Of a row, that the dots of the seeds lie below its middle."""


def draw(result: Result) -> Drawing | None:
    """Every seed's value of the primary metric as a dot, the mean with its interval beside.

    Where every arm has the same seeds, and up to `MOST_JOINED` arms, thin lines join the dots of each seed.
    """
    arms = [arm for arm in result.arms if arm.metric == result.design.primary and isfinite(arm.mean)]
    if not arms:
        return None
    places = numbers.decimals(result, result.design.primary)
    baseline = [arm.arm == result.design.baseline for arm in arms]
    labels = [
        f"{arm.arm} (baseline)" if first else arm.arm for arm, first in zip(arms, baseline, strict=True)
    ]
    spacing = spaced(labels, _ROW)
    joined = _joined(result, arms)
    drawing = spacing.drawing(_label(result, arms, joined))
    for seed in zip(*(arm.values for arm in arms), strict=True) if joined else ():
        drawing.axes.plot(
            seed, [y + _BELOW for y in spacing.at], color="#9a9a9a", linewidth=0.5, alpha=0.6, zorder=1
        )
    for y, arm in zip(spacing.at, arms, strict=True):
        _arm(drawing, arm, y, places)
    spacing.name(drawing, baseline)
    return drawing


def _arm(drawing: Drawing, arm: ArmResult, y: float, places: int) -> None:
    axes = drawing.axes
    values = [value for value in arm.values if isfinite(value)]
    axes.plot(
        values, [y + _BELOW] * len(values), "o", color="#56B4E9", markersize=3.6, alpha=0.75,
        markeredgewidth=0,
    )  # fmt: skip
    if arm.ci is not None and all(map(isfinite, arm.ci)):
        axes.plot(arm.ci, (y - 0.1, y - 0.1), color="#1a1a1a", linewidth=1.2, solid_capstyle="butt")
    key = f"arm-{len(drawing.data)}"
    axes.plot([arm.mean], [y - 0.1], "D", color="#1a1a1a", markersize=4, gid=key)
    mean, bounds = numbers.points(arm.mean, places), numbers.interval(arm.ci, places)
    drawing.data[key] = {
        "arm": arm.arm, "mean": mean, "interval": bounds, "seeds": str(arm.seeds),
        "values": ", ".join(numbers.points(value, places) for value in arm.values),
    }  # fmt: skip
    drawing.aside(f"{mean}  {bounds}" if arm.ci else mean, y)


def _label(result: Result, arms: list[ArmResult], joined: bool) -> str:
    found = prose.scope(arms)
    scope = f"\nscope: {found}" if found not in (None, numbers.NONE) else ""
    lines = "; a grey line: one seed" if joined else ""
    return (
        f"{result.design.primary}: seeds as dots, mean with {level(result)} interval above them{lines}{scope}"
    )


def _joined(result: Result, arms: list[ArmResult]) -> bool:
    """Whether runs of a seed can be told from the order of the values, and their lines can be followed."""
    same = result.design.balanced and len({len(arm.values) for arm in arms}) == 1
    return same and 2 <= len(arms) <= MOST_JOINED
