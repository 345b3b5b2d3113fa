"""The attention of each word of a split's captions to the regions of the caption's own image."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from crosscut_trainables.backbones import Backbone
from crosscut_trainables.batches import PreparedSplit
from crosscut_trainables.model import RetrievalModel
from crosscut_trainables.similarity import encode_images, encode_texts

BLOCK = 128
"""Captions that are taken at once."""


@torch.no_grad()
def attention_of_words(
    model: RetrievalModel,
    backbone: Backbone,
    split: PreparedSplit,
    captions: Tensor,
    device: str = "cpu",
) -> list[NDArray[np.float32]] | None:
    """For each of `captions` (indices) its (words, regions) weights, without those of start and end marks.

    None where words do not attend: the backbone has no attention, or its regions attend to words.
    """
    found: list[NDArray[np.float32]] = []
    for block in captions.split(BLOCK):
        images, places = split.image_of[block].unique(return_inverse=True)
        match = backbone.match(
            encode_images(model, split, images, device),
            encode_texts(model, split, block, device),
            model.backbone_parts,
        )
        attention = match.of_words
        if attention is None:
            return None
        own = torch.arange(len(block), device=device)
        _, _, weights = attention.of(places.to(device), own)
        lengths = split.lengths[block].tolist()
        before, after = split.marks
        found += [
            pair[before : length - after] for pair, length in zip(weights.cpu().numpy(), lengths, strict=True)
        ]
    return found
