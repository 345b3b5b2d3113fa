"""The model of one run: the two encoders, and what the backbone and the loss learn."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn

from crosscut_trainables.encoders.gru_encoder import GruEncoder
from crosscut_trainables.fragments import Fragments
from crosscut_trainables.randomness import seed_for
from crosscut_trainables.recurrence import Reading, States
from crosscut_trainables.rows import Rows

if TYPE_CHECKING:
    from crosscut_trainables.config import RetrievalConfig
    from crosscut_trainables.towers import Towers

T = TypeVar("T")
GIVEN = ("image_encoder.encoder.", "text_encoder.encoder.")
"""What names of parameters begin with that lie inside encoders that were trained before, behind a `Head`."""


class RetrievalModel(nn.Module):
    """Everything that is learnt, the same on every worker for the same seed.

    With `precision: bf16` the encoders compute in bfloat16; what compares fragments, and the losses, stay in
    float32, because hard negatives differ by less than bfloat16 can tell.
    """

    def __init__(self, config: RetrievalConfig, towers: Towers, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed_for(seed, "encoders"))
        # Layers draw default values when they are made; forked, that leaves the global state as it was.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed_for(seed, "parts"))
            comparison = config.comparison
            pool_image, pool_text = comparison.poolings
            self.backbone_parts = comparison.parts(towers.width)
            loss = config.loss
            if towers.scale is not None:
                loss = loss.model_copy(update={"temperature": 1 / towers.scale})
            self.loss_parts = loss.parts()
            self.image_encoder = towers.image_module(pool_image, generator)
            self.text_encoder = towers.text_module(pool_text, generator)
        self.bf16 = config.training.precision == "bf16"
        if not towers.learns:
            self.requires_grad_(False)

    @property
    def learnt(self) -> dict[str, nn.Parameter]:
        """What is learnt, by name."""
        return {name: parameter for name, parameter in self.named_parameters() if parameter.requires_grad}

    def groups(self, encoder_rate: float) -> list[dict[str, Any]]:
        """What is learnt as groups of an optimizer, each with its `share` of the learning rate: `encoder_rate` for
        what lies inside encoders that were trained before, 1 for all else."""
        groups = []
        for given, share in ((False, 1.0), (True, encoder_rate)):
            parameters = [p for name, p in self.learnt.items() if name.startswith(GIVEN) == given]
            if parameters:
                groups.append({"params": parameters, "share": share})
        return groups

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

    def reading(self, ids: Tensor, lengths: Tensor, rows: Rows | None = None) -> Reading | None:
        """What the text encoder reads of texts, where it is a recurrent network on a CPU and several are faster
        together; None where it is not, and encodes them by itself."""
        encoder = self.text_encoder
        if ids.device.type != "cpu" or self.bf16 or not isinstance(encoder, GruEncoder):
            return None
        return encoder.reading(ids, lengths, rows)

    def texts_of(self, read: States, mask: Tensor, rows: Rows | None = None) -> Fragments:
        """The texts, as `texts` gives them, of which that was read."""
        assert isinstance(self.text_encoder, GruEncoder)
        return self.text_encoder.fragments(read, mask, rows)

    def _autocast(self, like: Tensor) -> AbstractContextManager[object]:
        return torch.autocast(like.device.type, dtype=torch.bfloat16) if self.bf16 else nullcontext()
