"""Contrasts: weighted sums of arms that answer a question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from itertools import combinations
from typing import Literal

Kind = Literal["hypothesis", "arm", "level", "simple", "pair", "split", "share", "step"]
"""Where a contrast comes from: declared; an arm against the baseline; a level against the baseline's level,
averaged over the other factors; the same in one cell of them; two arms; an arm on two splits; a component's share
of a difference; a step of an ablation path."""

Levels = Mapping[str, Mapping[str, str]]
"""arm → factor → level, in the order of the arms."""

ARM = "arm"
"""The key of a hypothesis that names arms, where no factor is called so."""

_SPLIT = " vs "


class ContrastError(ValueError):
    """A contrast that names something that is not there, or that these arms cannot answer.

    `keys` lead to the place in the hypothesis that `text` is about; the whole sentence has both.
    """

    def __init__(self, text: str, *keys: str) -> None:
        super().__init__(": ".join((".".join(("hypotheses", *keys)), text)))
        self.text = text
        self.keys = keys


@dataclass(frozen=True)
class Contrast:
    """Σ weights[arm] · score of arm. Positive favours the left side of the name where higher is better."""

    name: str
    """ "factor: a vs b" for two levels, two such joined by " × " for an interaction, with " at other=level"
    where it keeps to that level; "armA vs armB" for two arms."""
    weights: Mapping[str, float]
    """Only arms of a weight other than 0."""
    declared: bool
    kind: Kind
    metrics: tuple[str, ...] = ()
    """Metrics that it is declared on; empty for the primary one."""
    family: str | None = None
    """The family that it is declared in, where it has a name of its own."""


@dataclass(frozen=True)
class _Pair:
    """`left` against `right`, two levels of a factor."""

    factor: str
    left: str
    right: str

    @property
    def text(self) -> str:
        return f"{self.left}{_SPLIT}{self.right}"

    @property
    def name(self) -> str:
        """ "factor: a vs b": levels of two factors, or a level and an arm, may share a name."""
        return f"{self.factor}: {self.text}"


def factor_levels(levels: Levels) -> dict[str, tuple[str, ...]]:
    """The levels of every factor in order of appearance, factors of one level included."""
    found: dict[str, dict[str, None]] = {}
    for assigned in levels.values():
        for factor, level in assigned.items():
            found.setdefault(factor, {})[level] = None
    return {factor: tuple(names) for factor, names in found.items()}


def near(value: str, known: Iterable[str]) -> str:
    """ "; did you mean 'x'?" where a known name is near, else nothing."""
    match = get_close_matches(value, list(known), n=1)
    return f"; did you mean '{match[0]}'?" if match else ""


def _one_of(names: Sequence[str]) -> str:
    return " or ".join(names) if len(names) <= 2 else f"one of {', '.join(names)}"


def _known_level(factor: str, level: str, factors: Mapping[str, Sequence[str]]) -> None:
    if level not in factors[factor]:
        there = factors[factor]
        kind = "there is no arm" if factor == ARM else f"the factor {factor} has no level"
        raise ContrastError(f"{kind} '{level}', expected {_one_of(there)}{near(level, there)}", factor)


def _parse(factor: str, text: str, factors: Mapping[str, Sequence[str]]) -> _Pair | None:
    """The two levels of "a vs b"; None where the whole text is a level itself."""
    known = factors[factor]
    if text in known:
        return None
    splits = []
    at = text.find(_SPLIT)
    while at >= 0:
        splits.append((text[:at].strip(), text[at + len(_SPLIT) :].strip()))
        at = text.find(_SPLIT, at + 1)
    if not splits:
        what = "two arms" if factor == ARM else f"two levels of {factor}, or one level to look within"
        raise ContrastError(
            f"found '{text}', expected 'left vs right' with {what}: {_one_of(known)}{near(text, known)}",
            factor,
        )
    valid = [(left, right) for left, right in splits if left in known and right in known]
    if len(valid) > 1:
        raise ContrastError(f"'{text}' can be read in {len(valid)} ways; rename a level", factor)
    if not valid:
        # Complain about the split that comes nearest to being right.
        left, right = max(splits, key=lambda pair: (pair[0] in known) + (pair[1] in known))
        _known_level(factor, left, factors)
        _known_level(factor, right, factors)
    left, right = valid[0]
    if left == right:
        raise ContrastError(f"found '{text}', expected two that differ", factor)
    return _Pair(factor, left, right)


def _cell(assigned: Mapping[str, str], without: Iterable[str]) -> tuple[tuple[str, str], ...]:
    left_out = set(without)
    return tuple(sorted((f, level) for f, level in assigned.items() if f not in left_out))


def cells(
    levels: Levels, factors: Sequence[str], within: Mapping[str, str] | None = None
) -> list[dict[tuple[str, ...], list[str]]]:
    """Arms grouped by their cell of the other factors, then by their levels of `factors`.

    `within` keeps arms of the levels it names. Arms that lack one of the factors are in no cell.
    """
    found: dict[tuple[tuple[str, str], ...], dict[tuple[str, ...], list[str]]] = {}
    for arm, assigned in levels.items():
        if any(f not in assigned for f in factors):
            continue
        if any(assigned.get(f) != level for f, level in (within or {}).items()):
            continue
        cell = found.setdefault(_cell(assigned, factors), {})
        cell.setdefault(tuple(assigned[f] for f in factors), []).append(arm)
    return list(found.values())


def whole_cells(
    levels: Levels,
    factors: Sequence[str],
    corners: Collection[tuple[str, ...]],
    within: Mapping[str, str] | None = None,
) -> list[dict[tuple[str, ...], list[str]]]:
    """The cells of `cells` in which all of these combinations of levels occur.

    Where there is none, as in a fraction of a factorial, in which no two arms are the same but for one factor, all
    arms of these combinations are one cell if they are balanced: every level of every other factor is as frequent
    beside one combination as beside another, so that it cancels. Else empty.
    """
    grouped = cells(levels, factors, within)
    found = [cell for cell in grouped if all(corner in cell for corner in corners)]
    merged = {corner: [arm for cell in grouped for arm in cell.get(corner, ())] for corner in corners}
    return found or ([merged] if _balanced(levels, factors, merged) else [])


def _balanced(levels: Levels, factors: Sequence[str], cell: Mapping[tuple[str, ...], Sequence[str]]) -> bool:
    """Whether every corner has arms, with the same shares of levels of the other factors."""
    if not all(cell.values()):
        return False
    shares = []
    for arms in cell.values():
        counts = Counter(pair for arm in arms for pair in _cell(levels[arm], factors))
        shares.append({pair: Fraction(count, len(arms)) for pair, count in counts.items()})
    return all(one == shares[0] for one in shares)


def _difference(levels: Levels, pairs: Sequence[_Pair], within: Mapping[str, str] | None) -> dict[str, float]:
    """Weights of a difference, or of a difference of differences, averaged over the cells that can give it.

    Empty where there is no such cell.
    """
    corners: dict[tuple[str, ...], float] = {(): 1.0}
    for pair in pairs:
        corners = {
            (*corner, level): sign * weight
            for corner, weight in corners.items()
            for level, sign in ((pair.left, 1.0), (pair.right, -1.0))
        }
    usable = whole_cells(levels, [pair.factor for pair in pairs], corners, within)
    weights: dict[str, float] = {}
    for cell in usable:
        for corner, sign in corners.items():
            for arm in cell[corner]:
                weights[arm] = sign / len(usable) / len(cell[corner])
    return {arm: weights[arm] for arm in levels if arm in weights}


def _at(cell: Mapping[str, str]) -> str:
    return " at " + ", ".join(f"{f}={level}" for f, level in cell.items()) if cell else ""


def hypothesis(
    declared: Mapping[str, str], levels: Levels, within: Mapping[str, str] | None = None
) -> Contrast:
    """The contrast of a declared hypothesis such as `{"constraints": "ccr vs none"}`.

    It is the difference averaged over the cells of the other factors in which both levels occur. A factor
    with one level beside it (`{"constraints": "ccr vs none", "backbone": "scan-t2i"}`), or `within`, keeps to
    that level; two differences (`"ccr vs none"` and `"scan-t2i vs vse++"`) ask for their interaction, the
    difference of differences. The key `arm` compares two arms by name. Raises ContrastError for a factor or
    level that does not exist, and where no cell holds all of the levels.
    """
    factors: dict[str, tuple[str, ...]] = factor_levels(levels)
    if ARM in declared and ARM not in factors:
        if len(declared) > 1 or within:
            raise ContrastError("two arms are compared by themselves, expected no factor beside them", ARM)
        pair = _parse(ARM, declared[ARM], {ARM: tuple(levels)})
        if pair is None:
            raise ContrastError(f"found '{declared[ARM]}', expected 'left vs right' with two arms", ARM)
        return Contrast(pair.text, {pair.left: 1.0, pair.right: -1.0}, declared=True, kind="hypothesis")
    pairs: list[_Pair] = []
    place: dict[str, str] = {}
    for factor, text in [*declared.items(), *(within or {}).items()]:
        if factor not in factors:
            there = tuple(factors)
            raise ContrastError(
                f"there is no factor '{factor}', expected {_one_of(there)}{near(factor, there)}", factor
            )
        pair = _parse(factor, text, factors)
        if pair is None:
            place[factor] = text
        else:
            pairs.append(pair)
    if not pairs:
        raise ContrastError("this compares nothing, expected 'left vs right' for one factor at least")
    weights = _difference(levels, pairs, place)
    if not weights:
        asked = " and ".join(pair.name for pair in pairs) + _at(place)
        raise ContrastError(
            f"no arms that are the same otherwise have the levels of {asked}, expected levels that the design "
            "puts beside each other",
            *([pairs[0].factor] if len(pairs) == 1 else []),
        )
    name = " × ".join(pair.name for pair in pairs) + _at(place)
    return Contrast(name, weights, declared=True, kind="hypothesis")


def against_arm(levels: Levels, baseline: str) -> list[Contrast]:
    """Every arm against the baseline arm."""
    return [
        Contrast(f"{arm}{_SPLIT}{baseline}", {arm: 1.0, baseline: -1.0}, declared=False, kind="arm")
        for arm in levels
        if arm != baseline
    ]


def arm_pairs(levels: Levels) -> list[Contrast]:
    """All pairs of arms, the later one on the left."""
    return [
        Contrast(f"{b}{_SPLIT}{a}", {b: 1.0, a: -1.0}, declared=False, kind="pair")
        for a, b in combinations(levels, 2)
    ]


def _level_contrast(levels: Levels, pair: _Pair) -> list[Contrast]:
    """The main effect of two levels, then, with more than one cell, the simple ones. Empty without cells."""
    weights = _difference(levels, [pair], None)
    if not weights:
        return []
    name = pair.name
    found = [Contrast(name, weights, declared=False, kind="level")]
    varied = {factor for factor, names in factor_levels(levels).items() if len(names) > 1}
    places: dict[tuple[tuple[str, str], ...], None] = {}
    for arm in weights:
        places[_cell(levels[arm], {pair.factor})] = None
    if 1 < len(places) < len(weights):  # else no two arms are the same but for the factor
        for place in places:
            members = {arm: levels[arm] for arm in levels if _cell(levels[arm], {pair.factor}) == place}
            where = {f: level for f, level in place if f in varied}
            simple = _difference(members, [pair], None)
            found.append(Contrast(name + _at(where), simple, declared=False, kind="simple"))
    return found


def level_effects(levels: Levels, factor: str, baseline: str | None) -> list[Contrast]:
    """Main and simple effects of a factor: each level against the baseline's, or all pairs without one."""
    names = factor_levels(levels)[factor]
    if baseline is None:
        pairs = [_Pair(factor, b, a) for a, b in combinations(names, 2)]
    else:
        pairs = [_Pair(factor, name, baseline) for name in names if name != baseline]
    return [contrast for pair in pairs for contrast in _level_contrast(levels, pair)]
