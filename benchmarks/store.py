"""What `crosscut data prepare` saves: captions, pictures and regions from the store against from their files.

    python benchmarks/store.py [--captions 150000] [--pictures 300] [--regions 2000] [--repeats 5] [--folder DIR]

Writes data sets of synthetic captions, of JPEG pictures of 640 × 480 made by Pillow, and of features of 36 regions
by 2,048 numbers, prepares each, and reads both in turn in this process, with files in the page cache. Pictures are
brought to 224 × 224 and read one by one, features in batches of 128 images, both in a random order. A time is the
median of the repeats. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from machine import machine
from PIL import Image

from crosscut_trainables.data.file_data import FileData
from crosscut_trainables.data.karpathy import Karpathy
from crosscut_trainables.data.pictures import resized
from crosscut_trainables.data.precomputed import Precomputed
from crosscut_trainables.data.preparation import prepare
from crosscut_trainables.data.prepared import Prepared
from crosscut_trainables.data.split_files import Making

EACH, FEW = 5, 4
"""Captions of an image, and images of dev and of test, which are not read."""
REGIONS, FEATURES, BATCH = 36, 2048, 128
WIDTH, HEIGHT, SIDE, QUALITY = 640, 480, 224, 90
TEXT = (
    "a the two man woman dog boy girl's red blue street water ball tree young holds runs isn't in on with of and "
    "wearing standing playing people shirt front"
)
WORDS = TEXT.split()


def sentences(count: int, random: np.random.Generator) -> list[str]:
    """Captions of 8 to 14 words as they are written: a capital, a full stop, a comma now and then."""
    made = []
    for number in range(count):
        words = [WORDS[place] for place in random.integers(0, len(WORDS), random.integers(8, 15))]
        words[len(words) // 2] += "," * (number % 3 == 0)
        made.append(" ".join(words).capitalize() + ".")
    return made


def regions(folder: Path, images: int, shape: tuple[int, int]) -> FileData:
    """A data set of region features with five captions an image."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for split, count in (("train", images), ("dev", FEW), ("test", FEW)):
        array = np.lib.format.open_memmap(folder / f"{split}_ims.npy", "w+", np.float32, (count, *shape))
        for number in range(count):
            array[number] = random.standard_normal(shape, np.float32)
        array.flush()
        (folder / f"{split}_caps.txt").write_text("\n".join(sentences(EACH * count, random)) + "\n")
    return Precomputed(folder=str(folder))


def pictures(folder: Path, images: int) -> FileData:
    """A data set of JPEG pictures: smooth shapes with a little noise, as large in bytes as photographs."""
    (folder / "images").mkdir(parents=True)
    random, listed = np.random.default_rng(0), []
    for number, split in enumerate(["train"] * images + ["val"] * FEW + ["test"] * FEW):
        coarse = Image.fromarray(random.integers(0, 256, (12, 16, 3), np.uint8))
        smooth = np.asarray(coarse.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC), np.int16)
        noisy = smooth + random.integers(-12, 13, smooth.shape)
        picture = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
        picture.save(folder / "images" / f"{number}.jpg", quality=QUALITY)
        told = [{"raw": text} for text in sentences(EACH, random)]
        listed.append({"split": split, "filename": f"{number}.jpg", "sentences": told})
    (folder / "dataset.json").write_text(json.dumps({"images": listed}))
    return Karpathy(folder=str(folder))


def seconds(read: Callable[[], object]) -> float:
    """Wall seconds of a reading."""
    started = time.perf_counter()
    read()
    return time.perf_counter() - started


def in_turn(repeats: int, *reads: Callable[[], object]) -> list[float]:
    """The median seconds of each reading; they are called in turn, after a call each that is not counted."""
    took = [[seconds(read) for read in reads] for _ in range(repeats + 1)]
    return [median(times) for times in zip(*took[1:], strict=True)]


def size(folder: Path) -> float:
    """MiB of all files in a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 2**20


def stored(source: FileData, folder: Path, making: Making | None = None) -> tuple[Prepared, float]:
    """The store of a data set, and the seconds to prepare it."""
    took = seconds(lambda: prepare(source, folder, making))
    return Prepared(folder=str(folder)), took


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Reading prepared data against reading their files.")
    parser.add_argument("--captions", type=int, default=150_000, help="of the train split (default: 150000)")
    parser.add_argument("--pictures", type=int, default=300, help="of the train split (default: 300)")
    parser.add_argument("--regions", type=int, default=2000, help="images with features (default: 2000)")
    parser.add_argument("--repeats", type=int, default=5, help="counted readings of each (default: 5)")
    parser.add_argument("--folder", help="where the data go for the time (default: a temporary folder)")
    asked = parser.parse_args()
    for name, least in (("captions", EACH), ("pictures", 1), ("regions", 1), ("repeats", 1)):
        if getattr(asked, name) < least:
            parser.error(f"--{name}: found {getattr(asked, name)}, expected {least} or more")

    print(machine("numpy", "pyarrow", "nltk", "pillow") + "\n")
    folder = Path(tempfile.mkdtemp(prefix="crosscut-store-", dir=asked.folder))
    try:
        print_captions(folder, asked.captions // EACH, asked.repeats)
        print_images(folder, asked.pictures, asked.regions, asked.repeats)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def print_captions(folder: Path, images: int, repeats: int) -> None:
    """How long the captions of a split take to load."""
    source = regions(folder / "captions", images, (1, 8))
    store, took = stored(source, folder / "captions-store")
    source.read("dev")  # NLTK is imported
    one, other = in_turn(repeats, lambda: source.read("train"), lambda: store.read("train"))
    print(f"| {images * EACH:,} captions | seconds to load | ratio |")
    print("|---|---:|---:|")
    print(f"| `precomputed`, cut into words by treebank | {one:.2f} | |")
    print(f"| `prepared` | {other:.3f} | {one / other:.0f} |")
    print(f"\nPrepared in {took:.1f} s.\n")


def print_images(folder: Path, count: int, featured: int, repeats: int) -> None:
    """How many images of each kind are read in a second, in a random order."""
    random = np.random.default_rng(1)
    print("| images | a second | ratio | prepared in, s | MiB of files |")
    print("|---|---:|---:|---:|---:|")

    jpeg = pictures(folder / "pictures", count)
    store, took = stored(jpeg, folder / "pictures-store", Making(side=SIDE))
    decoded, kept = jpeg.read("train").scenes, store.read("train").scenes
    assert decoded is not None and kept is not None
    order = random.permutation(count).tolist()
    one, other = in_turn(
        repeats,
        lambda: [resized(decoded[number], SIDE) for number in order],
        lambda: [np.array(kept[number]) for number in order],
    )
    rows(
        (f"{count:,} JPEG of {WIDTH} × {HEIGHT}, decoded and brought to {SIDE} × {SIDE}", jpeg),
        ("the same, `prepared`", store),
        (count / one, count / other),
        took,
    )

    single = regions(folder / "regions", featured, (REGIONS, FEATURES))
    store, took = stored(single, folder / "regions-store", Making(half=True))
    here, there = single.read("train").regions, store.read("train").regions
    order = random.permutation(featured)
    batches = [order[start : start + BATCH] for start in range(0, featured, BATCH)]

    def reading(source: Any) -> Callable[[], object]:
        # As batches are read: a copy in single precision.
        return lambda: [np.array(source[batch], np.float32).shape for batch in batches]

    one, other = in_turn(repeats, reading(here), reading(there))
    rows(
        (f"{featured:,} × {REGIONS} × {FEATURES:,} features, float32, `precomputed`", single),
        ("the same, float16, `prepared`", store),
        (featured / one, featured / other),
        took,
    )


def rows(
    one: tuple[str, FileData], other: tuple[str, FileData], rates: tuple[float, float], took: float
) -> None:
    """The rows of a source and of its store."""
    print(f"| {one[0]} | {rates[0]:,.0f} | | | {size(one[1].place):,.0f} |")
    print(
        f"| {other[0]} | {rates[1]:,.0f} | {rates[1] / rates[0]:.2f} | {took:.1f} | {size(other[1].place):,.0f} |"
    )


if __name__ == "__main__":
    main()
