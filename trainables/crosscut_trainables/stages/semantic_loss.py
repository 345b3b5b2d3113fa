"""The base of every semantic loss: what makes items of one meaning alike, within one modality."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from crosscut_trainables.component import Component

if TYPE_CHECKING:
    from torch import Tensor


class SemanticLoss(Component):
    """What makes items of one meaning alike. Losses are **summed** over the pairs of a batch."""

    name: str

    @abstractmethod
    def loss(self, one: Tensor, other: Tensor, same: Tensor) -> Tensor:
        """The loss of B pairs of items of one meaning, `one` (B, D) and `other` (B, D) of unit norm.

        `same` (B, B) bool: whether item r of `one` and item c of `other` have one meaning; the diagonal is True.
        """
