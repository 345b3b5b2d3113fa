"""The modules of image encoders: from a region's features, and its box, to a vector of the joint space."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def xavier(layer: nn.Linear, generator: torch.Generator) -> None:
    """Weights uniform within ±√(6/(in+out)), bias 0 (Glorot and Bengio 2010)."""
    bound = (6.0 / (layer.in_features + layer.out_features)) ** 0.5
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=generator)
        if layer.bias is not None:
            layer.bias.zero_()


class LinearProjection(nn.Module):
    """W v + b."""

    def __init__(self, features: int, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.project = nn.Linear(features, width)
        xavier(self.project, generator)

    def forward(self, regions: Tensor, boxes: Tensor) -> Tensor:
        """(B, n, width) from `regions` (B, n, features)."""
        projected: Tensor = self.project(regions)
        return projected


class ResidualProjection(nn.Module):
    """W v + b + MLP(v)."""

    def __init__(self, features: int, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.project = nn.Linear(features, width)
        self.hidden = nn.Linear(features, max(1, width // 2))
        self.out = nn.Linear(max(1, width // 2), width)
        for layer in (self.project, self.hidden, self.out):
            xavier(layer, generator)

    def forward(self, regions: Tensor, boxes: Tensor) -> Tensor:
        """(B, n, width) from `regions` (B, n, features)."""
        projected: Tensor = self.project(regions) + self.out(torch.relu(self.hidden(regions)))
        return projected


class PositionedProjection(nn.Module):
    """W [v; p] + b, p the weighted vectors of the blocks that a region covers."""

    def __init__(
        self,
        features: int,
        width: int,
        generator: torch.Generator,
        grid: int,
        blocks: int,
        position_width: int,
    ) -> None:
        super().__init__()
        self.grid, self.blocks = grid, blocks
        self.embed = nn.Embedding(grid**2 + 1, position_width)
        self.weigh = nn.Linear(features, position_width)
        self.project = nn.Linear(features + position_width, width)
        with torch.no_grad():
            self.embed.weight.uniform_(-0.1, 0.1, generator=generator)
        for layer in (self.weigh, self.project):
            xavier(layer, generator)

    def forward(self, regions: Tensor, boxes: Tensor) -> Tensor:
        """(B, n, width) from `regions` (B, n, features) and `boxes` (B, n, 4) as shares of the image."""
        ids, overlaps = blocks_of(boxes, self.grid, self.blocks)
        vectors = self.embed(ids)
        agreement = torch.tanh((vectors @ self.weigh(regions)[..., None])[..., 0])
        weights = torch.softmax(overlaps * torch.softmax(agreement, -1), -1)
        position = (weights[..., None, :] @ vectors)[..., 0, :]
        projected: Tensor = self.project(torch.cat([regions, position], -1))
        return projected


def blocks_of(boxes: Tensor, grid: int, count: int) -> tuple[Tensor, Tensor]:
    """Numbers (…, count) of the blocks that boxes (…, 4) cover most, and the shares of them that are covered.

    Blocks count row by row from 0; `grid`² stands where fewer are covered at all, with a share of 0.
    """
    # A box on a line of the grid may reach over it by rounding.
    nothing = 1e-5
    edges = torch.arange(grid, device=boxes.device, dtype=boxes.dtype)

    def covered(low: Tensor, high: Tensor) -> Tensor:
        return ((high * grid)[..., None].minimum(edges + 1) - (low * grid)[..., None].maximum(edges)).clamp(
            min=0
        )

    across, down = covered(boxes[..., 0], boxes[..., 2]), covered(boxes[..., 1], boxes[..., 3])
    shares = (down[..., :, None] * across[..., None, :]).flatten(-2)
    overlaps, ids = shares.sort(dim=-1, descending=True, stable=True)
    overlaps, ids = overlaps[..., :count], ids[..., :count]
    absent = overlaps < nothing
    return ids.masked_fill(absent, grid**2), overlaps.masked_fill(absent, 0.0)
