"""Texts of three qualities, after the groups of experiments in Shi and Li, "Rethinking Semantic Contrastive
Learning and Content Fusion in Multimodal Retrieval": accurate and incomplete texts of a single object, ambiguous
ones of several.

The single object is a number: digits side by side in a row, or one below the other in a column, read from the
left or from the top. A number of one digit is a single digit; of those alone a grid of 3 by 3 has 90 scenes, too
few to tell hundreds of scenes apart.

An accurate text tells the number, where it stands, and that there is nothing else: it is true of one layout
alone. An incomplete one leaves out a part of that, or breaks off before the end. An ambiguous one says so little
that it is true of another scene of the split as well, mostly of dozens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from crosscut_trainables.data.draws import Draws
from crosscut_trainables.data.phrase import (
    SINGULAR,
    Phrase,
    Told,
    cell_name,
    column_name,
    group,
    row_name,
    say,
    whole,
    words,
)
from crosscut_trainables.data.scene import Layout, Placed, Scene

Text = Literal["usual", "accurate", "incomplete", "ambiguous"]

TEXTS = 5
"""Texts of a scene."""


def accurate(scene: Scene, draws: Draws) -> list[Told]:
    """Five different texts of a scene with one number: all of them tell all of it."""
    number, place = _number(scene), say("in") + _place(scene)
    rest = say("and nothing else")
    return _five(
        [
            say("only") + number + place,
            say("there is nothing but") + number + place,
            say("there is") + number + place + rest,
            number + place + rest,
            place[1:] + say("holds") + number + rest,
            place + say("there is") + number + rest,
            say("a grid with") + number + place + rest,
        ],
        draws,
    )


def incomplete(scene: Scene, draws: Draws) -> list[Told]:
    """Five different texts of a scene with one number: from each of them something is missing."""
    digits, place = scene.digits, say("in") + _place(scene)
    boxes = tuple(placed.box for placed in digits)
    number, some = _number(scene), say("a") + say("number", *boxes)
    texts = [
        # Where it stands is missing, or which number it is.
        say("there is") + number,
        say("only") + number,
        number + say("and nothing else"),
        say("a grid with") + number,
        some + place,
        say("there is") + some + place,
        say("only") + some + place,
        place[1:] + say("holds") + some,
        # The sentence breaks off.
        say("only") + number + say("in the"),
        say("there is") + number + say("in"),
        place + say("there is the"),
        place + say("there is the") + say("number", *boxes),
    ]
    if len(digits) > 1:
        one = say("with") + group([draws.pick(digits)])
        length = say("of") + say(f"{SINGULAR[len(digits)]} digits", *boxes)
        texts += [some + one + place, say("there is") + some + one, some + length + place, some + length]
    if len(digits) < scene.grid:
        # Of a row or column it is missing which part.
        line = say("in") + _line(scene)
        texts += [number + line, say("there is") + number + line, say("only") + number + line]
    return _five(texts, draws)


def ambiguous(scene: Scene, others: Sequence[Layout], draws: Draws) -> list[Told]:
    """Five different texts of a scene, each of them true of at least one layout of `others` as well."""
    texts: dict[tuple[str, ...], Told] = {}
    tries = 0
    while len(texts) < TEXTS:
        tries += 1
        # Where the others are few, hardly anything may be true of two: then what is true of any scene.
        kinds = (
            [draws.pick(VAGUE) for _ in range(1 + draws.chance(0.75))] if tries < 20 * TEXTS else [_several]
        )
        statements = [vague(scene, draws) for vague in kinds]
        told: Told = statements[0][:1]
        for phrase, _ in statements[1:]:
            # Together they tell more than one of them.
            if not {boxes for _, boxes in phrase} <= {boxes for _, boxes in told[0]}:
                told += (say("and"), phrase)
        true = (all(holds(other) for _, holds in statements) for other in others)
        if words(whole(told)) not in texts and any(true):
            texts[words(whole(told))] = told
    return list(texts.values())


def _five(texts: Sequence[Phrase], draws: Draws) -> list[Told]:
    return [(phrase,) for phrase in draws.shuffled(texts, TEXTS)]


# A number and its place


def _number(scene: Scene) -> Phrase:
    """`the number four seven two`."""
    boxes = tuple(placed.box for placed in scene.digits)
    phrase = say("the") + say("number", *boxes)
    for placed in scene.digits:
        phrase += say(SINGULAR[placed.digit], placed.box)
    return phrase


def _line(scene: Scene) -> Phrase:
    """The row or column along which the number stands; of one digit, its row."""
    first, last = scene.digits[0], scene.digits[-1]
    return row_name(scene, first.row) if first.row == last.row else column_name(scene, first.column)


def _place(scene: Scene) -> Phrase:
    """Exactly where the number stands: `the top row`, `the left part of the top row`, `the centre`."""
    first, last, count = scene.digits[0], scene.digits[-1], len(scene.digits)
    if count == 1:
        return cell_name(scene, first.row, first.column)
    if count == scene.grid:
        return _line(scene)
    across = first.row == last.row
    start = first.column if across else first.row
    before, after = ("left", "right") if across else ("top", "bottom")
    part = before if start == 0 else after if start + count == scene.grid else "middle"
    corner, far = scene.cell_box(first.row, first.column), scene.cell_box(last.row, last.column)
    return say("the") + say(f"{part} part", (*corner[:2], *far[2:])) + say("of") + _line(scene)


# Vague statements, each with the layouts that it is true of

Holds = Callable[[Layout], bool]
Vague = Callable[[Scene, Draws], tuple[Phrase, Holds]]


def _places(layout: Layout) -> list[tuple[int, int, int]]:
    """(row, column, digit)"""
    return [(*divmod(cell, layout.grid), digit) for cell, digit in layout.digits]


def _several(scene: Scene, draws: Draws) -> tuple[Phrase, Holds]:
    """That there are digits, more than one: true of any scene."""
    boxes = tuple(placed.box for placed in scene.digits)
    before, some, after = draws.pick(
        [
            (before, some, after)
            for some in ("some digits", "several digits")
            for before, after in (("there are", ""), ("", ""), ("a grid with", ""), ("", "on the grid"))
        ]
    )
    return say(before) + say(some, *boxes) + say(after), lambda layout: len(layout.digits) > 1


def _how_many(scene: Scene, draws: Draws) -> tuple[Phrase, Holds]:
    """How many digits there are."""
    count = len(scene.digits)
    before, after = draws.pick((("there are", ""), ("", "in all"), ("", "on the grid"), ("a grid with", "")))
    digits = say(f"{SINGULAR[count]} digits", *(placed.box for placed in scene.digits))
    return say(before) + digits + say(after), lambda layout: len(layout.digits) == count


def _one(scene: Scene, draws: Draws) -> tuple[Phrase, Holds]:
    """That a digit, or an even or an odd one, is among them."""
    placed = draws.pick(scene.digits)
    name, fits = _class_of(placed, draws, 1)
    before, after = draws.pick((("there is", ""), ("", "on the grid"), ("", "somewhere")))
    return say(before) + name + say(after), lambda layout: any(fits(digit) for *_, digit in _places(layout))


def _there(scene: Scene, draws: Draws) -> tuple[Phrase, Holds]:
    """That something, or a digit of a class, is in a row, a column or a cell."""
    placed = draws.pick(scene.digits)
    name, fits = (say("something", placed.box), _any) if draws.chance(0.4) else _class_of(placed, draws)
    look = draws.below(3)
    place = (
        row_name(scene, placed.row),
        column_name(scene, placed.column),
        cell_name(scene, placed.row, placed.column),
    )[look]
    before = draws.pick(("", "there is"))

    def holds(layout: Layout) -> bool:
        return any(
            fits(digit) and (look == 1 or row == placed.row) and (look == 0 or column == placed.column)
            for row, column, digit in _places(layout)
        )

    return say(before) + name + say("in") + place, holds


def _empty(scene: Scene, draws: Draws) -> tuple[Phrase, Holds]:
    """That nothing is in a cell."""
    size = scene.grid
    taken = {placed.row * size + placed.column for placed in scene.digits}
    free = [cell for cell in range(size**2) if cell not in taken]
    if not free:
        return _several(scene, draws)
    cell = draws.pick(free)
    before = draws.pick(("there is nothing in", "nothing is in"))
    phrase = say(before) + cell_name(scene, *divmod(cell, size))
    return phrase, lambda layout: all(cell != other for other, _ in layout.digits)


def _beside(scene: Scene, draws: Draws) -> tuple[Phrase, Holds]:
    """That a digit of a class is above, or left of, another digit, whichever that is."""
    first, second = draws.shuffled(scene.digits, 2)
    if (first.row, first.column) > (second.row, second.column):
        first, second = second, first
    vertical = first.row < second.row and (first.column >= second.column or draws.chance(0.5))
    name, fits = _class_of(first, draws)
    other = say("another") + say("digit", second.box)
    phrase = name + say("above" if vertical else "to the left of") + other

    def holds(layout: Layout) -> bool:
        places = _places(layout)
        return any(
            fits(digit) and (row < down if vertical else column < across)
            for row, column, digit in places
            for down, across, _ in places
        )

    return phrase, holds


def _any(digit: int) -> bool:
    return True


def _class_of(placed: Placed, draws: Draws, least: int = 0) -> tuple[Phrase, Callable[[int], bool]]:
    """`a digit`, unless `least` is 1, `a seven` or `an odd digit`, and which digits are one."""
    look = draws.between(least, 4)
    if look == 0:
        return say("a") + say("digit", placed.box), _any
    if look < 3:
        return group([placed]), lambda digit: digit == placed.digit
    parity = placed.digit % 2
    name = say("an") + say("odd digit" if parity else "even digit", placed.box)
    return name, lambda digit: digit % 2 == parity


VAGUE: tuple[Vague, ...] = (_how_many, _one, _there, _there, _there, _empty, _beside, _beside)
