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
from crosscut_trainables.data.vocabulary import END, MARKS, PAD, START, UNKNOWN
from crosscut_trainables.randomness import seed_for

NEGATIVE, POSITIVE = 0, 1
"""Paths of the draws."""


@dataclass(frozen=True)
class Texts:
    """Padded texts, between start and end marks."""

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
        vocabulary: ids that there are, marks included.
        seed: the run's.
    """

    def __init__(
        self,
        options: Asymmetry,
        ids: Tensor,
        lengths: Tensor,
        image_of: Tensor,
        vocabulary: int,
        seed: int,
    ) -> None:
        self.options, self.seed, self.vocabulary = options, seed, vocabulary
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
        return _padded(made)

    def positives(self, captions: Tensor, epoch: int, batch: int) -> Texts | None:
        """A text for each of `captions` (B,); None where off."""
        if self.options.positives == "none":
            return None
        make = POSITIVES[self.options.positives]
        return _padded(
            [
                make(self._caption(caption), self._draws(POSITIVE, epoch, batch, place, 0))
                for place, caption in enumerate(captions.tolist())
            ]
        )

    def _draws(self, kind: int, epoch: int, batch: int, place: int, number: int) -> Draws:
        return Draws(seed_for(self.seed, "asymmetry", epoch), kind, batch, place, number)

    def _words(self, caption: int) -> Words:
        words: list[int] = self._ids[caption, 1 : self._lengths[caption] - 1].tolist()
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
            # Where no word is known, all are the unknown one.
            known = self.vocabulary > len(MARKS)
            return draws.between(len(MARKS), self.vocabulary - 1) if known else UNKNOWN

        return Caption(
            words=self._words(caption),
            siblings=[self._words(other) for other in range(int(first), int(last)) if other != caption],
            other=other,
            word=word,
            share=self.options.share,
        )


def _padded(texts: list[Words]) -> Texts:
    lengths = [len(words) + 2 for words in texts]
    ids = np.full((len(texts), max(lengths)), PAD, np.int64)
    for row, words, length in zip(ids, texts, lengths, strict=True):
        row[:length] = [START, *words, END]
    return Texts(torch.from_numpy(ids), torch.tensor(lengths))
