"""Designs: which combinations of levels are run. One file each; `DESIGNS` lists them."""

from __future__ import annotations

from collections.abc import Mapping

from crosscut.arms.designs.add_one_in import add_one_in
from crosscut.arms.designs.explicit import explicit
from crosscut.arms.designs.fractional import fractional
from crosscut.arms.designs.full_factorial import full_factorial
from crosscut.arms.designs.layout import Cell, Design, Factors, Given, Layout
from crosscut.arms.designs.leave_one_out import leave_one_out
from crosscut.arms.designs.one_factor_at_a_time import one_factor_at_a_time
from crosscut.arms.designs.pairwise import pairwise

DESIGNS: Mapping[str, Design] = {
    "full-factorial": full_factorial,
    "leave-one-out": leave_one_out,
    "add-one-in": add_one_in,
    "one-factor-at-a-time": one_factor_at_a_time,
    "pairwise": pairwise,
    "fractional": fractional,
    "explicit": explicit,
}
"""Every kind of design under the name that sweep files use."""

__all__ = ["DESIGNS", "Cell", "Design", "Factors", "Given", "Layout"]
