"""What a backbone says of images and texts: how well each pair matches, and what attends to what in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from crosscut_trainables.fragments import Fragments

Queries = Literal["words", "regions"]
Weigh = Callable[[Fragments, Fragments], Tensor]


@dataclass(frozen=True)
class Attention:
    """The attention, in one direction, of every pair of the images and texts that were matched.

    Weights of all pairs are (images x texts x regions x words) numbers, of which constraints, metrics and
    pictures want those of matched pairs, one in B. So they are worked out for the pairs that one asks for,
    with the same formula and gradient as in the match.
    """

    queries: Queries
    """Which fragments attend: `words` to regions, or `regions` to words."""
    images: Fragments
    texts: Fragments
    weigh: Weigh
    """From the queries and keys of P aligned pairs to the weights (P, query places, key places)."""

    def of(self, images: Tensor, texts: Tensor) -> tuple[Fragments, Fragments, Tensor]:
        """Queries, keys and weights of the pairs (images[p], texts[p]).

        `images` and `texts` are (P,) indices. The weights are (P, query places, key places); they sum to 1
        over the keys and are 0 at keys that are padding. At queries that are padding they mean nothing.
        """
        regions, words = self.images.take(images), self.texts.take(texts)
        queries, keys = (words, regions) if self.queries == "words" else (regions, words)
        return queries, keys, self.weigh(queries, keys)


@dataclass(frozen=True)
class Match:
    """How well every image matches every text."""

    scores: Tensor
    """(images, texts) similarity, higher for better matches."""
    attentions: tuple[Attention, ...] = ()
    """One for each direction in which the backbone attends; none for one without attention between regions and
    words."""

    @property
    def of_words(self) -> Attention | None:
        """The attention of words to regions, None where words do not attend."""
        return next((attention for attention in self.attentions if attention.queries == "words"), None)
