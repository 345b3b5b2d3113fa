"""A transformer over the patches of a whole image."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from crosscut_trainables.encoders.cut_pictures import CutPictures
from crosscut_trainables.encoders.image_encoder import ImageEncoder

if TYPE_CHECKING:
    import torch
    from torch import nn

    from crosscut_trainables.data.split import Split


class Patches(ImageEncoder):
    """Square patches of the whole image, learnt positions, a class token, and blocks of self-attention.

    Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021. Patches take the place of a detector's regions,
    so attention backbones, constraints and attention metrics work on them alike. The class token is the whole
    image. Images are brought to `size` whole, or taken as they are; a side that is no multiple of `patch` is
    filled up with 0 at the right and below.
    """

    name: Literal["patches"] = "patches"
    summary: ClassVar[str] = "a transformer over the patches of the whole image (Dosovitskiy et al. 2021)"
    has_positions: ClassVar[bool] = True
    ordered: ClassVar[bool] = True
    reads_images: ClassVar[bool] = True

    patch: int = Field(5, ge=1, le=256, description="Side of a patch in pixels, 1 to 256.")
    size: int | None = Field(
        None,
        ge=1,
        le=4096,
        description="Side in pixels that every image is brought to, 1 to 4096; null: images as they are, all of "
        "one size.",
    )
    layers: int = Field(2, ge=1, le=48, description="Blocks, 1 to 48.")
    heads: int = Field(4, ge=1, le=64, description="Heads of each block, which must divide encoder.width.")
    mlp_ratio: int = Field(4, ge=1, le=16, description="Width of a block's hidden layer, in widths, 1 to 16.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Dropout after each sub-layer, [0, 1).")

    def view(self, split: Split) -> Split:
        if split.scenes is None:
            raise ValueError("encoder.image: patches are of whole images, and this data set has regions only")
        cut = CutPictures(split.scenes, self.patch, self.size)
        images, places, _ = cut.shape
        return replace(
            split,
            regions=cut,
            boxes=np.broadcast_to(cut.boxes, (images, places, 4)),
            present=np.ones((images, places), np.bool_),
            has_boxes=True,
        )

    def module(
        self, features: int, places: int, width: int, pooling: str, generator: torch.Generator
    ) -> nn.Module:
        from crosscut_trainables.encoders.transformer import Blocks, PatchTransformer

        blocks = Blocks(width, self.layers, self.heads, self.mlp_ratio, self.dropout, generator)
        return PatchTransformer(features, places, width, blocks, pooling, generator)
