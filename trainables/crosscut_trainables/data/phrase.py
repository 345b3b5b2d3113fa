"""Phrases: words with the boxes that each refers to, and how groups of digits and places are named.

A digit's noun and the number word before it refer to those digits; words for a row, a column or a cell refer to
that area; all others to no place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crosscut_trainables.data.scene import Box, Placed, Scene

Token = tuple[str, tuple[Box, ...]]
"""A word, and the boxes it refers to, in pixels."""
Phrase = tuple[Token, ...]
Told = tuple[Phrase, ...]
"""A caption in its parts: a statement, or two of them with the word that joins them in between."""

SINGULAR = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
PLURAL = ("zeros", "ones", "twos", "threes", "fours", "fives", "sixes", "sevens", "eights", "nines")
ROWS = {2: ("top", "bottom"), 3: ("top", "middle", "bottom"), 4: ("top", "second", "third", "bottom")}
COLUMNS = {2: ("left", "right"), 3: ("left", "middle", "right"), 4: ("left", "second", "third", "right")}


def say(text: str, *boxes: Box) -> Phrase:
    """The words of a text, all of which refer to `boxes`."""
    return tuple((word, boxes) for word in text.split())


def words(phrase: Phrase) -> tuple[str, ...]:
    """The words alone."""
    return tuple(word for word, _ in phrase)


def whole(parts: Iterable[Phrase]) -> Phrase:
    """The parts as one phrase."""
    return tuple(token for part in parts for token in part)


# Digits


def group(members: Sequence[Placed], definite: bool = False) -> Phrase:
    """`a seven`, `two threes`; with `definite`, `the seven`, `the two threes`."""
    boxes = tuple(member.box for member in members)
    digit = members[0].digit
    if len(members) > 1:
        return say("the" if definite else "") + say(f"{SINGULAR[len(members)]} {PLURAL[digit]}", *boxes)
    article = "the" if definite else "an" if digit == 8 else "a"
    return say(article) + say(SINGULAR[digit], *boxes)


def listed(groups: Sequence[Sequence[Placed]]) -> Phrase:
    """`a seven and two threes`."""
    phrase = group(groups[0])
    for members in groups[1:]:
        phrase += say("and") + group(members)
    return phrase


def be(groups: Sequence[Sequence[Placed]]) -> str:
    """`is` or `are`, after the first of the groups."""
    return "is" if len(groups[0]) == 1 else "are"


# Places


def row_name(scene: Scene, row: int) -> Phrase:
    """`the top row`."""
    return say("the") + say(f"{ROWS[scene.grid][row]} row", scene.row_box(row))


def column_name(scene: Scene, column: int) -> Phrase:
    """`the left column`."""
    return say("the") + say(f"{COLUMNS[scene.grid][column]} column", scene.column_box(column))


def cell_name(scene: Scene, row: int, column: int) -> Phrase:
    """`the top left corner`, `the centre`, `the middle of the top row`, `the second cell of the top row`."""
    down, across = ROWS[scene.grid][row], COLUMNS[scene.grid][column]
    box, last = scene.cell_box(row, column), scene.grid - 1
    if row in (0, last) and column in (0, last):
        return say("the") + say(f"{down} {across} corner", box)
    if scene.grid != 3:
        return say("the") + say(f"{across} cell", box) + say("of") + row_name(scene, row)
    if row == column:
        return say("the") + say("centre", box)
    line = row_name(scene, row) if column == 1 else column_name(scene, column)
    return say("the") + say("middle", box) + say("of") + line
