"""The module of image encoders that take each region by itself."""

from __future__ import annotations

from torch import Tensor, nn

from crosscut_trainables.fragments import Fragments, l2norm
from crosscut_trainables.pooling import OWN, pooled, pooling_of
from crosscut_trainables.rows import Rows


class RegionEncoder(nn.Module):
    """Regions to unit vectors; the whole is pooled from what they are before they get unit length."""

    def __init__(self, projection: nn.Module, width: int, pooling: str = OWN) -> None:
        super().__init__()
        self.projection = projection
        self.pool = pooling_of("mean" if pooling == OWN else pooling, width)

    def forward(self, regions: Tensor, present: Tensor, boxes: Tensor, rows: Rows | None = None) -> Fragments:
        """`regions` (B, n, features), `present` (B, n) bool, True for at least one region of every image, `boxes`
        (B, n, 4)."""
        projected = self.projection(regions, boxes).float() * present[..., None]
        return Fragments(l2norm(projected), present, l2norm(pooled(self.pool, projected, present)))
