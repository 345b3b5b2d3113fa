"""Captions are true of their scene, in every language, as a reader of its own tells (`scene_reader.py`)."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crosscut_trainables.data.captioning import CAPTIONS, LONGEST, caption
from crosscut_trainables.data.digit_scenes import DigitScenes, draw_scene
from crosscut_trainables.data.draws import Draws
from crosscut_trainables.data.phrase import Phrase, whole
from crosscut_trainables.data.phrasing import Language, retell
from crosscut_trainables.data.scene import Placed, Scene

READER: dict[str, Any] = runpy.run_path(str(Path(__file__).with_name("scene_reader.py")))
NAMES, PLURALS, area, readings, world_of, from_language = (
    READER[name] for name in ("NAMES", "PLURALS", "area", "readings", "world_of", "from_language")
)
Cells = frozenset[tuple[int, int]]

FUNCTION_WORDS = {"a", "an", "the", "another", "in", "of", "to", "is", "are", "and", "while"} | {
    *("above", "over", "below", "under", "there", "nothing", "grid", "only", "all", "on", "next", "beside")
}


def told(phrase: Phrase) -> str:
    return " ".join(word for word, _ in phrase)


def captioned(options: DigitScenes, count: int) -> Iterator[tuple[Scene, list[Phrase]]]:
    for index in range(count):
        scene, _ = draw_scene(options, "train", index)
        yield scene, [whole(parts) for parts in caption(scene, Draws(7, index))]


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


# Other languages

LANGUAGES: tuple[Language, ...] = ("paraphrase", "terse", "verbose")
VOCABULARY = {word for _, phrases in captioned(GRIDS[0], 300) for phrase in phrases for word, _ in phrase}


def retold(options: DigitScenes, count: int, language: Language) -> Iterator[tuple[Scene, list[Phrase]]]:
    for index in range(count):
        scene, _ = draw_scene(options, "train", index)

        def more(draws: Draws, scene: Scene = scene) -> list[tuple[Phrase, ...]]:
            return caption(scene, draws)

        yield scene, retell(caption(scene, Draws(7, index)), language, Draws(8, index), more)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("options", GRIDS, ids=lambda o: f"grid-{o.grid}-of-{o.min_digits}-to-{o.max_digits}")
def test_every_caption_in_other_words_is_true_of_its_scene(options: DigitScenes, language: Language) -> None:
    for scene, phrases in retold(options, 150, language):
        assert len({told(phrase) for phrase in phrases}) == CAPTIONS
        for phrase in phrases:
            verdicts = list(readings(from_language(told(phrase), language), world_of(scene), scene.grid))
            assert verdicts, f"not understood: {told(phrase)} / {from_language(told(phrase), language)}"
            assert any(verdicts), f"not true of {world_of(scene)}: {told(phrase)}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_caption_in_other_words_is_false_once_a_digit_that_it_tells_of_is_another(
    language: Language,
) -> None:
    changed = 0
    for scene, phrases in retold(GRIDS[0], 200, language):
        world = world_of(scene)
        if len(set(world.values())) < len(world):
            continue
        absent = next(digit for digit in range(10) if digit not in world.values())
        for text, phrase in ((from_language(told(phrase), language), phrase) for phrase in phrases):
            for placed in scene.digits:
                if "digits" not in text.split() and any(placed.box in boxes for _, boxes in phrase):
                    other = {**world, (placed.row, placed.column): absent}
                    assert not any(readings(text, other, scene.grid)), told(phrase)
                    changed += 1
    assert changed > 300


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_in_other_languages_refer_to_what_the_usual_ones_refer_to(language: Language) -> None:
    counts = {"pair": 2, "trio": 3, "quartet": 4}
    places = {"tier": "row", "stack": "column"}
    for scene, phrases in retold(GRIDS[0], 200, language):
        by_box = {p.box: p.digit for p in scene.digits}
        for phrase in phrases:
            text = [*plain_words(phrase), ""]
            for i, (word, boxes) in enumerate(phrase):
                usual = text[i]
                before = phrase[i - 1] if i else ("", ())
                if word in counts:
                    assert len(boxes) == counts[word]
                    assert boxes == phrase[i + 2][1]
                elif usual in NAMES and (text[i + 1] in PLURALS or text[i + 1] == "digits"):
                    assert len(boxes) == NAMES.index(usual)
                    assert boxes == phrase[i + 1][1]
                elif usual in NAMES or usual in PLURALS:
                    digit = PLURALS.get(usual, NAMES.index(usual) if usual in NAMES else -1)
                    assert boxes
                    assert all(by_box[box] == digit for box in boxes)
                elif usual == "digits":
                    assert set(boxes) == set(by_box)
                elif places.get(word, word) in ("row", "column"):
                    cells = area(f"the {text[i - 1]} {places.get(word, word)}", 3)
                    assert boxes == before[1] == (bound(scene, cells),)
                elif word in ("blank", "vacant", "empty"):
                    assert len(boxes) == 1
                    assert not any(inside(p, boxes[0]) for p in scene.digits)
                elif usual not in PLACE_WORDS:
                    assert boxes == (), (word, told(phrase))


PLACE_WORDS = {"top", "middle", "bottom", "left", "right", "corner", "centre", "very"}


def plain_words(phrase: Phrase) -> list[str]:
    """Word by word the usual words of a paraphrase; other languages have them anyway."""
    return [READER["from_paraphrase"](word) for word, _ in phrase]


def test_paraphrases_tell_the_same_in_the_same_order_and_not_in_the_same_words() -> None:
    same = total = 0
    for (_, usual), (_, other) in zip(
        captioned(GRIDS[0], 300), retold(GRIDS[0], 300, "paraphrase"), strict=True
    ):
        for a, b in zip(usual, other, strict=True):
            assert {box for _, boxes in a for box in boxes} == {box for _, boxes in b for box in boxes}
            same += told(a) == told(b)
            total += 1
    assert same < 0.05 * total


def test_some_words_of_paraphrases_and_fillers_are_unknown_to_the_usual_vocabulary_and_no_terse_one_is() -> (
    None
):
    share = {}
    for language in LANGUAGES:
        said = [word for _, phrases in retold(GRIDS[0], 300, language) for p in phrases for word, _ in p]
        share[language] = sum(word not in VOCABULARY for word in said) / len(said)
    assert share["terse"] == 0
    assert 0.2 < share["paraphrase"] < 0.6
    assert 0.2 < share["verbose"] < 0.6


def test_terse_captions_are_short_and_have_no_article_and_no_verb() -> None:
    for (_, usual), (_, terse) in zip(captioned(GRIDS[0], 300), retold(GRIDS[0], 300, "terse"), strict=True):
        for phrase in terse:
            assert not {"a", "an", "the", "is", "are", "there", "holds"} & {word for word, _ in phrase}
        assert sum(map(len, terse)) < 0.9 * sum(map(len, usual))


def test_verbose_captions_hold_the_usual_ones_word_by_word() -> None:
    for (_, usual), (_, verbose) in zip(
        captioned(GRIDS[0], 300), retold(GRIDS[0], 300, "verbose"), strict=True
    ):
        for a, b in zip(usual, verbose, strict=True):
            assert len(b) >= len(a) + 5
            assert from_language(told(b), "verbose") == told(a).replace(" while ", " and ")


def test_paraphrases_know_several_constructions() -> None:
    text = "\n".join(told(phrase) for _, phrases in retold(GRIDS[0], 300, "paraphrase") for phrase in phrases)
    for form in (
        r"^an? \w+ with an? \w+ at its left",
        r"(has|have) (an?|the) \w+ further (up|down)",
        r"a three with another three",
        r"as its neighbour",
        r"contains an? \w+",
        r"are located in the",
        r"can be seen",
        r"contains nothing",
        r"is (blank|vacant)",
        r"^altogether",
        r"a (pair|trio) of",
        r"the (pair|trio) of",
        r"the (upper|lower) (left|right) corner",
    ):
        assert re.search(form, text, re.MULTILINE), form
    assert not re.search(r"\ba eight\b|\ban (?!eight|empty)|  |^ | $", text, re.MULTILINE)


def test_the_usual_language_is_the_captions_as_they_are() -> None:
    scene, _ = draw_scene(GRIDS[0], "train", 0)
    captions = caption(scene, Draws(1))
    assert retell(captions, "usual", Draws(2), lambda draws: []) == [whole(parts) for parts in captions]


def test_a_caption_that_is_another_one_without_its_articles_is_replaced() -> None:
    statements = [tuple((word, ()) for word in text.split()) for text in ("there is a two", "a two", "a one")]
    captions: list[tuple[Phrase, ...]] = [(statement,) for statement in statements]
    found = retell(captions[:2], "terse", Draws(2), lambda draws: captions)
    assert [told(phrase) for phrase in found] == ["two", "one"]
