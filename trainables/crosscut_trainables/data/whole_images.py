"""Splits of whole images in files, without regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crosscut_trainables.data.pictures import PictureFiles
from crosscut_trainables.data.split import Split


@dataclass(frozen=True)
class ImageWithTexts:
    """An image file, and its captions, each as it is written and as its words."""

    path: Path
    texts: Sequence[tuple[str, tuple[str, ...]]]


def split_of_images(where: str, images: Sequence[ImageWithTexts]) -> Split:
    """The split of images in files; captions without a word are left out, and images without a caption.

    Raises:
        ValueError: there is no image, or the file of one is missing; `where` says of what split that is.
    """
    told = [(image.path, [pair for pair in image.texts if pair[1]]) for image in images]
    told = [(path, texts) for path, texts in told if texts]
    if not told:
        raise ValueError(f"{where}: found no image with a caption")
    missing = [path for path, _ in told if not path.is_file()]
    if missing:
        raise ValueError(
            f"{where}: {len(missing)} of {len(told)} pictures are missing, the first is {missing[0]}"
        )
    count = len(told)
    return Split(
        regions=np.zeros((count, 0, 0), np.float32),
        boxes=np.zeros((count, 0, 4), np.float32),
        present=np.zeros((count, 0), np.bool_),
        captions=[words for _, texts in told for _, words in texts],
        image_of=np.repeat(np.arange(count, dtype=np.int32), [len(texts) for _, texts in told]),
        scenes=PictureFiles([path for path, _ in told]),
        texts=[text for _, texts in told for text, _ in texts],
        has_boxes=False,
    )
