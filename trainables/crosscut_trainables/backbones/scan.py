"""SCAN: stacked cross attention between regions and words, for all pairs of a batch at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from crosscut_trainables.backbones.stacked_attention import Direction, StackedAttention, mean_over_queries

if TYPE_CHECKING:
    from torch import Tensor

    from crosscut_trainables.backbones.attention_rule import AttentionRule

LOWEST = -1e4
"""Stands for relevance at padding where the largest counts."""


class Scan(StackedAttention):
    """Stacked cross attention.

    Lee et al., "Stacked Cross Attention for Image-Text Matching", ECCV 2018. In the direction `t2i` words are
    queries and regions are keys, in `i2t` the other way round; `both` is the mean of the two scores, as the two
    models of the published ensembles are averaged.
    """

    name: Literal["scan"] = "scan"
    summary: ClassVar[str] = "stacked cross attention of regions and words (Lee et al. 2018)"

    direction: Literal["t2i", "i2t", "both"] = Field(
        "t2i", description="t2i: words attend to regions; i2t: regions attend to words; both: their mean."
    )
    pooling: Literal["mean", "lse", "max", "sum"] = Field(
        "mean", description="How the relevance of the queries becomes one score: mean, lse, max or sum."
    )
    temperature: float | None = Field(
        None, gt=0, le=100, description="λ of the attention's softmax, (0, 100]; null: 9 for t2i, 4 for i2t."
    )
    lse_temperature: float | None = Field(
        None, gt=0, le=100, description="λ of lse pooling, (0, 100]; null: 6 for t2i, 5 for i2t."
    )
    raw: Literal["clipped-l2", "l2", "clipped", "softmax", "none"] = Field(
        "clipped-l2",
        description="What is done to the cosines before the softmax, over the queries for each key: "
        "clipped-l2 (LeakyReLU 0.1, then divided by the l2 norm), l2, clipped, softmax or none.",
    )

    @property
    def directions(self) -> tuple[Direction, ...]:
        return ("t2i", "i2t") if self.direction == "both" else (self.direction,)

    def rule(self, direction: Direction) -> AttentionRule:
        from crosscut_trainables.backbones.attention_rule import AttentionRule

        return AttentionRule(
            scale=self.temperature or (9.0 if direction == "t2i" else 4.0),
            clipped=self.raw.startswith("clipped"),
            over_queries=self.raw.removeprefix("clipped-") if self.raw != "clipped" else "none",
        )

    def pooled(self, relevance: Tensor, query_mask: Tensor, direction: Direction) -> Tensor:
        if self.pooling == "sum":
            return relevance.sum(1)
        if self.pooling == "mean":
            return mean_over_queries(relevance, query_mask)
        if self.pooling == "max":
            return relevance.masked_fill(~query_mask, LOWEST).amax(1)
        scale = self.lse_temperature or (6.0 if direction == "t2i" else 5.0)
        return (relevance * scale).masked_fill(~query_mask, LOWEST).logsumexp(1) / scale
