"""The semantic loss with something that keeps meanings apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from crosscut_trainables.stages.semantic_loss import SemanticLoss

if TYPE_CHECKING:
    from torch import Tensor


class Separated(SemanticLoss):
    """Σ d(F_i, F_{i+1}) + [m − d(F_i, F⁻)]₊, F⁻ an item of another meaning.

    [reading] The distance to positives against a margin from negatives, the contrastive loss of Hadsell, Chopra
    and LeCun (2006) without its squares. `mean`: the hinge is averaged over all items of the batch that have
    another meaning, for each item of a pair; `hardest`: F⁻ is the nearest of them, which from a fresh start tends
    to make all features alike, with a loss of m for each pair.
    """

    name: Literal["separated"] = "separated"
    summary: ClassVar[str] = "distance to positives, and a margin from negatives (after Hadsell et al. 2006)"

    margin: float = Field(1.0, gt=0, le=2, description="m, the distance that other meanings keep, (0, 2].")
    negatives: Literal["mean", "hardest"] = Field(
        "mean", description="mean: all negatives of the batch, averaged; hardest: the nearest of them."
    )

    def loss(self, one: Tensor, other: Tensor, same: Tensor) -> Tensor:
        import torch

        positive = torch.linalg.vector_norm(one - other, dim=1).sum()
        # From the products, since the differences of all pairs are B²·D numbers; kept off 0, where a root has no
        # gradient.
        distances = (2 - 2 * one @ other.T).clamp(min=1e-6).sqrt()
        hinge = (self.margin - distances).clamp(min=0).masked_fill(same, 0.0)
        if self.negatives == "hardest":
            negative = hinge.amax(1).sum() + hinge.amax(0).sum()
        else:
            counts = [(~same).sum(side).clamp(min=1) for side in (1, 0)]
            negative = (hinge.sum(1) / counts[0]).sum() + (hinge.sum(0) / counts[1]).sum()
        loss: Tensor = positive + 0.5 * negative
        return loss
