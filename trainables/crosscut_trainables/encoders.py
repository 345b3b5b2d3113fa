"""The encoders of the region-word family (SCAN, BFAN, PFAN, SGRAF): a linear map and a recurrent network.

All initial values come from the generator that is handed in, in the order of the layers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from crosscut_trainables.fragments import Fragments, l2norm


class ImageEncoder(nn.Module):
    """Region features to unit vectors; the summary is the normalised mean of the projected regions."""

    def __init__(self, features: int, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.project = nn.Linear(features, width)
        bound = (6.0 / (features + width)) ** 0.5
        with torch.no_grad():
            self.project.weight.uniform_(-bound, bound, generator=generator)
            self.project.bias.zero_()

    def forward(self, regions: Tensor, present: Tensor) -> Fragments:
        """`regions` (B, n, features), `present` (B, n) bool, True for at least one region of every image."""
        projected = self.project(regions).float() * present[..., None]
        mean = projected.sum(1) / present.sum(1, keepdim=True).clamp(min=1)
        return Fragments(l2norm(projected), present, l2norm(mean))


class TextEncoder(nn.Module):
    """Words to unit vectors by a bidirectional GRU whose directions are averaged.

    Start and end marks count as words.
    The summary is the normalised last state: the forward direction's at the last word and the backward
    direction's at the first, averaged.
    """

    def __init__(self, vocabulary: int, word_width: int, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, word_width)
        self.recur = nn.GRU(word_width, width, batch_first=True, bidirectional=True)
        bound = width**-0.5
        with torch.no_grad():
            self.embed.weight.uniform_(-0.1, 0.1, generator=generator)
            for parameter in self.recur.parameters():
                parameter.uniform_(-bound, bound, generator=generator)

    def forward(self, ids: Tensor, lengths: Tensor, mask: Tensor) -> Fragments:
        """`ids` (B, L), `lengths` (B,) on the CPU, at least 1 each, `mask` (B, L) bool, False at padding."""
        packed = pack_padded_sequence(self.embed(ids), lengths, batch_first=True, enforce_sorted=False)
        states, last = self.recur(packed)
        padded, _ = pad_packed_sequence(states, batch_first=True, total_length=ids.shape[1])
        words = padded.float().unflatten(2, (2, -1)).mean(2)
        return Fragments(l2norm(words), mask, l2norm(last.float().mean(0)))
