"""Relevant is what has the query's category."""

from __future__ import annotations

from typing import ClassVar

from crosscut_trainables.data.split import Split
from crosscut_trainables.positive_ranks import Positives, by_category
from crosscut_trainables.relevance.relevance import Relevance


class ByCategory(Relevance):
    """Everything of the query's category, as in category-level mAP@k (NUS-WIDE-10K)."""

    title: ClassVar[str] = "one by category"

    def lacking(self, split: Split) -> str | None:
        return "has no categories" if split.categories is None else None

    def of(self, split: Split) -> tuple[Positives, Positives]:
        if split.categories is None:
            raise ValueError("found a split without categories, expected one of each image")
        images = [(category,) for category in split.categories.tolist()]
        texts = [(category,) for category in split.categories[split.image_of].tolist()]
        return by_category(images, texts), by_category(texts, images)
