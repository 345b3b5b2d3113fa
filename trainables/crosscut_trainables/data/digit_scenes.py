"""The embedded data set: scenes of real handwritten digits, with captions that tell some of what is there."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import replace
from functools import lru_cache
from importlib.util import find_spec
from math import comb
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from crosscut_trainables.data.captioning import CAPTIONS, caption
from crosscut_trainables.data.detector import detect, features, shares
from crosscut_trainables.data.drawing import Drawing, draw_glyph, draw_picture
from crosscut_trainables.data.draws import Draws
from crosscut_trainables.data.phrase import SINGULAR, Phrase, Told
from crosscut_trainables.data.phrasing import Language, retell
from crosscut_trainables.data.quality import Text, accurate, ambiguous, incomplete
from crosscut_trainables.data.scene import GLYPH, Box, Layout, Scene, numbers, render
from crosscut_trainables.data.split import Dataset, Split, SplitName

VERSION = 1
"""Raised whenever the same options give other arrays or captions than before."""

SPLITS: tuple[SplitName, ...] = ("test", "dev", "train")
"""In the order in which their layouts are drawn. Train comes last, so that an ablation over the amount of
training data keeps its dev and test scenes."""
SHARES: dict[SplitName, float] = {"train": 0.5, "dev": 0.2, "test": 0.3}
"""Share of the digit images of every class that belongs to a split."""

DOMAINS = ("drawing", "composition", "language", "text")
"""The options that make another domain of the same data."""

_GLYPHS, _LAYOUTS, _RENDER, _CAPTION, _DETECT, _DRAWING, _LANGUAGE = range(7)
"""What a stream of random choices is for."""


class DigitScenes(Dataset):
    """Handwritten digits on a grid, with five captions a scene.

    The digits are the 1,797 images of 8 by 8 pixels that scikit-learn ships (the test part of the UCI set
    "Optical Recognition of Handwritten Digits", written by 13 people). The splits share no digit image and no
    layout of a scene. Everything follows from the options; nothing is read but scikit-learn's file.

    `drawing`, `composition`, `language` and `text` make other domains of the same data, to train on one and
    retrieve on another: of one seed, no split of any domain has a digit image of another split of any domain.
    """

    summary: ClassVar[str] = "scenes of handwritten digits with generated captions; ships with Crosscut"

    name: Literal["digit-scenes"] = "digit-scenes"
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of the data, not of a run, 0 to 2³² - 1.")
    train_scenes: int = Field(600, ge=1, le=50_000, description="Scenes of the train split, 1 to 50000.")
    dev_scenes: int = Field(150, ge=1, le=10_000, description="Scenes of the dev split, 1 to 10000.")
    test_scenes: int = Field(300, ge=1, le=10_000, description="Scenes of the test split, 1 to 10000.")
    grid: int = Field(3, ge=2, le=4, description="Rows, and columns, of a scene, 2 to 4.")
    min_digits: int = Field(
        2, ge=1, le=9, description="Fewest digits of a scene, 2 to 9; 1 where the text is of a single object."
    )
    max_digits: int = Field(
        5, ge=1, le=9, description="Most digits of a scene, 2 to 9; 1 where the text is of a single object."
    )
    regions: int = Field(
        8, ge=2, le=20, description="Regions of an image, its digits and for the rest distractors, 2 to 20."
    )
    noise: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Amplitude of the noise on pixels, as a share of full brightness, 0 to 1.",
    )

    drawing: Drawing = Field(
        "plain",
        description="How the scenes are drawn, with the same digits and captions: plain, noise, blur, inversion, "
        "thick or thin strokes, or rotation of every digit by up to 30 degrees.",
    )
    composition: Literal["usual", "dense"] = Field(
        "usual",
        description="How full the scenes are: usual, or dense: more than max_digits digits, up to as many as grid "
        "and regions allow.",
    )
    language: Language = Field(
        "usual",
        description="How captions are worded: usual, paraphrase (other words and constructions), terse (without "
        "articles and verbs) or verbose (with fillers).",
    )
    text: Text = Field(
        "usual",
        description="What captions tell: usual; accurate (all there is) or incomplete (a part of it), both of "
        "scenes with a single number; or ambiguous (true of several scenes of the split).",
    )

    @property
    def single(self) -> bool:
        """Whether a scene has a single object, which is a number."""
        return self.text in ("accurate", "incomplete")

    @property
    def counts(self) -> tuple[int, int]:
        """Fewest and most digits of a scene, after what composition and text make of the options."""
        if self.single:
            return self.min_digits, min(self.max_digits, self.grid)
        if self.composition == "dense":
            return self.max_digits + 1, min(self.grid**2, self.regions, len(SINGULAR) - 1)
        return self.min_digits, self.max_digits

    @model_validator(mode="after")
    def _possible(self) -> DigitScenes:
        if self.min_digits > self.max_digits:
            raise ValueError(f"min_digits {self.min_digits} is above max_digits {self.max_digits}")
        cells = self.grid**2
        if self.max_digits > cells:
            raise ValueError(
                f"max_digits {self.max_digits} is more than the {cells} cells of grid {self.grid}"
            )
        if self.max_digits > self.regions:
            raise ValueError(
                f"regions {self.regions} is below max_digits {self.max_digits}: every digit is a region"
            )
        self._domain_possible()
        fewest, most = self.counts
        if self.single:
            layouts = numbers(self.grid, fewest, most)
        else:
            # Layouts are drawn until they differ; far from exhausting them, that takes few draws.
            layouts = sum(comb(cells, k) * 10**k for k in range(fewest, most + 1)) // 4
        wanted = self.train_scenes + self.dev_scenes + self.test_scenes
        if wanted > layouts:
            raise ValueError(
                f"{wanted} scenes are too many for grid {self.grid} with {fewest} to {most} digits: "
                f"at most {layouts} differ{'' if self.single else ' well enough'}"
            )
        return self

    def _domain_possible(self) -> None:
        fewest, most = self.counts
        if self.single:
            if self.composition == "dense":
                raise ValueError(
                    f"composition dense is of many digits, but text {self.text} of a single object"
                )
            if fewest > most:
                raise ValueError(
                    f"text {self.text} is of a single number, which has at most {most} digits on grid "
                    f"{self.grid}, but min_digits is {fewest}"
                )
            return
        if self.min_digits < 2:
            raise ValueError(f"min_digits 1 goes with text accurate or incomplete, but text is {self.text}")
        if fewest > most:
            raise ValueError(
                f"composition dense needs more than max_digits {self.max_digits}, but grid {self.grid} and "
                f"regions {self.regions} allow no more than {most} digits"
            )
        fewest_scenes = min(self.train_scenes, self.dev_scenes, self.test_scenes)
        if self.text == "ambiguous" and fewest_scenes < 2:
            raise ValueError("text ambiguous is true of two scenes or more, but a split has only one")

    def load(self, split: SplitName) -> Split:
        return _load(self, split)

    def fingerprint(self) -> str:
        return self._hash(self.model_dump(mode="json"))

    def units(self) -> str:
        # How scenes are drawn and told of leaves alone what is in them, but that they may be of a single object.
        options = {**self.model_dump(mode="json"), "drawing": "plain", "language": "usual"}
        return self._hash({**options, "text": "accurate" if self.single else "usual"})

    def _hash(self, options: dict[str, object]) -> str:
        for name in DOMAINS:
            # The usual domain adds nothing: its data keep the fingerprint that they had before there were domains.
            if options[name] == type(self).model_fields[name].default:
                del options[name]
        written = json.dumps(options, sort_keys=True)
        digest = hashlib.sha256(f"digit-scenes {VERSION}\n{written}\n".encode())
        digest.update(_digits_file())
        return digest.hexdigest()


@lru_cache(maxsize=1)
def _digits_file() -> bytes:
    """scikit-learn's digits, unpacked; read without importing scikit-learn, which takes a second."""
    package = find_spec("sklearn")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("digit-scenes needs scikit-learn, which ships the digits")
    return gzip.decompress((Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz").read_bytes())


@lru_cache(maxsize=1)
def _digits() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """(1797, 8, 8) images, 0 to 255, and (1797,) which digit each is."""
    table = np.array(_digits_file().replace(b"\n", b",").rstrip(b",").split(b","), dtype=np.float64)
    table = table.reshape(-1, GLYPH * GLYPH + 1)
    # The file has 17 grey values, 0 to 16.
    images = (table[:, :-1] * 255 // 16).astype(np.uint8).reshape(-1, GLYPH, GLYPH)
    return images, table[:, -1].astype(np.int64)


@lru_cache(maxsize=8)
def glyph_pools(seed: int) -> dict[SplitName, tuple[tuple[int, ...], ...]]:
    """Per split and digit, the numbers of the digit images that are its own."""
    _, labels = _digits()
    pools: dict[SplitName, list[tuple[int, ...]]] = {split: [] for split in SPLITS}
    draws = Draws(seed, _GLYPHS)
    for digit in range(10):
        numbers = draws.shuffled(np.flatnonzero(labels == digit).tolist())
        start, share = 0, 0.0
        for split in SPLITS:
            share += SHARES[split]
            end = round(share * len(numbers))
            pools[split].append(tuple(numbers[start:end]))
            start = end
    return {split: tuple(pool) for split, pool in pools.items()}


@lru_cache(maxsize=8)
def layouts(options: DigitScenes) -> dict[SplitName, tuple[Layout, ...]]:
    """The layouts of every split, no two of them the same."""
    scenes = {"train": options.train_scenes, "dev": options.dev_scenes, "test": options.test_scenes}
    seen: set[Layout] = set()
    drawn: dict[SplitName, tuple[Layout, ...]] = {}
    draw = Layout.draw_number if options.single else Layout.draw
    for number, split in enumerate(SPLITS):
        draws = Draws(options.seed, _LAYOUTS, number)
        own: list[Layout] = []
        while len(own) < scenes[split]:
            layout = draw(draws, options.grid, *options.counts)
            if layout not in seen:
                seen.add(layout)
                own.append(layout)
        drawn[split] = tuple(own)
    return drawn


def draw_scene(options: DigitScenes, split: SplitName, index: int) -> tuple[Scene, tuple[int, ...]]:
    """One scene of a split, and the numbers of the digit images in it, which differ from each other."""
    layout = layouts(options)[split][index]
    path = (SPLITS.index(split), index)
    draws, looks = Draws(options.seed, _RENDER, *path), Draws(options.seed, _DRAWING, *path)
    images, _ = _digits()
    chosen: list[int] = []
    for _, digit in layout.digits:
        pool = glyph_pools(options.seed)[split][digit]
        chosen.append(draws.pick([number for number in pool if number not in chosen]))
    glyphs = [draw_glyph(options.drawing, images[number], looks) for number in chosen]
    scene = render(layout, glyphs, options.noise, draws)
    return replace(scene, image=draw_picture(options.drawing, scene.image, looks)), tuple(chosen)


def tell(options: DigitScenes, split: SplitName, index: int, scene: Scene) -> list[Phrase]:
    """The captions of one scene of a split."""
    path = (SPLITS.index(split), index)

    def captions(draws: Draws) -> list[Told]:
        if options.text == "accurate":
            return accurate(scene, draws)
        if options.text == "incomplete":
            return incomplete(scene, draws)
        if options.text == "ambiguous":
            # The scenes before it, so that more scenes leave its captions as they are; for the first, the second.
            drawn = layouts(options)[split]
            return ambiguous(scene, drawn[:index] or drawn[1:2], draws)
        return caption(scene, draws)

    told = captions(Draws(options.seed, _CAPTION, *path))
    return retell(told, options.language, Draws(options.seed, _LANGUAGE, *path), captions)


@lru_cache(maxsize=32)
def _load(options: DigitScenes, split: SplitName) -> Split:
    images: list[NDArray[np.uint8]] = []
    boxes: list[list[Box]] = []
    captions: list[tuple[str, ...]] = []
    referents: list[tuple[NDArray[np.float32], ...]] = []
    number = SPLITS.index(split)
    for index in range(len(layouts(options)[split])):
        scene, _ = draw_scene(options, split, index)
        images.append(scene.image)
        boxes.append(detect(scene, options.regions, Draws(options.seed, _DETECT, number, index)))
        places: dict[tuple[Box, ...], NDArray[np.float32]] = {}
        for phrase in tell(options, split, index, scene):
            captions.append(tuple(word for word, _ in phrase))
            for _, place in phrase:
                if place not in places:
                    places[place] = shares(np.array(place, np.int64).reshape(-1, 4), scene.side)
            referents.append(tuple(places[place] for _, place in phrase))
    scenes = np.stack(images)
    return Split(
        regions=features(scenes, boxes),
        boxes=shares(np.array(boxes, np.int64), scenes.shape[1]),
        present=np.ones((len(scenes), options.regions), np.bool_),
        captions=captions,
        image_of=np.repeat(np.arange(len(scenes), dtype=np.int32), CAPTIONS),
        referents=referents,
        scenes=scenes,
    )
