"""The arms: every seed of each, and their means with intervals."""

from __future__ import annotations

from math import isfinite

from crosscut_reports.render import numbers, prose
from crosscut_reports.render.characters import fit
from crosscut_reports.render.figures.drawing import Drawing, level
from crosscut_reports.result import Result


def draw(result: Result) -> Drawing | None:
    """Every seed's value of the primary metric as a dot, the mean with its interval beside."""
    arms = [arm for arm in result.arms if arm.metric == result.design.primary and isfinite(arm.mean)]
    if not arms:
        return None
    places = numbers.decimals(result, result.design.primary)
    drawing = Drawing.of_height(0.8 + 0.36 * len(arms))
    axes = drawing.axes
    labels, bold = [], []
    for row, arm in enumerate(arms):
        values = [value for value in arm.values if isfinite(value)]
        axes.plot(
            values,
            [row + 0.16] * len(values),
            "o",
            color="#56B4E9",
            markersize=3.6,
            alpha=0.75,
            markeredgewidth=0,
        )
        if arm.ci is not None and all(map(isfinite, arm.ci)):
            axes.plot(arm.ci, (row - 0.1, row - 0.1), color="#1a1a1a", linewidth=1.2, solid_capstyle="butt")
        key = f"arm-{row}"
        axes.plot([arm.mean], [row - 0.1], "D", color="#1a1a1a", markersize=4, gid=key)
        mean, bounds = numbers.points(arm.mean, places), numbers.interval(arm.ci, places)
        drawing.data[key] = {"arm": arm.arm, "mean": mean, "interval": bounds, "seeds": str(arm.seeds)}
        drawing.aside(f"{mean}  {bounds}" if arm.ci else mean, row)
        baseline = arm.arm == result.design.baseline
        labels.append(f"{arm.arm} (baseline)" if baseline else arm.arm)
        bold.append(baseline)
    drawing.rows(labels, bold, list(range(len(arms))))
    found = prose.scope(arms)
    scope = f"\nscope: {found}" if found not in (None, numbers.NONE) else ""
    text = f"{result.design.primary}: seeds as dots, mean with {level(result)} interval above them{scope}"
    axes.set_xlabel(fit(text))
    return drawing
