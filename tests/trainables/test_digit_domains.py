"""Domains of the digit scenes: what each of them changes, what it leaves, and that its texts are what they are
said to be, found out by trying them on every scene there can be."""

from __future__ import annotations

import hashlib
import json
import re
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from pydantic import ValidationError

from crosscut_trainables.data import digit_scenes
from crosscut_trainables.data.digit_scenes import DOMAINS, SPLITS, DigitScenes, draw_scene, layouts
from crosscut_trainables.data.drawing import STRONG, Drawing, draw_glyph, draw_picture
from crosscut_trainables.data.draws import Draws
from crosscut_trainables.data.phrase import words
from crosscut_trainables.data.phrasing import Language
from crosscut_trainables.data.quality import TEXTS, Text, ambiguous
from crosscut_trainables.data.scene import Layout, numbers

READER: dict[str, Any] = runpy.run_path(str(Path(__file__).with_name("scene_reader.py")))
NAMES, area = READER["NAMES"], READER["area"]

SMALL: dict[str, Any] = {"train_scenes": 12, "dev_scenes": 6, "test_scenes": 8}
DRAWINGS: tuple[Drawing, ...] = get_args(Drawing)
OTHERS: list[dict[str, Any]] = [
    *({"drawing": drawing} for drawing in DRAWINGS[1:]),
    {"composition": "dense"},
    *({"language": language} for language in get_args(Language)[1:]),
    *({"text": text} for text in get_args(Text)[1:]),
]
"""Every domain but the usual one."""
COMBINED: list[dict[str, Any]] = [
    {"drawing": drawing, "composition": composition, "language": language, "text": text}
    for drawing, (composition, text), language in product(
        ("plain", "rotation"),
        [
            *(("usual", text) for text in get_args(Text)),
            ("dense", "usual"),
            ("dense", "ambiguous"),
        ],
        get_args(Language),
    )
]
CONTENT: dict[str, str] = {
    "noise": "21e73361f1ef4fdf66caf1c146f970f5a95b47c57ce0b5951efaf738f4c76e40",
    "blur": "41852ccf229bc8b3417c059e75876dad47105c32bffd9256eff00264d1e18f87",
    "inversion": "5737ee764b2aa8afadc0d8b6233695937accf221cad7d353e4eb01265db9b747",
    "thick": "569410addd414ac5bca29ae58bb907dbca0d725f7d1dbf24bceba69d7d9343c2",
    "thin": "7050251af077deda5ee2c72092313b218109183a0d020b0e31649dc133e4beba",
    "rotation": "4d90ccfe04509d15a75dbe8bc5ea7c109c575a4989b89fd3f285ad8d1d4f138c",
    "dense": "bf8f6929d96f0834109b178ae7d8ba4a2b98003f08f753171340e6a9b1385e34",
    "paraphrase": "70c19981bc455ef40c5a0cc604eb57e759edb93da9c94125cca7a4c9a4ee8cb1",
    "terse": "5389c30e731b8ce7ac228f08a18e510eee5e0d8a3e4e37b8497f7e7af2b961f4",
    "verbose": "a3de8df6c961fb02e98e0449ec6850a8b140e1aec3ebcff86def8474980eaaaf",
    "accurate": "4c4d79d463750144d58e7183b56c2670140feff391de949a75c7e7e4b2ee0cc2",
    "incomplete": "9aaadf3c9aebb7c5f4e26485276e954f67affaa70b47c6b31a76749dedb30939",
    "ambiguous": "f4acaf8ebbb217eb0cc4b06ea54499e2e035de173f0d0ce4915b11603de94715",
}
"""Domain → hash of its splits, of version 1 and the sizes above."""


def name_of(domain: dict[str, Any]) -> str:
    return "-".join(map(str, domain.values()))


def digest(options: DigitScenes) -> str:
    found = hashlib.sha256()
    for split in SPLITS:
        data = options.load(split)
        assert data.referents is not None
        found.update(np.asarray(data.regions).tobytes() + data.boxes.tobytes())
        found.update("\n".join(" ".join(words) for words in data.captions).encode())
        found.update(b"".join(place.tobytes() + b"|" for words in data.referents for place in words))
    return found.hexdigest()


# All domains


@pytest.mark.parametrize("domain", OTHERS, ids=name_of)
def test_a_domain_is_the_one_of_this_version(domain: dict[str, Any]) -> None:
    assert digit_scenes.VERSION == 1
    assert digest(DigitScenes(**SMALL, **domain)) == CONTENT[name_of(domain)]


def test_another_process_makes_the_same_domains() -> None:
    script = (
        "import hashlib, json, sys\n"
        "from crosscut_trainables.data.digit_scenes import DigitScenes\n"
        "for options in json.loads(sys.argv[1]):\n"
        "    data = DigitScenes(**options)\n"
        "    split = data.load('train')\n"
        "    words = '\\n'.join(' '.join(words) for words in split.captions).encode()\n"
        "    print(hashlib.sha256(split.regions.tobytes() + words).hexdigest(), data.fingerprint())\n"
    )
    asked = [{**SMALL, **domain} for domain in OTHERS]
    found = subprocess.run(
        [sys.executable, "-c", script, json.dumps(asked)], capture_output=True, text=True, check=True
    ).stdout
    for line, options in zip(found.splitlines(), asked, strict=True):
        data = DigitScenes(**options)
        split = data.load("train")
        text = "\n".join(" ".join(words) for words in split.captions).encode()
        here = hashlib.sha256(np.asarray(split.regions).tobytes() + text).hexdigest()
        assert line.split() == [here, data.fingerprint()]


def test_every_domain_has_a_fingerprint_of_its_own() -> None:
    found = {DigitScenes(**domain).fingerprint() for domain in [{}, *OTHERS, *COMBINED]}
    distinct = {DigitScenes(**domain) for domain in [{}, *OTHERS, *COMBINED]}
    assert len(found) == len(distinct)


def test_the_usual_domain_keeps_the_fingerprint_from_before_there_were_domains() -> None:
    options = {k: v for k, v in DigitScenes().model_dump(mode="json").items() if k not in DOMAINS}
    assert len(options) == len(DigitScenes.model_fields) - 4
    before = hashlib.sha256(f"digit-scenes 1\n{json.dumps(options, sort_keys=True)}\n".encode())
    before.update(digit_scenes._digits_file())
    assert DigitScenes().fingerprint() == before.hexdigest()


@pytest.mark.parametrize("domain", COMBINED, ids=name_of)
def test_domains_go_together(domain: dict[str, Any]) -> None:
    data = DigitScenes(**SMALL, **domain)
    for name in SPLITS:
        split = data.load(name)
        assert split.referents is not None
        assert len(set(map(tuple, split.captions[:5]))) == TEXTS
        for caption, places in zip(split.captions, split.referents, strict=True):
            assert 0 < len(caption) == len(places) <= 40
            assert all(word == word.lower().strip() != "" for word in caption)
            for boxes in places:
                assert np.all((boxes >= 0) & (boxes <= 1))
                assert np.all(boxes[:, 2:] > boxes[:, :2])
        for start in range(0, len(split.captions), TEXTS):
            assert len(set(map(tuple, split.captions[start : start + TEXTS]))) == TEXTS


@pytest.mark.parametrize("domain", OTHERS, ids=name_of)
def test_no_domain_shows_a_digit_image_or_a_layout_in_two_splits(domain: dict[str, Any]) -> None:
    options = DigitScenes(train_scenes=100, dev_scenes=50, test_scenes=50, **domain)
    used: list[set[int]] = []
    for split in SPLITS:
        images: set[int] = set()
        for index in range(len(layouts(options)[split])):
            images |= set(draw_scene(options, split, index)[1])
        used.append(images)
    assert not used[0] & used[1] and not used[0] & used[2] and not used[1] & used[2]
    drawn = [layout for split in SPLITS for layout in layouts(options)[split]]
    assert len(set(drawn)) == len(drawn) == 200


@pytest.mark.parametrize("domain", OTHERS, ids=name_of)
def test_what_one_domain_trains_on_no_other_retrieves(domain: dict[str, Any]) -> None:
    usual, other = DigitScenes(), DigitScenes(**domain)

    def images(options: DigitScenes, split: digit_scenes.SplitName) -> set[int]:
        return {n for i in range(100) for n in draw_scene(options, split, i)[1]}

    assert not images(usual, "train") & images(other, "test")
    assert not images(other, "train") & images(usual, "test")


@pytest.mark.parametrize("domain", OTHERS, ids=name_of)
def test_more_training_scenes_keep_the_first_ones_in_every_domain(domain: dict[str, Any]) -> None:
    few = DigitScenes(**SMALL, **domain)
    more = few.model_copy(update={"train_scenes": 20})
    for split in ("dev", "test"):
        assert list(more.load(split).captions) == list(few.load(split).captions)  # type: ignore[arg-type]
    assert np.array_equal(more.load("train").regions[:12], few.load("train").regions[:])
    assert list(more.load("train").captions[:60]) == list(few.load("train").captions)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"composition": "dense", "regions": 5},
            "more than max_digits 5, but grid 3 and regions 5 allow no more",
        ),
        ({"composition": "dense", "max_digits": 9, "regions": 9}, "allow no more than 9 digits"),
        ({"composition": "dense", "text": "accurate"}, "many digits, but text accurate of a single object"),
        ({"text": "incomplete", "min_digits": 4}, "at most 3 digits on grid 3, but min_digits is 4"),
        ({"min_digits": 1}, "min_digits 1 goes with text accurate or incomplete, but text is usual"),
        (
            {"text": "accurate", "min_digits": 1, "max_digits": 1},
            "1050 scenes are too many .* at most 90 differ",
        ),
        ({"text": "ambiguous", "dev_scenes": 1}, "true of two scenes or more, but a split has only one"),
        ({"drawing": "crayon"}, "'plain', 'noise', 'blur'"),
    ],
)
def test_domains_that_cannot_be_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DigitScenes.model_validate(options)


# Drawing


@pytest.mark.parametrize("drawing", DRAWINGS[1:])
def test_a_drawing_changes_the_pixels_of_every_scene_and_nothing_else(drawing: Drawing) -> None:
    plain, other = DigitScenes(**SMALL).load("test"), DigitScenes(**SMALL, drawing=drawing).load("test")
    assert plain.scenes is not None
    assert other.scenes is not None
    assert list(plain.captions) == list(other.captions)
    assert np.array_equal(plain.boxes, other.boxes)
    assert plain.referents is not None
    assert other.referents is not None
    for a, b in zip(plain.referents, other.referents, strict=True):
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
    assert np.array_equal(plain.regions[:, :, 64:], other.regions[:, :, 64:])
    assert np.all(np.any(np.asarray(plain.scenes) != other.scenes, axis=(1, 2)))
    assert np.any(plain.regions[:] != other.regions[:])
    for index in range(8):
        assert (
            draw_scene(DigitScenes(**SMALL), "test", index)[1]
            == draw_scene(DigitScenes(**SMALL, drawing=drawing), "test", index)[1]
        )


def scenes(drawing: Drawing) -> np.ndarray[Any, Any]:
    found = DigitScenes(drawing=drawing).load("dev").scenes
    assert found is not None
    return found.astype(int)


def test_drawings_are_what_they_are_called() -> None:
    plain = scenes("plain")
    assert np.array_equal(scenes("inversion"), 255 - plain)
    assert np.abs(scenes("noise") - plain).max() == round(STRONG * 255)
    assert np.abs(np.diff(scenes("blur"))).mean() < 0.6 * np.abs(np.diff(plain)).mean()
    # Without noise, digits alone.
    bare = {d: DigitScenes(noise=0, drawing=d).load("dev").scenes.astype(int) for d in DRAWINGS}  # type: ignore[union-attr]
    assert np.all(bare["thick"] >= bare["plain"])
    assert np.all(bare["thin"] <= bare["plain"])
    assert bare["thick"].mean() > 1.5 * bare["plain"].mean()
    assert 0.15 * bare["plain"].mean() < bare["thin"].mean() < 0.6 * bare["plain"].mean()
    assert bare["rotation"].mean() == pytest.approx(bare["plain"].mean(), rel=0.06)
    assert np.all(bare["thin"].max(axis=(1, 2)) > 60)


class Turn(Draws):
    """Draws that always turn by the same angle."""

    def __init__(self, degrees: int) -> None:
        self.degrees = degrees

    def between(self, low: int, high: int) -> int:
        assert low <= self.degrees <= high
        return self.degrees


def test_a_rotation_turns_clockwise_about_the_centre_by_up_to_thirty_degrees() -> None:
    images, _ = digit_scenes._digits()
    for glyph in images[:20]:
        assert np.array_equal(draw_glyph("rotation", glyph, Turn(0)), glyph)
    upright = np.zeros((8, 8), np.uint8)
    upright[1:7, 3:5] = 200
    for degrees in (-30, -10, 10, 30):
        turned = draw_glyph("rotation", upright, Turn(degrees)).astype(float)
        assert turned.sum() == pytest.approx(upright.sum(), rel=0.05)
        y, x = np.mgrid[0:8, 0:8] - 3.5
        slope = (turned * x * y).sum() / (turned * y * y).sum()
        # Clockwise, the upper end of a stroke goes right: x falls where y, which counts down, grows.
        assert np.sign(slope) == -np.sign(degrees)
        assert (turned * x).sum() == pytest.approx(0, abs=0.02 * turned.sum())
    assert {Draws(0, i).between(-30, 30) for i in range(2000)} == set(range(-30, 31))


def test_a_blur_keeps_the_brightness_of_a_dot_and_of_an_even_picture() -> None:
    dot = np.zeros((30, 30), np.uint8)
    dot[10, 10] = 255
    blurred = draw_picture("blur", dot, Draws(0))
    assert blurred.max() == blurred[10, 10] == round(255 * 36 / 256)
    assert int(blurred.sum()) == pytest.approx(255, abs=10)
    even = np.full((30, 30), 77, np.uint8)
    assert np.array_equal(draw_picture("blur", even, Draws(0)), even)


# Composition


def test_dense_scenes_have_more_digits_than_the_usual_ones_and_no_layout_of_theirs() -> None:
    usual, dense = DigitScenes(), DigitScenes(composition="dense")
    counts = {len(layout.digits) for split in SPLITS for layout in layouts(dense)[split]}
    assert counts == {6, 7, 8}
    taken = {layout for split in SPLITS for layout in layouts(usual)[split]}
    assert not taken & {layout for split in SPLITS for layout in layouts(dense)[split]}
    wide = DigitScenes(composition="dense", grid=4, regions=20)
    assert {len(layout.digits) for layout in layouts(wide)["train"]} == {6, 7, 8, 9}


def test_dense_captions_need_no_word_that_the_usual_ones_do_not_have() -> None:
    known = {word for caption in DigitScenes().load("train").captions for word in caption}
    assert {word for c in DigitScenes(composition="dense").load("test").captions for word in c} <= known


# Texts of three qualities

World = dict[tuple[int, int], int]


def world_of(layout: Layout) -> World:
    return {divmod(cell, layout.grid): digit for cell, digit in layout.digits}


def all_numbers(grid: int, fewest: int) -> Iterator[World]:
    """Every world that has one number: some neighbouring cells of a line, and any digits in them."""
    lines = [[(i, j) for j in range(grid)] for i in range(grid)]
    lines += [[(i, j) for i in range(grid)] for j in range(grid)]
    runs = {
        tuple(line[a:b]) for line in lines for a in range(grid) for b in range(a + fewest, grid + 1) if b > a
    }
    for run in sorted(runs):
        for digits in product(range(10), repeat=len(run)):
            yield dict(zip(run, digits, strict=True))


def usual(text: str, language: str) -> str:
    """A text in usual words, and vague statements in usual constructions."""
    joined = re.split(r" and (?!nothing else)", text) if language == "paraphrase" else [text]
    if len(joined) > 1:
        return " and ".join(usual(part, language) for part in joined)
    text = READER["from_language"](text, language)
    text = re.sub(
        r"(?<=number)(?: an? (?:" + "|".join(NAMES) + r")\b)+", lambda m: re.sub(" an? ", " ", m[0]), text
    )
    text = re.sub(r"\b(odd|even) ", r"an \1 ", text) if language == "terse" else text
    text = (
        re.sub(r"(?<!another )(?<!odd )(?<!even )\bdigit\b", "a digit", text) if language == "terse" else text
    )
    text = re.sub(r"^(you find|the picture shows|it shows) | can be seen$", "", text)
    text = re.sub(r"^(a grid) that shows ", r"\1 with ", text)
    text = re.sub(r"^(the .+) (?:holds nothing|is empty)$", r"nothing in \1", text)
    text = re.sub(r"^(the .+) holds (.+)$", r"\2 in \1", text)
    text = re.sub(r"^in (the .+) you find (.+)$", r"\2 in \1", text)
    return re.sub(r"^altogether ", "", text).replace(" is located in ", " in ")


def where(text: str, grid: int, count: int) -> frozenset[tuple[int, int]] | None:
    """The cells that a text names for a number of so many digits; None where it names none."""
    if match := re.search(r"the (left|right|top|bottom|middle) part of the (\w+ (?:row|column))", text):
        cells = sorted(area(f"the {match[2]}", grid))
        start = {"left": 0, "top": 0, "middle": 1}.get(match[1], grid - count)
        return frozenset(cells[start : start + count])
    place = r"the (?:(?:\w+ (?:cell )?of the )?\w+ (?:row|column)|centre|\w+ \w+ corner)"
    match = re.search(place, text)
    found: frozenset[tuple[int, int]] | None = area(match[0], grid) if match else None
    return found


def number_reading(text: str, grid: int) -> Callable[[World], bool]:
    """The worlds of one number that a text is true of. What it does not say, or broke off before, may be any."""
    named = re.search(r"\bnumber((?: (?:" + "|".join(NAMES) + r")\b)+)", text)
    digits = [NAMES.index(name) for name in named[1].split()] if named else None
    one = re.search(r"with an? (\w+)", text)
    some = NAMES.index(one[1]) if one and one[1] in NAMES else None
    long = re.search(r"of (\w+) digits", text)

    def holds(world: World) -> bool:
        told = [digit for _, digit in sorted(world.items())]
        if digits is not None and told != digits:
            return False
        if some is not None and some not in told:
            return False
        if long and len(told) != NAMES.index(long[1]):
            return False
        cells = where(text, grid, len(told))
        return cells is None or world.keys() <= cells

    return holds


SINGLE = [
    {},
    {"grid": 2, "min_digits": 1, "max_digits": 4, "train_scenes": 40, "dev_scenes": 20, "test_scenes": 30},
    {"grid": 4, "min_digits": 1, "train_scenes": 200},
    {"min_digits": 1, "max_digits": 1, "train_scenes": 40, "dev_scenes": 20, "test_scenes": 30},
]


def size_of(options: dict[str, Any]) -> str:
    return (
        f"grid-{options.get('grid', 3)}-of-{options.get('min_digits', 2)}-to-{options.get('max_digits', 5)}"
    )


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("options", SINGLE, ids=size_of)
def test_an_accurate_text_is_true_of_its_scene_alone_in_its_split(
    options: dict[str, Any], language: Language
) -> None:
    data = DigitScenes(text="accurate", language=language, **options)
    worlds = [world_of(layout) for layout in layouts(data)["test"]]
    split = data.load("test")
    for caption, image in zip(split.captions, split.image_of.tolist(), strict=True):
        holds = number_reading(usual(" ".join(caption), language), data.grid)
        assert [i for i, world in enumerate(worlds) if holds(world)] == [image], caption


@pytest.mark.parametrize("fewest", [1, 2])
def test_an_accurate_text_is_true_of_one_of_all_scenes_there_can_be(fewest: int) -> None:
    data = DigitScenes(text="accurate", min_digits=fewest)
    every = list(all_numbers(3, fewest))
    assert len(every) == numbers(3, fewest, 3) == (7290 if fewest == 1 else 7200)
    drawn = layouts(data)["train"]
    assert all(world_of(layout) in every for layout in drawn[:50])
    split = data.load("train")
    for caption, image in list(zip(split.captions, split.image_of.tolist(), strict=True))[:75]:
        text = " ".join(caption)
        assert re.search(r"^only |nothing but|nothing else$", text)
        holds = number_reading(text, 3)
        assert [world for world in every if holds(world)] == [world_of(drawn[image])], text


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("options", SINGLE, ids=size_of)
def test_an_incomplete_text_is_true_of_its_scene_and_of_others_that_there_can_be(
    options: dict[str, Any], language: Language
) -> None:
    data = DigitScenes(text="incomplete", language=language, **options)
    least, most = data.counts
    every = [world for world in all_numbers(data.grid, least) if len(world) <= min(most, 3)]
    split, drawn = data.load("test"), layouts(data)["test"]
    for caption, image in list(zip(split.captions, split.image_of.tolist(), strict=True))[:100]:
        text, own = usual(" ".join(caption), language), world_of(drawn[image])
        if len(own) > 3:
            continue  # the brute force goes to three digits
        holds = number_reading(text, data.grid)
        assert holds(own), (text, own)
        assert any(holds(world) for world in every if world != own), text


def test_incomplete_texts_leave_out_the_place_the_number_a_part_of_either_or_break_off() -> None:
    text = "\n".join(" ".join(c) for c in DigitScenes(text="incomplete", min_digits=1).load("train").captions)
    for form in (
        r"^there is the number \w+ \w+ \w+$",
        r"^a number in the (top|middle|bottom) row$",
        r"^there is a number with an? \w+$",
        r"^a number of three digits",
        r"^only the number( \w+)+ in the$",
        r"^in the \w+ row there is the number$",
        r"^in the left part of the top row there is the",
    ):
        assert re.search(form, text, re.MULTILINE), form


def test_a_single_object_is_a_number_side_by_side_or_one_below_the_other() -> None:
    drawn = layouts(DigitScenes(text="accurate", min_digits=1))["train"]
    assert {len(layout.digits) for layout in drawn} == {1, 2, 3}
    every = list(all_numbers(3, 1))
    assert all(world_of(layout) in every for layout in drawn[:100])
    assert {tuple(world_of(layout)) for layout in drawn} > {
        ((0, 0), (0, 1), (0, 2)),
        ((0, 2), (1, 2), (2, 2)),
        ((1, 1), (1, 2)),
    }


def test_every_scene_of_a_single_object_can_be_asked_for() -> None:
    options = DigitScenes(
        text="accurate", min_digits=1, max_digits=1, train_scenes=60, dev_scenes=10, test_scenes=20
    )
    assert len({layout for split in SPLITS for layout in layouts(options)[split]}) == 90


def ambiguous_reading(text: str, grid: int) -> Callable[[World], bool]:
    """The worlds that a vague text is true of."""
    if " and " in text:
        parts = [ambiguous_reading(part, grid) for part in text.split(" and ")]
        return lambda world: all(holds(world) for holds in parts)
    body = re.sub(r"^(there is|there are|a grid with) (?!nothing)| (in all|on the grid|somewhere)$", "", text)

    def fits(thing: str, digit: int) -> bool:
        last = thing.split()[-1]
        if last in NAMES:
            return bool(NAMES.index(last) == digit)
        kinds: dict[str, bool] = {
            "something": True,
            "a digit": True,
            "an odd digit": digit % 2 == 1,
            "an even digit": digit % 2 == 0,
        }
        return kinds[thing]

    if match := re.fullmatch(r"(\w+) digits", body):
        if match[1] in ("some", "several"):
            return lambda world: len(world) > 1
        count = NAMES.index(match[1])
        return lambda world: len(world) == count
    if match := re.fullmatch(r"(?:there is nothing|nothing is|nothing) in (.+)", text):
        free = area(match[1], grid)
        return lambda world: not world.keys() & free
    if match := re.fullmatch(r"(.+) in (the .+)", body):
        thing, place = match[1], area(match[2], grid)
        return lambda world: any(fits(thing, digit) for cell, digit in world.items() if cell in place)
    if match := re.fullmatch(r"(.+?) (above|(?:to the )?left of) another digit", body):
        thing, axis = match[1], 0 if match[2] == "above" else 1
        return lambda world: any(
            fits(thing, d) and a[axis] < b[axis] for a, d in world.items() for b in world
        )
    return lambda world: any(fits(body, digit) for digit in world.values())


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"composition": "dense"},
        {"grid": 4, "max_digits": 8},
        {"grid": 2, "max_digits": 3, "train_scenes": 20, "dev_scenes": 20, "test_scenes": 3},
        {"train_scenes": 2, "dev_scenes": 2, "test_scenes": 2},
    ],
    ids=["usual", "dense", "grid-4", "three-scenes", "two-scenes"],
)
def test_an_ambiguous_text_is_true_of_its_scene_and_of_another_one_of_the_split(
    options: dict[str, Any], language: Language
) -> None:
    data = DigitScenes(text="ambiguous", language=language, **options)
    for name in SPLITS:
        worlds = [world_of(layout) for layout in layouts(data)[name]]
        split = data.load(name)
        for caption, image in list(zip(split.captions, split.image_of.tolist(), strict=True))[:500]:
            holds = ambiguous_reading(usual(" ".join(caption), language), data.grid)
            assert holds(worlds[image]), (caption, worlds[image])
            others = (i for i, world in enumerate(worlds) if holds(world))
            assert any(i != image for i in others), caption


def test_ambiguous_texts_are_true_of_many_scenes_and_false_of_others() -> None:
    data = DigitScenes(text="ambiguous")
    worlds = [world_of(layout) for layout in layouts(data)["test"]]
    shares = []
    for caption in data.load("test").captions:
        holds = ambiguous_reading(" ".join(caption), 3)
        shares.append(sum(map(holds, worlds)) / len(worlds))
    assert 0.1 < np.median(shares) < 0.5
    assert max(shares) < 1


def test_words_of_texts_refer_to_the_digits_that_they_name() -> None:
    for text in ("accurate", "incomplete", "ambiguous"):
        options = DigitScenes(**SMALL, text=text, min_digits=2)
        for index in range(12):
            scene, _ = draw_scene(options, "train", index)
            by_box = {placed.box: placed.digit for placed in scene.digits}
            for phrase in digit_scenes.tell(options, "train", index, scene):
                told = [*words(phrase), ""]
                for i, (word, boxes) in enumerate(phrase):
                    if told[i + 1] == "digits" and word in NAMES:
                        assert len(boxes) == NAMES.index(word)
                    elif word in NAMES:
                        assert {by_box[box] for box in boxes} == {NAMES.index(word)}
                    elif word in ("number", "digits"):
                        assert set(boxes) == set(by_box)
                    elif word in ("digit", "something"):
                        assert len(boxes) == 1
                        assert boxes[0] in by_box
                    elif word in ("row", "column", "corner", "centre", "part"):
                        assert len(boxes) == 1
                        assert boxes[0] not in by_box
                    elif word in ("the", "a", "an", "in", "of", "there", "is", "nothing", "else", "only"):
                        assert boxes == ()


def test_where_no_other_scene_has_anything_in_common_a_text_says_what_is_true_of_any() -> None:
    options = DigitScenes(text="ambiguous", min_digits=3, max_digits=3)
    alike = layouts(options)["train"][0]
    # Full but for the cells of the scene, and of other digits, odd where its are even.
    scene, _ = draw_scene(options, "train", 0)
    taken = dict(alike.digits)
    digit = next(digit for digit in range(10) if all((digit - own) % 2 for own in taken.values()))
    other = Layout(3, tuple((cell, digit) for cell in range(9) if cell not in taken))
    texts = [" ".join(words(told[0])) for told in ambiguous(scene, [other], Draws(3))]
    assert len(set(texts)) == TEXTS
    for text in texts:
        assert ambiguous_reading(text, 3)(world_of(alike)), text
        assert ambiguous_reading(text, 3)(world_of(other)), text
