"""Fragments: the regions of images or the words of texts, as the encoders give them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from crosscut_trainables.rows import Rows

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
    rows: Rows | None = None
    """Which items of a global batch these are; None where they are the whole of it."""

    def __len__(self) -> int:
        return self.fragments.shape[0]

    def take(self, index: Tensor | slice) -> Fragments:
        """The images or texts at `index`, in its order."""
        return Fragments(self.fragments[index], self.mask[index], self.summary[index])

    def rounded(self) -> Fragments:
        """The same with fragments in bfloat16; the summary stays as it is."""
        return replace(self, fragments=self.fragments.to(torch.bfloat16))

    def view(self) -> Fragments:
        """The same numbers, seen apart: gradients of this view add up before they reach what it is a view of."""
        return replace(
            self,
            fragments=self.fragments.view_as(self.fragments),
            summary=self.summary.view_as(self.summary),
        )


def joined(parts: Sequence[Fragments]) -> Fragments:
    """Several fragments, one after the other."""
    if len(parts) == 1:
        return replace(parts[0], rows=None)
    return Fragments(
        torch.cat([part.fragments for part in parts]),
        torch.cat([part.mask for part in parts]),
        torch.cat([part.summary for part in parts]),
    )
