"""The text encoder of the region-word family: a bidirectional recurrent network.

All initial values come from the generator that is handed in, in the order of the layers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from crosscut_trainables.dropout import Dropout
from crosscut_trainables.fragments import Fragments, l2norm
from crosscut_trainables.pooling import OWN, pooled, pooling_of
from crosscut_trainables.recurrence import Reading, States, Weights, recur
from crosscut_trainables.rows import Rows


class GruEncoder(nn.Module):
    """Words to unit vectors by a bidirectional GRU whose directions are averaged.

    Start and end marks count as words. The whole is pooled from the words before they get unit length; where the
    backbone asks for no pooling it is the last state: the forward direction's at the last word and the backward
    direction's at the first, averaged.
    """

    def __init__(
        self,
        vocabulary: int,
        word_width: int,
        width: int,
        generator: torch.Generator,
        pooling: str = OWN,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, word_width)
        self.dropout = Dropout(dropout)
        self.recur = nn.GRU(word_width, width, batch_first=True, bidirectional=True)
        self.pool = None if pooling == OWN else pooling_of(pooling, width)
        bound = width**-0.5
        with torch.no_grad():
            self.embed.weight.uniform_(-0.1, 0.1, generator=generator)
            for parameter in self.recur.parameters():
                parameter.uniform_(-bound, bound, generator=generator)

    def forward(self, ids: Tensor, lengths: Tensor, mask: Tensor, rows: Rows | None = None) -> Fragments:
        """`ids` (B, L), `lengths` (B,) on the CPU, at least 1 each, `mask` (B, L) bool, False at padding; `rows`
        says which texts of a larger batch these are."""
        states = recur(self.recur, self.dropout(self.embed(ids), rows), lengths)
        return self.fragments(states, mask, rows)

    def reading(self, ids: Tensor, lengths: Tensor, rows: Rows | None = None) -> Reading:
        """What is read of texts, so that it is read together with what other networks read, on a CPU."""
        return Reading(Weights.of(self.recur), self.dropout(self.embed(ids), rows), lengths)

    def fragments(self, found: States, mask: Tensor, rows: Rows | None = None) -> Fragments:
        """From what was said of a reading."""
        words = found.states.float().unflatten(2, (2, -1)).mean(2)
        whole = found.last.float().mean(0) if self.pool is None else pooled(self.pool, words, mask)
        return Fragments(l2norm(words), mask, l2norm(whole), rows)
