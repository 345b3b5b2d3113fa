"""A reader of captions, which tells whether they are true of a scene and shares nothing with the grammar that
makes them. Tests have it by `runpy`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from crosscut_trainables.data.phrasing import ENDINGS, JOINTS, OPENINGS
from crosscut_trainables.data.scene import Scene

World = dict[tuple[int, int], int]
"""(row, column) → digit."""
Cells = frozenset[tuple[int, int]]

NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
PLURALS = {name + ("es" if name == "six" else "s"): digit for digit, name in enumerate(NAMES)}
LINES = {2: ["first", "last"], 3: ["first", "middle", "last"], 4: ["first", "second", "third", "last"]}
LINE_OF = {"top": "first", "bottom": "last", "left": "first", "right": "last"}
RELATION = re.compile(
    r"^(?P<a>.+?) (?:is |are )?(?:to the )?"
    r"(?P<how>left of|right of|above|over|below|under|next to|beside) (?P<b>.+)$"
)
CONVERSE = re.compile(
    r"(?P<b>.+?) (?P<verb>with|has|have) (?P<a>.+) "
    r"(?P<how>at (?P<whose>its|their) (?:left|right)|further (?:up|down)|as its neighbour)"
)
CONVERSES = {
    "at its left": "left of",
    "at its right": "right of",
    "further up": "above",
    "further down": "below",
    "as its neighbour": "beside",
}
OTHER_WORDS = {
    r"nought": "zero",
    r"noughts": "zeros",
    r"numeral": "digit",
    r"numerals": "digits",
    r"board": "grid",
    r"tier": "row",
    r"stack": "column",
    r"square": "cell",
    r"very middle": "centre",
    r"just|solely": "only",
    r"except": "but",
    r"higher than": "above",
    r"lower than|beneath": "below",
    r"adjacent to|alongside": "beside",
    r"contains": "holds",
    r"whereas": "while",
    r"figure": "number",
    r"uppermost|upper": "top",
    r"lowest|lower": "bottom",
    r"leftmost": "left",
    r"rightmost": "right",
    r"central": "middle",
    r"(?:a )?pair of": "two",
    r"(?:a )?trio of": "three",
    r"(?:a )?quartet of": "four",
    r"a (?:blank|vacant)": "an empty",
    r"blank|vacant": "empty",
}
"""Words of paraphrases → usual words."""
PLACES = (
    r"(?:(?:top|middle|bottom|left|right|second|third) )*(?:row|column|corner|cell|part)|centre|middle(?= of)"
)


def from_paraphrase(text: str) -> str:
    """A paraphrase in usual words; its constructions stay as they are."""
    for other, usual in OTHER_WORDS.items():
        text = re.sub(rf"\b(?:{other})\b", usual, text)
    return text


def from_terse(text: str) -> str:
    """A terse caption with the articles and verbs that it leaves out."""
    text = re.sub(r"\bempty(?= and\b|$)", "is EMPTY", text)
    text = re.sub(rf"\b(empty )?({PLACES})\b", lambda m: f"an {m[0]}" if m[1] else f"the {m[0]}", text)
    text = text.replace("EMPTY", "empty")
    names = "|".join(NAMES)
    text = re.sub(rf"(?<!another )\b({names})\b(?! (?:\w+s|sixes)\b)", r"a \1", text)
    text = text.replace("a eight", "an eight")
    text = re.sub(r"\bnothing but\b", "there is nothing but", text)
    return text.replace("grid with", "a grid with").replace("on grid", "on the grid")


def from_verbose(text: str) -> str:
    """A verbose caption without its fillers."""
    start = next(opening for opening in OPENINGS if text.startswith(opening))
    end = next((ending for ending in ENDINGS if ending and text.endswith(ending)), "")
    text = text.removeprefix(start).removesuffix(end).strip()
    return re.sub("|".join(JOINTS), "and", text)


def from_language(text: str, language: str) -> str:
    """A caption in words that the reader knows."""
    readers = {"paraphrase": from_paraphrase, "terse": from_terse, "verbose": from_verbose}
    return readers[language](text) if language in readers else text


def area(text: str, grid: int) -> Cells | None:
    """The cells of a place, None where the text names none."""

    def line(word: str) -> int | None:
        names = LINES[grid]
        word = LINE_OF.get(word, word)
        return names.index(word) if word in names else None

    everything = frozenset((r, c) for r in range(grid) for c in range(grid))
    if text == "the centre":
        return frozenset({(1, 1)}) if grid == 3 else None
    if match := re.fullmatch(r"the (\w+) row", text):
        row = line(match[1])
        return None if row is None else frozenset(cell for cell in everything if cell[0] == row)
    if match := re.fullmatch(r"the (\w+) column", text):
        column = line(match[1])
        return None if column is None else frozenset(cell for cell in everything if cell[1] == column)
    if match := re.fullmatch(r"the (top|bottom) (left|right) corner", text):
        rows, columns = area(f"the {match[1]} row", grid), area(f"the {match[2]} column", grid)
        return (rows or frozenset()) & (columns or frozenset())
    if match := re.fullmatch(r"the middle of the (top|bottom) row", text):
        return frozenset({(0 if match[1] == "top" else 2, 1)}) if grid == 3 else None
    if match := re.fullmatch(r"the middle of the (left|right) column", text):
        return frozenset({(1, 0 if match[1] == "left" else 2)}) if grid == 3 else None
    if match := re.fullmatch(r"the (\w+) cell of (.+)", text):
        columns, rows = area(f"the {match[1]} column", grid), area(match[2], grid)
        return None if rows is None or columns is None else rows & columns
    return None


def candidates(text: str, world: World) -> list[Cells] | None:
    """What a noun phrase can stand for in a world: one digit of its kind, or all of them where it counts.
    None where it is no noun phrase."""
    if match := re.fullmatch(r"(a|an|the|another) (\w+)", text):
        if match[2] not in NAMES or (match[1] in ("a", "an") and (match[1] == "an") != (match[2] == "eight")):
            return None
        cells = [cell for cell, digit in world.items() if digit == NAMES.index(match[2])]
        if match[1] == "the" and len(cells) != 1:
            return []
        return [frozenset({cell}) for cell in cells]
    if match := re.fullmatch(r"(?:the )?(\w+) (\w+)", text):
        if match[1] not in NAMES or match[2] not in PLURALS:
            return None
        cells = [cell for cell, digit in world.items() if digit == PLURALS[match[2]]]
        return [frozenset(cells)] if len(cells) == NAMES.index(match[1]) else []
    return None


def lists(text: str, world: World) -> bool | None:
    """Whether a world has all that `A and B and C` lists; None where the text is no such list."""
    found = [candidates(part, world) for part in text.split(" and ")]
    return None if any(one is None for one in found) else all(found)


def relates(how: str, a: Cells, b: Cells) -> bool:
    pairs = [(p, q) for p in a for q in b]
    if "left" in how:
        return all(p[1] < q[1] for p, q in pairs)
    if "right" in how:
        return all(p[1] > q[1] for p, q in pairs)
    if how in ("above", "over"):
        return all(p[0] < q[0] for p, q in pairs)
    if how in ("below", "under"):
        return all(p[0] > q[0] for p, q in pairs)
    return all(abs(p[0] - q[0]) + abs(p[1] - q[1]) == 1 for p, q in pairs)


def readings(text: str, world: World, grid: int) -> Iterator[bool]:
    """Whether a text is true of a world, once for every way to read it."""
    for joint in re.finditer(r" (and|while) ", text):
        left = list(readings(text[: joint.start()], world, grid))
        if left:
            for right in readings(text[joint.end() :], world, grid):
                yield any(left) and right
    counted = re.sub(r"^(a grid that shows|you find|the picture shows) | can be seen$", "", text)
    if match := re.fullmatch(
        r"(?:there are |a grid with |altogether )?(\w+) digits(?: in all| on the grid)?", counted
    ):
        yield len(world) == NAMES.index(match[1])
        return
    for pattern in (
        r"(?:there is nothing|nothing is|nothing|you find nothing) in (.+)",
        r"(.+) (?:is empty|holds nothing)",
    ):
        if (match := re.fullmatch(pattern, text)) and (place := area(match[1], grid)):
            yield not place & world.keys()
            return
    if (match := re.fullmatch(r"an empty (.+)", text)) and (place := area(f"the {match[1]}", grid)):
        yield not place & world.keys()
        return
    for pattern in (
        r"in (?P<place>.+) (?:there is|there are|you find) (?P<list>.+)",
        r"(?P<place>.+) holds (?P<list>.+)",
        r"(?:there is |there are )?(?P<list>.+?) (?:is |are )?(?:located )?in (?P<place>.+)",
    ):
        if (match := re.fullmatch(pattern, text)) and (place := area(match["place"], grid)):
            definite = match["list"].startswith("the ")
            here = {cell: digit for cell, digit in world.items() if cell in place}
            inside = lists(match["list"], here)
            if inside is not None:
                yield inside and (not definite or bool(lists(match["list"], world)))
    if match := re.fullmatch(r"(?:only|there is nothing but) (.+)", text):
        listed = lists(match[1], world)
        if listed is not None:
            words = match[1].split()
            kinds = {PLURALS[w] for w in words if w in PLURALS}
            kinds |= {NAMES.index(b) for a, b in pairwise(words) if a in ("a", "an")}
            counts = Counter(world.values())
            one = {NAMES.index(b) for a, b in pairwise(words) if a in ("a", "an")}
            yield listed and kinds == set(counts) and all(counts[kind] == 1 for kind in one)
    body = re.sub(
        r"^(there is|there are|a grid with|a grid that shows|you find|the picture shows) ", "", text
    )
    body = re.sub(r" can be seen$", "", body)
    listed = lists(body, world)
    if listed is not None:
        yield listed
    if match := CONVERSE.fullmatch(body):
        first, second = candidates(match["a"], world), candidates(match["b"], world)
        if first is not None and second is not None:
            many = match["b"].split()[-1] in PLURALS
            agrees = match["verb"] in ("with", "have" if many else "has")
            agrees = agrees and match["whose"] in (None, "their" if many else "its")
            how = CONVERSES[re.sub("their", "its", match["how"])]
            yield agrees and any(relates(how, a, b) for a in first for b in second if a != b)
    if match := RELATION.match(body):
        first, second = candidates(match["a"], world), candidates(match["b"], world)
        if first is not None and second is not None:
            yield any(relates(match["how"], a, b) for a in first for b in second if a != b)


def world_of(scene: Scene) -> World:
    return {(p.row, p.column): p.digit for p in scene.digits}
