"""The model of one run: the two encoders, and what the backbone and the loss learn."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor, nn

from crosscut_trainables.fragments import Fragments
from crosscut_trainables.randomness import seed_for
from crosscut_trainables.rows import Rows

if TYPE_CHECKING:
    from crosscut_trainables.config import RetrievalConfig

T = TypeVar("T")


class RetrievalModel(nn.Module):
    """Everything that is learnt, the same on every worker for the same seed.

    With `precision: bf16` the encoders compute in bfloat16; what compares fragments, and the losses, stay in
    float32, because hard negatives differ by less than bfloat16 can tell.
    """

    def __init__(
        self, config: RetrievalConfig, features: int, places: int, vocabulary: int, seed: int
    ) -> None:
        super().__init__()
        encoder = config.encoder
        generator = torch.Generator().manual_seed(seed_for(seed, "encoders"))
        # Layers draw default values when they are made; forked, that leaves the global state as it was.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed_for(seed, "parts"))
            comparison = config.comparison
            pool_image, pool_text = comparison.poolings
            self.backbone_parts = comparison.parts(encoder.width)
            self.loss_parts = config.loss.parts()
            self.image_encoder = config.image_encoder.module(
                features, places, encoder.width, pool_image, generator
            )
            self.text_encoder = encoder.text.module(
                vocabulary, encoder.word_width, encoder.width, pool_text, encoder.dropout, generator
            )
        self.bf16 = config.training.precision == "bf16"

    def forward(self, work: Callable[[], T]) -> T:
        """Do any work with this model; `torch.func.functional_call` does it with other parameters in place."""
        return work()

    def images(self, regions: Tensor, present: Tensor, boxes: Tensor, rows: Rows | None = None) -> Fragments:
        """Encode `regions` (B, n, features) with their mask `present` (B, n) and `boxes` (B, n, 4); `rows` of a
        larger batch."""
        with self._autocast(regions):
            fragments: Fragments = self.image_encoder(regions, present, boxes, rows)
        return fragments

    def texts(self, ids: Tensor, lengths: Tensor, mask: Tensor, rows: Rows | None = None) -> Fragments:
        """Encode `ids` (B, L) with `lengths` (B,) on the CPU and `mask` (B, L); `rows` of a larger batch."""
        with self._autocast(ids):
            fragments: Fragments = self.text_encoder(ids, lengths, mask, rows)
        return fragments

    def _autocast(self, like: Tensor) -> AbstractContextManager[object]:
        return torch.autocast(like.device.type, dtype=torch.bfloat16) if self.bf16 else nullcontext()
