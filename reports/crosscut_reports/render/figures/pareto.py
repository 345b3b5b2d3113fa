"""The Pareto fronts of searches with several metrics: the first metric against the second."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING

from crosscut_reports.context import Outcome, Tuning
from crosscut_reports.render import numbers
from crosscut_reports.render.characters import fit
from crosscut_reports.render.figures.drawing import Drawing, look
from crosscut_reports.result import Result

if TYPE_CHECKING:
    from matplotlib.lines import Line2D

MOST_ARMS = 6
"""The first so many are drawn; the table has them all."""
_BETTER = {"max": "higher is better", "min": "lower is better"}


def draw(result: Result) -> Drawing | None:
    """Every finished trial a mark, those on the front of their arm joined, the chosen one ringed; None where no
    search had several metrics."""
    known = [tuning for tuning in result.context.tuning if tuning.front]
    if not known:
        return None
    shown = known[:MOST_ARMS]
    first, second = list(shown[0].directions)[:2]
    drawing = Drawing.of_height(3.4 + 0.12 * max(0, len(shown) - 4))
    for place, tuning in enumerate(shown):
        _arm(drawing, place, tuning, first, second)
    axes = drawing.axes
    axes.grid(color="#e6e6e6", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.margins(0.06)
    few = "" if len(known) == len(shown) else f"\nthe first {len(shown)} arms of {len(known)}"
    axes.set_xlabel(fit(f"{second}, {_BETTER[shown[0].directions[second]]}{few}"))
    axes.set_ylabel(fit(f"{first}, {_BETTER[shown[0].directions[first]]}"))
    drawing.figure.legend(handles=_legend(result, shown), loc="outside right upper", frameon=False)
    return drawing


def _arm(drawing: Drawing, place: int, tuning: Tuning, first: str, second: str) -> None:
    colour, line, shape = look(place)
    axes = drawing.axes
    finite = [one for one in tuning.outcomes if all(map(isfinite, one["scores"].values()))]
    front = sorted((one for one in finite if one["front"]), key=lambda one: one["scores"][second])
    off = [one for one in finite if not one["front"]]
    axes.plot(
        [one["scores"][second] for one in off], [one["scores"][first] for one in off], shape,
        color=colour, alpha=0.25, markersize=3, linestyle="",
    )  # fmt: skip
    if len(tuning.directions) == 2:
        # What is reached of the first metric at no more than so much of the second, or at no less.
        steps = "steps-post" if tuning.directions[second] == "min" else "steps-pre"
        axes.plot(
            [one["scores"][second] for one in front], [one["scores"][first] for one in front],
            color=colour, linestyle=line, linewidth=1.0, drawstyle=steps,
        )  # fmt: skip
    for one in front:
        _mark(drawing, tuning, one, (first, second), colour, shape)


def _mark(
    drawing: Drawing, tuning: Tuning, one: Outcome, shown: tuple[str, str], colour: str, shape: str
) -> None:
    y, x = (one["scores"][metric] for metric in shown)
    if one["chosen"]:
        drawing.axes.plot(
            [x], [y], "o", color="#1a1a1a", markersize=11, fillstyle="none", markeredgewidth=1.1
        )
    key = f"pareto-{len(drawing.data)}"
    drawing.axes.plot([x], [y], shape, color=colour, markersize=5, gid=key)
    drawing.data[key] = {
        "arm": tuning.arm,
        "trial": str(one["trial"]),
        "scores": ", ".join(f"{metric} {numbers.score(value)}" for metric, value in one["scores"].items()),
        "values": numbers.settings(one["values"]),
        "chosen": "yes" if one["chosen"] else "no",
    }


def _legend(result: Result, shown: Sequence[Tuning]) -> list[Line2D]:
    from matplotlib.lines import Line2D

    handles = []
    for place, tuning in enumerate(shown):
        colour, line, shape = look(place)
        name = f"{tuning.arm} (baseline)" if tuning.arm == result.design.baseline else tuning.arm
        label = textwrap.fill(fit(name), 34, break_on_hyphens=False)
        joined = line if len(tuning.directions) == 2 else ""
        handles.append(
            Line2D(
                [], [], color=colour, linestyle=joined, linewidth=1.0, marker=shape, markersize=5, label=label
            )
        )
    ring = Line2D(
        [], [], color="#1a1a1a", linestyle="", marker="o", markersize=9, fillstyle="none", label="chosen"
    )
    return [*handles, ring]
