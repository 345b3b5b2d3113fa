"""Shapley values of components, and the ablation path."""

from __future__ import annotations

from crosscut_reports.render import numbers
from crosscut_reports.render.sections.section import Section
from crosscut_reports.result import SCOPE_TEXT, ContrastResult, Result


def shares(result: Result) -> Section | None:
    """A row a component and target, then the whole difference; None without a full factorial between arms."""
    if not result.shapley:
        return None
    rows = []
    for divided in result.shapley:
        for one in divided.shares:
            rows.append((divided.target, one.name.removesuffix(", Shapley"), *_figures(result, one)))
        rows.append((divided.target, "all of them", *_figures(result, divided.whole)))
    scopes = dict.fromkeys(
        one.scope for divided in result.shapley for one in (*divided.shares, divided.whole)
    )
    caption = (
        f"The difference between {result.shapley[0].baseline} and an arm that differs from it in every factor, "
        "divided over the components: the gain of each on "
        f"{result.design.primary}, averaged over all orders in which they could be added (Shapley 1953). The "
        "shares sum to the whole. Exploratory, a family a target; scope: "
        f"{numbers.words(SCOPE_TEXT[one] for one in scopes)}."
    )
    head = ("Towards", "Component", "Share", "Interval", "p adjusted")
    return Section("Shares of the components", caption, head, tuple(rows), left=2, figure="shapley")


def steps(result: Result) -> Section | None:
    """A row a step; None where there is no path of two steps or more to a better arm."""
    if result.path is None:
        return None
    places = numbers.decimals(result, result.design.primary)
    rows = [("start", result.path.baseline, numbers.points(result.path.mean, places), "", "", "")]
    for step in result.path.steps:
        change = f"{step.factor}: {step.right} → {step.left}"
        rows.append((change, step.arm, numbers.points(step.mean, places), *_figures(result, step.contrast)))
    caption = (
        f"From the baseline to {result.path.target}, the arm with the best mean on {result.design.primary}, one "
        "factor at a time: each step takes the change whose arm has the best mean (Fawcett and Hoos 2016). The "
        "data chose the order and where it ends, so gains along it flatter; each is told with its own interval, "
        "and none is a test of a hypothesis."
    )
    head = ("Step", "Arm", "Mean", "Gain", "Interval", "p adjusted")
    return Section("Ablation path", caption, head, tuple(rows), left=2, figure="path")


def _figures(result: Result, one: ContrastResult) -> tuple[str, str, str]:
    places = numbers.decimals(result, one.metric)
    return (
        numbers.signed(one.estimate, places),
        numbers.interval(one.ci, places, sign=True),
        numbers.p_value(one.p_adjusted, result.design.alpha),
    )
