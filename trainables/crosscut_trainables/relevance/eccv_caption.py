"""Relevant is what ECCV Caption's judges found to match, whichever image it was written for."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import numpy as np

from crosscut_trainables.data.split import Split
from crosscut_trainables.positive_ranks import Positives, by_lists
from crosscut_trainables.relevance.relevance import Relevance

CAPTIONS, IMAGES = 25_000, 5_000
"""What COCO's test split of Karpathy has."""

Judged = dict[int, list[int]]
"""Id of a query → ids of what matches it."""


class EccvCaption(Relevance):
    """The ground truth of ECCV Caption on COCO's 5K test split (Chun et al., ECCV 2022, arXiv 2204.03359).

    1,261 images and 1,332 captions are judged; others are no queries. Its package, `eccv_caption`, carries it.
    Images and captions are known by COCO's ids. A split without ids that has 25,000 captions of 5,000 images is
    taken for `testall` of the published region features, whose order the package knows. Of a part of the test
    split, what is in the part is relevant.
    """

    title: ClassVar[str] = "one of ECCV Caption"

    def lacking(self, split: Split) -> str | None:
        if find_spec("eccv_caption") is None:
            return "needs the package eccv_caption: pip install 'crosscut[eccv]'"
        try:
            forth, back = self.of(split)
        except ValueError as error:
            return str(error)
        return (
            None if len(forth.indices) and len(back.indices) else "has no image or no caption that is judged"
        )

    def of(self, split: Split) -> tuple[Positives, Positives]:
        images, captions = _ids(split)
        image_at = {number: place for place, number in enumerate(images)}
        caption_at = {number: place for place, number in enumerate(captions)}
        forth, back = _judged("eccv_image_to_caption"), _judged("eccv_caption_to_image")
        return (
            by_lists([[caption_at[c] for c in forth.get(i, ()) if c in caption_at] for i in images]),
            by_lists([[image_at[i] for i in back.get(c, ()) if i in image_at] for c in captions]),
        )


def _ids(split: Split) -> tuple[list[int], list[int]]:
    """COCO's ids of the images and the captions of a split.

    Raises ValueError where these are not of COCO's test split.
    """
    own = _image_of_caption()
    if split.caption_ids is not None:
        captions = _numbers(split.caption_ids)
    elif len(split.captions) == CAPTIONS and len(split.present) == IMAGES:
        captions = np.load(_folder() / "coco_test_ids.npy").tolist()
    else:
        raise ValueError("has no ids of captions, and is not COCO's whole test split")
    strange = next((number for number in captions if number not in own), None)
    if strange is not None:
        raise ValueError(f"has the caption {strange}, which is not in COCO's test split")
    images = [-1] * len(split.present)
    for caption, place in zip(captions, split.image_of.tolist(), strict=True):
        if images[place] not in (-1, own[caption]):
            raise ValueError(
                f"has captions of the images {images[place]} and {own[caption]} of COCO for one image"
            )
        images[place] = own[caption]
    return images, captions


def _numbers(ids: object) -> list[int]:
    assert isinstance(ids, list | tuple)
    try:
        return [int(one) for one in ids]
    except ValueError as error:
        raise ValueError(f"has ids of captions that are no numbers ({error})") from error


def _folder() -> Path:
    found = find_spec("eccv_caption")
    if found is None or found.origin is None:
        raise ValueError("needs the package eccv_caption: pip install 'crosscut[eccv]'")
    # Its code is not imported: it wants more packages than its data do.
    return Path(found.origin).parent / "data"


@lru_cache(maxsize=4)
def _judged(name: str) -> Judged:
    plain = json.loads((_folder() / f"{name}.json").read_bytes())
    return {int(query): [int(item) for item in items] for query, items in plain.items()}


def _image_of_caption() -> dict[int, int]:
    return {caption: images[0] for caption, images in _judged("original_caption_to_image").items()}
