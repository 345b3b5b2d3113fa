"""The modules of the transformers: blocks of self-attention over patches, or over words, with a class token.

At the start linear maps are uniform ±√(6/(in+out)) (Glorot and Bengio 2010), tokens and positions normal with a
variance of 1/D: the deviation of 0.02 of large published models leaves small ones with outputs that are all alike.
All come from the generator that is handed in.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from crosscut_trainables.dropout import Dropout
from crosscut_trainables.encoders.projections import xavier
from crosscut_trainables.fragments import Fragments, l2norm
from crosscut_trainables.pooling import OWN, pooled, pooling_of
from crosscut_trainables.rows import Rows


def _initialised(module: nn.Module, generator: torch.Generator) -> None:
    for part in module.modules():
        if isinstance(part, nn.Linear):
            xavier(part, generator)


def _drawn(*shape: int, generator: torch.Generator) -> nn.Parameter:
    return nn.Parameter(torch.empty(shape).normal_(0, shape[-1] ** -0.5, generator=generator))


class Block(nn.Module):
    """x + attention(norm x), then x + MLP(norm x): normalisation comes first, which trains without a warm-up."""

    def __init__(self, width: int, heads: int, mlp_ratio: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention, self.norm_mlp = nn.LayerNorm(width), nn.LayerNorm(width)
        # A bias of keys would drop out of the softmax.
        self.query, self.value = nn.Linear(width, width), nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)
        self.out = nn.Linear(width, width)
        self.hidden, self.back = nn.Linear(width, mlp_ratio * width), nn.Linear(mlp_ratio * width, width)
        self.drop_attention, self.drop_mlp = Dropout(dropout), Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor, rows: Rows | None) -> Tensor:
        """(B, n, D) from `x` (B, n, D) and `mask` (B, n), False at padding."""
        normed = self.norm_attention(x)
        q, k, v = (
            part(normed).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        attended = scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None])
        x = x + self.drop_attention(self.out(attended.transpose(1, 2).flatten(2)), rows)
        added: Tensor = self.drop_mlp(self.back(gelu(self.hidden(self.norm_mlp(x)))), rows)
        return x + added


class Blocks(nn.Module):
    """A class token in front, blocks, a last normalisation, a linear map into the joint space, and the whole."""

    def __init__(
        self, width: int, layers: int, heads: int, mlp_ratio: int, dropout: float, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.token = _drawn(width, generator=generator)
        self.blocks = nn.ModuleList(Block(width, heads, mlp_ratio, dropout) for _ in range(layers))
        self.norm, self.out = nn.LayerNorm(width), nn.Linear(width, width)
        _initialised(self, generator)

    def forward(self, x: Tensor, mask: Tensor, rows: Rows | None, pool: nn.Module | None) -> Fragments:
        """`x` (B, n, D) with positions, `mask` (B, n); the whole is the class token, or what `pool` makes of the
        fragments."""
        x = torch.cat([self.token.to(x.dtype).expand(len(x), 1, -1), x], 1)
        with_token = torch.cat([torch.ones_like(mask[:, :1]), mask], 1)
        for block in self.blocks:
            x = block(x, with_token, rows)
        x = self.out(self.norm(x)).float()
        fragments = x[:, 1:] * mask[..., None]
        whole = x[:, 0] if pool is None else pooled(pool, fragments, mask)
        return Fragments(l2norm(fragments), mask, l2norm(whole), rows)


class PatchTransformer(nn.Module):
    """Patches of pixels to fragments."""

    def __init__(
        self,
        features: int,
        places: int,
        width: int,
        blocks: Blocks,
        pooling: str,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.project = nn.Linear(features, width)
        _initialised(self.project, generator)
        self.positions = _drawn(places, width, generator=generator)
        self.blocks = blocks
        self.pool = None if pooling == OWN else pooling_of(pooling, width)

    def forward(self, regions: Tensor, present: Tensor, boxes: Tensor, rows: Rows | None = None) -> Fragments:
        """`regions` (B, n, pixels of a patch) and `present` (B, n) bool."""
        x = self.project(regions) + self.positions[: regions.shape[1]]
        found: Fragments = self.blocks(x, present, rows, self.pool)
        return found


class WordTransformer(nn.Module):
    """Words to fragments."""

    def __init__(
        self,
        vocabulary: int,
        word_width: int,
        width: int,
        positions: int,
        blocks: Blocks,
        pooling: str,
        dropout: float,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, word_width)
        with torch.no_grad():
            self.embed.weight.normal_(0, word_width**-0.5, generator=generator)
        self.dropout = Dropout(dropout)
        self.project = nn.Linear(word_width, width)
        _initialised(self.project, generator)
        self.positions = _drawn(positions, width, generator=generator)
        self.blocks = blocks
        self.pool = None if pooling == OWN else pooling_of(pooling, width)

    def forward(self, ids: Tensor, lengths: Tensor, mask: Tensor, rows: Rows | None = None) -> Fragments:
        """`ids` (B, L) and `mask` (B, L) bool, False at padding."""
        places = torch.arange(ids.shape[1], device=ids.device).clamp(max=len(self.positions) - 1)
        x = self.project(self.dropout(self.embed(ids), rows)) + self.positions[places]
        found: Fragments = self.blocks(x, mask, rows, self.pool)
        return found
