"""Fragments: the regions of images or the words of texts, as the encoders give them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

EPSILON = 1e-8


def l2norm(x: Tensor) -> Tensor:
    """`x` with every vector along the last dimension divided by its norm + 1e-8, as the references do."""
    norm: Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return x / (norm + EPSILON)


@dataclass(frozen=True)
class Fragments:
    """B images or texts, each as n places for fragments in a space of D dimensions."""

    fragments: Tensor
    """(B, n, D) of unit norm; **zero** at places that are padding, which the backbones rely on."""
    mask: Tensor
    """(B, n) bool, False where a place is padding."""
    summary: Tensor
    """(B, D) the whole image or text, of unit norm."""

    def __len__(self) -> int:
        return self.fragments.shape[0]

    def take(self, index: Tensor | slice) -> Fragments:
        """The images or texts at `index`, in its order."""
        return Fragments(self.fragments[index], self.mask[index], self.summary[index])

    def view(self) -> Fragments:
        """The same numbers, seen apart: gradients of this view add up before they reach what it is a view of."""
        return Fragments(
            self.fragments.view_as(self.fragments), self.mask, self.summary.view_as(self.summary)
        )
