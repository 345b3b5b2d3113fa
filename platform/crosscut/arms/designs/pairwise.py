"""Pairwise: few arms in which every two levels of two factors meet. It finds what fails together."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import prod

from crosscut.arms.designs.layout import Cell, Factors, Given, Layout, in_order, listed, whole

_CANDIDATES = 10
"""Rows that are drawn for each that is taken. Cohen et al. take 50; ten, and several arrays, are no worse."""

_ARRAYS = 60
"""Arrays that are built at most; the smallest is kept."""

_EFFORT = 200_000
"""Pairs of levels times factors that are gone through in all, for which large arrays are built less often."""

_Row = tuple[int, ...]
"""The position of a level for every factor."""


@dataclass(frozen=True)
class Covering:
    """The claim of a pairwise design: every two levels of two factors are together in one arm at least."""

    levels: tuple[tuple[str, tuple[str, ...]], ...]
    """Every factor with its levels."""

    def lost(self, cells: Sequence[Cell]) -> list[str]:
        """The pairs of levels that none of `cells` has, such as `ccr=on with ccs=on`."""
        found = []
        for (one, lefts), (other, rights) in combinations(self.levels, 2):
            there = {(cell[one], cell[other]) for cell in cells}
            found += [
                f"{one}={left} with {other}={right}"
                for left in lefts
                for right in rights
                if (left, right) not in there
            ]
        return found

    def told(self, cells: Sequence[Cell]) -> Iterator[str]:
        """How many arms of how many, and the pairs that exclusions have taken away."""
        every = prod(len(levels) for _, levels in self.levels)
        if lost := self.lost(cells):
            yield f"design: pairwise, {len(cells)} of {every:,} combinations"
            yield f"excluded with their arms, so that no arm has them: {listed(lost)}"
        else:
            yield (
                f"design: pairwise, {len(cells)} of {every:,} combinations; every two levels of two factors are "
                "together in an arm"
            )


def pairwise(factors: Factors, given: Given) -> Layout:
    """Few arms in which every two levels of two factors are together at least once.

    A covering array of strength 2. The baseline, where one is named, is one of its arms. It has not the fewest
    arms that are possible, which nobody knows how to find fast, but seldom many more. Effects of factors are
    not told apart by it: levels are not balanced.
    """
    baseline = None if given.baseline is None else whole(factors, given.baseline, "baseline")
    names = list(factors)
    first = None if baseline is None else tuple(factors[name].index(baseline[name]) for name in names)
    rows = covering_array(tuple(len(levels) for levels in factors.values()), first)
    cells = ({name: factors[name][at] for name, at in zip(names, row, strict=True)} for row in rows)
    return Layout(in_order(factors, cells), baseline, Covering(tuple(factors.items())))


@lru_cache(maxsize=64)
def covering_array(sizes: tuple[int, ...], first: _Row | None = None) -> tuple[_Row, ...]:
    """Rows in which every two levels of two factors occur together, built greedily, the same every time.

    Each row is the one of several candidates that has the most new pairs, and a candidate is put together
    level by level: AETG (Cohen, Dalal, Fredman and Patton, The AETG system, IEEE Transactions on Software
    Engineering 23(7), 1997, section 5). Rows that turn out to have nothing of their own are taken out.

    Args:
        sizes: how many levels each factor has.
        first: a row that must be among them.
    """
    if len(sizes) == 1:
        return tuple((level,) for level in range(sizes[0]))
    # Python promises that random() of a seed gives the same numbers in every version.
    draw = random.Random(0)  # noqa: S311  (draws orders, hides nothing)
    largest = sorted(sizes)[-2:]
    pairs = sum(one * other for one, other in combinations(sizes, 2))
    fewest: list[_Row] = []
    for _ in range(min(_ARRAYS, _EFFORT // (pairs * len(sizes)) + 1)):
        rows = _without_idle(_built(sizes, first, draw), first)
        if not fewest or len(rows) < len(fewest):
            fewest = rows
        if len(fewest) == prod(largest):
            break
    return tuple(fewest)


def _built(sizes: tuple[int, ...], first: _Row | None, draw: random.Random) -> list[_Row]:
    """Rows that cover all pairs."""
    offsets = [sum(sizes[:factor]) for factor in range(len(sizes))]
    everything = (1 << sum(sizes)) - 1
    # For every level of every factor a bit for each level of another factor that it has not met.
    open_to = [
        [everything & ~(((1 << size) - 1) << offset)] * size
        for size, offset in zip(sizes, offsets, strict=True)
    ]
    rows: list[_Row] = []
    row = first
    while any(map(any, open_to)):
        if row is None:
            candidates = [_candidate(open_to, offsets, draw) for _ in range(_CANDIDATES)]
            _, row = max(candidates, key=lambda candidate: candidate[0])
        met = sum(1 << (offset + level) for offset, level in zip(offsets, row, strict=True))
        for of_factor, level in zip(open_to, row, strict=True):
            of_factor[level] &= ~met
        rows.append(row)
        row = None
    return rows


def _candidate(open_to: list[list[int]], offsets: list[int], draw: random.Random) -> tuple[int, _Row]:
    """A row with the number of its new pairs: first a level that has most to meet, then factor by factor, in an
    order that is drawn, the level with most new pairs."""
    ends = [(factor, level) for factor, levels in enumerate(open_to) for level in range(len(levels))]
    most = max(open_to[factor][level].bit_count() for factor, level in ends)
    ends = [end for end in ends if open_to[end[0]][end[1]].bit_count() == most]
    start, level = ends[int(draw.random() * len(ends))]
    chosen = {start: level}
    met, new = 1 << (offsets[start] + level), 0
    others = [factor for factor in range(len(offsets)) if factor != start]
    for factor in sorted(others, key=lambda _: draw.random()):
        gain, _, level = max(
            ((mask & met).bit_count(), draw.random(), level) for level, mask in enumerate(open_to[factor])
        )
        chosen[factor] = level
        met |= 1 << (offsets[factor] + level)
        new += gain
    return new, tuple(chosen[factor] for factor in range(len(offsets)))


def _without_idle(rows: list[_Row], first: _Row | None) -> list[_Row]:
    """The rows without those whose every pair other rows have too."""
    times: dict[tuple[int, int, int, int], int] = {}
    for row in rows:
        for pair in _pairs(row):
            times[pair] = times.get(pair, 0) + 1
    kept = []
    for row in rows:
        if row != first and all(times[pair] > 1 for pair in _pairs(row)):
            for pair in _pairs(row):
                times[pair] -= 1
        else:
            kept.append(row)
    return kept


def _pairs(row: _Row) -> Iterator[tuple[int, int, int, int]]:
    return ((f, row[f], g, row[g]) for f, g in combinations(range(len(row)), 2))
