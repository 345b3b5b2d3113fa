"""A linear map of each region's features, as the region-word family has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from crosscut_trainables.encoders.image_encoder import RegionWise

if TYPE_CHECKING:
    import torch
    from torch import nn


class Linear(RegionWise):
    """W v + b, W uniform within ±√(6/(in+out)), b = 0 (SCAN, BFAN, SGRAF)."""

    name: Literal["linear"] = "linear"
    summary: ClassVar[str] = "a linear map of each region (Lee et al. 2018)"

    def projection(self, features: int, width: int, generator: torch.Generator) -> nn.Module:
        from crosscut_trainables.encoders.projections import LinearProjection

        return LinearProjection(features, width, generator)
