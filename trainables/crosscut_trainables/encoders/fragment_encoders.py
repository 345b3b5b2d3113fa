"""The encoders of a model: regions, and words, to fragments and the vector of the whole.

All initial values come from the generator that is handed in, in the order of the layers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from crosscut_trainables.dropout import Dropout
from crosscut_trainables.fragments import Fragments, l2norm
from crosscut_trainables.pooling import POOLINGS
from crosscut_trainables.rows import Rows

LAST = "last"
"""The pooling of a text that is its last state."""


class RegionEncoder(nn.Module):
    """Regions to unit vectors; the summary is pooled from what they are before they get unit length."""

    def __init__(self, projection: nn.Module, width: int, pooling: str = "mean") -> None:
        super().__init__()
        self.projection = projection
        self.pool = POOLINGS[pooling](width)

    def forward(self, regions: Tensor, present: Tensor, boxes: Tensor) -> Fragments:
        """`regions` (B, n, features), `present` (B, n) bool, True for at least one region of every image, `boxes`
        (B, n, 4)."""
        projected = self.projection(regions, boxes).float() * present[..., None]
        return Fragments(l2norm(projected), present, l2norm(_pooled(self.pool, projected, present)))


class TextEncoder(nn.Module):
    """Words to unit vectors by a bidirectional GRU whose directions are averaged.

    Start and end marks count as words. The summary is pooled from the words before they get unit length; with
    `last` it is the last state: the forward direction's at the last word and the backward direction's at the
    first, averaged.
    """

    def __init__(
        self,
        vocabulary: int,
        word_width: int,
        width: int,
        generator: torch.Generator,
        pooling: str = LAST,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, word_width)
        self.dropout = Dropout(dropout)
        self.recur = nn.GRU(word_width, width, batch_first=True, bidirectional=True)
        self.pool = None if pooling == LAST else POOLINGS[pooling](width)
        bound = width**-0.5
        with torch.no_grad():
            self.embed.weight.uniform_(-0.1, 0.1, generator=generator)
            for parameter in self.recur.parameters():
                parameter.uniform_(-bound, bound, generator=generator)

    def forward(self, ids: Tensor, lengths: Tensor, mask: Tensor, rows: Rows | None = None) -> Fragments:
        """`ids` (B, L), `lengths` (B,) on the CPU, at least 1 each, `mask` (B, L) bool, False at padding; `rows`
        says which texts of a larger batch these are."""
        words = self.dropout(self.embed(ids), rows)
        packed = pack_padded_sequence(words, lengths, batch_first=True, enforce_sorted=False)
        states, last = self.recur(packed)
        padded, _ = pad_packed_sequence(states, batch_first=True, total_length=ids.shape[1])
        words = padded.float().unflatten(2, (2, -1)).mean(2)
        whole = last.float().mean(0) if self.pool is None else _pooled(self.pool, words, mask)
        return Fragments(l2norm(words), mask, l2norm(whole), rows)


def _pooled(pool: nn.Module, x: Tensor, mask: Tensor) -> Tensor:
    """Pool in float32 whatever the encoder computes in: similarities of wholes are compared like those of fragments."""
    with torch.autocast(x.device.type, enabled=False):
        pooled: Tensor = pool(x, mask)
    return pooled
