"""The base of every text encoder: from word ids to fragments."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from crosscut_trainables.component import Component

if TYPE_CHECKING:
    import torch
    from torch import nn


class TextEncoder(Component):
    """How a text becomes fragments."""

    name: str

    @abstractmethod
    def module(
        self,
        vocabulary: int,
        word_width: int,
        width: int,
        pooling: str,
        dropout: float,
        generator: torch.Generator,
    ) -> nn.Module:
        """A module from `ids` (B, L), `lengths` (B,), `mask` (B, L) and the `Rows` of a batch that these are (or
        None) to `Fragments` of `width` dimensions. Its embeddings are called `embed`.

        `dropout` is that of word embeddings; `pooling` a key of `pooling.POOLINGS`, or `OWN`; initial values as of
        image encoders.
        """
