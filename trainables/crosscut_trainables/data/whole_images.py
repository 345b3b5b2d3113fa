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
    image_id: str | None = None
    caption_ids: Sequence[str] | None = None
    """As many as texts, None where they are not known."""


def split_of_images(where: str, images: Sequence[ImageWithTexts]) -> Split:
    """The split of images in files; captions without a word are left out, and images without a caption.

    Raises:
        ValueError: there is no image, or the file of one is missing; `where` says of what split that is.
    """
    told = [(image, [at for at, pair in enumerate(image.texts) if pair[1]]) for image in images]
    told = [(image, kept) for image, kept in told if kept]
    if not told:
        raise ValueError(f"{where}: found no image with a caption")
    missing = [image.path for image, _ in told if not image.path.is_file()]
    if missing:
        raise ValueError(
            f"{where}: {len(missing)} of {len(told)} pictures are missing, the first is {missing[0]}"
        )
    count = len(told)
    pairs = [image.texts[at] for image, kept in told for at in kept]
    image_ids = [image.image_id for image, _ in told]
    caption_ids = [
        None if image.caption_ids is None else image.caption_ids[at] for image, kept in told for at in kept
    ]
    return Split(
        regions=np.zeros((count, 0, 0), np.float32),
        boxes=np.zeros((count, 0, 4), np.float32),
        present=np.zeros((count, 0), np.bool_),
        captions=[words for _, words in pairs],
        image_of=np.repeat(np.arange(count, dtype=np.int32), [len(kept) for _, kept in told]),
        scenes=PictureFiles([image.path for image, _ in told]),
        texts=[text for text, _ in pairs],
        has_boxes=False,
        image_ids=_all(image_ids),
        caption_ids=_all(caption_ids),
    )


def _all(ids: Sequence[str | None]) -> list[str] | None:
    """The ids, None where some are not known."""
    known = [one for one in ids if one is not None]
    return known if len(known) == len(ids) else None
