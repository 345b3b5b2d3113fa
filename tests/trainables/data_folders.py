"""Writes small folders in the true format of each data set that is read from files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from crosscut_trainables.data.precomputed import Precomputed
from crosscut_trainables.data.preparation import prepare

CAPTIONS = (
    "A man's dog isn't here.",
    "Two dogs play. One is brown.",
    "A girl in a red dress (smiling)",
    "a boat, on the water",
    "People walk down the street!",
)
COUNTS = {"train": 6, "dev": 3, "test": 4}


def precomputed(folder: Path, *, boxes: bool = True) -> None:
    """Features of 5 regions of 7 numbers, five captions an image."""
    random = np.random.default_rng(0)
    for split, count in COUNTS.items():
        np.save(folder / f"{split}_ims.npy", random.normal(size=(count, 5, 7)).astype(np.float32))
        lines = [f"{text} number {image}" for image in range(count) for text in CAPTIONS]
        (folder / f"{split}_caps.txt").write_text("\n".join(lines) + "\n")
        if boxes:
            corners = random.uniform(0, 0.5, (count, 5, 2))
            np.save(
                folder / f"{split}_boxes.npy", np.concatenate([corners, corners + 0.3], 2).astype(np.float32)
            )


def karpathy(folder: Path) -> None:
    """Pictures of several sizes, one to five captions an image, with a restval image."""
    (folder / "images").mkdir()
    images = []
    names = ["train"] * 5 + ["restval"] + ["val"] * 3 + ["test"] * 4
    for number, split in enumerate(names):
        _picture(folder / "images" / f"{number}.jpg", number)
        texts = [f"{text} number {number}" for text in CAPTIONS[: 1 + number % 5]]
        sentences = [{"raw": text, "tokens": text.lower().replace(".", "").split()} for text in texts]
        images.append({"split": split, "filename": f"{number}.jpg", "sentences": sentences})
    (folder / "dataset.json").write_text(json.dumps({"images": images, "dataset": "small"}))


def flickr8k(folder: Path) -> None:
    """Pictures, five captions each, and the three lists."""
    (folder / "Flicker8k_Dataset").mkdir()
    lines, number = [], 0
    for split, count in COUNTS.items():
        names = [f"{number + place}_ab.jpg" for place in range(count)]
        (folder / f"Flickr_8k.{split}Images.txt").write_text("\n".join(names) + "\n")
        for name in names:
            _picture(folder / "Flicker8k_Dataset" / name, number)
            lines += [f"{name}#{i}\t{text} number {number}" for i, text in enumerate(CAPTIONS)]
            number += 1
    (folder / "Flickr8k.token.txt").write_text("\n".join(lines) + "\n")


def _picture(path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (20 + seed % 3, 24 + seed % 2, 3), np.uint8)
    Image.fromarray(pixels).save(path, quality=95)


def nus_wide(folder: Path) -> None:
    """Two categories of 14 images each, with others that have both, none, or no tag."""
    for name in ("ImageList", "NUS_WID_Tags", "Groundtruth/AllLabels", "Flickr/animal"):
        (folder / name).mkdir(parents=True)
    lines, tags, labels = [], [], {"animal": [], "sky": []}
    for number in range(40):
        _picture(folder / "Flickr" / "animal" / f"{number:04}_{9000 + number}.jpg", number)
        lines.append(f"animal\\{number:04}_{9000 + number}.jpg")
        kind = number % 2 if number < 30 else 2 + number % 2
        labels["animal"].append(int(kind in (0, 2)))
        labels["sky"].append(int(kind in (1, 2)))
        text = "" if number in (0, 1) else f"holiday tag{number} {'dog' if kind == 0 else 'cloud'} nikon"
        tags.append(f"{9000 + number}      {text}".rstrip())
    (folder / "ImageList" / "Imagelist.txt").write_text("\r\n".join(lines) + "\r\n")
    (folder / "NUS_WID_Tags" / "All_Tags.txt").write_text("\n".join(reversed(tags)) + "\n")
    for name, values in labels.items():
        (folder / "Groundtruth" / "AllLabels" / f"Labels_{name}.txt").write_text(
            "\n".join(map(str, values)) + "\n"
        )


def prepared(folder: Path) -> None:
    """What is made of a small folder of region features."""
    with TemporaryDirectory() as source:
        precomputed(Path(source))
        prepare(Precomputed.model_validate({"folder": source}), folder)


WRITERS: dict[str, Callable[[Path], None]] = {
    "precomputed": precomputed,
    "karpathy": karpathy,
    "flickr8k": flickr8k,
    "nus-wide": nus_wide,
    "prepared": prepared,
}
"""Name of a data set → what writes a small folder of it."""

OPTIONS: dict[str, dict[str, object]] = {"nus-wide": {"categories": ["animal", "sky"], "each": 10}}
"""Name of a data set → the options that such a folder needs, where defaults will not do."""
