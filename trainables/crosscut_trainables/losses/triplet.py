"""The triplet loss: a matched pair must beat its negatives by a margin."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from crosscut_trainables.losses.loss import Loss

if TYPE_CHECKING:
    from torch import Tensor, nn


class Triplet(Loss):
    """Σ over pairs of [m + S(i,t̂) − S(i,t)]₊ + [m + S(î,t) − S(i,t)]₊.

    `hardest`: t̂ and î are the hardest negatives of the batch (Faghri et al. 2018); `sum`: the hinge is summed
    over all negatives (Kiros et al. 2014). The references sum over the batch and so does this. Hard negatives can
    make all scores alike early on; `warmup_epochs` begins with the sum (VSE∞ has one such epoch).
    """

    name: Literal["triplet"] = "triplet"
    summary: ClassVar[str] = "hinge against the negatives of the batch (Faghri et al. 2018)"

    margin: float = Field(0.2, gt=0, le=2, description="m, by which a matched pair must win, (0, 2].")
    negatives: Literal["hardest", "sum"] = Field(
        "hardest", description="hardest: the hardest negative of the batch; sum: all of them."
    )
    warmup_epochs: int = Field(
        0, ge=0, le=1000, description="Epochs at the start that sum over all negatives, 0 to 1000."
    )

    def loss(
        self,
        scores: Tensor,
        image_of: Tensor,
        parts: nn.Module | None,
        epoch: int = 1,
        noise: Tensor | None = None,
    ) -> Tensor:
        own = scores.diagonal()
        spared = self.spared(image_of)
        texts = (self.margin + scores - own[:, None]).clamp(min=0).masked_fill(spared, 0.0)
        if noise is not None:
            import torch

            texts = torch.cat([texts, (self.margin + noise - own[:, None]).clamp(min=0)], 1)
        images = (self.margin + scores - own[None, :]).clamp(min=0).masked_fill(spared, 0.0)
        if self._sums(epoch):
            return texts.sum() + images.sum()
        return texts.amax(1).sum() + images.amax(0).sum()

    def collapsed_at(self, batch_size: int, epoch: int = 1) -> float | None:
        return None if self._sums(epoch) else 2 * batch_size * self.margin

    def _sums(self, epoch: int) -> bool:
        return self.negatives == "sum" or epoch <= self.warmup_epochs
