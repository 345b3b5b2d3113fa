"""The assessment of a trained model: what is measured of it on its test split, and on every further one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from crosscut_trainables.attention_metrics import attention_metrics
from crosscut_trainables.attention_of_words import attention_of_words
from crosscut_trainables.batches import PreparedSplit
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.data.split import Split
from crosscut_trainables.domain import facts_of
from crosscut_trainables.evaluation import QueryExample
from crosscut_trainables.measured import Measured, further, in_folds, lengths, recalls
from crosscut_trainables.model import RetrievalModel
from crosscut_trainables.rankings import ranking
from crosscut_trainables.relevance import judgements
from crosscut_trainables.session import Session
from crosscut_trainables.similarity import similarity
from crosscut_trainables.towers import Towers
from crosscut_trainables.whole_vectors import geometry, whole_vectors

LONGEST_SIDE = 160
"""Pixels that a picture of an example has at most along a side."""


class Assessment:
    """A model, compared with the splits of its towers."""

    def __init__(
        self, config: RetrievalConfig, towers: Towers, model: RetrievalModel, session: Session
    ) -> None:
        self.config, self.towers, self.model, self.session = config, towers, model, session

    def scores(self, split: PreparedSplit) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """(images, captions) similarities of a split, and the image of each caption."""
        self.model.eval()
        scores = similarity(
            self.model,
            self.config.comparison,
            split,
            device=self.session.device,
            memory_mb=self.config.evaluation.memory_mb,
            bf16=self.config.evaluation.precision == "bf16",
            rank=self.session.rank,
            world_size=self.session.world_size,
        )
        return scores, split.image_of.numpy().astype(np.int32)

    def recalls(self, name: str) -> Measured:
        """Recalls of one split, and the ranks that they are made of."""
        return recalls(name, *self.scores(self.towers.prepared(name)))

    def run(self) -> Measured:
        """All that the configuration asks for, on test and on every domain."""
        found, options = Measured(), self.config.evaluation
        for name in ("test", *options.on):
            split, prepared = self.towers.split(name), self.towers.prepared(name)
            scores, image_of = self.scores(prepared)
            found |= recalls(name, scores, image_of)
            if options.folds is not None:
                found |= in_folds(name, scores, image_of, options.folds)
            relevant = judgements(split, options.metrics)
            found |= further(name, scores, image_of, options.metrics, relevant)
            found |= lengths(name, split)
            found |= ranking(name, scores, image_of, options.rankings)
            found |= self._attention(name, split, prepared)
            if options.geometry:
                found |= geometry(name, *whole_vectors(self.model, prepared, self.session.device), image_of)
            if name != "test" and (share := self.towers.vocabulary.unknown_share(split.captions)) is not None:
                found |= Measured({f"{name}/unknown_words": 100.0 * share})
            found |= Measured(splits={name: facts_of(self.config, name)})
        return found | Measured(examples={"test/t2i": self.examples("test", options.examples)})

    def _attention(self, name: str, split: Split, prepared: PreparedSplit) -> Measured:
        """Metrics of the attention of words, where they attend and their referents are known."""
        options = self.config.evaluation
        if split.referents is None:
            return Measured()
        weights = self._weights(prepared, torch.arange(len(prepared.lengths)))
        if weights is None:
            return Measured()
        found = attention_metrics(
            name,
            split,
            weights,
            options.iou,
            options.attention_threshold,
            options.attention_sweep,
            options.attention_thresholds,
        )
        return Measured(found)

    def _weights(self, prepared: PreparedSplit, captions: torch.Tensor) -> list[NDArray[np.float32]] | None:
        """(words, regions) of each of `captions`, None where words do not attend."""
        comparison = self.config.comparison
        if not comparison.exposes_attention:
            return None
        return attention_of_words(self.model, comparison, prepared, captions, self.session.device)

    def examples(self, name: str, wanted: int) -> tuple[QueryExample, ...]:
        """Up to `wanted` captions of a split, with what their words attend to.

        They are evenly apart, and thus the same for every model.
        """
        split = self.towers.split(name)
        captions = spread(len(split.captions), wanted)
        weights = self._weights(self.towers.prepared(name), torch.tensor(captions)) if captions else None
        return tuple(
            _example(split, caption, None if weights is None else weights[place])
            for place, caption in enumerate(captions)
        )


def spread(count: int, wanted: int) -> Sequence[int]:
    """Up to `wanted` numbers below `count`, evenly apart."""
    wanted = min(count, wanted)
    return [number * count // wanted for number in range(wanted)]


def _example(split: Split, caption: int, weights: NDArray[np.float32] | None) -> QueryExample:
    image = int(split.image_of[caption])
    present = split.present[image]
    words = tuple(split.captions[caption])
    # Weights are of the pieces of words where a pretrained model reads pieces; those have no words to stand at.
    fits = weights is not None and len(weights) == len(words) and split.has_boxes
    return QueryExample(
        query=caption,
        words=words,
        boxes=np.asarray(split.boxes[image][present], np.float32),
        attention=np.asarray(weights[:, present], np.float32) if fits and weights is not None else None,
        picture=None if split.scenes is None else _small(split.scenes[image]),
    )


def _small(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with no side longer than `LONGEST_SIDE`, its proportions kept."""
    longest = max(picture.shape[:2])
    if longest <= LONGEST_SIDE:
        return np.asarray(picture)
    from PIL import Image

    height, width = (max(1, round(side * LONGEST_SIDE / longest)) for side in picture.shape[:2])
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR))
