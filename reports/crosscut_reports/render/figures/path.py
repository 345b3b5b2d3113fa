"""The ablation path as a waterfall: from the baseline to the best arm, one factor at a time."""

from __future__ import annotations

from math import isfinite

from crosscut_reports.render import numbers, prose
from crosscut_reports.render.figures.drawing import MARKS, Drawing, level
from crosscut_reports.render.figures.spacing import spaced
from crosscut_reports.result import AblationPath, PathStep, Result

_ROW, _BAR = 0.36, 0.5
"""Inches of a row, and the share of it that a bar takes."""


def draw(result: Result) -> Drawing | None:
    """The means of both ends, and between them a floating bar a step with the interval of its gain.

    A bar spans the means of two arms. The interval is that of their contrast, laid at the mean that the step
    starts from. None where there is no path, or an arm on it has no finite mean.
    """
    path = result.path
    if path is None or not path.steps or not all(map(isfinite, (path.mean, *(s.mean for s in path.steps)))):
        return None
    changes = [f"{step.factor}: {step.right} → {step.left}" for step in path.steps]
    labels = [f"{path.baseline} (baseline)", *changes, f"{path.target} (best)"]
    spacing = spaced(labels, _ROW)
    at = spacing.at
    drawing = spacing.drawing(_label(result, path))
    axes = drawing.axes
    axes.use_sticky_edges = False
    decimals = numbers.decimals(result, result.design.primary)
    means = [path.mean, *(step.mean for step in path.steps)]
    sign = _sign(path)
    for row, mean in enumerate(means):  # what one row ends at, the next starts from
        axes.plot((mean, mean), at[row : row + 2], color="#8a8a8a", linewidth=0.8, linestyle=(0, (2, 2)))
    for row, step in enumerate(path.steps, 1):
        _step(drawing, step, means[row - 1], at[row], sign, decimals)
    last = len(means)
    for row, arm, mean in ((0, path.baseline, path.mean), (last, path.target, means[-1])):
        key = f"path-end-{row}"
        axes.plot([mean], [at[row]], "D", color="#1a1a1a", markersize=5, gid=key)
        drawing.data[key] = {"arm": arm, "mean": numbers.points(mean, decimals)}
        drawing.aside(numbers.points(mean, decimals), at[row])
    spacing.name(drawing, [True, *[False] * len(changes), True])
    return drawing


def _sign(path: AblationPath) -> int:
    """−1 where lower means are better, so that a gain goes to the left."""
    gained = sum(step.contrast.estimate for step in path.steps if isfinite(step.contrast.estimate))
    return -1 if gained * (path.steps[-1].mean - path.mean) < 0 else 1


def _step(drawing: Drawing, step: PathStep, start: float, y: float, sign: int, decimals: int) -> None:
    one, axes = step.contrast, drawing.axes
    mark = MARKS[one.verdict]
    axes.barh([y], [step.mean - start], _BAR, left=start, color="#a9cfe6", edgecolor="#555555", linewidth=0.6)
    if one.ci is not None and all(map(isfinite, one.ci)):
        ends = [start + sign * bound for bound in one.ci]
        axes.plot(ends, (y, y), color="#1a1a1a", linewidth=1.4, solid_capstyle="butt")
    key = f"path-step-{len(drawing.data)}"
    axes.plot(
        [step.mean], [y], mark.shape, color=mark.colour, markersize=6, gid=key,
        markerfacecolor=mark.colour if mark.filled else "white", markeredgewidth=1.2,
    )  # fmt: skip
    gain, bounds = numbers.signed(one.estimate, decimals), numbers.interval(one.ci, decimals, sign=True)
    drawing.data[key] = {
        "factor": step.factor, "from": step.right, "to": step.left, "arm": step.arm,
        "mean": numbers.points(step.mean, decimals), "gain": gain, "interval": bounds, "verdict": one.verdict,
    }  # fmt: skip
    drawing.aside(f"{mark.glyph} {gain}  {bounds}" if one.ci else f"{mark.glyph} {gain}", y)


def _label(result: Result, path: AblationPath) -> str:
    contrasts = [step.contrast for step in path.steps]
    found = prose.scope(contrasts)
    verdicts = {one.verdict for one in contrasts}
    marks = ", ".join(f"{mark.glyph} {verdict}" for verdict, mark in MARKS.items() if verdict in verdicts)
    scope = f"scope: {found}; " if found not in (None, numbers.NONE) else ""
    return (
        f"{result.design.primary}, {level(result)} intervals of the gains; the data chose the order and the end, "
        f"so gains flatter\n{scope}{marks}"
    )
