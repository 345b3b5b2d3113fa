"""Fractional: a part of all combinations of two-level factors, chosen so that main effects can be told apart."""

from __future__ import annotations

from crosscut.arms.designs.aliasing import Fraction
from crosscut.arms.designs.generators import MOST, columns
from crosscut.arms.designs.layout import Factors, Given, Layout, in_order, whole
from crosscut.errors import Problem, ProblemsError


def fractional(factors: Factors, given: Given) -> Layout:
    """The smallest regular fraction 2^(k-p) of two-level factors that has at least the resolution named.

    Box and Hunter, The 2^(k-p) fractional factorial designs, Technometrics 3(3), 1961. With resolution III main
    effects are not aliased with one another, with IV also not with two-factor interactions, with V these also
    not with one another. Where no smaller fraction has it, all combinations. Of the fractions that differ in
    the signs of their generators, the one that has the baseline in it, or else the arm with every factor at its
    last level.
    """
    if given.resolution is None:
        text = "this key is missing: a fractional design names its resolution, 3, 4 or 5 (or III, IV or V)"
        raise ProblemsError([Problem(("resolution",), text)])
    wrong = [
        f"{name} has {len(levels)} ({', '.join(levels)})"
        for name, levels in factors.items()
        if len(levels) != 2
    ]
    if wrong:
        text = f"found 'fractional', expected factors of two levels each: {', '.join(wrong)}"
        raise ProblemsError([Problem(("kind",), text)])
    most = MOST[given.resolution]
    if len(factors) > most:
        text = (
            f"found {given.resolution} with {len(factors)} factors, expected at most {most} factors with it"
        )
        raise ProblemsError([Problem(("resolution",), text)])
    baseline = None if given.baseline is None else whole(factors, given.baseline, "baseline")
    high = {name: levels.index(baseline[name]) if baseline else 1 for name, levels in factors.items()}
    found = columns(len(factors), given.resolution)
    cells = (
        {
            name: levels[high[name] ^ ((column & run).bit_count() & 1)]
            for (name, levels), column in zip(factors.items(), found, strict=True)
        }
        for run in range(1 << max(found).bit_length())
    )
    signs = tuple(1 if level else -1 for level in high.values())
    return Layout(in_order(factors, cells), baseline, Fraction(tuple(factors), found, signs))
