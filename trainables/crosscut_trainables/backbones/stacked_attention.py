"""Stacked cross attention, which SCAN, BFAN and PFAN share: relevance of queries, pooled to a score."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

from crosscut_trainables.backbones.backbone import Backbone

if TYPE_CHECKING:
    from torch import Tensor, nn

    from crosscut_trainables.backbones.attention_rule import AttentionRule
    from crosscut_trainables.fragments import Fragments
    from crosscut_trainables.match import Attention, Match, Queries

Direction = Literal["t2i", "i2t"]
"""`t2i`: words are queries, regions are keys; `i2t`: the other way round."""


class StackedAttention(Backbone):
    """With s_kq the cosine of key k and query q: s̄ is s made comparable, α_kq = softmax over keys of λ·s̄_kq,
    c_q = Σ_k α_kq·k, R_q = cos(q, c_q), and the score pools R over the queries.

    c_q is never formed: <c_q, q> = Σ_k α_kq s_kq and ‖c_q‖² = αᵀ(K Kᵀ)α, with K Kᵀ once per image (or text).
    """

    exposes_attention: ClassVar[bool] = True

    @property
    def rounds(self) -> bool:
        return True

    @property
    @abstractmethod
    def directions(self) -> tuple[Direction, ...]:
        """The directions in which it attends."""

    @abstractmethod
    def rule(self, direction: Direction) -> AttentionRule:
        """How cosines become weights."""

    @abstractmethod
    def pooled(self, relevance: Tensor, query_mask: Tensor, direction: Direction) -> Tensor:
        """(b, n) from the relevance (b, q, n) of the queries, which is 0 at padding; the mask is (q, n)."""

    def combined(self, scores: list[Tensor]) -> Tensor:
        """One score of those of all directions: their mean."""
        return scores[0] if len(scores) == 1 else sum(scores[1:], scores[0]) / len(scores)

    def match(self, images: Fragments, texts: Fragments, parts: nn.Module | None) -> Match:
        from crosscut_trainables.backbones.relevance import relevance
        from crosscut_trainables.match import Match

        found = relevance(images, texts, {d: self.rule(d) for d in self.directions})
        scores = []
        for direction in self.directions:
            query_mask = (texts if direction == "t2i" else images).mask.T
            pooled = self.pooled(found[direction], query_mask, direction)
            scores.append(pooled if direction == "t2i" else pooled.T)
        return Match(self.combined(scores), tuple(self._attention(images, texts, d) for d in self.directions))

    def floats_per_pair(self, regions: int, words: int, width: int) -> int:
        # Relevance, and what pooling makes of it; rectangles of cosines are small.
        return 3 * (words * ("t2i" in self.directions) + regions * ("i2t" in self.directions))

    def numbers_per_pair(self, regions: int, words: int, width: int) -> int:
        # Five passes over cosines in each direction; a multiplication of their product takes a 14th of one.
        return regions * words * (5 * len(self.directions) + width // 14)

    def _attention(self, images: Fragments, texts: Fragments, direction: Direction) -> Attention:
        from crosscut_trainables.match import Attention

        queries: Queries = "words" if direction == "t2i" else "regions"
        return Attention(queries, images, texts, self.rule(direction).weights_of_pairs)


def mean_over_queries(relevance: Tensor, query_mask: Tensor) -> Tensor:
    """(b, n) the mean of (b, q, n) over the queries that are there."""
    return relevance.sum(1) / query_mask.sum(0).clamp(min=1)
