"""Aliasing: what a regular fraction cannot tell apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from crosscut.arms.designs.layout import Cell, listed

_ROMAN = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")


Word = tuple[str, ...]
"""Factors whose product is one effect."""


@dataclass(frozen=True)
class Fraction:
    """The claim of a regular fraction of two-level factors: balanced, orthogonal, and what is aliased.

    A factor counts +1 at the level listed second, -1 at the first.
    """

    factors: tuple[str, ...]
    columns: tuple[int, ...]
    """See `generators.Columns`."""
    signs: tuple[int, ...]
    """+1 or -1 for every factor: its level in an arm of the fraction."""

    @property
    def generators(self) -> tuple[Word, ...]:
        """The words that all others are products of: every factor that is not basic with the basic ones it is
        the product of."""
        basic = max(self.columns).bit_length()
        return tuple(
            (*(self.factors[bit] for bit in range(basic) if column >> bit & 1), name)
            for name, column in zip(self.factors[basic:], self.columns[basic:], strict=True)
        )

    @property
    def words(self) -> tuple[Word, ...]:
        """The defining relation, short words first."""
        products: list[frozenset[str]] = [frozenset()]
        for word in self.generators:
            products += [product ^ set(word) for product in products]
        found = [tuple(factor for factor in self.factors if factor in product) for product in products[1:]]
        return tuple(sorted(found, key=lambda word: (len(word), [self.factors.index(one) for one in word])))

    @property
    def resolution(self) -> int | None:
        """Letters of the shortest word; None for a full factorial, which has no words."""
        if not self.generators:
            return None
        return next(
            length
            for length in range(1, len(self.factors) + 1)
            for some in combinations(self.columns, length)
            if not _product(some)
        )

    def aliases(self, factor: str) -> tuple[tuple[int, Word], ...]:
        """The two-factor interactions that the main effect of a factor is aliased with, each with its sign: the
        effect that is estimated is the sum of them and its own."""
        own = self.columns[self.factors.index(factor)]
        return tuple(
            (self._sign((factor, *pair)), pair)
            for pair in combinations(self.factors, 2)
            if factor not in pair and self._column(pair) == own
        )

    def chains(self) -> tuple[tuple[tuple[int, Word], ...], ...]:
        """Two-factor interactions that are aliased with one another and with no main effect. The first of each
        chain has the sign +1, the others the sign with which they are added to it."""
        found: dict[int, list[Word]] = {}
        for pair in combinations(self.factors, 2):
            found.setdefault(self._column(pair), []).append(pair)
        return tuple(
            tuple((self._sign((*pairs[0], *pair)) if pair != pairs[0] else 1, pair) for pair in pairs)
            for column, pairs in found.items()
            if len(pairs) > 1 and column not in self.columns
        )

    def told(self, cells: Sequence[Cell]) -> Iterator[str]:
        """The defining relation and the aliases; where arms are excluded, that they hold no more."""
        every, runs = 2 ** len(self.factors), 1 << max(self.columns).bit_length()
        if self.resolution is None:
            yield f"design: fractional, all {every} combinations: no smaller fraction has the resolution named"
        else:
            few = len(self.generators) <= 3
            relation = " = ".join(
                _effect(self._sign(word), word) for word in (self.words if few else self.generators)
            )
            yield (
                f"design: fractional, {runs} of {every:,} combinations, resolution {_ROMAN[self.resolution]}; "
                f"{'' if few else 'generators of the '}defining relation: I = {relation}"
            )
            yield f"aliases: {self._aliased()}"
        if len(cells) < runs:
            yield (
                f"arms excluded: {runs - len(cells)} of {runs}; the others are not orthogonal, and more effects "
                "mix than these"
            )

    def _aliased(self) -> str:
        main = [
            " = ".join([factor, *_cut([_effect(*alias) for alias in aliases])])
            for factor in self.factors
            if (aliases := self.aliases(factor))
        ]
        if main:
            return listed(main)
        pairs = [" = ".join(_cut([_effect(*one) for one in chain])) for chain in self.chains()]
        if pairs:
            return f"no main effect with a two-factor interaction, but {listed(pairs)}"
        return "no main effect and no two-factor interaction with another of these"

    def _column(self, word: Word) -> int:
        return _product([self.columns[self.factors.index(factor)] for factor in word])

    def _sign(self, word: Word) -> int:
        sign = 1
        for factor in word:
            sign *= self.signs[self.factors.index(factor)]
        return sign


def _product(columns: Sequence[int]) -> int:
    found = 0
    for column in columns:
        found ^= column
    return found


def _effect(sign: int, word: Word) -> str:
    return ("−" if sign < 0 else "") + " × ".join(word)


def _cut(effects: list[str], most: int = 3) -> list[str]:
    return effects if len(effects) <= most else [*effects[:most], f"… ({len(effects) - most} more)"]
