"""Guards on tuning: unequal budgets, and best values at the edge of their space."""

from __future__ import annotations

from crosscut_reports.context import Context
from crosscut_reports.guards import listed
from crosscut_reports.result import Guard
from crosscut_reports.scores import Scores


def tuning_budgets(scores: Scores, context: Context) -> list[Guard]:
    """Arms that were searched more than others."""
    if not context.tuning:
        return []
    trials = {tuning.arm: tuning.trials for tuning in context.tuning}
    taken = {tuning.arm for tuning in context.tuning if tuning.shared_from is not None}
    budgets = {arm: trials.get(arm, 0) for arm in scores.arms if arm not in taken}
    if len(set(budgets.values())) < 2:
        return []
    by_budget: dict[int, list[str]] = {}
    for arm, count in budgets.items():
        by_budget.setdefault(count, []).append(arm)
    texts = [f"{count} for {listed(by_budget[count])}" for count in sorted(by_budget)]
    message = (
        f"Arms had different search budgets (trials: {'; '.join(texts)}): a better-tuned arm may win by that."
    )
    return [Guard("tuning-budget", "warning", message)]


def shared(context: Context) -> list[Guard]:
    """Arms that were not searched themselves."""
    found: dict[str, list[str]] = {}
    for tuning in context.tuning:
        if tuning.shared_from is not None:
            found.setdefault(tuning.shared_from, []).append(tuning.arm)
    if not found:
        return []
    texts = [f"{listed(arms)} from {leader}" for leader, arms in found.items()]
    message = (
        f"Arms take their values from the search of another ({'; '.join(texts)}), which may be ahead by that: the "
        "values were chosen for it."
    )
    return [Guard("shared-tuning", "warning", message)]


def edges(context: Context) -> list[Guard]:
    """Best values that lie at the end of their range, where a better one may lie beyond."""
    texts = [f"{tuning.arm}: {', '.join(tuning.edges)}" for tuning in context.tuning if tuning.edges]
    if not texts:
        return []
    message = (
        "The best values lie at the edge of the searched range, so that better ones may lie beyond: "
        f"{listed(texts)}."
    )
    return [Guard("edge-of-space", "warning", message)]
