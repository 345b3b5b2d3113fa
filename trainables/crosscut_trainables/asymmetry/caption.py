"""A caption that another text is made from, and what there is to make it with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crosscut_trainables.data.draws import Draws

Words = Sequence[int]
"""The words of a text as ids, without start and end marks."""


@dataclass(frozen=True)
class Caption:
    """One caption of the training split with its surroundings."""

    words: Words
    siblings: Sequence[Words]
    """The image's other captions."""
    other: Callable[[Draws], Words]
    """Draws a caption of another image."""
    word: Callable[[Draws], int]
    """Draws a word of the vocabulary."""
    share: float
    """Share of the words that is changed, at least one."""

    def changes(self, count: int) -> int:
        """How many of `count` words to change."""
        return max(1, round(self.share * count)) if count else 0


Make = Callable[[Caption, Draws], Words]
"""Makes a text of a caption."""
