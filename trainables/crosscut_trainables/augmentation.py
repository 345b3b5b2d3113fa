"""Augmentation: regions and words that are taken away or disturbed while training, in the data loader."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from crosscut_trainables.data.vocabulary import Lexicon, Vocabulary

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
    vocabulary: Lexicon = field(default_factory=lambda: Vocabulary(()))
    """What numbers the words."""

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
        known, (before, after) = torch.from_numpy(self.vocabulary.known), self.vocabulary.marks
        # Without an unknown word no word becomes it: compatibility.py sees to that.
        not_known = self.vocabulary.unknown or 0
        other = torch.full_like(ids, not_known)
        if len(known):
            other = known[torch.randint(len(known), ids.shape, generator=generator)]
        places, ends = torch.arange(ids.shape[1]), lengths[:, None]
        is_word = (places >= before) & (places < ends - after)
        chosen = is_word & (chance < self.word_dropout)
        unknown, random = {
            "remove": (0.0, 0.0),
            "unknown": (1.0, 0.0),
            "mixed": (UNKNOWN_SHARE, RANDOM_SHARE),
        }[self.disturbance]
        changed = torch.where(chosen & (fate < unknown), not_known, ids)
        changed = torch.where(chosen & (fate >= unknown) & (fate < unknown + random), other, changed)
        gone = chosen & (fate >= unknown + random)
        gone &= (is_word & ~gone).any(1, keepdim=True)
        stays = (places < ends) & ~gone
        # What stays moves to the front, in its order.
        order = torch.argsort(~stays, dim=1, stable=True)
        moved = changed.gather(1, order)
        left = stays.sum(1)
        return moved.masked_fill(places >= left[:, None], self.vocabulary.pad), left
