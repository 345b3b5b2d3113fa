"""Each region's features together with the blocks of the image that it covers, as PFAN has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from crosscut_trainables.encoders.image_encoder import RegionWise

if TYPE_CHECKING:
    import torch
    from torch import nn


class Positions(RegionWise):
    """W [v; p] + b with p = Σ_l w_l p_l over the blocks of a grid that the region covers most.

    Wang et al., "Position Focused Attention Network for Image-Text Matching", IJCAI 2019. p_l is a learnt vector
    of block l, w = softmax(overlap · softmax(tanh<V v, p_l>)). [reading] A block's overlap is the share of its
    area that the region covers; blocks that are covered alike are taken row by row. Where a region covers fewer
    blocks than are taken, the rest are a block of their own with an overlap of 0.
    """

    name: Literal["positions"] = "positions"
    summary: ClassVar[str] = "each region with the blocks of the image that it covers (Wang et al. 2019)"
    has_positions: ClassVar[bool] = True

    grid: int = Field(16, ge=2, le=64, description="Blocks of the image along each side, 2 to 64.")
    blocks: int = Field(15, ge=1, le=64, description="Blocks of each region, those it covers most, 1 to 64.")
    position_width: int = Field(200, ge=1, le=4096, description="Dimensions of a block's vector, 1 to 4096.")

    def projection(self, features: int, width: int, generator: torch.Generator) -> nn.Module:
        from crosscut_trainables.encoders.projections import PositionedProjection

        return PositionedProjection(
            features, width, generator, self.grid, min(self.blocks, self.grid**2), self.position_width
        )
