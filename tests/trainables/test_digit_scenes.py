"""Digit scenes: what they are made of, that splits share nothing, that they never change unnoticed."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError

from crosscut_trainables.data import digit_scenes
from crosscut_trainables.data.digit_scenes import (
    SPLITS,
    VERSION,
    DigitScenes,
    draw_scene,
    glyph_pools,
    layouts,
)
from crosscut_trainables.data.split import Split

DEFAULT = DigitScenes()
SMALL = DigitScenes(train_scenes=12, dev_scenes=6, test_scenes=8)

CONTENT = {
    1: "a33fd651a357280e8483491b091023d6ec843dfb34040bd89f548cfbe514dad5",
}
"""VERSION → hash of the default splits. A change of the generator needs a new VERSION and a new line here."""

BEFORE_DOMAINS: list[tuple[dict[str, float], str]] = [
    ({"seed": 1}, "ed59718c73e2f26e471e8dd5dd29754704b278cf60a8c17a152b1ad3699ace9d"),
    ({"grid": 2, "max_digits": 4}, "9e6e6fff2a6c511bee4285287482669cdb95a8a3cfa09cbb7c8d4fb3d8bc8268"),
    (
        {"grid": 4, "max_digits": 9, "min_digits": 4, "regions": 12},
        "3293d44516d25be460dfcbef8a8527a490b0016b143db241dde2ce70140ed78e",
    ),
    (
        {"max_digits": 9, "min_digits": 8, "regions": 12},
        "62a6c3a00a0c14461e01a7b5e914d8d67c55f62cc6ca38cfc60f64e503ac9605",
    ),
    ({"noise": 0.3, "regions": 20}, "af6921b69744205188b13f0fb4c5cc261de87647ff3961eb63a928a54feb3183"),
    (
        {"max_digits": 2, "min_digits": 2, "regions": 2, "seed": 4294967295},
        "51910c033691c54fa102c5494dc353aab46ba94376c50d3a6b226a7c1258bd99",
    ),
    (
        {"max_digits": 3, "min_digits": 3, "noise": 0},
        "0e6cb5d13b3a6231a4c675099e558e70286998324c19e4d214cd151264f23b0a",
    ),
]
"""Other options → hash of their splits of 60, 20 and 30 scenes (the first: of the default sizes), as they were
before there were domains."""


def content(split: Split) -> bytes:
    """Everything that a split holds, as bytes."""
    assert split.referents is not None
    assert split.scenes is not None
    return b"".join(
        (
            split.regions.tobytes(),
            split.boxes.tobytes(),
            split.present.tobytes(),
            split.scenes.tobytes(),
            split.image_of.tobytes(),
            "\n".join(" ".join(words) for words in split.captions).encode(),
            b"".join(place.tobytes() + b"|" for words in split.referents for place in words),
        )
    )


def digest(options: DigitScenes) -> str:
    return hashlib.sha256(b"".join(content(options.load(split)) for split in SPLITS)).hexdigest()


def test_the_default_data_are_those_of_this_version() -> None:
    assert digest(DEFAULT) == CONTENT[VERSION]


@pytest.mark.parametrize(("options", "expected"), BEFORE_DOMAINS, ids=lambda value: str(value)[:40])
def test_the_usual_domain_is_to_the_byte_what_it_was_before_there_were_others(
    options: dict[str, float], expected: str
) -> None:
    sizes = {} if options == {"seed": 1} else {"train_scenes": 60, "dev_scenes": 20, "test_scenes": 30}
    assert digest(DigitScenes.model_validate({**sizes, **options})) == expected


def test_another_process_makes_the_same_bytes() -> None:
    script = (
        "import hashlib\n"
        "from crosscut_trainables.data.digit_scenes import DigitScenes\n"
        "options = DigitScenes(train_scenes=12, dev_scenes=6, test_scenes=8)\n"
        "data = options.load('train')\n"
        "words = '\\n'.join(' '.join(words) for words in data.captions).encode()\n"
        "print(hashlib.sha256(data.regions.tobytes() + words).hexdigest(), options.fingerprint())\n"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    data = SMALL.load("train")
    words = "\n".join(" ".join(words) for words in data.captions).encode()
    here = hashlib.sha256(data.regions.tobytes() + words).hexdigest()
    assert found.split() == [here, SMALL.fingerprint()]


def test_neither_the_data_nor_the_fingerprint_import_scikit_learn_or_torch() -> None:
    script = (
        "import sys\n"
        "from crosscut_trainables.data.digit_scenes import DigitScenes\n"
        "options = DigitScenes(train_scenes=2, dev_scenes=1, test_scenes=1)\n"
        "options.fingerprint(), options.load('train')\n"
        "print([name for name in ('sklearn', 'torch') if name in sys.modules])\n"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "[]"


def test_the_digits_are_those_that_scikit_learn_loads() -> None:
    from sklearn.datasets import load_digits  # type: ignore[import-untyped]

    images, labels = digit_scenes._digits()
    theirs = load_digits()
    assert np.array_equal(labels, theirs.target)
    assert np.array_equal(images, (theirs.images * 255 // 16).astype(np.uint8))
    assert len(labels) == 1797


@pytest.mark.parametrize("seed", [0, 1])
def test_digit_images_are_shared_out_over_the_splits(seed: int) -> None:
    _, labels = digit_scenes._digits()
    pools = glyph_pools(seed)
    numbers = [number for split in SPLITS for pool in pools[split] for number in pool]
    assert sorted(numbers) == list(range(1797))
    for split in SPLITS:
        for digit, pool in enumerate(pools[split]):
            assert {int(labels[number]) for number in pool} == {digit}
    assert [sum(map(len, pools[split])) for split in ("train", "dev", "test")] == pytest.approx(
        [0.5 * 1797, 0.2 * 1797, 0.3 * 1797], abs=10
    )


def test_no_scene_has_a_digit_image_of_another_split_or_one_twice() -> None:
    _, labels = digit_scenes._digits()
    used: dict[str, set[int]] = {}
    for split, count in (("train", 600), ("dev", 150), ("test", 300)):
        used[split] = set()
        for index in range(count):
            scene, numbers = draw_scene(DEFAULT, split, index)  # type: ignore[arg-type]
            assert len(set(numbers)) == len(numbers)
            assert [placed.digit for placed in scene.digits] == labels[list(numbers)].tolist()
            used[split] |= set(numbers)
    assert not used["train"] & used["dev"]
    assert not used["train"] & used["test"]
    assert not used["dev"] & used["test"]


def test_no_two_scenes_have_the_same_layout() -> None:
    drawn = [layout for split in SPLITS for layout in layouts(DEFAULT)[split]]
    assert len(drawn) == 1050
    assert len(set(drawn)) == len(drawn)


def test_scenes_have_two_to_five_digits_all_about_as_often() -> None:
    counts = np.bincount([len(layout.digits) for layout in layouts(DEFAULT)["train"]], minlength=6)
    assert counts[:2].sum() == 0
    # Four numbers of digits in 600 scenes: 150 each, standard deviation 10.6.
    assert np.all(np.abs(counts[2:] - 150) < 4 * 10.6)


def test_a_scene_shows_its_digits_and_dark_noise_around_them() -> None:
    images, _ = digit_scenes._digits()
    for index in range(50):
        scene, numbers = draw_scene(DEFAULT, "train", index)
        outside = np.ones(scene.image.shape, np.bool_)
        for placed, number in zip(scene.digits, numbers, strict=True):
            x1, y1, x2, y2 = placed.box
            x, y, right, bottom = scene.cell_box(placed.row, placed.column)
            assert x <= x1 < x2 <= right
            assert y <= y1 < y2 <= bottom
            shown = scene.image[y1:y2, x1:x2].astype(int)
            assert np.abs(shown - images[number].astype(int)).max() <= round(0.05 * 255)
            outside[y1:y2, x1:x2] = False
        assert scene.image[outside].max() <= round(0.05 * 255)


def test_more_training_scenes_keep_the_first_ones_and_the_other_splits() -> None:
    more = SMALL.model_copy(update={"train_scenes": 20})
    assert content(more.load("test")) == content(SMALL.load("test"))
    assert content(more.load("dev")) == content(SMALL.load("dev"))
    assert np.array_equal(more.load("train").regions[:12], SMALL.load("train").regions)
    assert list(more.load("train").captions[:60]) == list(SMALL.load("train").captions)


def test_another_seed_makes_other_scenes_and_captions() -> None:
    other = SMALL.model_copy(update={"seed": 1})
    assert not np.array_equal(other.load("train").regions, SMALL.load("train").regions)
    assert list(other.load("train").captions) != list(SMALL.load("train").captions)


def test_a_new_version_or_another_file_of_digits_is_another_fingerprint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = DEFAULT.fingerprint()
    monkeypatch.setattr(digit_scenes, "VERSION", VERSION + 1)
    assert DEFAULT.fingerprint() != before
    monkeypatch.setattr(digit_scenes, "VERSION", VERSION)
    assert DEFAULT.fingerprint() == before
    monkeypatch.setattr(digit_scenes, "_digits_file", lambda: b"0,1\n")
    assert DEFAULT.fingerprint() != before


def test_without_scikit_learn_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digit_scenes, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="scikit-learn"):
        digit_scenes._digits_file.__wrapped__()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_digits": 5, "max_digits": 4}, "min_digits 5 is above max_digits 4"),
        ({"grid": 2, "max_digits": 5}, "max_digits 5 is more than the 4 cells of grid 2"),
        ({"max_digits": 9, "regions": 8}, "regions 8 is below max_digits 9"),
        ({"grid": 2, "max_digits": 2}, "1050 scenes are too many for grid 2 with 2 to 2 digits: at most 150"),
        ({"grid": 5}, "less than or equal to 4"),
        ({"noise": -0.1}, "greater than or equal to 0"),
        ({"sees": 1}, "sees"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DigitScenes.model_validate(options)
