"""Generators: the regular two-level fraction of least aberration that has a resolution."""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import combinations
from math import comb

Columns = tuple[int, ...]
"""For every factor the basic factors that its column is the product of, a bit each. The basic ones come first,
and are products of themselves alone."""

MOST = {3: 31, 4: 31, 5: 17}
"""Resolution → the most factors that a fraction is searched for."""

_KEPT = 30
"""Fractions of one number of factors that are extended by another. More find nothing better below 18 factors."""


@lru_cache(maxsize=64)
def columns(factors: int, resolution: int) -> Columns:
    """The columns of the smallest regular fraction of at least this resolution, of least aberration.

    With m basic factors it has 2^m runs; m is the first that Rao's bound allows and the search finds a fraction
    for, and where there is none below it, m is the number of factors, which is the full factorial. Aberration
    orders fractions by how many words of the defining relation are shortest, then by how many have one letter
    more, and so on (Fries and Hunter, Technometrics 22(4), 1980). The fractions of one more factor are those
    of one fewer with every column that is left, each kind once (Chen, Sun and Wu, International Statistical
    Review 61(1), 1993); the best 30 kinds are extended.

    Args:
        factors: how many factors there are.
        resolution: the fewest letters that a word may have, 3 to 5.
    """
    for basic in range(1, factors):
        if _room(factors, resolution) <= 1 << basic and (found := _searched(factors, resolution, basic)):
            return found
    return tuple(1 << factor for factor in range(factors))


def _room(factors: int, resolution: int) -> int:
    """The fewest runs that could have this resolution (Rao, Supplement to the Journal of the Royal Statistical
    Society 9(1), 1947)."""
    if resolution == 4:
        return 2 * factors
    return sum(comb(factors, order) for order in range(resolution // 2 + 1))


def _searched(factors: int, resolution: int, basic: int) -> Columns | None:
    """The columns of a fraction with 2^basic runs, None where none was found."""
    runs = 1 << basic
    odd = [bytes((column & run).bit_count() & 1 for run in range(runs)) for column in range(runs)]
    best: list[Columns] = [tuple(1 << factor for factor in range(basic))]
    for size in range(basic + 1, factors + 1):
        kinds: dict[object, tuple[list[int], Columns]] = {}
        for fraction in best:
            weights = [sum(bits) for bits in zip(*(odd[column] for column in fraction), strict=True)]
            for column in _free(fraction, resolution, runs):
                heavier = [weight + bit for weight, bit in zip(weights, odd[column], strict=True)]
                extended = (*fraction, column)
                counts = _counts(heavier, size)
                # How the weights of runs lie where one factor is high tells kinds apart that are as aberrant.
                each = sorted(
                    _counts([w * b for w, b in zip(heavier, odd[c], strict=True)], size) for c in extended
                )
                kinds.setdefault((tuple(counts), tuple(map(tuple, each))), (counts, extended))
        best = [kind for _, kind in sorted((_words(counts), kind) for counts, kind in kinds.values())[:_KEPT]]
    return best[0] if best else None


def _free(fraction: Columns, resolution: int, runs: int) -> list[int]:
    """The columns that make no word shorter than the resolution."""
    taken = {0}
    for length in range(1, resolution - 1):
        for some in combinations(fraction, length):
            product = 0
            for column in some:
                product ^= column
            taken.add(product)
    return [column for column in range(runs) if column not in taken]


def _counts(weights: list[int], factors: int) -> list[int]:
    """How many runs have 0, 1, … of the factors high."""
    counts = [0] * (factors + 1)
    for weight in weights:
        counts[weight] += 1
    return counts


def _words(counts: list[int]) -> tuple[int, ...]:
    """How many words of the defining relation have 1, 2, … letters, from how many runs have how many factors
    high (MacWilliams, Bell System Technical Journal 42(1), 1963)."""
    factors = len(counts) - 1
    return tuple(
        sum(count * _krawtchouk(factors, length, weight) for weight, count in enumerate(counts) if count)
        // sum(counts)
        for length in range(1, factors + 1)
    )


@cache
def _krawtchouk(factors: int, length: int, weight: int) -> int:
    return sum(
        (-1) ** odd * comb(weight, odd) * comb(factors - weight, length - odd) for odd in range(length + 1)
    )
