"""The head of a tower: what is learnt behind an encoder that was trained before."""

from __future__ import annotations

from torch import Tensor, nn

from crosscut_trainables.fragments import Fragments, l2norm
from crosscut_trainables.pooling import pooled
from crosscut_trainables.rows import Rows


class Head(nn.Module):
    """A linear map of every fragment and of the whole, where there is one, and the backbone's pooling.

    Without a map and a pooling it hands on what the encoder gives.
    """

    def __init__(self, encoder: nn.Module, linear: nn.Linear | None, pool: nn.Module | None) -> None:
        super().__init__()
        self.encoder, self.linear, self.pool = encoder, linear, pool

    def forward(self, x: Tensor, y: Tensor, z: Tensor, rows: Rows | None = None) -> Fragments:
        """From what an image encoder takes, or a text encoder."""
        found: Fragments = self.encoder(x, y, z, rows)
        if self.linear is None and self.pool is None:
            return found
        fragments, whole = found.fragments, found.summary
        if self.linear is not None:
            fragments = self.linear(fragments).float() * found.mask[..., None]
            whole = self.linear(whole).float()
        if self.pool is not None:
            whole = pooled(self.pool, fragments, found.mask)
        return Fragments(l2norm(fragments), found.mask, l2norm(whole), rows)
