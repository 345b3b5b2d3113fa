"""Power against seeds."""

from __future__ import annotations

from crosscut_reports.render import numbers
from crosscut_reports.render.sections.section import Section
from crosscut_reports.result import SCOPE_TEXT, PowerPlan, Result


def section(result: Result) -> Section | None:
    """A row a difference; None where seeds' spread is not known."""
    return None if result.power is None else of_plan(result.power)


def of_plan(plan: PowerPlan) -> Section:
    """The plan's table, whoever asks for it."""
    counts = list(dict.fromkeys(point.seeds for point in plan.points))
    found = {(point.difference, point.seeds): point.power for point in plan.points}
    rows = tuple(
        (
            f"{size:g}",
            *(f"{found[size, count]:.2f}" for count in counts),
            "never" if never else "over 10 000" if needed is None else numbers.count(needed),
        )
        for size, needed, never in plan.needed
    )
    level = f"α = {plan.alpha:g}" + (f" over a family of {plan.family}" if plan.family > 1 else "")
    queries = "" if plan.clusters is None else f", {numbers.plural(plan.clusters, 'cluster')}"
    basis = "the given spread" if not plan.contrasts else f"a typical contrast here ({_typical(plan)})"
    caption = (
        f"The chance that a two-sided test at {level} finds a true difference of so many points of {plan.metric}, "
        f"by the number of seeds of each arm{queries} (scope: {SCOPE_TEXT[plan.scope]}), from {basis}: σ seed "
        f"{plan.sd_seed:.3g}, σ query {plan.sd_query:.3g}, σ residual {plan.sd_residual:.3g}. With few seeds the "
        "spread over seeds is itself hardly known, so this is a plan and no promise. Never: the queries alone "
        "leave too little power, and more seeds cannot help."
    )
    head = ("Points", *map(str, counts), f"seeds for {plan.wanted:g}")
    return Section("Power", caption, head, rows, figure="power")


def _typical(plan: PowerPlan) -> str:
    return f"root mean square over {numbers.plural(plan.contrasts, 'contrast')}"
