"""Leave one out: the full model, and the full model without each component: most papers' ablation."""

from __future__ import annotations

from crosscut.arms.designs.layout import Factors, Given, Layout, in_order, whole


def leave_one_out(factors: Factors, given: Given) -> Layout:
    """The full arm and for each factor the arm that has this factor at the level listed first.

    The first level of a factor is the one without the component, the last the one with it: the full arm has
    every factor at its last level, unless `baseline` names another; it is the baseline. A factor that the
    full arm already has at its first level gives no arm of its own.
    """
    full = whole(
        factors, given.baseline or {}, "baseline", {factor: levels[-1] for factor, levels in factors.items()}
    )
    cells = [full] + [{**full, factor: levels[0]} for factor, levels in factors.items()]
    return Layout(in_order(factors, cells), full)
