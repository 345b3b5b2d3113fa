"""The base of every image encoder: from what is known of regions to vectors of the joint space."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from crosscut_trainables.component import Component

if TYPE_CHECKING:
    import torch
    from torch import nn


class ImageEncoder(Component):
    """How the regions of an image become fragments."""

    name: str
    has_positions: ClassVar[bool] = False
    """Whether it looks at where regions are."""

    @abstractmethod
    def projection(self, features: int, width: int, generator: torch.Generator) -> nn.Module:
        """A module from `regions` (B, n, features) and `boxes` (B, n, 4) to (B, n, width), each region by itself.

        Initial values come from `generator`; parts that it does not reach may keep torch's own, since they are
        made under a seed of their own.
        """
