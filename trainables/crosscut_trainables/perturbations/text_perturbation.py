"""The base of perturbations of texts: a caption's words in, other words out, with the places they refer to."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from crosscut_trainables.data.draws import Draws
from crosscut_trainables.data.split import Split
from crosscut_trainables.perturbations.perturbation import Perturbation
from crosscut_trainables.perturbations.written_text import Rewritten, rewritten_text


class TextPerturbation(Perturbation):
    """A change of every caption. Number and order of captions stay, and no caption loses all its words.

    A changed or moved word keeps its referents, an inserted one has none. Where captions are known as they are
    written, the written ones change with their words, since pretrained models read those.
    """

    of: ClassVar[Literal["texts", "images", "regions"]] = "texts"

    @abstractmethod
    def rewritten(self, words: Sequence[str], draws: Draws) -> Rewritten:
        """The caption of these words, at least one, as it is after the change; never empty."""

    def caption(self, words: Sequence[str], seed: int, number: int) -> tuple[str, ...]:
        """Caption `number` of a split alone, as `apply` changes it."""
        return tuple(word for word, _ in self._changed(words, seed, number))

    def apply(self, split: Split, seed: int) -> Split:
        changed = [self._changed(words, seed, number) for number, words in enumerate(split.captions)]
        captions = [tuple(word for word, _ in words) for words in changed]
        split = replace(split, captions=captions, texts=self._written(split, changed))
        if split.referents is None:
            return split
        nowhere: NDArray[np.float32] = np.zeros((0, 4), np.float32)
        referents = [
            tuple(nowhere if origin is None else places[origin] for _, origin in words)
            for words, places in zip(changed, split.referents, strict=True)
        ]
        return replace(split, referents=referents)

    def _changed(self, words: Sequence[str], seed: int, number: int) -> Rewritten:
        return self.rewritten(words, self.draws(seed, number)) if words else []

    @staticmethod
    def _written(split: Split, changed: Sequence[Rewritten]) -> list[str] | None:
        if split.texts is None:
            return None
        return [
            rewritten_text(text, words, rewritten)
            for text, words, rewritten in zip(split.texts, split.captions, changed, strict=True)
        ]
