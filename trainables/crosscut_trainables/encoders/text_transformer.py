"""A transformer over words."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from crosscut_trainables.encoders.text_encoder import TextEncoder

if TYPE_CHECKING:
    import torch
    from torch import nn


class TextTransformer(TextEncoder):
    """Word embeddings, learnt positions, a class token in front, and blocks of self-attention before a linear map.

    Vaswani et al. 2017, with normalisation before each sub-layer; the class token is the whole text, as in Devlin
    et al. 2019. The token width is `encoder.width`.
    """

    name: Literal["transformer"] = "transformer"
    summary: ClassVar[str] = "a transformer over words, with a class token (Vaswani et al. 2017)"

    layers: int = Field(2, ge=1, le=48, description="Blocks, 1 to 48.")
    heads: int = Field(4, ge=1, le=64, description="Heads of each block, which must divide encoder.width.")
    mlp_ratio: int = Field(4, ge=1, le=16, description="Width of a block's hidden layer, in widths, 1 to 16.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Dropout after each sub-layer, [0, 1).")
    positions: int = Field(
        128,
        ge=1,
        le=4096,
        description="Positions that are learnt, marks included; words beyond share the last.",
    )

    def module(
        self,
        vocabulary: int,
        word_width: int,
        width: int,
        pooling: str,
        dropout: float,
        generator: torch.Generator,
    ) -> nn.Module:
        from crosscut_trainables.encoders.transformer import Blocks, WordTransformer

        blocks = Blocks(width, self.layers, self.heads, self.mlp_ratio, self.dropout, generator)
        return WordTransformer(
            vocabulary, word_width, width, self.positions, blocks, pooling, dropout, generator
        )
