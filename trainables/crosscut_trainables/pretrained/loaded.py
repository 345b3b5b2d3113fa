"""A pretrained dual encoder in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from crosscut_trainables.data.split import Split
from crosscut_trainables.pieces import Pieces
from crosscut_trainables.pretrained.dual_encoder import DualEncoder
from crosscut_trainables.pretrained.pixels import Pixels
from crosscut_trainables.pretrained.towers import ImageTower, TextTower


@dataclass(frozen=True)
class Loaded:
    """What a dual encoder has when it is read: two towers, and what makes their inputs."""

    family: type[DualEncoder]
    width: int
    """Dimensions of the joint space."""
    scale: float
    """τ⁻¹, what cosines are multiplied with, as the model learnt it."""
    images: ImageTower
    texts: TextTower
    vocabulary: Pieces
    processor: Any
    """Makes pictures of images."""

    def view(self, split: Split) -> Split:
        """The split as the model sees it: pictures with its places, and captions of its pieces.

        A piece refers to what its word refers to. Nobody knows what a piece refers to where the model's places
        are none of the image.

        Raises:
            ValueError: the split has no whole images, or their pictures do not fit the model.
        """
        if split.scenes is None:
            raise ValueError(
                f"{self.family.model_type} reads whole images, and this data set has regions only"
            )
        pixels = Pixels(split.scenes, self.processor)
        grid = self.family.grid(self.images, *pixels.shape[2:])
        if self.family.has_places:
            boxes = grid.boxes(pixels.frame)
        else:
            boxes = np.tile(np.array([0, 0, 1, 1], np.float32), (len(grid), 1))
        cut = self.vocabulary.view(split)
        return replace(
            cut,
            regions=pixels,
            boxes=np.broadcast_to(boxes, (len(pixels), *boxes.shape)),
            present=np.ones((len(pixels), len(grid)), np.bool_),
            referents=cut.referents if self.family.has_places else None,
            has_boxes=self.family.has_places,
        )
