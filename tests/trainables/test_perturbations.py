"""What every registered perturbation promises, and what each of them does. A new one is tested here by being
registered; one that has options without a default needs an example of them in `example`."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError
from scipy.ndimage import gaussian_filter
from scipy.stats import kurtosis

from crosscut_trainables.component import choice
from crosscut_trainables.data.digit_scenes import DigitScenes
from crosscut_trainables.data.draws import Draws
from crosscut_trainables.data.split import Split
from crosscut_trainables.encoders.patches import Patches
from crosscut_trainables.perturbations import PERTURBATIONS, Perturbation
from crosscut_trainables.perturbations.blur import Blur
from crosscut_trainables.perturbations.contrast import Contrast
from crosscut_trainables.perturbations.distractors import PHRASES, Distractors
from crosscut_trainables.perturbations.dropped_regions import DroppedRegions
from crosscut_trainables.perturbations.gaussian import gaussian
from crosscut_trainables.perturbations.image_perturbation import ImagePerturbation
from crosscut_trainables.perturbations.keyboard import NEIGHBOURS
from crosscut_trainables.perturbations.noise import Noise
from crosscut_trainables.perturbations.occlusion import Occlusion
from crosscut_trainables.perturbations.region_noise import RegionNoise
from crosscut_trainables.perturbations.share import share_of
from crosscut_trainables.perturbations.synonym_table import read_synonyms
from crosscut_trainables.perturbations.synonyms import Synonyms
from crosscut_trainables.perturbations.text_perturbation import TextPerturbation
from crosscut_trainables.perturbations.typos import KINDS, Typos, outcomes
from crosscut_trainables.perturbations.word_order import WordOrder
from crosscut_trainables.perturbations.written_text import rewritten_text

SEVERITIES = range(1, 6)
TABLE = """\
a\tone single\tsome
the\tthis\tthat
in\twithin\tinside
row\tline\trank
column\tfile\tpillar
corner\tangle\tedge
and\tplus\tas well as
dog\thound\tpup
runs\tdashes\tsprints
above\tover\tatop
left\tport\tleftward
there\tyonder\there
"""
SENTENCES = (
    "A dog runs in the snow.",
    "Above the row, a dog runs.",
    "Two people play chess in the park, and a dog watches.",
    "Rain",
)


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("synonyms") / "table.tsv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def example(name: str, table: Path) -> dict[str, Any]:
    """The options to test a perturbation with, where it has no defaults."""
    return {"synonyms": {"table": str(table)}}.get(name, {})


def digits() -> Split:
    return DigitScenes(train_scenes=1, dev_scenes=1, test_scenes=20).load("test")


def photos() -> Split:
    """Six small RGB images whose regions are padded, with captions as they are written, and no referents."""
    draws = np.random.RandomState(0)
    texts = [SENTENCES[number % len(SENTENCES)] for number in range(12)]
    captions = [tuple(text.lower().replace(".", " .").replace(",", " ,").split()) for text in texts]
    present = np.arange(5) < np.array([5, 3, 1, 4, 2, 5])[:, None]
    return Split(
        regions=draws.rand(6, 5, 16).astype(np.float32) * present[:, :, None],
        boxes=np.tile(np.array([0, 0, 1, 1], np.float32), (6, 5, 1)),
        present=present,
        captions=captions,
        image_of=np.repeat(np.arange(6, dtype=np.int32), 2),
        scenes=draws.randint(0, 256, (6, 20, 24, 3), np.uint8),
        texts=texts,
    )


@pytest.fixture(params=[digits, photos], ids=["digits", "photos"])
def split(request: pytest.FixtureRequest) -> Split:
    made: Split = request.param()
    return made


@pytest.fixture(params=sorted(PERTURBATIONS))
def perturbation(request: pytest.FixtureRequest, table: Path) -> Perturbation:
    return PERTURBATIONS[request.param](**example(request.param, table))


def at(perturbation: Perturbation, severity: int) -> Perturbation:
    return type(perturbation).model_validate({**perturbation.model_dump(), "severity": severity})


def numbers(split: Split) -> list[NDArray[Any]]:
    """All images' numbers."""
    assert split.scenes is not None
    return [np.array(split.regions[:]), np.array(split.scenes[:]), split.present, split.boxes, split.image_of]


def same(one: Split, other: Split) -> bool:
    def places(split: Split) -> list[list[Any]]:
        return [[boxes.tolist() for boxes in words] for words in split.referents or ()]

    return (
        all(np.array_equal(a, b) for a, b in zip(numbers(one), numbers(other), strict=True))
        and list(map(tuple, one.captions)) == list(map(tuple, other.captions))
        and one.texts == other.texts
        and places(one) == places(other)
    )


def edits(one: str, other: str) -> int:
    """Characters to change, add or take away to come from one text to the other (Levenshtein 1966)."""
    above = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        here = [row]
        for column, sought in enumerate(other, start=1):
            here.append(min(above[column] + 1, here[-1] + 1, above[column - 1] + (letter != sought)))
        above = here
    return above[-1]


def distance(one: Split, other: Split, of: str) -> float:
    if of == "texts":
        pairs = zip(one.captions, other.captions, strict=True)
        return float(np.mean([edits(" ".join(a), " ".join(b)) for a, b in pairs]))
    if of == "images":
        return float(np.abs(numbers(one)[1].astype(float) - numbers(other)[1]).mean())
    return float(np.abs(one.regions[:] - other.regions[:]).mean())


class Guarded:
    """An array of which only some images may be read."""

    def __init__(self, array: NDArray[Any], *allowed: int) -> None:
        self.array, self.allowed, self.shape = array, set(allowed), array.shape

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, index: Any) -> Any:
        asked = set(np.atleast_1d(np.arange(len(self.array))[index]).tolist())
        assert asked <= self.allowed, f"image {asked - self.allowed} is read without need"
        return self.array[index]


class OfSeveralSizes:
    """Pictures as files give them: a list of them, or one."""

    def __init__(self, pictures: list[NDArray[np.uint8]]) -> None:
        self.pictures = pictures

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: Any) -> Any:
        found = np.arange(len(self.pictures))[index]
        return self.pictures[index] if found.ndim == 0 else [self.pictures[i] for i in found]


# Every perturbation


def test_every_one_is_described(perturbation: Perturbation) -> None:
    kind = type(perturbation)
    assert PERTURBATIONS[perturbation.name] is kind
    assert kind.summary and "\n" not in kind.summary
    assert kind.measure and "\n" not in kind.measure
    assert kind.of in ("texts", "images", "regions")
    assert len(kind.strengths) == 5 and len(set(kind.strengths)) == 5
    assert list(kind.strengths) in (sorted(kind.strengths), sorted(kind.strengths, reverse=True))
    for name, field in kind.model_fields.items():
        assert name == "name" or field.description, name
    assert "| 5 " in (kind.__doc__ or ""), "its severities are to be told in a table"
    assert kind.__doc__ is not None
    for row, strength in zip(
        kind.__doc__.split("| severity |")[1].split("\n")[2:7], kind.strengths, strict=True
    ):
        told = row.split("|")[2].strip()
        assert told == ("whole caption" if strength == float("inf") else f"{strength:g}")


def test_options_are_checked(perturbation: Perturbation) -> None:
    options = perturbation.model_dump()
    assert options["severity"] == 3
    for wrong in ({"no_such_option": 1}, {"severity": 0}, {"severity": 6}, {"severity": 2.5}):
        with pytest.raises(ValidationError, match=next(iter(wrong))):
            type(perturbation).model_validate({**options, **wrong})
    with pytest.raises(ValidationError, match="frozen"):
        perturbation.severity = 1  # type: ignore[misc]


def test_it_comes_back_from_json_and_from_a_pickle(perturbation: Perturbation) -> None:
    any_of_them: TypeAdapter[Perturbation] = TypeAdapter(choice(PERTURBATIONS))
    for again in (
        type(perturbation).model_validate_json(perturbation.model_dump_json()),
        any_of_them.validate_json(perturbation.model_dump_json()),
        pickle.loads(pickle.dumps(perturbation)),
    ):
        assert again == perturbation
        assert again.fingerprint() == perturbation.fingerprint()


def test_the_fingerprint_tells_options_apart(perturbation: Perturbation, table: Path) -> None:
    found = {at(perturbation, severity).fingerprint() for severity in SEVERITIES}
    assert len(found) == 5
    assert perturbation.fingerprint() in found
    assert all(len(fingerprint) == 64 for fingerprint in found)
    others = {PERTURBATIONS[name](**example(name, table)).fingerprint() for name in PERTURBATIONS}
    assert len(others) == len(PERTURBATIONS)


def test_the_same_seed_gives_the_same_and_another_seed_another(
    perturbation: Perturbation, split: Split
) -> None:
    first = perturbation.apply(split, seed=7)
    again = type(perturbation).model_validate(perturbation.model_dump()).apply(split, seed=7)
    assert same(first, again)
    assert same(first, perturbation.apply(split, seed=8)) is not type(perturbation).drawn


def test_the_split_that_is_perturbed_stays_as_it_is(perturbation: Perturbation, split: Split) -> None:
    assert split.scenes is not None
    for array in (split.regions, split.scenes, split.present, split.boxes):
        assert isinstance(array, np.ndarray)
    before = pickle.loads(pickle.dumps(split))
    after = perturbation.apply(split, seed=1)
    assert not same(before, after)
    assert same(before, split)


def test_only_what_it_is_of_changes(perturbation: Perturbation, split: Split) -> None:
    after = perturbation.apply(split, seed=1)
    if perturbation.of != "texts":
        assert after.captions is split.captions
        assert after.texts is split.texts
        assert after.referents is split.referents
    if perturbation.of != "images":
        assert after.scenes is split.scenes
    if perturbation.of != "regions":
        assert after.regions is split.regions
        assert after.present is split.present
    assert after.boxes is split.boxes
    assert after.image_of is split.image_of
    assert len(after.captions) == len(split.captions)


def test_a_higher_severity_changes_more(perturbation: Perturbation) -> None:
    split = digits()
    found = [
        np.mean(
            [
                distance(split, at(perturbation, severity).apply(split, seed), perturbation.of)
                for seed in (1, 2)
            ]
        )
        for severity in SEVERITIES
    ]
    assert found[0] > 0
    assert found == sorted(found)
    assert found[4] > 1.2 * found[0]


@pytest.mark.parametrize("severity", SEVERITIES)
def test_no_caption_is_left_empty_and_words_stay_words(
    perturbation: Perturbation, split: Split, severity: int
) -> None:
    after = at(perturbation, severity).apply(split, seed=3)
    for words in after.captions:
        assert len(words) > 0
        for word in words:
            assert word == word.lower()
            assert word.split() == [word]


def test_a_caption_alone_becomes_what_it_becomes_among_others(table: Path, split: Split) -> None:
    for perturbation in of_kind("texts", table):
        assert isinstance(perturbation, TextPerturbation)
        after = perturbation.apply(split, seed=2)
        for number in (0, 5, len(split.captions) - 1):
            assert perturbation.caption(split.captions[number], 2, number) == after.captions[number]
        first = replace(
            split, captions=split.captions[:3], image_of=split.image_of[:3], referents=None, texts=None
        )
        assert perturbation.apply(first, seed=2).captions == after.captions[:3]


def test_captions_without_words_stay_so(table: Path) -> None:
    split = replace(photos(), captions=[()] * 12)
    for perturbation in of_kind("texts", table):
        after = perturbation.apply(split, seed=0)
        assert list(after.captions) == [()] * 12
        assert after.texts == split.texts


def test_referents_stay_with_their_words(table: Path) -> None:
    split = digits()
    assert split.referents is not None
    # Every word of a caption with a place of its own, so that it can be told where it went.
    marked = [
        tuple(np.full((1, 4), number, np.float32) for number in range(len(words))) for words in split.captions
    ]
    for perturbation in of_kind("texts", table):
        assert isinstance(perturbation, TextPerturbation)
        for severity in SEVERITIES:
            changed = at(perturbation, severity)
            assert isinstance(changed, TextPerturbation)
            after = changed.apply(replace(split, referents=marked), seed=4)
            assert after.referents is not None
            for number, (words, places) in enumerate(zip(after.captions, after.referents, strict=True)):
                rewritten = changed.rewritten(split.captions[number], changed.draws(4, number))
                assert len(words) == len(places)
                assert [word for word, _ in rewritten] == list(words)
                for (_, origin), boxes in zip(rewritten, places, strict=True):
                    assert boxes.dtype == np.float32
                    assert boxes.shape == ((0, 4) if origin is None else (1, 4))
                    assert origin is None or boxes[0, 0] == origin


def of_kind(of: str, table: Path) -> Iterator[Perturbation]:
    found = [kind(**example(name, table)) for name, kind in PERTURBATIONS.items() if kind.of == of]
    assert len(found) > 1
    yield from found


def test_an_image_alone_becomes_what_it_becomes_among_others(
    perturbation: Perturbation, split: Split
) -> None:
    if perturbation.of == "texts":
        return
    after = perturbation.apply(split, seed=5)
    last = len(split.present) - 1
    for source in (after.regions, after.scenes):
        assert source is not None
        whole = source[:]
        for index in (
            slice(1, 4),
            slice(None, None, -2),
            np.array([3, 0, 3]),
            np.array([], np.int64),
            [last, 1],
        ):
            assert np.array_equal(source[index], whole[index])
        assert np.array_equal(source[2], whole[2])
        assert np.array_equal(source[-1], whole[last])
        mask = np.arange(last + 1) % 2 == 0
        assert np.array_equal(source[mask], whole[mask])
        with pytest.raises(IndexError):
            source[last + 1]
        assert len(list(source)) == last + 1  # type: ignore[call-overload]


def test_only_the_images_asked_for_are_read(perturbation: Perturbation, split: Split) -> None:
    if perturbation.of == "texts":
        return
    assert isinstance(split.regions, np.ndarray) and isinstance(split.scenes, np.ndarray)
    whole = perturbation.apply(split, seed=6)
    regions, scenes = Guarded(split.regions), Guarded(split.scenes)
    after = perturbation.apply(replace(split, regions=regions, scenes=scenes), seed=6)  # nothing may be read
    for guarded, source, expected in (
        (regions, after.regions, whole.regions),
        (scenes, after.scenes, whole.scenes),
    ):
        assert source is not None and expected is not None
        guarded.allowed = {1, 4}
        assert np.array_equal(source[np.array([4, 1])], expected[np.array([4, 1])])
        assert np.array_equal(source[1:5:3], expected[1:5:3])
        assert np.array_equal(source[4], expected[4])
        if source is not guarded:
            with pytest.raises(AssertionError, match=r"image \{2\}"):
                source[1:3]


def test_arrays_in_files_are_perturbed_as_they_are_read(
    perturbation: Perturbation, split: Split, tmp_path: Path
) -> None:
    if perturbation.of == "texts":
        return
    assert isinstance(split.regions, np.ndarray) and isinstance(split.scenes, np.ndarray)
    mapped = {}
    for name, array in (("regions", split.regions), ("scenes", split.scenes)):
        np.save(tmp_path / f"{name}.npy", array)
        mapped[name] = np.load(tmp_path / f"{name}.npy", mmap_mode="r")
    in_file = replace(split, regions=mapped["regions"], scenes=mapped["scenes"])
    after = perturbation.apply(in_file, seed=6)
    assert not isinstance(after.scenes if perturbation.of == "images" else after.regions, np.ndarray)
    assert same(after, perturbation.apply(split, seed=6))


def test_the_perturbed_split_can_be_sent_to_a_worker(perturbation: Perturbation, split: Split) -> None:
    assert split.scenes is not None
    lazy = replace(split, scenes=Guarded(np.asarray(split.scenes), *range(len(split.scenes))))
    after = perturbation.apply(lazy, seed=1)
    assert same(pickle.loads(pickle.dumps(after)), after)


def test_a_split_without_what_it_is_of_is_refused(perturbation: Perturbation, split: Split) -> None:
    if perturbation.of == "images":
        with pytest.raises(ValueError, match=f"^{perturbation.name}: found a data set with regions only"):
            perturbation.apply(replace(split, scenes=None), seed=0)
    if perturbation.of == "regions":
        images = len(split.present)
        without = replace(
            split,
            regions=np.zeros((images, 0, 0), np.float32),
            boxes=np.zeros((images, 0, 4), np.float32),
            present=np.zeros((images, 0), np.bool_),
        )
        with pytest.raises(
            ValueError, match=rf"^{perturbation.name}: found regions of shape \({images}, 0, 0\)"
        ):
            perturbation.apply(without, seed=0)


def test_perturbations_can_be_put_one_on_the_other(split: Split, table: Path) -> None:
    after = split
    for name in sorted(PERTURBATIONS):
        after = PERTURBATIONS[name](**example(name, table)).apply(after, seed=1)
    assert all(np.isfinite(part).all() for part in numbers(after))
    assert after.regions[:].dtype == np.float32


# Choices


def test_what_a_seed_gives_never_changes(table: Path) -> None:
    """Where this fails, `version` of the perturbation has to be raised."""
    words = ["a", "dog", "runs", "above", "the", "row", "of", "snow"]
    grey = np.full((3, 4), 100, np.uint8)
    captions = {
        "typos": "w dog runs above the row of jsnow",
        "synonyms": "some dog sprints atop the rank of snow",
        "distractors": "by the way in this image a dog runs above the row of snow so to speak",
        "word-order": "runs dog a the of above row snow",
    }
    for name, caption in captions.items():
        perturbation = PERTURBATIONS[name](**example(name, table))
        assert isinstance(perturbation, TextPerturbation)
        assert " ".join(perturbation.caption(words, 1, 2)) == caption
    assert Noise().picture(grey, 1, 2).tolist() == [
        [140, 187, 135, 148],
        [159, 50, 20, 183],
        [71, 113, 152, 9],
    ]
    hidden = Occlusion().picture(np.diag(grey[0]), 1, 2)
    assert hidden.tolist() == [[100, 0, 0, 0], [0, 100, 0, 0], [0, 25, 25, 0], [0, 25, 25, 100]]
    assert DroppedRegions().gone(np.ones(9, np.bool_), 1, 2) == [7, 5, 8, 3]
    drawn = gaussian(Draws(0), (4,)).tolist()
    assert drawn == pytest.approx([-1.39885, -0.18779, 0.4654, 1.48282], abs=1e-5)


def test_a_share_is_exact_on_average_and_a_larger_one_never_gives_fewer() -> None:
    counts = [share_of(0.1, 4, Draws(0, number)) for number in range(4000)]
    assert set(counts) == {0, 1}
    assert np.mean(counts) == pytest.approx(0.4, abs=4 * 0.0078)
    assert share_of(1.0, 5, Draws(1)) == 5
    for number in range(50):
        found = [share_of(share, 7, Draws(2, number)) for share in np.linspace(0, 1, 21)]
        assert found == sorted(found)


def test_noise_is_close_to_gaussian() -> None:
    noise = gaussian(Draws(0), (200_000,)).astype(float)
    assert noise.mean() == pytest.approx(0, abs=4 / 200_000**0.5)
    assert noise.std() == pytest.approx(1, abs=0.01)
    assert kurtosis(noise) == pytest.approx(-0.24, abs=0.04)  # of a sum of five uniform numbers: -1.2 / 5
    assert np.abs(noise).max() < 3.88
    assert np.corrcoef(noise[:-1], noise[1:])[0, 1] == pytest.approx(0, abs=0.01)


# Typos


def test_typos_of_each_kind_by_hand() -> None:
    assert outcomes("swap", "cat") == ("act", "cta")
    assert outcomes("delete", "cat") == ("at", "ct", "ca")
    assert outcomes("repeat", "cat") == ("ccat", "caat", "catt")
    assert outcomes("replace", "gp") == ("bp", "fp", "hp", "tp", "vp", "yp", "gl", "go")
    inserted = outcomes("insert", "an")
    assert "xan" in inserted and "axn" in inserted and "anx" in inserted
    assert "aan" not in inserted and "ann" not in inserted  # which would be repeats
    assert len(inserted) == 25 + 24 + 25
    assert all("an" in (word[1:], word[0] + word[2:], word[:2]) for word in inserted)


def test_words_of_one_letter_and_words_without_letters_are_spared() -> None:
    for kind in ("swap", "delete"):
        assert outcomes(kind, "a") == ()
        assert outcomes(kind, "a.") == ()
    assert outcomes("swap", "oo") == ()
    assert outcomes("repeat", "a") == ("aa",)
    for kind in KINDS:
        assert outcomes(kind, "22") == outcomes(kind, "...") == ()
    assert set(outcomes("delete", "it's")) == {"t's", "i's", "it'"}


@pytest.mark.parametrize("kind", [*KINDS, "mixed"])
def test_every_typo_is_of_its_kind_and_a_word_has_one_at_most(kind: str) -> None:
    split = digits()
    kinds = list(KINDS) if kind == "mixed" else [kind]
    after = Typos.model_validate({"kind": kind, "severity": 5}).apply(split, seed=0)
    changed = [
        (word, new)
        for words, others in zip(split.captions, after.captions, strict=True)
        for word, new in zip(words, others, strict=True)
        if word != new
    ]
    assert len(changed) > 100
    for word, new in changed:
        assert any(new in outcomes(one, word) for one in kinds)
    used = {one for word, new in changed for one in kinds if new in outcomes(one, word)}
    assert used == set(kinds)


def test_the_share_of_words_with_a_typo_is_that_of_the_severity() -> None:
    captions = [("some", "words", "that", "can", "all", "be", "mistyped")] * 600
    split = replace(digits(), captions=captions, image_of=np.zeros(600, np.int32), referents=None)
    for severity in SEVERITIES:
        typos = Typos(severity=severity)
        after = typos.apply(split, seed=0)
        pairs = zip(captions, after.captions, strict=True)
        counts = [sum(a != b for a, b in zip(*pair, strict=True)) for pair in pairs]
        assert np.mean(counts) == pytest.approx(7 * typos.strength, abs=0.1)
        assert max(counts) - min(counts) <= 1


def test_a_higher_severity_keeps_the_typos_of_a_lower_one() -> None:
    split = digits()
    mild, severe = (Typos(severity=severity).apply(split, seed=1) for severity in (2, 4))
    for words, few, many in zip(split.captions, mild.captions, severe.captions, strict=True):
        for word, a, b in zip(words, few, many, strict=True):
            assert a in (word, b)


def test_neighbours_on_the_keyboard_touch() -> None:
    assert NEIGHBOURS["q"] == "aw"
    assert NEIGHBOURS["a"] == "qswz"
    assert NEIGHBOURS["g"] == "bfhtvy"
    assert NEIGHBOURS["s"] == "adewxz"
    assert NEIGHBOURS["p"] == "lo"
    assert NEIGHBOURS["m"] == "jkn"
    assert set(NEIGHBOURS) == set(ascii_lowercase)
    for letter, others in NEIGHBOURS.items():
        assert 2 <= len(others) <= 6
        assert letter not in others
        assert all(letter in NEIGHBOURS[other] for other in others)


# Synonyms


def test_a_table_is_read(tmp_path: Path) -> None:
    path = tmp_path / "table.tsv"
    path.write_bytes("\ufeffDog\tHound\tman's best friend\t\r\n\r\nrow \t line\n".encode())
    assert read_synonyms(path) == {"dog": (("hound",), ("man's", "best", "friend")), "row": (("line",),)}
    path.write_text("cat\ttom\n")
    assert read_synonyms(path) == {"cat": (("tom",),)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"dog\thound\ncat tom\n", "line 2: found 'cat tom', expected a word, a tab, and its synonyms"),
        (b"dog\t\n", "line 1: found 'dog', expected a word, a tab, and its synonyms"),
        (b"\n\thound\n", r"line 2: found '\\thound', expected a word"),
        (b"dog\t\thound\n", r"line 1: found 'dog\\t\\thound', expected a word"),
        (b"hot dog\tsausage\n", r"line 1: found 'hot dog\\tsausage', expected a word"),
        (b"dog\tdog\n", "line 1: found 'dog' as its own synonym, expected another word"),
        (b"dog\ta\nDog\tb\n", "line 2: found 'dog' again after line 1, expected one line for each word"),
        (b"dog\thound\ncaf\xe9\tbar\n", "line 2: found the byte 0xe9, expected UTF-8 text"),
        (b"\n \n", "found no line, expected a word, a tab, and its synonyms"),
    ],
)
def test_a_malformed_table_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "table.tsv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"^{path}: {message}"):
        read_synonyms(path)
    with pytest.raises(ValidationError, match=message):
        Synonyms(table=str(path))


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.tsv", tmp_path):
        with pytest.raises(ValueError, match=f"^{path}: found no such file, expected a table of synonyms"):
            read_synonyms(path)
        with pytest.raises(ValidationError, match="found no such file"):
            Synonyms(table=str(path))
    with pytest.raises(ValidationError, match="table"):
        Synonyms.model_validate({})


def test_the_fingerprint_is_of_the_tables_content_not_of_its_place(tmp_path: Path, table: Path) -> None:
    other = tmp_path / "other.tsv"
    other.write_text(TABLE, encoding="utf-8")
    before = Synonyms(table=str(table)).fingerprint()
    assert Synonyms(table=str(other)).fingerprint() == before
    other.write_text(TABLE + "cat\ttom\n", encoding="utf-8")
    assert Synonyms(table=str(other)).fingerprint() != before


def test_words_give_way_to_synonyms_of_their_own(table: Path, split: Split) -> None:
    synonyms = read_synonyms(table)
    after = Synonyms(table=str(table), severity=5).apply(split, seed=0)
    for number, words in enumerate(split.captions):
        rest = list(after.captions[number])
        for word in words:
            fits = [new for new in synonyms.get(word, ((word,),)) if tuple(rest[: len(new)]) == new]
            assert fits
            del rest[: len(fits[0])]
        assert not rest


# Distractors


def test_distractors_stand_around_the_caption(split: Split) -> None:
    for severity in SEVERITIES:
        added = set()
        for place in ("before", "after", "either"):
            options = {"severity": severity, "place": place, "phrases": ("x1", "x2 x2")}
            after = Distractors.model_validate(options).apply(split, seed=0)
            for words, others in zip(split.captions, after.captions, strict=True):
                first = next(i for i, word in enumerate(others) if not word.startswith("x"))
                assert tuple(others[first : first + len(words)]) == tuple(words)
                front, back = others[:first], others[first + len(words) :]
                assert place == "either" or not (back if place == "before" else front)
                assert front.count("x1") + back.count("x1") in (severity // 2, (severity + 1) // 2)
                assert front.count("x1") + back.count("x1") + (others.count("x2") // 2) == severity
                added.add((bool(front), bool(back)))
        assert {(True, False), (False, True)} <= added


def test_built_in_phrases_are_short_and_none_is_used_twice() -> None:
    assert len(PHRASES) == len(set(PHRASES)) >= 5
    assert {len(phrase.split()) for phrase in PHRASES} <= {3, 4, 5, 6}
    after = Distractors(severity=5, place="after").caption(["rain"], 0, 0)
    text = " ".join(after)
    assert sum(phrase in text for phrase in PHRASES) == 5


@pytest.mark.parametrize("phrase", ["", "  ", "In this picture"])
def test_phrases_are_words_in_lower_case(phrase: str) -> None:
    with pytest.raises(ValidationError, match="expected some words in lower case"):
        Distractors(phrases=(phrase,))


# Word order


@pytest.mark.parametrize("severity", SEVERITIES)
def test_words_are_shuffled_within_their_windows(severity: int) -> None:
    words = [f"w{number}" for number in range(40)]
    size = (2, 3, 4, 6, 40)[severity - 1]
    furthest = 0
    for number in range(100):
        after = WordOrder(severity=severity).caption(words, 0, number)
        assert sorted(after) == sorted(words)
        furthest = max(furthest, *(abs(place - int(word[1:])) for place, word in enumerate(after)))
    assert furthest == size - 1 if severity < 5 else furthest > 30


def test_the_words_of_a_caption_stay_the_same_ones(split: Split) -> None:
    for severity in SEVERITIES:
        after = WordOrder(severity=severity).apply(split, seed=0)
        for words, others in zip(split.captions, after.captions, strict=True):
            assert sorted(words) == sorted(others)


# Captions as they are written


def test_the_written_caption_follows_its_words() -> None:
    text, words = 'The "dog" isn\'t here.', ("the", "``", "dog", "''", "is", "n't", "here", ".")
    own = [(word, place) for place, word in enumerate(words)]
    assert rewritten_text(text, words, list(own)) == text
    typos = [("teh", 0), *own[1:2], ("dogg", 2), *own[3:]]
    assert rewritten_text(text, words, list(typos)) == 'Teh "dogg" isn\'t here.'
    around = [("by", None), ("the", None), ("way", None), *own, ("so", None)]
    assert rewritten_text(text, words, list(around)) == f"by the way {text} so"
    assert rewritten_text("A dog, there", ("a", "dog", "there"), [("dog", 1), ("a", 0), ("there", 2)]) == (
        "dog A there"
    )
    assert (
        rewritten_text("A dog!", ("a", "dog"), [("a", 0), ("man's", 1), ("friend", 1)]) == "A man's friend!"
    )
    assert rewritten_text("Other words", ("a", "dog"), [("a", 0), ("dgo", 1)]) == "a dgo"
    assert rewritten_text("!", (), []) == "!"


def test_pretrained_models_read_the_perturbed_captions(table: Path) -> None:
    split = photos()
    for perturbation in of_kind("texts", table):
        after = at(perturbation, 5).apply(split, seed=0)
        assert after.texts is not None and after.texts != split.texts
        for text, words in zip(after.texts, after.captions, strict=True):
            assert "".join(text.lower().split()) == "".join(words)
    assert Typos(severity=1).apply(digits(), seed=0).texts is None


# Images


def test_noise_has_the_deviation_of_its_severity() -> None:
    grey = np.full((200, 200, 3), 128, np.uint8)
    for severity, share in zip((1, 2, 3), (0.08, 0.12, 0.18), strict=True):
        noise = Noise(severity=severity).picture(grey, 0, 0).astype(float) - 128
        assert noise.mean() == pytest.approx(0, abs=0.5)
        assert noise.std() == pytest.approx(255 * share, rel=0.02)
        assert np.abs(np.corrcoef(noise.reshape(-1, 3).T)[0, 1]) < 0.03


@pytest.mark.parametrize("shape", [(30, 41), (41, 30, 3), (1, 1), (2, 300)])
@pytest.mark.parametrize("severity", SEVERITIES)
def test_blur_is_what_scipy_computes(shape: tuple[int, ...], severity: int) -> None:
    image = np.random.RandomState(0).randint(0, 256, shape, np.uint8)
    blur = Blur(severity=severity)
    deviation = blur.strength * min(shape[:2])
    expected = gaussian_filter(
        image.astype(float), (deviation, deviation, 0)[: image.ndim], mode="reflect", truncate=4
    )
    found = blur.picture(image, 0, 0)
    assert np.abs(found - expected).max() < 1.5  # the tail beyond three deviations, and rounding


def test_blur_leaves_a_plain_image_alone() -> None:
    for grey in (0, 77, 255):
        assert np.all(Blur(severity=5).picture(np.full((25, 30), grey, np.uint8), 0, 0) == grey)


def test_contrast_is_lost_around_the_mean_of_each_colour() -> None:
    image = np.zeros((1, 2, 3), np.uint8)
    image[0, :, 0], image[0, :, 1], image[0, :, 2] = (0, 200), (50, 60), (9, 9)
    for severity, left in zip(SEVERITIES, (0.4, 0.3, 0.2, 0.1, 0.05), strict=True):
        found = Contrast(severity=severity).picture(image, 0, 0)
        assert found[0, :, 0].tolist() == [round(100 - 100 * left), round(100 + 100 * left)]
        assert found[0, :, 1].tolist() == [round(55 - 5 * left), round(55 + 5 * left)]
        assert found[0, :, 2].tolist() == [9, 9]


@pytest.mark.parametrize("shape", [(50, 80), (80, 50, 3)])
@pytest.mark.parametrize("severity", SEVERITIES)
def test_occlusion_hides_a_square_of_its_share(shape: tuple[int, ...], severity: int) -> None:
    image = np.random.RandomState(0).randint(0, 2, shape, np.uint8) * np.uint8(255)  # none is the mean
    mean = round(float(image.mean()))
    places = set()
    for number in range(20):
        occlusion = Occlusion(severity=severity)
        hidden = occlusion.picture(image, 0, number)
        assert hidden.shape == image.shape
        changed = hidden != image
        rows, columns = np.nonzero(changed if changed.ndim == 2 else changed.any(2))
        top, left, side = rows.min(), columns.min(), rows.max() - rows.min() + 1
        assert np.all(hidden[top : top + side, left : left + side] == mean)
        assert columns.max() - left + 1 == side
        assert side**2 / (50 * 80) == pytest.approx(occlusion.strength, abs=2 * 0.5 * side / 4000 + 0.001)
        places.add((int(top), int(left)))
    assert len(places) > 5


def test_occlusion_stays_within_a_long_image() -> None:
    image = np.tile(np.array([0, 200], np.uint8), (4, 100))
    hidden = Occlusion(severity=5).picture(image, 0, 0)
    assert (hidden == 100).sum() == 16


def test_pictures_may_differ_in_size(table: Path) -> None:
    random = np.random.RandomState(0)
    pictures = [random.randint(0, 256, (20 + 3 * i, 30, 3), np.uint8) for i in range(6)]
    split = replace(photos(), scenes=OfSeveralSizes(pictures))
    for perturbation in of_kind("images", table):
        assert isinstance(perturbation, ImagePerturbation)
        after = perturbation.apply(split, seed=3).scenes
        assert after is not None and len(after) == 6
        some = after[np.array([4, 2])]
        assert [picture.shape for picture in some] == [(32, 30, 3), (26, 30, 3)]
        assert np.array_equal(some[0], after[4])
        assert np.array_equal(some[0], perturbation.picture(pictures[4], 3, 4))


@pytest.mark.parametrize("picture", [np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4)), np.zeros(4, np.uint8)])
def test_what_is_no_picture_is_refused(picture: NDArray[Any], table: Path) -> None:
    for perturbation in of_kind("images", table):
        assert isinstance(perturbation, ImagePerturbation)
        with pytest.raises(ValueError, match=f"^{perturbation.name}: found an image of shape"):
            perturbation.picture(picture, 0, 0)


def test_patches_see_the_perturbed_images(table: Path) -> None:
    split = digits()
    assert split.scenes is not None
    for perturbation in of_kind("images", table):
        for scenes in (split.scenes, Guarded(np.asarray(split.scenes), *range(20))):
            after = perturbation.apply(replace(split, scenes=scenes), seed=0)
            seen, plain = Patches().view(after).regions[:2], Patches().view(split).regions[:2]
            assert seen.shape == plain.shape
            assert not np.array_equal(seen, plain)


# Regions


def test_region_noise_is_as_long_as_a_share_of_the_region() -> None:
    regions = (np.random.RandomState(0).rand(40, 6, 256) * np.arange(1, 7)[:, None]).astype(np.float32)
    present = np.ones((40, 6), np.bool_)
    present[:, 5] = False
    split = replace(
        digits(), regions=regions, present=present, boxes=np.zeros((40, 6, 4), np.float32), scenes=None
    )
    for severity, share in zip(SEVERITIES, (0.1, 0.2, 0.4, 0.7, 1.0), strict=True):
        after = RegionNoise(severity=severity).apply(split, seed=0).regions[:]
        lengths = np.linalg.norm(after - regions, axis=2) / np.linalg.norm(regions, axis=2)
        assert lengths[:, :5].mean() == pytest.approx(share, rel=0.02)
        assert lengths[:, :5].std() < 0.1 * share
        assert not lengths[:, 5].any()  # padding


def test_some_regions_go_and_one_stays() -> None:
    split = photos()
    many = replace(
        split,
        regions=np.ones((300, 10, 2), np.float32),
        boxes=np.zeros((300, 10, 4), np.float32),
        present=np.ones((300, 10), np.bool_),
        scenes=None,
    )
    for severity, share in zip(SEVERITIES, (0.1, 0.25, 0.4, 0.55, 0.7), strict=True):
        dropped = DroppedRegions(severity=severity)
        for seed in range(20):
            after = dropped.apply(split, seed)
            assert np.all(after.present <= split.present)
            assert after.present.any(1).all()
            assert after.present[2].tolist() == split.present[2].tolist()  # which has one region only
            assert not after.regions[:][~after.present].any()
            assert np.array_equal(after.regions[:][after.present], split.regions[:][after.present])
        after = dropped.apply(many, seed=0)
        assert 1 - after.present.mean() == pytest.approx(share, abs=0.01)
        assert dropped.gone(many.present[7], 0, 7) != dropped.gone(many.present[7], 0, 8)
        assert np.flatnonzero(~after.present[7]).tolist() == sorted(dropped.gone(many.present[7], 0, 7))


def test_an_image_without_regions_stays_so() -> None:
    split = photos()
    split = replace(split, present=split.present & (np.arange(6) > 0)[:, None])
    assert not DroppedRegions(severity=5).apply(split, seed=0).present[0].any()
