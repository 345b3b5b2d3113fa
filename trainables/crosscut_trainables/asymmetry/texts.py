"""The texts that are made for a batch, in the data loader: the same for the same run, epoch, batch and pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from crosscut_trainables.asymmetry.caption import Caption, Words
from crosscut_trainables.asymmetry.negatives import NOISES
from crosscut_trainables.asymmetry.options import Asymmetry
from crosscut_trainables.asymmetry.positives import POSITIVES
from crosscut_trainables.data.draws import Draws
from crosscut_trainables.data.vocabulary import Lexicon
from crosscut_trainables.randomness import seed_for

NEGATIVE, POSITIVE = 0, 1
"""Paths of the draws."""


@dataclass(frozen=True)
class Texts:
    """Padded texts, between their marks."""

    ids: Tensor
    """(texts, longest) int64"""
    lengths: Tensor
    """(texts,) int64, on the CPU"""

    @property
    def mask(self) -> Tensor:
        """(texts, longest) bool, False at padding."""
        return torch.arange(self.ids.shape[1]) < self.lengths[:, None]


class TextMaker:
    """Makes texts of the captions of a training split.

    Args:
        options: which texts.
        ids, lengths, image_of: the captions of the split, as `PreparedSplit` has them; captions of one image stand
            beside each other.
        vocabulary: what numbers the words.
        seed: the run's.
    """

    def __init__(
        self,
        options: Asymmetry,
        ids: Tensor,
        lengths: Tensor,
        image_of: Tensor,
        vocabulary: Lexicon,
        seed: int,
    ) -> None:
        self.options, self.seed, self.vocabulary = options, seed, vocabulary
        self._known: list[int] = vocabulary.known.tolist()
        self._ids, self._lengths = ids.numpy(), lengths.numpy()
        self._image_of: NDArray[np.int64] = image_of.numpy()

    def negatives(self, captions: Tensor, epoch: int, batch: int) -> Texts | None:
        """`noises` texts for each of `captions` (B,), those of one caption beside each other; None where off."""
        if self.options.noise == "none":
            return None
        make, made = NOISES[self.options.noise], []
        for place, caption in enumerate(captions.tolist()):
            about = self._caption(caption)
            for number in range(self.options.noises):
                made.append(make(about, self._draws(NEGATIVE, epoch, batch, place, number)))
        return self._padded(made)

    def positives(self, captions: Tensor, epoch: int, batch: int) -> Texts | None:
        """A text for each of `captions` (B,); None where off."""
        if self.options.positives == "none":
            return None
        make = POSITIVES[self.options.positives]
        return self._padded(
            [
                make(self._caption(caption), self._draws(POSITIVE, epoch, batch, place, 0))
                for place, caption in enumerate(captions.tolist())
            ]
        )

    def _draws(self, kind: int, epoch: int, batch: int, place: int, number: int) -> Draws:
        return Draws(seed_for(self.seed, "asymmetry", epoch), kind, batch, place, number)

    def _words(self, caption: int) -> Words:
        before, after = self.vocabulary.marks
        words: list[int] = self._ids[caption, before : self._lengths[caption] - after].tolist()
        return words

    def _caption(self, caption: int) -> Caption:
        image = self._image_of[caption]
        first, last = np.searchsorted(self._image_of, [image, image + 1])
        count = len(self._image_of)

        def other(draws: Draws) -> Words:
            # A caption of any other image, as likely as any: those of its own are left out of the numbering.
            if last - first == count:
                return self._words(caption)
            drawn = draws.below(int(count - (last - first)))
            return self._words(drawn if drawn < first else drawn + int(last - first))

        def word(draws: Draws) -> int:
            if self._known:
                return draws.pick(self._known)
            # Where no word is known, all are the unknown one.
            assert self.vocabulary.unknown is not None
            return self.vocabulary.unknown

        return Caption(
            words=self._words(caption),
            siblings=[self._words(other) for other in range(int(first), int(last)) if other != caption],
            other=other,
            word=word,
            share=self.options.share,
        )

    def _padded(self, texts: list[Words]) -> Texts:
        marked = [self.vocabulary.marked(words) for words in texts]
        lengths = [len(text) for text in marked]
        ids = np.full((len(texts), max(lengths)), self.vocabulary.pad, np.int64)
        for row, text in zip(ids, marked, strict=True):
            row[: len(text)] = text
        return Texts(torch.from_numpy(ids), torch.tensor(lengths))
