"""Captions are true of their scene, told by a reader of its own that shares nothing with the grammar."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest

from crosscut_trainables.data.captioning import CAPTIONS, LONGEST, Phrase, caption
from crosscut_trainables.data.digit_scenes import DigitScenes, draw_scene
from crosscut_trainables.data.draws import Draws
from crosscut_trainables.data.scene import Placed, Scene

World = dict[tuple[int, int], int]
"""(row, column) → digit."""
Cells = frozenset[tuple[int, int]]

NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
PLURALS = {name + ("es" if name == "six" else "s"): digit for digit, name in enumerate(NAMES)}
LINES = {2: ["first", "last"], 3: ["first", "middle", "last"], 4: ["first", "second", "third", "last"]}
LINE_OF = {"top": "first", "bottom": "last", "left": "first", "right": "last"}
FUNCTION_WORDS = {"a", "an", "the", "another", "in", "of", "to", "is", "are", "and", "while"} | {
    *("above", "over", "below", "under", "there", "nothing", "grid", "only", "all", "on", "next", "beside")
}
RELATION = re.compile(
    r"^(?P<a>.+?) (?:is |are )?(?:to the )?"
    r"(?P<how>left of|right of|above|over|below|under|next to|beside) (?P<b>.+)$"
)


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
    if match := re.fullmatch(r"(?:there are |a grid with )?(\w+) digits(?: in all| on the grid)?", text):
        yield len(world) == NAMES.index(match[1])
        return
    for pattern in (r"(?:there is nothing|nothing is|nothing) in (.+)", r"(.+) is empty"):
        if (match := re.fullmatch(pattern, text)) and (place := area(match[1], grid)):
            yield not place & world.keys()
            return
    if (match := re.fullmatch(r"an empty (.+)", text)) and (place := area(f"the {match[1]}", grid)):
        yield not place & world.keys()
        return
    for pattern in (
        r"in (?P<place>.+) there (?:is|are) (?P<list>.+)",
        r"(?P<place>.+) holds (?P<list>.+)",
        r"(?:there is |there are )?(?P<list>.+?) (?:is |are )?in (?P<place>.+)",
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
    body = re.sub(r"^(there is|there are|a grid with) ", "", text)
    listed = lists(body, world)
    if listed is not None:
        yield listed
    if match := RELATION.match(body):
        first, second = candidates(match["a"], world), candidates(match["b"], world)
        if first is not None and second is not None:
            yield any(relates(match["how"], a, b) for a in first for b in second if a != b)


def world_of(scene: Scene) -> World:
    return {(p.row, p.column): p.digit for p in scene.digits}


def told(phrase: Phrase) -> str:
    return " ".join(word for word, _ in phrase)


def captioned(options: DigitScenes, count: int) -> Iterator[tuple[Scene, list[Phrase]]]:
    for index in range(count):
        scene, _ = draw_scene(options, "train", index)
        yield scene, caption(scene, Draws(7, index))


SMALL = {"train_scenes": 300, "dev_scenes": 1, "test_scenes": 1}
GRIDS = [
    DigitScenes(**SMALL),
    DigitScenes(**SMALL, grid=2, min_digits=2, max_digits=4),
    DigitScenes(**SMALL, grid=4, min_digits=4, max_digits=9, regions=12),
    DigitScenes(**SMALL, grid=3, min_digits=8, max_digits=9, regions=12),
]


@pytest.mark.parametrize("options", GRIDS, ids=lambda o: f"grid-{o.grid}-of-{o.min_digits}-to-{o.max_digits}")
def test_every_caption_is_true_of_its_scene(options: DigitScenes) -> None:
    for scene, phrases in captioned(options, 300):
        for phrase in phrases:
            verdicts = list(readings(told(phrase), world_of(scene), scene.grid))
            assert verdicts, f"not understood: {told(phrase)}"
            assert any(verdicts), f"not true of {world_of(scene)}: {told(phrase)}"


def test_a_caption_is_false_once_a_digit_that_it_tells_of_is_another() -> None:
    changed = 0
    for scene, phrases in captioned(GRIDS[0], 300):
        world = world_of(scene)
        if len(set(world.values())) < len(world):
            continue  # `a seven` may stay true where there is a second seven
        absent = next(digit for digit in range(10) if digit not in world.values())
        for phrase in phrases:
            if "digits" in told(phrase).split():
                continue
            for placed in scene.digits:
                if any(placed.box in boxes for _, boxes in phrase):
                    other = {**world, (placed.row, placed.column): absent}
                    assert not any(readings(told(phrase), other, scene.grid)), told(phrase)
                    changed += 1
    assert changed > 500


def test_most_captions_are_false_of_most_other_scenes_and_some_are_true_of_many() -> None:
    scenes = list(captioned(GRIDS[0], 60))
    worlds = [world_of(scene) for scene, _ in scenes]
    matches = [
        sum(any(readings(told(phrase), world, 3)) for world in worlds)
        for _, phrases in scenes
        for phrase in phrases
    ]
    assert sum(count <= 3 for count in matches) > 0.5 * len(matches)
    assert sum(count > 10 for count in matches) > 0.05 * len(matches)


def test_five_different_captions_of_three_to_eighteen_words() -> None:
    lengths = set()
    for _, phrases in captioned(GRIDS[0], 300):
        assert len({told(phrase) for phrase in phrases}) == CAPTIONS == 5
        lengths |= {len(phrase) for phrase in phrases}
    assert min(lengths) >= 3
    assert max(lengths) == LONGEST


def test_all_kinds_of_statements_occur_in_varied_words() -> None:
    text = "\n".join(told(phrase) for _, phrases in captioned(GRIDS[0], 300) for phrase in phrases)
    for form in (
        r"^there are (two|three|four|five) \w+s$",
        r"^(two|three|four|five) digits in all",
        r"to the left of (two|three) \w+s",
        r"above the ",
        r"next to an? ",
        r"another (zero|one|two|three|four|five|six|seven|eight|nine)",
        r"is empty",
        r"nothing in the (top|middle|bottom) row",
        r"an empty (left|middle|right) column",
        r"in the (top|bottom) (left|right) corner",
        r"in the centre",
        r"the middle of the (left|right) column",
        r"the (top|middle|bottom) row holds",
        r"^only ",
        r" while ",
        r"\ban eight\b",
        r"\bsixes\b",
        r"^the \w+ is in ",
    ):
        assert re.search(form, text, re.MULTILINE), form
    assert not re.search(r"\ba eight\b|\ban (?!eight|empty)|  |^ | $", text, re.MULTILINE)


def test_nouns_and_numbers_refer_to_their_digits() -> None:
    for scene, phrases in captioned(GRIDS[0], 200):
        by_box = {p.box: p for p in scene.digits}
        for phrase in phrases:
            words = [*told(phrase).split(), ""]
            for i, (word, boxes) in enumerate(phrase):
                following = words[i + 1]
                if following in PLURALS or following == "digits":
                    assert word in NAMES or word == "the"
                    if word in NAMES:
                        assert boxes == phrase[i + 1][1]
                        assert len(boxes) == NAMES.index(word)
                elif word in PLURALS or word in NAMES:
                    digit = PLURALS.get(word, NAMES.index(word) if word in NAMES else -1)
                    assert boxes
                    assert all(by_box[box].digit == digit for box in boxes)
                elif word == "digits":
                    assert set(boxes) == set(by_box)


def test_words_for_places_refer_to_the_place_and_other_words_to_none() -> None:
    for scene, phrases in captioned(GRIDS[0], 200):
        for phrase in phrases:
            text = told(phrase)
            for i, (word, boxes) in enumerate(phrase):
                before = phrase[i - 1] if i else ("", ())
                if word in ("row", "column", "corner"):
                    name = f"{phrase[i - 2][0]} {before[0]}" if word == "corner" else before[0]
                    cells = area(f"the {name} {word}", 3)
                    assert cells
                    assert boxes == before[1] == (bound(scene, cells),)
                elif word == "centre":
                    assert boxes == ((10, 10, 20, 20),)
                elif word == "empty":
                    assert len(boxes) == 1
                    assert not any(inside(p, boxes[0]) for p in scene.digits)
                elif word in FUNCTION_WORDS:
                    assert boxes == (), text


def bound(scene: Scene, cells: Cells) -> tuple[int, int, int, int]:
    boxes = [scene.cell_box(*cell) for cell in cells]
    return (
        min(b[0] for b in boxes),
        min(b[1] for b in boxes),
        max(b[2] for b in boxes),
        max(b[3] for b in boxes),
    )


def inside(placed: Placed, box: tuple[int, int, int, int]) -> bool:
    x1, y1, x2, y2 = placed.box
    return box[0] <= x1 and box[1] <= y1 and x2 <= box[2] and y2 <= box[3]
