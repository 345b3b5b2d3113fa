"""The base of every source of relevance: what counts as a correct answer to a query."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from crosscut_trainables.data.split import Split
from crosscut_trainables.positive_ranks import Positives


class Relevance(ABC):
    """Which items are relevant to each query of a split, both ways."""

    title: ClassVar[str]
    """What a metric that goes by it is called in a sentence, such as `one by category`."""

    @abstractmethod
    def lacking(self, split: Split) -> str | None:
        """What the split lacks of it, such as `has no categories`; None where it can be told."""

    @abstractmethod
    def of(self, split: Split) -> tuple[Positives, Positives]:
        """The captions that are relevant to each image, and the images that are relevant to each caption.

        A query may have none, and is left out of means then. Raises ValueError for a split that lacks it.
        """
