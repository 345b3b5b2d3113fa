"""Captions of a scene: true statements about it in varied words, with the boxes that every word refers to.

Statements are of six kinds: how many of what there are, what stands in a place, a relation between two digits
or groups of digits, an empty place, how many digits there are at all, and two of these joined.

What they mean: a number word (`two threes`) counts all digits of the kind in the scene, or in the place that
is named; `a three` only says that there is one. `left of`, `right of`, `above` and `below` compare columns or
rows, and with groups every member of one with every member of the other; `next to` means that two cells share
a side.

What words refer to: a digit's noun and the number word before it refer to those digits, `digits` to all of
them; words for a row, a column or a cell, and `empty` beside them, to that area; all others to no place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crosscut_trainables.data.draws import Draws
from crosscut_trainables.data.phrase import (
    SINGULAR,
    Phrase,
    Told,
    be,
    cell_name,
    column_name,
    group,
    listed,
    row_name,
    say,
    whole,
    words,
)
from crosscut_trainables.data.scene import Placed, Scene

CAPTIONS = 5
"""Captions of a scene."""
LONGEST = 18
"""Words that a caption has at most."""

Statement = Callable[[Scene, Draws], Phrase | None]
"""Makes a statement about a scene, None where there is nothing of its kind to say."""


def caption(scene: Scene, draws: Draws) -> list[Told]:
    """Five different captions of a scene, three of one statement and two of two, in random order."""
    wanted: list[Sequence[tuple[Statement, ...]]] = [SHORT, SINGLE, SINGLE, DOUBLE, DOUBLE]
    captions: dict[tuple[str, ...], Told] = {}
    for forms in draws.shuffled(wanted):
        while True:
            parts = [statement(scene, draws) for statement in draws.pick(forms)]
            told = _join([part for part in parts if part], draws) if all(parts) else ()
            text = words(whole(told))
            if 0 < len(text) <= LONGEST and text not in captions:
                captions[text] = told
                break
    return list(captions.values())


def _join(parts: Sequence[Phrase], draws: Draws) -> Told:
    """The statements with a word between them; nothing where one of them brings in nothing new."""
    told: Told = (parts[0],)
    for part in parts[1:]:
        if {boxes for _, boxes in part} <= {boxes for _, boxes in whole(told)}:
            return ()
        clause = any(word in ("is", "are", "holds") for word, _ in part)
        told += (say("while" if clause and draws.chance(0.4) else "and"), part)
    return told


# What stands there


def _kind(scene: Scene, draws: Draws) -> Phrase:
    """One kind of digit: how many there are."""
    groups = [draws.pick(list(scene.kinds().values()))]
    return say(f"there {be(groups)}") + listed(groups)


def _kinds(scene: Scene, draws: Draws) -> Phrase | None:
    """Two kinds of digits: how many there are of each."""
    kinds = list(scene.kinds().values())
    if len(kinds) < 2:
        return None
    groups = draws.shuffled(kinds, 2)
    return say(draws.pick((f"there {be(groups)}", "a grid with", ""))) + listed(groups)


def _all_kinds(scene: Scene, draws: Draws) -> Phrase | None:
    """All kinds of digits, where they are few enough to be told."""
    groups = draws.shuffled(list(scene.kinds().values()))
    if len(groups) > 3:
        return None
    return say(draws.pick(("there is nothing but", "only"))) + listed(groups)


def _total(scene: Scene, draws: Draws) -> Phrase:
    """How many digits there are."""
    before, after = draws.pick((("there are", ""), ("", "in all"), ("", "on the grid"), ("a grid with", "")))
    digits = say(f"{SINGULAR[len(scene.digits)]} digits", *(p.box for p in scene.digits))
    return say(before) + digits + say(after)


# Places


def _where(scene: Scene, draws: Draws) -> Phrase:
    """What stands in a cell, a row or a column; in a row or a column perhaps not all of it."""
    chosen = draws.pick(scene.digits)
    look = draws.below(4)
    if look < 2:
        place, here = cell_name(scene, chosen.row, chosen.column), [chosen]
    elif look == 2:
        place, here = row_name(scene, chosen.row), [p for p in scene.digits if p.row == chosen.row]
    else:
        place, here = (
            column_name(scene, chosen.column),
            [p for p in scene.digits if p.column == chosen.column],
        )
    groups = [[p for p in here if p.digit == digit] for digit in dict.fromkeys(p.digit for p in here)]
    groups = draws.shuffled(groups, min(len(groups), draws.between(1, 2)))
    content, verb = listed(groups), be(groups)
    wording = draws.below(6)
    if wording == 0:
        return say("in") + place + say(f"there {verb}") + content
    if wording == 1:
        return place + say("holds") + content
    if wording == 2:
        return say(f"there {verb}") + content + say("in") + place
    if wording == 3 and len(groups) == 1 and len(groups[0]) == len(scene.kinds()[groups[0][0].digit]):
        return group(groups[0], definite=True) + say(f"{verb} in") + place
    return content + say("in") + place


def _empty(scene: Scene, draws: Draws) -> Phrase | None:
    """A row or a column without digits, or else an empty corner or centre."""
    size, last = scene.grid, scene.grid - 1
    rows, columns = {p.row for p in scene.digits}, {p.column for p in scene.digits}
    areas = [(row_name(scene, i), scene.row_box(i)) for i in range(size) if i not in rows]
    areas += [(column_name(scene, i), scene.column_box(i)) for i in range(size) if i not in columns]
    if not areas:
        cells = [(r, c) for r in (0, last) for c in (0, last)] + ([(1, 1)] if size == 3 else [])
        taken = {(p.row, p.column) for p in scene.digits}
        areas = [(cell_name(scene, *cell), scene.cell_box(*cell)) for cell in cells if cell not in taken]
    if not areas:
        return None
    place, box = draws.pick(areas)
    wording = draws.below(3)
    if wording == 0:
        return say(draws.pick(("there is nothing in", "nothing is in"))) + place
    if wording == 1:
        return say("an") + say("empty", box) + place[1:]
    return place + say("is") + say("empty", box)


# Relations

RELATIONS: dict[str, tuple[str, ...]] = {
    "left": ("to the left of", "left of"),
    "right": ("to the right of", "right of"),
    "above": ("above", "over"),
    "below": ("below", "under"),
    "next": ("next to", "beside"),
}


def _relations(a: Sequence[Placed], b: Sequence[Placed]) -> list[str]:
    """The relations in which all of `a` stand to all of `b`."""
    pairs = [(p, q) for p in a for q in b]
    holds = {
        "left": all(p.column < q.column for p, q in pairs),
        "right": all(p.column > q.column for p, q in pairs),
        "above": all(p.row < q.row for p, q in pairs),
        "below": all(p.row > q.row for p, q in pairs),
        "next": len(pairs) == 1 and all(abs(p.row - q.row) + abs(p.column - q.column) == 1 for p, q in pairs),
    }
    return [name for name, true in holds.items() if true]


def _relation(scene: Scene, draws: Draws) -> Phrase | None:
    """How two digits, or two groups that are all of their kinds, stand to each other."""
    first, second = draws.shuffled(scene.digits, 2)
    a: Sequence[Placed] = [first]
    b: Sequence[Placed] = [second]
    entire = False
    if first.digit != second.digit:
        kinds = scene.kinds()
        if _relations(kinds[first.digit], kinds[second.digit]):
            a, b, entire = kinds[first.digit], kinds[second.digit], True
    relation = draws.pick(RELATIONS[draws.pick(_relations(a, b))])
    if first.digit == second.digit:
        other = say("another") + group(b)[1:]
    else:
        other = group(b, definite=entire and draws.chance(0.25))
    wording = draws.below(4)
    if wording == 0:
        return say(f"there {be([a])}") + group(a) + say(relation) + other
    if wording == 1 and entire:
        return group(a, definite=True) + say(f"{be([a])} {relation}") + other
    return group(a) + say(relation) + other


# Half of the first form is vague: true of many scenes, as captions that people write are.
SHORT: tuple[tuple[Statement, ...], ...] = (
    (_total,),
    (_empty,),
    (_kind,),
    (_kinds,),
    (_kinds,),
    (_all_kinds,),
)
SINGLE: tuple[tuple[Statement, ...], ...] = (
    (_kinds,),
    (_all_kinds,),
    (_where,),
    (_where,),
    (_relation,),
    (_relation,),
)
DOUBLE: tuple[tuple[Statement, ...], ...] = (
    (_relation, _where),
    (_where, _where),
    (_total, _relation),
    (_total, _where),
    (_relation, _empty),
    (_kinds, _empty),
    (_kinds, _where),
    (_relation, _relation),
)
