"""Full factorial: every combination of levels. Main effects and interactions can be told apart."""

from __future__ import annotations

from itertools import product

from crosscut.arms.designs.layout import Factors, Given, Layout, whole


def full_factorial(factors: Factors, given: Given) -> Layout:
    """Every combination of levels; the baseline is the one named, none by default."""
    cells = tuple(dict(zip(factors, levels, strict=True)) for levels in product(*factors.values()))
    return Layout(cells, None if given.baseline is None else whole(factors, given.baseline, "baseline"))
