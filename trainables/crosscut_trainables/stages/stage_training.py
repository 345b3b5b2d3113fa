"""The training of one encoder by itself, with pairs of items of one meaning."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from crosscut_trainables.augmentation import Augmentation
from crosscut_trainables.batches import PreparedSplit, to_device
from crosscut_trainables.config import TrainingOptions
from crosscut_trainables.dropout import begin_step
from crosscut_trainables.fragments import Fragments
from crosscut_trainables.pooling import OWN
from crosscut_trainables.randomness import seed_for
from crosscut_trainables.schedule import learning_rate
from crosscut_trainables.session import Making
from crosscut_trainables.stages.meanings import nearest_by_captions, sibling
from crosscut_trainables.stages.options import ImageStage, Stage, TextStage
from crosscut_trainables.state import copied
from crosscut_trainables.towers.scratch import ScratchTowers

CLIP_NORM = 2.0
MEASURED, BLOCK = 2000, 128
"""So many items of dev are measured, encoded so many at once."""

Encode = Callable[[Tensor], Fragments]
"""From the numbers of B items of a split to what the encoder makes of them, some words or regions dropped."""


class StageTraining(ABC):
    """The training of one encoder with pairs of one meaning."""

    encoder: nn.Module

    def __init__(self, scratch: ScratchTowers, options: Stage, seed: int, device: str) -> None:
        self.scratch, self.options, self.seed, self.device = scratch, options, seed, device
        self.schedule = TrainingOptions(
            epochs=options.epochs, learning_rate=options.learning_rate, schedule="cosine"
        )
        generator = torch.Generator().manual_seed(seed_for(seed, "stage encoder"))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed_for(seed, "stage parts"))
            self.encoder = self.made(generator)

    @abstractmethod
    def made(self, generator: torch.Generator) -> nn.Module:
        """The encoder as it starts."""

    @abstractmethod
    def pairs(self, split: PreparedSplit, epoch: int) -> tuple[Tensor, Tensor]:
        """Numbers of all items of a split, (N,), ascending, and for each another of its meaning, (N,)."""

    @abstractmethod
    def meanings(self, split: PreparedSplit) -> Tensor:
        """(items,) a number for the meaning of each item of a split."""

    @abstractmethod
    def encode(self, split: PreparedSplit, drop: Augmentation, draws: torch.Generator) -> Encode:
        """What encodes items of a split."""

    def make(self, making: Making) -> dict[str, Any]:
        """Train the encoder; its weights, the history of its epochs, and why it diverged, if it did."""
        train, dev = self.scratch.prepared("train"), self.scratch.prepared("dev")
        encoder = self.encoder.to(self.device)
        optimizer = torch.optim.AdamW(encoder.parameters(), lr=self.options.learning_rate, weight_decay=0)
        history: list[dict[str, float]] = []
        diverged = ""
        state = making.restore()
        if state is not None:
            state = copied(state)
            encoder.load_state_dict(state["weights"])
            optimizer.load_state_dict(state["optimizer"])
            history = state["history"]
        for epoch in range(len(history) + 1, self.options.epochs + 1):
            measured = {"loss": self._epoch(train, optimizer, epoch), **self._measure(dev)}
            broken = next((name for name, value in measured.items() if not math.isfinite(value)), None)
            if broken is not None:
                diverged = f"epoch {epoch}: {broken} is {measured[broken]}"
                break
            history.append(measured)
            making.report(epoch, measured)
            state = {"weights": encoder.state_dict(), "optimizer": optimizer.state_dict(), "history": history}
            making.save(copied(state, "cpu"))
        optimizer.zero_grad(set_to_none=True)
        encoder.to("cpu")
        return {"weights": encoder.state_dict(), "history": history, "diverged": diverged}

    def _epoch(self, split: PreparedSplit, optimizer: torch.optim.Optimizer, epoch: int) -> float:
        """One epoch; the mean loss of its batches."""
        self.encoder.train()
        draws = torch.Generator().manual_seed(seed_for(self.seed, "stage draws", epoch))
        drop = Augmentation(self.options.drop, self.options.drop, vocabulary=self.scratch.vocabulary)
        encode = self.encode(split, drop, draws)
        one, other = self.pairs(split, epoch)
        order = torch.randperm(len(one), generator=draws)
        meanings = self.meanings(split)
        size = min(self.options.batch_size, len(one))
        batches = len(one) // size
        total = torch.zeros((), device=self.device)
        for number in range(batches):
            chosen = order[number * size : (number + 1) * size]
            left, right = one[chosen], other[chosen]
            rate = learning_rate(self.schedule, epoch, number, batches)
            for group in optimizer.param_groups:
                group["lr"] = rate
            same = self._same(meanings[left], meanings[right], meanings[other[right]])
            # Either item of a pair has draws of its own, of what it loses and of dropout.
            seed = seed_for(self.seed, "stage dropout", (epoch - 1) * batches + number)
            begin_step(self.encoder, seed_for(seed, "one"))
            left_items = encode(left).summary
            begin_step(self.encoder, seed_for(seed, "other"))
            right_items = encode(right).summary
            loss = self.options.loss.loss(left_items, right_items, to_device(same, self.device))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.encoder.parameters(), CLIP_NORM)
            optimizer.step()
            total += loss.detach()
        return float(total) / batches

    @staticmethod
    def _same(one: Tensor, other: Tensor, further: Tensor) -> Tensor:
        """(B, B) whether item r of `one` and item c of `other` are to be alike, from the meanings of B pairs: they
        have one meaning, their pairs share an item, or they are a pair themselves, the other way round.

        `further` (B,) are the meanings of what the items of `other` are in a pair with.
        """
        rows = one[:, None]
        return (rows == other) | (rows == one) | (other[:, None] == other) | (rows == further)

    @torch.no_grad()
    def _measure(self, split: PreparedSplit) -> dict[str, float]:
        """Mean cosines on dev, of items of one meaning (where a split has such pairs) and of different ones."""
        self.encoder.eval()
        meanings = self.meanings(split)[:MEASURED]
        encode = self.encode(split, Augmentation(), torch.Generator())
        blocks = torch.arange(len(meanings)).split(BLOCK)
        wholes = torch.cat([encode(block).summary.float().cpu() for block in blocks])
        cosines = wholes @ wholes.T
        same = meanings[:, None] == meanings
        other = ~same
        same.fill_diagonal_(False)
        named = {"cosine_same": same, "cosine_other": other}
        return {name: float(cosines[pairs].mean()) for name, pairs in named.items() if pairs.any()}


class TextTraining(StageTraining):
    """The text encoder by itself."""

    options: TextStage

    def made(self, generator: torch.Generator) -> nn.Module:
        return self.scratch.text_module(OWN, generator)

    def meanings(self, split: PreparedSplit) -> Tensor:
        return split.image_of

    def pairs(self, split: PreparedSplit, epoch: int) -> tuple[Tensor, Tensor]:
        own = torch.arange(len(split.lengths))
        if self.options.positives == "views":
            return own, own
        generator = torch.Generator().manual_seed(seed_for(self.seed, "siblings", epoch))
        return own, sibling(split.image_of, generator)

    def encode(self, split: PreparedSplit, drop: Augmentation, draws: torch.Generator) -> Encode:
        def texts(captions: Tensor) -> Fragments:
            ids, lengths = drop.words(split.ids[captions], split.lengths[captions], draws)
            width = int(lengths.max())
            mask = to_device(torch.arange(width) < lengths[:, None], self.device)
            found: Fragments = self.encoder(to_device(ids[:, :width], self.device), lengths, mask, None)
            return found

        return texts


class ImageTraining(StageTraining):
    """The image encoder by itself."""

    options: ImageStage

    def made(self, generator: torch.Generator) -> nn.Module:
        return self.scratch.image_module(OWN, generator)

    def meanings(self, split: PreparedSplit) -> Tensor:
        return torch.arange(len(split.present))

    def pairs(self, split: PreparedSplit, epoch: int) -> tuple[Tensor, Tensor]:
        own = torch.arange(len(split.present))
        if self.options.positives == "views":
            return own, own
        # Of words, whatever the text encoder reads: runs share an image stage.
        train = self.scratch.config.data.load("train")
        return own, nearest_by_captions(train.captions, train.image_of)

    def encode(self, split: PreparedSplit, drop: Augmentation, draws: torch.Generator) -> Encode:
        def images(places: Tensor) -> Fragments:
            present = drop.regions(split.present[places], draws)
            found: Fragments = self.encoder(
                to_device(split.regions_of(places), self.device),
                to_device(present, self.device),
                to_device(split.boxes_of(places), self.device),
                None,
            )
            return found

        return images
