"""A bidirectional recurrent network, as the region-word family has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from crosscut_trainables.encoders.text_encoder import TextEncoder

if TYPE_CHECKING:
    import torch
    from torch import nn


class Gru(TextEncoder):
    """Word embeddings and one layer of a bidirectional GRU, directions averaged (SCAN, BFAN, PFAN, SGRAF)."""

    name: Literal["gru"] = "gru"
    summary: ClassVar[str] = "a bidirectional GRU over words (Lee et al. 2018)"

    def module(
        self,
        vocabulary: int,
        word_width: int,
        width: int,
        pooling: str,
        dropout: float,
        generator: torch.Generator,
    ) -> nn.Module:
        from crosscut_trainables.encoders.gru_encoder import GruEncoder

        return GruEncoder(vocabulary, word_width, width, generator, pooling, dropout)
