"""The semantic loss as it is printed."""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, ClassVar

from crosscut_trainables.stages.semantic_loss import SemanticLoss

if TYPE_CHECKING:
    from torch import Tensor


class Literal(SemanticLoss):
    """Σ |d(F_i, F_{i+1}) + ⟨F_i, F_{i+1}⟩|, d the Euclidean distance of two items of one meaning.

    Shi and Li, "Rethinking Semantic Contrastive Learning and Content Fusion in Multimodal Retrieval", as printed.
    On unit vectors ⟨F_i, F_{i+1}⟩ = 1 − d²/2, so a pair's term is 1 + d − d²/2: it is 1, its least, both for
    identical features and for opposite ones, and 1.5, its most, at d = 1. Pairs nearer than that are drawn
    together, those farther apart are driven to opposite ends, and nothing keeps items of other meanings away:
    features that are all alike have the least loss there is.
    """

    name: typing.Literal["literal"] = "literal"
    summary: ClassVar[str] = "the semantic loss as printed, without negatives (Shi and Li)"

    def loss(self, one: Tensor, other: Tensor, same: Tensor) -> Tensor:
        import torch

        distance = torch.linalg.vector_norm(one - other, dim=1)
        loss: Tensor = (distance + (one * other).sum(1)).abs().sum()
        return loss
