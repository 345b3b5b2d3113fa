"""Tables of features: what a frozen encoder makes of all images, or all texts, of a split, encoded once.

A row holds the whole and, where they are looked at, the places behind it: (1 + places, D) numbers, or (1, D).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from crosscut_trainables.batches import PreparedSplit, to_device
from crosscut_trainables.fragments import Fragments
from crosscut_trainables.rows import Rows

IMAGE_NUMBERS = 2**22
"""Numbers of images that are encoded together, at most."""
CAPTIONS = 128
"""Captions that are encoded together, at most."""


class Unpacked(nn.Module):
    """Stands in place of an encoder: from rows of a table to `Fragments`."""

    def __init__(self, mask: int) -> None:
        super().__init__()
        self.mask = mask
        """Which of an encoder's arguments says what places there are: 1 of an image encoder's, 2 of a text
        encoder's."""

    def forward(self, table: Tensor, y: Tensor, z: Tensor, rows: Rows | None = None) -> Fragments:
        """`table` (B, 1 + n, D), or (B, 1, D) with the whole as its only place."""
        mask = (y, z)[self.mask - 1]
        places = table[:, 1:] if table.shape[1] > 1 else table
        return Fragments(places * mask[..., None], mask, table[:, 0], rows)


@torch.no_grad()
def table_of_images(encoder: nn.Module, split: PreparedSplit, places: bool, device: str = "cpu") -> Tensor:
    """(images, 1 + n, D) of a split's images, or (images, 1, D) without their places."""
    step = max(1, IMAGE_NUMBERS // max(math.prod(split.regions.shape[1:]), 1))
    rows = []
    encoder.eval()
    for block in torch.arange(len(split.present)).split(step):
        found = encoder(
            to_device(split.regions_of(block), device),
            to_device(split.present[block], device),
            to_device(split.boxes_of(block), device),
        )
        rows.append(_packed(found, places))
    return torch.cat(rows)


@torch.no_grad()
def table_of_texts(encoder: nn.Module, split: PreparedSplit, places: bool, device: str = "cpu") -> Tensor:
    """(captions, 1 + longest, D) of a split's captions, or (captions, 1, D) without their places."""
    longest = int(split.lengths.max())
    rows = []
    encoder.eval()
    for block in torch.arange(len(split.lengths)).split(CAPTIONS):
        ids, lengths, mask = split.words_of(block, int(split.lengths[block].max()))
        found = encoder(to_device(ids, device), lengths, to_device(mask, device))
        row = _packed(found, places)
        if places:
            row = nn.functional.pad(row, (0, 0, 0, 1 + longest - row.shape[1]))
        rows.append(row)
    return torch.cat(rows)


def _packed(found: Fragments, places: bool) -> Tensor:
    whole = found.summary[:, None]
    return (torch.cat([whole, found.fragments], 1) if places else whole).float().cpu()
