"""The base of every image encoder: from what is known of an image to its fragments."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from crosscut_trainables.component import Component

if TYPE_CHECKING:
    import torch
    from torch import nn

    from crosscut_trainables.data.split import Split


class ImageEncoder(Component):
    """How an image becomes fragments."""

    name: str
    has_positions: ClassVar[bool] = False
    """Whether it looks at where fragments are."""
    ordered: ClassVar[bool] = False
    """Whether the places of fragments have a meaning, so that another order is another image."""

    reads_images: ClassVar[bool] = False
    """Whether it reads whole images, and not a detector's regions."""

    def view(self, split: Split) -> Split:
        """The split as this encoder sees it: with the detector's regions, or with regions of its own.

        Raises:
            ValueError: the split lacks what it looks at.
        """
        return split

    @abstractmethod
    def module(
        self, features: int, places: int, width: int, pooling: str, generator: torch.Generator
    ) -> nn.Module:
        """A module from `regions` (B, n, features), `present` (B, n), `boxes` (B, n, 4) and the `Rows` of a batch
        that these are (or None) to `Fragments` of `width` dimensions; n is `places` at most.

        Initial values come from `generator`; parts that it does not reach may keep torch's own, since they are
        made under a seed of their own. `pooling` is a key of `pooling.POOLINGS`, or `OWN`.
        """


class RegionWise(ImageEncoder):
    """Each region by itself; the whole is the mean of them where the backbone asks for no other pooling."""

    def view(self, split: Split) -> Split:
        if not split.present.shape[1]:
            raise ValueError(
                f"encoder.image: {self.name} is of regions, and this data set has whole images only; expected "
                "patches, or a pretrained model"
            )
        if self.has_positions and not split.has_boxes:
            raise ValueError(f"encoder.image: {self.name} looks at boxes, and this data set has none")
        return split

    @abstractmethod
    def projection(self, features: int, width: int, generator: torch.Generator) -> nn.Module:
        """A module from `regions` (B, n, features) and `boxes` (B, n, 4) to (B, n, width)."""

    def module(
        self, features: int, places: int, width: int, pooling: str, generator: torch.Generator
    ) -> nn.Module:
        from crosscut_trainables.encoders.region_encoder import RegionEncoder

        return RegionEncoder(self.projection(features, width, generator), width, pooling)
