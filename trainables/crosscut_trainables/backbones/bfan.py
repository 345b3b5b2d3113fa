"""BFAN: cross attention in both directions that keeps the relevant fragments alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from crosscut_trainables.backbones.stacked_attention import Direction, StackedAttention, mean_over_queries

if TYPE_CHECKING:
    from torch import Tensor

    from crosscut_trainables.backbones.attention_rule import AttentionRule


class Bfan(StackedAttention):
    """Bidirectional focal attention.

    Liu et al., "Focus Your Attention: A Bidirectional Focal Attention Network for Image-Text Matching", ACM MM
    2019. SCAN's attention with λ = 20 in both directions, S = S_t2i + S_i2t, each a mean over queries. After the
    softmax a query keeps the keys with a weight above a bound and shares all weight among them: with `equal`,
    α_i > 1/n; with `prob`, α_i·Σ_j √α_j > Σ_j α_j^1.5. Where a query would keep nothing (its keys are all alike),
    it keeps all, where the reference divides by 0.
    """

    name: Literal["bfan"] = "bfan"
    summary: ClassVar[str] = "focal attention in both directions (Liu et al. 2019)"

    focus: Literal["equal", "prob"] = Field(
        "equal", description="Which keys are kept: those above an equal share, or above the weighted one."
    )
    temperature: float = Field(20.0, gt=0, le=100, description="λ of the attention's softmax, (0, 100].")

    @property
    def directions(self) -> tuple[Direction, ...]:
        return "t2i", "i2t"

    def rule(self, direction: Direction) -> AttentionRule:
        from crosscut_trainables.backbones.attention_rule import AttentionRule

        return AttentionRule(scale=self.temperature, clipped=True, over_queries="l2", focus=self.focus)

    def pooled(self, relevance: Tensor, query_mask: Tensor, direction: Direction) -> Tensor:
        return mean_over_queries(relevance, query_mask)

    def combined(self, scores: list[Tensor]) -> Tensor:
        return scores[0] + scores[1]
