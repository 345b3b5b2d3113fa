"""PFAN: stacked cross attention over regions that know where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from crosscut_trainables.backbones.by_length import by_length
from crosscut_trainables.backbones.stacked_attention import Direction, StackedAttention, mean_over_queries

if TYPE_CHECKING:
    from torch import Tensor, nn

    from crosscut_trainables.backbones.attention_rule import AttentionRule
    from crosscut_trainables.fragments import Fragments
    from crosscut_trainables.match import Match


class Pfan(StackedAttention):
    """Position focused attention.

    Wang et al., "Position Focused Attention Network for Image-Text Matching", IJCAI 2019. SCAN's attention of
    words to regions (λ = 9, mean over words); what is its own is the image encoder `positions`, by which a region
    knows which blocks of the image it covers. `peak` adds that share of mean_j max_i α_ij to the score, a term
    that the published code has (0.5) and the paper does not; it is off by default.
    """

    name: Literal["pfan"] = "pfan"
    summary: ClassVar[str] = "cross attention over regions with positions (Wang et al. 2019)"
    image_encoder: ClassVar[str] = "positions"
    needs_positions: ClassVar[bool] = True

    temperature: float = Field(9.0, gt=0, le=100, description="λ of the attention's softmax, (0, 100].")
    peak: float = Field(
        0.0,
        ge=0,
        le=10,
        description="Weight of the mean largest attention in the score, [0, 10]; 0.5 in the code.",
    )

    @property
    def rounds(self) -> bool:
        return self.peak == 0

    @property
    def directions(self) -> tuple[Direction, ...]:
        return ("t2i",)

    def rule(self, direction: Direction) -> AttentionRule:
        from crosscut_trainables.backbones.attention_rule import AttentionRule

        return AttentionRule(scale=self.temperature, clipped=True, over_queries="l2")

    def pooled(self, relevance: Tensor, query_mask: Tensor, direction: Direction) -> Tensor:
        return mean_over_queries(relevance, query_mask)

    def match(self, images: Fragments, texts: Fragments, parts: nn.Module | None) -> Match:
        from crosscut_trainables.match import Match

        found = super().match(images, texts, parts)
        if self.peak == 0:
            return found
        peaks = by_length(texts, lambda group: self._peaks(images, group))
        return Match(found.scores + self.peak * peaks, found.attentions)

    def floats_per_pair(self, regions: int, words: int, width: int) -> int:
        return super().floats_per_pair(regions, words, width) + self._floats_of_peak(regions, words)

    def numbers_per_pair(self, regions: int, words: int, width: int) -> int:
        return super().numbers_per_pair(regions, words, width) + self._floats_of_peak(regions, words)

    def _floats_of_peak(self, regions: int, words: int) -> int:
        """A peak wants all weights of a pair, and what they come from: cosines, clipped, logits."""
        return 6 * regions * words if self.peak else 0

    def _peaks(self, images: Fragments, texts: Fragments) -> Tensor:
        """(images, texts) mean over words of the largest weight that a region has."""
        weights = self.rule("t2i").weights_of_all(images, texts)
        return mean_over_queries(weights.amax(1) * texts.mask.T, texts.mask.T)
