"""Augmentation: regions and words that are taken away or disturbed while training, in the data loader."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from crosscut_trainables.data.vocabulary import END, MARKS, PAD, START, UNKNOWN

UNKNOWN_SHARE, RANDOM_SHARE = 0.5, 0.1
"""Of the words that are disturbed in the mixed way: these become unknown, these another word, the rest go."""


@dataclass(frozen=True)
class Augmentation:
    """What is done to the pairs of a batch. Every worker draws for the whole batch, so all do the same."""

    region_dropout: float = 0.0
    """Probability that a region is taken away."""
    word_dropout: float = 0.0
    """Probability that a word is disturbed; start and end marks never are."""
    disturbance: str = "remove"
    """`remove`, `unknown`, or `mixed`: half become unknown, a tenth another word, the rest go (VSE∞)."""
    vocabulary: int = len(MARKS) + 1
    """Ids that there are, marks included."""

    @property
    def acts(self) -> bool:
        """Whether it changes anything."""
        return self.region_dropout > 0 or self.word_dropout > 0

    def regions(self, present: Tensor, generator: torch.Generator) -> Tensor:
        """`present` (B, n) without the regions that are taken away; an image that would lose all keeps all."""
        if self.region_dropout == 0:
            return present
        kept = present & (torch.rand(present.shape, generator=generator) >= self.region_dropout)
        return torch.where(kept.any(1, keepdim=True), kept, present)

    def words(self, ids: Tensor, lengths: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """`ids` (B, L) and `lengths` (B,) of disturbed texts; one that would lose all words keeps them."""
        if self.word_dropout == 0:
            return ids, lengths
        chance, fate = torch.rand((2, *ids.shape), generator=generator)
        other = torch.full_like(ids, UNKNOWN)
        if self.vocabulary > len(MARKS):
            other = torch.randint(len(MARKS), self.vocabulary, ids.shape, generator=generator)
        is_word = (ids != PAD) & (ids != START) & (ids != END)
        chosen = is_word & (chance < self.word_dropout)
        unknown, random = {
            "remove": (0.0, 0.0),
            "unknown": (1.0, 0.0),
            "mixed": (UNKNOWN_SHARE, RANDOM_SHARE),
        }[self.disturbance]
        changed = torch.where(chosen & (fate < unknown), UNKNOWN, ids)
        changed = torch.where(chosen & (fate >= unknown) & (fate < unknown + random), other, changed)
        gone = chosen & (fate >= unknown + random)
        gone &= (is_word & ~gone).any(1, keepdim=True)
        stays = (ids != PAD) & ~gone
        # What stays moves to the front, in its order.
        order = torch.argsort(~stays, dim=1, stable=True)
        moved = changed.gather(1, order)
        left = stays.sum(1)
        return moved.masked_fill(torch.arange(ids.shape[1]) >= left[:, None], PAD), left
