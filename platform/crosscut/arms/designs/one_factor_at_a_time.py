"""One factor at a time: a baseline, and every single change of it. Cheap, and blind to interactions."""

from __future__ import annotations

from crosscut.arms.designs.layout import Factors, Given, Layout, around, in_order, whole
from crosscut.errors import Problem, ProblemsError


def one_factor_at_a_time(factors: Factors, given: Given) -> Layout:
    """The baseline, which must be named, and for each factor each of its other levels."""
    if given.baseline is None:
        text = "this key is missing: the design changes a baseline, which has a level for every factor"
        raise ProblemsError([Problem(("baseline",), text)])
    centre = whole(factors, given.baseline, "baseline")
    return Layout(in_order(factors, around(factors, centre)), centre)
