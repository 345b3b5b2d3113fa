"""The objective: the terms of the loss of a batch, the same on however many workers.

`distribution` says why several workers have the gradients of one. They still add in another order, and
training enlarges the last bits: after an epoch of a model with attention, ranks differ. With
`training.shards: 2` they do not. Then one worker goes through the batch in two shards, the very ones that two
workers have, keeps the gradients of each apart until its sum is whole, and adds the two, as the workers do. A sum
of two numbers does not depend on their order, so one worker and two give the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.func import functional_call

from crosscut_trainables.batches import Batch, MadeTexts
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.constraints import Constraint
from crosscut_trainables.constraints.pairs import MatchedPairs, matched_pairs
from crosscut_trainables.distribution import gather, share, total
from crosscut_trainables.fragments import Fragments, joined
from crosscut_trainables.match import Match
from crosscut_trainables.model import RetrievalModel
from crosscut_trainables.recurrence import Reading, States, recur_together
from crosscut_trainables.rows import Rows

Generators = Mapping[str, torch.Generator]
"""A generator for each constraint."""

T = TypeVar("T")


class Objective:
    """What a model is trained to make small.

    Args:
        config: the loss, the constraints and the shards.
        model: what is trained.
        world_size: how many workers train it.
    """

    def __init__(self, config: RetrievalConfig, model: RetrievalModel, world_size: int = 1) -> None:
        self.config, self.model, self.world_size = config, model, world_size
        self.constraints = config.constraints.active()
        shards = config.training.shards
        self.shards = shards // world_size if shards % world_size == 0 else 1
        """Shards in which this worker goes through its own pairs."""

    def terms(self, batch: Batch, generators: Generators) -> dict[str, Tensor]:
        """The terms of the loss of a global batch, without their weights, and `loss/total` with them.

        Args:
            batch: the worker's part of the batch.
            generators: a generator for each constraint, in the same state on every worker.
        """
        (found,) = terms_together([(self, batch, generators)])
        return found

    def shards_of(self, batch: Batch) -> list[Shard]:
        """The worker's shards of a batch, whose texts are not encoded yet."""
        return [Shard(self.model, batch, own) for own in self._pieces(batch)]

    def terms_of(self, batch: Batch, shards: list[Shard], generators: Generators) -> dict[str, Tensor]:
        """As `terms`, from shards whose texts are encoded."""
        images = self._gathered(joined([shard.images for shard in shards]), batch.present, batch.sizes)
        for shard in shards:
            shard.see_images(images)
        scores = self._columns(batch, [shard.match(self.config) for shard in shards])
        noise = None
        if batch.negatives is not None:
            made = [shard.noise(self.config, batch.negatives) for shard in shards]
            noise = gather(torch.cat(made) if len(made) > 1 else made[0], batch.sizes)
        terms = {"loss/match": self._loss(batch, scores, noise)}
        whole = terms["loss/match"]
        if self.config.asymmetry is not None and batch.positives is not None:
            made = [shard.made_columns(self.config, batch.positives) for shard in shards]
            terms["loss/positives"] = self._loss(batch, self._columns(batch, made))
            weight = self.config.asymmetry.positive_weight
            whole = (1 - weight) * whole + weight * terms["loss/positives"]
        if self.constraints:
            texts = self._gathered(joined([shard.texts for shard in shards]), batch.words, batch.sizes)
            for shard in shards:
                shard.see_texts(texts)
            # One attention for all constraints.
            pairs = [shard.pairs(batch) for shard in shards]
            for name, constraint in self.constraints.items():
                drawn = generators[name].get_state()
                own = []
                for shard, matched in zip(shards, pairs, strict=True):
                    # Draws are for the whole batch, so every shard takes its own from the same ones.
                    generators[name].set_state(drawn)
                    own.append(shard.constrained(constraint, matched, generators[name]))
                term = total(torch.stack(own).sum() if len(own) > 1 else own[0], self.world_size)
                terms[f"loss/{name}"] = term
                whole = whole + constraint.weight * term
        terms["loss/total"] = whole
        return terms

    def _loss(self, batch: Batch, scores: Tensor, noise: Tensor | None = None) -> Tensor:
        parts = self.model.loss_parts
        return self.config.loss.loss(scores, batch.image_of, parts, batch.epoch, noise)

    def _columns(self, batch: Batch, columns: list[Tensor]) -> Tensor:
        """(B, B) scores of the whole batch, from the columns (B, shard) of the worker's shards."""
        scores = torch.cat(columns, 1) if len(columns) > 1 else columns[0]
        return gather(scores.T, batch.sizes).T if self.world_size > 1 else scores

    def _gathered(self, own: Fragments, mask: Tensor, sizes: list[int]) -> Fragments:
        """The fragments of the global batch, from those of the own pairs and the mask of all: one collective.

        Of a backbone that compares wholes they are wholes alone: less to send, and no gradient of zeros that comes
        back into the encoders, which one worker does not have.
        """
        if len(sizes) == 1:
            return own
        # The whole batch is on every worker, so it has no rows.
        if not self.config.comparison.exposes_attention:
            summary = gather(own.summary, sizes)
            nothing = summary.new_zeros(()).expand(*mask.shape, summary.shape[1])
            return Fragments(nothing, mask, summary)
        packed = gather(torch.cat([own.fragments, own.summary[:, None]], 1), sizes)
        return Fragments(packed[:, :-1], mask, packed[:, -1])

    def _pieces(self, batch: Batch) -> list[slice]:
        """The worker's own pairs, shard by shard, as places in the global batch."""
        own = batch.own.stop - batch.own.start
        pieces = [share(own, number, self.shards) for number in range(self.shards)]
        return [
            slice(batch.own.start + p.start, batch.own.start + p.stop) for p in pieces if p.stop > p.start
        ]


def terms_together(asked: Sequence[tuple[Objective, Batch, Generators]]) -> list[dict[str, Tensor]]:
    """The terms of several objectives of one configuration, each of a batch of its own: what their models read of
    texts is read together, which is faster where models are small, and the same to the bit."""
    shards = [objective.shards_of(batch) for objective, batch, _ in asked]
    encode_texts([shard for own in shards for shard in own])
    return [
        objective.terms_of(batch, own, generators)
        for (objective, batch, generators), own in zip(asked, shards, strict=True)
    ]


def encode_texts(shards: Sequence[Shard]) -> None:
    """Encode the texts of shards of models of one configuration."""
    readings = [shard.reading() for shard in shards]
    read = [reading for reading in readings if reading is not None]
    states = iter(recur_together(read) if read else [])
    for shard, reading in zip(shards, readings, strict=True):
        shard.encode_texts(None if reading is None else next(states))


class Shard:
    """One shard of a batch: its pairs are encoded together, and all images compared with its texts.

    It has views of its own of all that shards share, parameters and gathered images and texts. So autograd adds
    up what the shard contributes to their gradients before it adds that to what another shard does.
    """

    def __init__(self, model: RetrievalModel, batch: Batch, places: slice) -> None:
        self._model = model
        self._alone = places == batch.own
        self._views = {} if self._alone else {name: p.view_as(p) for name, p in model.named_parameters()}
        self.places = places
        self._count = len(batch)
        own = self._own = slice(places.start - batch.own.start, places.stop - batch.own.start)
        rows = Rows(places.start, len(batch))
        self.images = self._call(
            lambda: model.images(batch.regions[own], batch.present[places], batch.boxes[own], rows)
        )
        self._ids, self._lengths = batch.ids[own], batch.lengths[own]
        self._words, self._rows = batch.words[places], rows

    def reading(self) -> Reading | None:
        """What the text encoder reads of the shard's texts, None unless that is all that takes time."""
        return self._call(lambda: self._model.reading(self._ids, self._lengths, self._rows))

    def encode_texts(self, read: States | None) -> None:
        """Encode the shard's texts, from what was read of them."""
        model = self._model
        if read is None:
            self.texts = self._call(lambda: model.texts(self._ids, self._lengths, self._words, self._rows))
        else:
            self.texts = self._call(lambda: model.texts_of(read, self._words, self._rows))

    def see_images(self, images: Fragments) -> None:
        """Take a view of the images of the whole batch, once: all that is done with them goes through it."""
        self._images = images if self._alone else images.view()

    def see_texts(self, texts: Fragments) -> None:
        """Take a view of the texts of the whole batch, likewise."""
        self._texts = texts if self._alone else texts.view()

    def match(self, config: RetrievalConfig) -> Tensor:
        """(B, shard) scores of all images with the shard's texts."""
        found = self._match(config, self.texts)
        self._attentions = found.attentions
        return found.scores

    def made_columns(self, config: RetrievalConfig, made: MadeTexts) -> Tensor:
        """(B, shard·each) scores of all images with the texts that are made for the shard's pairs."""
        own = slice(self._own.start * made.each, self._own.stop * made.each)
        rows = Rows(self.places.start * made.each, self._count * made.each)
        texts = self._call(lambda: self._model.texts(made.ids[own], made.lengths[own], made.words[own], rows))
        return self._match(config, texts).scores

    def noise(self, config: RetrievalConfig, made: MadeTexts) -> Tensor:
        """(shard, each) scores of each image of the shard with the texts that are made for it.

        All images are compared with them, of which one is wanted, so that batch normalisation sees what it sees
        of captions.
        """
        scores = self.made_columns(config, made)
        pairs = self.places.stop - self.places.start
        places = torch.arange(self.places.start, self.places.stop, device=scores.device)
        return scores.view(len(scores), pairs, made.each)[places, places - self.places.start]

    def pairs(self, batch: Batch) -> list[MatchedPairs]:
        """The shard's matched pairs, with all texts of the batch at hand, in each direction that attends."""
        places = torch.arange(self.places.start, self.places.stop, device=batch.image_of.device)
        own = places - self.places.start
        return [matched_pairs(a, own, places, self._texts, batch.image_of) for a in self._attentions]

    @staticmethod
    def constrained(constraint: Constraint, pairs: list[MatchedPairs], generator: torch.Generator) -> Tensor:
        """A constraint's term over the shard's matched pairs.

        Where a backbone attends in both directions it is the mean of the two, so that a weight means the same.
        """
        terms = [constraint.loss(pair, generator) for pair in pairs]
        return terms[0] if len(terms) == 1 else torch.stack(terms).mean()

    def _match(self, config: RetrievalConfig, texts: Fragments) -> Match:
        parts = self._model.backbone_parts
        found: Match = self._call(lambda: config.comparison.match(self._images, texts, parts))
        return replace(found, scores=_laid_out(found.scores))

    def _call(self, work: Callable[[], T]) -> T:
        if self._alone:
            return work()
        done: T = functional_call(self._model, self._views, (work,))
        return done


class _LaidOut(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Tensor:
        grad: Tensor = grads[0].contiguous()
        return grad


def _laid_out(scores: Tensor) -> Tensor:
    """`scores`, with a gradient that lies row by row in memory.

    With shards it is cut from a larger one, with workers gathered; and a sum over it, such as the gradient of a
    single learnt number, goes along memory, so that its last bits would differ.
    """
    laid_out: Tensor = _LaidOut.apply(scores)  # type: ignore[no-untyped-call]
    return laid_out
