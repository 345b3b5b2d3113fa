"""The captions of a split as tensors, and the batches of matched pairs that an epoch goes through."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from crosscut_trainables.asymmetry.texts import TextMaker, Texts
from crosscut_trainables.augmentation import Augmentation
from crosscut_trainables.data.split import Source, Split
from crosscut_trainables.data.vocabulary import Lexicon
from crosscut_trainables.distribution import share, shares
from crosscut_trainables.randomness import seed_for

T = TypeVar("T")


def to_device(x: Tensor, device: str) -> Tensor:
    """`x` on `device`; copied without waiting where that is a GPU."""
    if device.startswith("cuda"):
        return x.pin_memory().to(device, non_blocking=True)
    return x.to(device)


@dataclass(frozen=True)
class PreparedSplit:
    """A split with its captions as padded ids. Regions stay where they are, which may be a file."""

    regions: Source
    """(images, regions, features), or what else the image encoder reads"""
    boxes: NDArray[np.float32]
    """(images, regions, 4)"""
    present: Tensor
    """(images, regions) bool"""
    ids: Tensor
    """(captions, longest) int64, marks included; or what else the text encoder reads, of that many places"""
    lengths: Tensor
    """(captions,) int64"""
    image_of: Tensor
    """(captions,) int64"""
    marks: tuple[int, int] = (1, 1)
    """How many marks stand before the words of a caption, and after them."""
    wholes: int = 0
    """Places before those of the words in `ids`: 1 in a table of features, which has the whole text there."""

    @classmethod
    def of(cls, split: Split, vocabulary: Lexicon) -> PreparedSplit:
        """Encode the captions of `split`; refuses an image without regions and a split without captions."""
        empty = np.flatnonzero(~np.asarray(split.present).any(axis=1))
        if len(empty):
            raise ValueError(f"image {empty[0]} of the split has no region that is present")
        if not split.captions:
            raise ValueError("the split has no captions")
        encoded = [vocabulary.encode(caption) for caption in split.captions]
        lengths = np.array([len(ids) for ids in encoded], np.int64)
        ids = np.full((len(encoded), int(lengths.max())), vocabulary.pad, np.int64)
        for row, caption in zip(ids, encoded, strict=True):
            row[: len(caption)] = caption
        return cls(
            regions=split.regions,
            boxes=split.boxes,
            present=torch.from_numpy(np.array(split.present, bool)),
            ids=torch.from_numpy(ids),
            lengths=torch.from_numpy(lengths),
            image_of=torch.from_numpy(split.image_of.astype(np.int64)),
            marks=vocabulary.marks,
        )

    def regions_of(self, images: Tensor | slice) -> Tensor:
        """(n, regions, features) of the images asked for, read now."""
        return _read(self.regions, images)

    def boxes_of(self, images: Tensor | slice) -> Tensor:
        """(n, regions, 4) of the images asked for."""
        return _read(self.boxes, images)

    def words_of(self, captions: Tensor, width: int) -> tuple[Tensor, Tensor, Tensor]:
        """Ids (n, width), lengths (n,) and mask (n, width) of the captions asked for."""
        lengths = self.lengths[captions]
        return self.cut(self.ids[captions], width), lengths, torch.arange(width) < lengths[:, None]

    def cut(self, ids: Tensor, width: int) -> Tensor:
        """The first `width` places of words of `ids` (n, longest, …), with what stands before them."""
        return ids[:, : self.wholes + width]


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The items, each of them made by another thread while the one before is used."""
    with ThreadPoolExecutor(1, "batches") as pool:
        coming = pool.submit(lambda: next(items, None))
        while (item := coming.result()) is not None:
            coming = pool.submit(lambda: next(items, None))
            yield item


def _read(source: Source, images: Tensor | slice) -> Tensor:
    index = images if isinstance(images, slice) else images.numpy()
    return torch.from_numpy(np.array(source[index], np.float32))


@dataclass(frozen=True)
class MadeTexts:
    """Texts that are made for a worker's own pairs, those of one pair beside each other."""

    each: int
    """Texts of each pair."""
    ids: Tensor
    """(b·each, words)"""
    lengths: Tensor
    """(b·each,), on the CPU"""
    words: Tensor
    """(b·each, words) bool"""


@dataclass(frozen=True)
class Batch:
    """A global batch of B matched pairs, of which this worker has those of `own`.

    All is on the worker's device but `lengths`, which packing wants on the CPU. Every worker pads alike, so
    that the gathered batch is the one that a single worker would have.
    """

    epoch: int
    """Number of the epoch, from 1."""
    number: int
    """Number of the batch in its epoch, from 0."""
    own: slice
    """Which of the B pairs are this worker's."""
    sizes: list[int]
    """How many pairs each worker has; they add up to B."""
    regions: Tensor
    """(b, regions, features) of the own pairs' images"""
    boxes: Tensor
    """(b, regions, 4)"""
    ids: Tensor
    """(b, words)"""
    lengths: Tensor
    """(b,), on the CPU"""
    present: Tensor
    """(B, regions) bool, of all pairs"""
    words: Tensor
    """(B, words) bool, of all pairs"""
    image_of: Tensor
    """(B,) which image each pair has"""
    negatives: MadeTexts | None = None
    """Texts that are made of the own pairs', as many of each, that do not match them."""
    positives: MadeTexts | None = None
    """Texts that are made of the own pairs', one of each, that match them as well."""

    def __len__(self) -> int:
        return sum(self.sizes)


@dataclass(frozen=True)
class Batches:
    """All captions of a split, each with its image, in batches of one size and a new order every epoch.

    What is left after the last whole batch is dropped, because a contrastive loss depends on the size of its
    batch; a split smaller than a batch is one batch.
    """

    split: PreparedSplit
    batch_size: int
    seed: int
    rank: int = 0
    world_size: int = 1
    device: str = "cpu"
    augmentation: Augmentation = field(default_factory=Augmentation)
    texts: TextMaker | None = None
    """Makes further negatives and positives, None where there are none."""

    def __post_init__(self) -> None:
        if self.size < self.world_size:
            raise ValueError(f"a batch of {self.size} pairs cannot be shared by {self.world_size} workers")

    @property
    def size(self) -> int:
        """Pairs of each batch."""
        return min(self.batch_size, len(self.split.lengths))

    def __len__(self) -> int:
        return len(self.split.lengths) // self.size

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch; the same for the same seed and epoch, whatever came before.

        For a GPU the next one is read and sent while one is used. A CPU has no core to spare for that.
        """
        batches = self._epoch(epoch)
        return ahead(batches) if self.device.startswith("cuda") else batches

    def _epoch(self, epoch: int) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(seed_for(self.seed, "order", epoch))
        order = torch.randperm(len(self.split.lengths), generator=generator)
        draws = torch.Generator().manual_seed(seed_for(self.seed, "augmentation", epoch))
        for number in range(len(self)):
            captions = order[number * self.size : (number + 1) * self.size]
            yield self._batch(captions, epoch, number, draws)

    def _batch(self, captions: Tensor, epoch: int, number: int, draws: torch.Generator) -> Batch:
        own = share(len(captions), self.rank, self.world_size)
        images = self.split.image_of[captions]
        present = self.augmentation.regions(self.split.present[images], draws)
        ids, lengths = self.split.ids[captions], self.split.lengths[captions]
        ids, lengths = self.augmentation.words(ids, lengths, draws)
        width = int(lengths.max())
        maker = self.texts
        negatives = None if maker is None else maker.negatives(captions, epoch, number)
        positives = None if maker is None else maker.positives(captions, epoch, number)
        return Batch(
            epoch=epoch,
            number=number,
            own=own,
            sizes=shares(len(captions), self.world_size),
            regions=to_device(self.split.regions_of(images[own]), self.device),
            boxes=to_device(self.split.boxes_of(images[own]), self.device),
            ids=to_device(self.split.cut(ids[own], width), self.device),
            lengths=lengths[own],
            present=to_device(present, self.device),
            words=to_device(torch.arange(width) < lengths[:, None], self.device),
            image_of=to_device(images, self.device),
            negatives=self._made(negatives, own, len(captions)),
            positives=self._made(positives, own, len(captions)),
        )

    def _made(self, texts: Texts | None, own: slice, count: int) -> MadeTexts | None:
        """The worker's own of the texts that are made for all pairs of the batch."""
        if texts is None:
            return None
        each = len(texts.lengths) // count
        rows = slice(own.start * each, own.stop * each)
        return MadeTexts(
            each,
            to_device(texts.ids[rows], self.device),
            texts.lengths[rows],
            to_device(texts.mask[rows], self.device),
        )
