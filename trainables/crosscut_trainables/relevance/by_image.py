"""Relevant is what belongs to the same image."""

from __future__ import annotations

from typing import ClassVar

from crosscut_trainables.data.split import Split
from crosscut_trainables.positive_ranks import Positives, by_image
from crosscut_trainables.relevance.relevance import Relevance


class ByImage(Relevance):
    """An image's own captions, and a caption's own image: what recalls go by."""

    title: ClassVar[str] = "one by image"

    def lacking(self, split: Split) -> str | None:
        return None

    def of(self, split: Split) -> tuple[Positives, Positives]:
        return by_image(split.image_of, len(split.present))
