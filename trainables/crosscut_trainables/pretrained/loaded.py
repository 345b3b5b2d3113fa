"""A pretrained dual encoder in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crosscut_trainables.data.split import Split
from crosscut_trainables.pretrained.dual_encoder import DualEncoder
from crosscut_trainables.pretrained.pieces import Cut, Pieces
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
        captions = split.captions
        if split.texts is not None and split.referents is None:
            captions = [text.split() for text in split.texts]
        cuts = self.vocabulary.pieces_of(captions)
        return replace(
            split,
            regions=pixels,
            boxes=np.broadcast_to(boxes, (len(pixels), *boxes.shape)),
            present=np.ones((len(pixels), len(grid)), np.bool_),
            captions=[pieces for pieces, _ in cuts],
            referents=self._referents(split, cuts),
            has_boxes=self.family.has_places,
        )

    def _referents(self, split: Split, cuts: list[Cut]) -> list[tuple[NDArray[np.float32], ...]] | None:
        if split.referents is None or not self.family.has_places:
            return None
        return [
            tuple(places[word] for word in owners)
            for places, (_, owners) in zip(split.referents, cuts, strict=True)
        ]
