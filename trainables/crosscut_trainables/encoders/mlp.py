"""A linear map beside a small network of each region's features, as VSE∞ has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from crosscut_trainables.encoders.image_encoder import RegionWise

if TYPE_CHECKING:
    import torch
    from torch import nn


class Mlp(RegionWise):
    """W v + b + MLP(v), the MLP with one hidden layer of half of the width (VSE∞, Chen et al. 2021).

    [reading] Without batch normalisation in the hidden layer.
    """

    name: Literal["mlp"] = "mlp"
    summary: ClassVar[str] = "a linear map and a small network of each region, added (Chen et al. 2021)"

    def projection(self, features: int, width: int, generator: torch.Generator) -> nn.Module:
        from crosscut_trainables.encoders.projections import ResidualProjection

        return ResidualProjection(features, width, generator)
