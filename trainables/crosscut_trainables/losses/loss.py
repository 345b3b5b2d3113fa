"""The base of every matching loss: from the similarities of a batch to one number."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from crosscut_trainables.component import Component

if TYPE_CHECKING:
    from torch import Tensor, nn


class Loss(Component):
    """What makes matched pairs similar and others not. Losses are **summed** over the pairs of a batch."""

    name: str
    false_negatives: Literal["mask", "keep"] = Field(
        "mask",
        description="mask: other captions of the same image are no negatives, in either direction; "
        "keep: only the pair itself is spared, as in the published references.",
    )

    def parts(self) -> nn.Module | None:
        """What it learns; None where it learns nothing."""
        return None

    @abstractmethod
    def loss(
        self,
        scores: Tensor,
        image_of: Tensor,
        parts: nn.Module | None,
        epoch: int = 1,
        noise: Tensor | None = None,
    ) -> Tensor:
        """The loss of a batch of B pairs.

        `scores` (B, B): image of pair r with text of pair c; `image_of` (B,): which image each pair has;
        `epoch` counts from 1, for a loss that changes in the course of training. `noise` (B, K): each image with K
        further texts that do not match it, negatives of its row.
        """

    def collapsed_at(self, batch_size: int, epoch: int = 1) -> float | None:
        """The loss of a batch where all scores are equal, which is where training can get stuck; or None."""
        return None

    def spared(self, image_of: Tensor) -> Tensor:
        """(B, B) bool: the entries that are no negatives."""
        import torch

        if self.false_negatives == "mask":
            return image_of[:, None] == image_of[None, :]
        return torch.eye(len(image_of), dtype=torch.bool, device=image_of.device)
