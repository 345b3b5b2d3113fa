"""The base of every backbone: from the fragments of images and texts to the similarity of each pair."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from crosscut_trainables.component import Component

if TYPE_CHECKING:
    from torch import nn

    from crosscut_trainables.fragments import Fragments
    from crosscut_trainables.match import Match


class Backbone(Component):
    """How an image and a text are compared."""

    name: str
    exposes_attention: ClassVar[bool]
    """Whether its matches carry an `Attention`, on which constraints can act."""
    image_encoder: ClassVar[str] = "linear"
    """The image encoder that it has where the configuration names none."""
    needs_positions: ClassVar[bool] = False
    """Whether the image encoder must know where regions are."""

    @property
    def rounds(self) -> bool:
        """Whether it compares fragments in bfloat16, without gradients, as well as in single precision."""
        return False

    @property
    def learns(self) -> bool:
        """Whether it has anything to learn, in `parts` or in its poolings."""
        return False

    @property
    def poolings(self) -> tuple[str, str]:
        """How an image and a text each become one vector: keys of `pooling.POOLINGS`, or `own`, the encoder's."""
        return "own", "own"

    def parts(self, width: int) -> nn.Module | None:
        """What it learns, for fragments of `width` dimensions; None where it learns nothing.

        Made under a seed of its own, so default initialisation may be used.
        """
        return None

    @abstractmethod
    def match(self, images: Fragments, texts: Fragments, parts: nn.Module | None) -> Match:
        """The similarity of every image with every text; `parts` is what `parts` made."""

    def floats_per_pair(self, regions: int, words: int, width: int) -> int:
        """How many numbers `match` holds at once for one pair of that many places, without gradients."""
        return 1

    def numbers_per_pair(self, regions: int, words: int, width: int) -> int:
        """How many numbers `match` goes through for one pair, however few it holds at once."""
        return self.floats_per_pair(regions, words, width)
