"""SCAN: stacked cross attention between regions and words, for all pairs of a batch at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from crosscut_trainables.backbones.backbone import Backbone

if TYPE_CHECKING:
    from torch import Tensor, nn

    from crosscut_trainables.backbones.relevance import AttentionRule
    from crosscut_trainables.fragments import Fragments
    from crosscut_trainables.match import Match, Queries

GROUP = 16
"""Texts of about one length that are compared together on the CPU."""
LOWEST = -1e4
"""Stands for relevance at padding where the largest counts."""


class Scan(Backbone):
    """Stacked cross attention.

    Lee et al., "Stacked Cross Attention for Image-Text Matching", ECCV 2018. In the direction `t2i` words are
    queries and regions are keys, in `i2t` the other way round. With s_kq the cosine of key k and query q:
    s̄ is s made comparable (`raw`), α_kq = softmax over keys of λ·s̄_kq, c_q = Σ_k α_kq·k,
    R_q = cos(q, c_q), and the similarity of the pair pools R over the queries.

    c_q is never formed: <c_q, q> = Σ_k α_kq s_kq and ‖c_q‖² = αᵀ(K Kᵀ)α, with K Kᵀ once per image (or text).
    """

    name: Literal["scan"] = "scan"
    summary: ClassVar[str] = "stacked cross attention of regions and words (Lee et al. 2018)"
    exposes_attention: ClassVar[bool] = True

    direction: Literal["t2i", "i2t"] = Field(
        "t2i", description="t2i: words attend to regions; i2t: regions attend to words."
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

    def match(self, images: Fragments, texts: Fragments, parts: nn.Module | None) -> Match:
        from crosscut_trainables.match import Attention, Match

        queries: Queries = "words" if self.direction == "t2i" else "regions"
        return Match(self._scores(images, texts), Attention(queries, images, texts, self._weigh))

    def floats_per_pair(self, regions: int, words: int) -> int:
        # cosines, clipped, logits, weights, their products with the cosines and with the Gram matrix
        return 6 * regions * words

    def _scores(self, images: Fragments, texts: Fragments) -> Tensor:
        """(images, texts) similarities; on the CPU in groups of texts of about one length.

        A batch is padded to its longest text, which is often twice the mean. A GPU would have to wait to be
        told the lengths, and minds padding less.
        """
        import torch

        from crosscut_trainables.fragments import Fragments

        if texts.mask.is_cuda or len(texts) <= GROUP:
            return self._scores_of_group(images, texts)
        extents = (texts.mask * torch.arange(1, texts.mask.shape[1] + 1)).amax(1)
        order = torch.argsort(extents, stable=True)
        longest = [int(group.max()) for group in extents[order].split(GROUP)]
        fragments, mask = texts.fragments[order].split(GROUP), texts.mask[order].split(GROUP)
        summary = texts.summary[order].split(GROUP)
        scores = [
            self._scores_of_group(images, Fragments(f[:, :width], m[:, :width], s))
            for f, m, s, width in zip(fragments, mask, summary, longest, strict=True)
        ]
        return torch.cat(scores, 1)[:, torch.argsort(order)]

    def _scores_of_group(self, images: Fragments, texts: Fragments) -> Tensor:
        from crosscut_trainables.backbones.relevance import relevance

        keys, queries = (images, texts) if self.direction == "t2i" else (texts, images)
        found = relevance(keys.fragments, keys.mask, queries.fragments, queries.mask, self._rule())
        scores = self._pool(found, queries.mask.T)
        return scores if self.direction == "t2i" else scores.T

    def _pool(self, relevance: Tensor, query_mask: Tensor) -> Tensor:
        """(b, n) from the relevance (b, q, n) of the queries, which is 0 at padding."""
        if self.pooling == "sum":
            return relevance.sum(1)
        if self.pooling == "mean":
            return relevance.sum(1) / query_mask.sum(0).clamp(min=1)
        if self.pooling == "max":
            return relevance.masked_fill(~query_mask, LOWEST).amax(1)
        scale = self.lse_temperature or (6.0 if self.direction == "t2i" else 5.0)
        return (relevance * scale).masked_fill(~query_mask, LOWEST).logsumexp(1) / scale

    def _weigh(self, queries: Fragments, keys: Fragments) -> Tensor:
        """(P, q, k) weights of P aligned pairs."""
        cosines = keys.fragments @ queries.fragments.transpose(1, 2)
        key_mask, query_mask = keys.mask[:, :, None, None], queries.mask[:, None, :, None]
        return self._rule().weights(cosines[..., None], key_mask, query_mask)[..., 0].transpose(1, 2)

    def _rule(self) -> AttentionRule:
        from crosscut_trainables.backbones.relevance import AttentionRule

        return AttentionRule(
            scale=self.temperature or (9.0 if self.direction == "t2i" else 4.0),
            clipped=self.raw.startswith("clipped"),
            over_queries=self.raw.removeprefix("clipped-") if self.raw != "clipped" else "none",
        )
