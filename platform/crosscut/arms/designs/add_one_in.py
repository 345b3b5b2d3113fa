"""Add one in: the bare model, and each component alone on top of it."""

from __future__ import annotations

from crosscut.arms.designs.layout import Factors, Given, Layout, around, in_order, whole


def add_one_in(factors: Factors, given: Given) -> Layout:
    """The bare arm and for each factor each of its other levels alone.

    The bare arm has every factor at the level listed first, unless `baseline` names another; it is the
    baseline.
    """
    bare = whole(
        factors, given.baseline or {}, "baseline", {factor: levels[0] for factor, levels in factors.items()}
    )
    return Layout(in_order(factors, around(factors, bare)), bare)
