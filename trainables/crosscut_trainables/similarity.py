"""The similarity of every image of a split with every caption, within a bound on memory."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from crosscut_trainables.backbones import Backbone
from crosscut_trainables.batches import PreparedSplit, to_device
from crosscut_trainables.distribution import gather
from crosscut_trainables.fragments import Fragments, joined
from crosscut_trainables.model import RetrievalModel

CAPTIONS = 128
"""Captions that are encoded together, at most."""


def block_of_images(
    backbone: Backbone, regions: int, words: int, width: int, captions: int, memory_mb: int
) -> int:
    """How many images may be compared with `captions` captions at once; 0 where not even one may."""
    pair = 4 * backbone.floats_per_pair(regions, words, width)
    return memory_mb * 2**20 // (pair * captions)


def encode_images(model: RetrievalModel, split: PreparedSplit, images: Tensor, device: str) -> Fragments:
    """The fragments of `images` (indices on the CPU), encoded in blocks of at most 16 million numbers."""
    step = max(1, 2**24 // max(math.prod(split.regions.shape[1:]), 1))
    parts = [
        model.images(
            to_device(split.regions_of(block), device),
            to_device(split.present[block], device),
            to_device(split.boxes_of(block), device),
        )
        for block in images.split(step)
    ]
    return joined(parts)


def encode_texts(model: RetrievalModel, split: PreparedSplit, captions: Tensor, device: str) -> Fragments:
    """The fragments of `captions` (indices on the CPU), padded to the longest of them."""
    ids, lengths, mask = split.words_of(captions, int(split.lengths[captions].max()))
    return model.texts(to_device(ids, device), lengths, to_device(mask, device))


@torch.no_grad()
def compared(
    backbone: Backbone, parts: nn.Module | None, images: Fragments, texts: Fragments, step: int
) -> Tensor:
    """(texts, images) similarities on the CPU, `step` images at a time."""
    rows = torch.empty((len(texts), len(images)), dtype=torch.float32)
    for first in range(0, len(images), step):
        block = slice(first, first + step)
        rows[:, block] = backbone.match(images.take(block), texts, parts).scores.T.float().cpu()
    return rows


@torch.no_grad()
def similarity(
    model: RetrievalModel,
    backbone: Backbone,
    split: PreparedSplit,
    *,
    device: str = "cpu",
    memory_mb: int = 512,
    bf16: bool = False,
    rank: int = 0,
    world_size: int = 1,
) -> NDArray[np.float32]:
    """(images, captions) similarities, on every worker the same.

    Captions are taken in order of their length, so that little is spent on padding, in blocks that are dealt out
    to the workers in turn. Blocks do not depend on the number of workers, so neither do the last bits. What
    comparing a block holds at once, regions x words x 4 bytes x the tensors that the backbone needs, stays below
    `memory_mb`; one pair is compared even where that alone is more. With `bf16` fragments are rounded to bfloat16
    before, for a backbone that `rounds`.
    """
    count = len(split.present)
    images = encode_images(model, split, torch.arange(count), device)
    by_length = torch.argsort(split.lengths, stable=True)
    width = images.summary.shape[1]
    if bf16:
        images = images.rounded()
    blocks = list(_blocks(by_length, split, backbone, width, memory_mb))
    parts = [torch.empty((0, count), dtype=torch.float32)]
    for captions, step in blocks[rank::world_size]:
        texts = encode_texts(model, split, captions, device)
        if bf16:
            texts = texts.rounded()
        parts.append(compared(backbone, model.backbone_parts, images, texts, step))
    rows = torch.cat(parts)
    if world_size > 1:
        sizes = [sum(len(captions) for captions, _ in blocks[r::world_size]) for r in range(world_size)]
        rows = gather(rows.to(device), sizes).cpu()
        by_length = torch.cat([captions for r in range(world_size) for captions, _ in blocks[r::world_size]])
    matrix = np.empty((count, len(by_length)), np.float32)
    matrix[:, by_length.numpy()] = rows.numpy().T
    return matrix


def _blocks(
    captions: Tensor, split: PreparedSplit, backbone: Backbone, width: int, memory_mb: int
) -> Iterator[tuple[Tensor, int]]:
    """Blocks of `captions`, each with the number of images that it may be compared with at once."""
    count, regions = split.present.shape
    start = 0
    while start < len(captions):
        block = captions[start : start + CAPTIONS]
        words = int(split.lengths[block].max())
        while not (step := block_of_images(backbone, regions, words, width, len(block), memory_mb)):
            if len(block) == 1:
                step = 1
                break
            block = block[: len(block) // 2]
        yield block, min(step, count)
        start += len(block)
