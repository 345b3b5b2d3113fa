"""The power curve: the chance to find a difference, by the number of seeds."""

from __future__ import annotations

from crosscut_reports.render.characters import fit
from crosscut_reports.render.figures.drawing import Drawing, look
from crosscut_reports.result import PowerPlan, Result


def draw(result: Result) -> Drawing | None:
    """A line a difference, with the seeds that there are marked."""
    return None if result.power is None else of_plan(result.power, result.design.seeds)


def of_plan(plan: PowerPlan, present: int | None = None) -> Drawing:
    """The curves of a plan."""
    from matplotlib.ticker import MaxNLocator

    drawing = Drawing.of_height(3.3)
    axes = drawing.axes
    axes.axhline(plan.wanted, color="#555555", linewidth=0.8, linestyle=(0, (4, 3)))
    if present is not None:
        axes.axvline(present, color="#bbbbbb", linewidth=0.9)
        text = f" {present} seeds here"
        axes.annotate(text, (present, 0.02), fontsize="small", color="#5a5a5a", ha="left", va="bottom")
    for index, size in enumerate(dict.fromkeys(point.difference for point in plan.points)):
        points = [point for point in plan.points if point.difference == size]
        colour, line, shape = look(index)
        key = f"power-{index}"
        axes.plot(
            [point.seeds for point in points], [point.power for point in points], gid=key, color=colour,
            linestyle=line, linewidth=1.4, marker=shape, markersize=4, label=f"{size:g} points",
        )  # fmt: skip
        drawing.data[key] = {
            "difference": f"{size:g}",
            "power": ", ".join(f"{point.seeds}: {point.power:.2f}" for point in points),
        }
    axes.set_ylim(0, 1.03)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(color="#e6e6e6", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.set_xlabel("seeds of each arm")
    axes.set_ylabel(fit(f"power, difference in {plan.metric}"))
    drawing.figure.legend(loc="outside right upper", frameon=False, title="true difference")
    return drawing
