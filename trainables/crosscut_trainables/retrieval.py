"""The trainable of image-text retrieval. Importing it imports no torch; training does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.data.split import Split, SplitName
from crosscut_trainables.domain import split_of
from crosscut_trainables.evaluation import Evaluation
from crosscut_trainables.measured import CATEGORY
from crosscut_trainables.session import Session
from crosscut_trainables.trainable import describe
from crosscut_trainables.word_vectors import file_hash

START_UP = 0.5
"""Seconds until torch is imported and the data are at hand."""
MULTIPLICATIONS = 2e10
"""Multiplications in a second that encoding reaches on one core."""
COMPARED = 1.4e9
"""Numbers in a second that a backbone works through when it compares pairs, forward."""
TRAINED = 4.0
"""How many times as long forward and backward take together as forward alone."""
STEP = 0.0045
"""Seconds that a step of training takes on a shard however small it is."""


class RetrievalDescription:
    """What the platform may ask of `train`."""

    config: type[BaseModel] = RetrievalConfig
    locations: tuple[str, ...] = (
        "evaluation.on.*.data.folder",
        "data.folder",
        "encoder.word_vectors",
        "encoder.vocabulary",
        "pretrained.path",
    )

    def metrics(self, config: BaseModel) -> tuple[str, ...]:
        """Metrics that every run has, whatever its backbone."""
        from crosscut_trainables.metrics import NAMES

        assert isinstance(config, RetrievalConfig)
        options = config.evaluation
        splits = ["test", *options.on]
        further = [f"{way}_{name}" for way in ("i2t", "t2i") for name in options.metrics]
        names = [f"{split}/{name}" for split in ("dev", *splits) for name in NAMES]
        names += [f"{split}/{name}" for split in splits for name in further]
        if options.folds is not None:
            names += [f"{split}-{options.folds}fold/{name}" for split in splits for name in NAMES]
        return tuple(names)

    def fingerprint(self, config: BaseModel) -> str:
        """Hash of the data set that `config` names, of its files of words and of its pretrained model."""
        assert isinstance(config, RetrievalConfig)
        parts = [config.data.fingerprint()]
        for path in (config.encoder.word_vectors, config.encoder.vocabulary):
            if path is not None:
                parts.append(file_hash(Path(path))[:16])
        if config.pretrained is not None:
            parts.append(config.pretrained.fingerprint()[:16])
        parts += [domain.fingerprint(config.data)[:16] for domain in config.evaluation.on.values()]
        return "+".join(parts)

    def seconds(self, config: BaseModel) -> float | None:
        """Rough seconds of a final run on one core; a search trial saves the evaluation on test.

        Two terms, both from the sizes of the splits: encoding regions and words, and comparing pairs, where
        every caption meets a batch of images in training and all images of its split in evaluation. Stages count
        in each run, though runs share them. None for a pretrained model, whose size one knows when it is read.
        """
        assert isinstance(config, RetrievalConfig)
        if any(name.startswith(CATEGORY) for name in config.evaluation.metrics):
            for name in ("test", *config.evaluation.on):
                if split_of(config, name).categories is None:
                    raise ValueError(
                        f"evaluation.metrics: found one by category, and {name} has no categories"
                    )
        if config.pretrained is not None:
            return None
        names: tuple[SplitName, ...] = ("train", "dev", "test")
        train, dev, test = (config.image_encoder.view(config.data.load(name)) for name in names)
        epochs, batch = config.training.epochs, config.training.batch_size
        a_train = TRAINED * _seconds_of_captions(config, train, min(batch, len(train.captions)))
        if (made := config.asymmetry) is not None:
            # Texts that are made are encoded and compared as captions are.
            a_train *= 1 + made.noises * (made.noise != "none") + (made.positives != "none")
        a_train += STEP * config.training.shards * (len(train.captions) // batch)
        evaluated = [
            test,
            *(config.image_encoder.view(split_of(config, name)) for name in config.evaluation.on),
        ]
        a_dev, a_test = (
            sum(_seconds_of_captions(config, split, len(split.present)) for split in splits)
            for splits in ([dev], evaluated)
        )
        return START_UP + _seconds_of_stages(config, train) + epochs * (a_train + a_dev) + a_test


def _seconds_of_stages(config: RetrievalConfig, train: Split) -> float:
    """Seconds to train both encoders by themselves, with two items a pair."""
    if config.stages is None:
        return 0.0
    text, image = config.stages.text, config.stages.image
    captions = text.epochs * _seconds_of_captions(config, train, 0)
    # An image has some captions, each of which counts the encoding of its image.
    images = image.epochs * _seconds_of_captions(config, train, 0) / len(train.captions) * len(train.present)
    return 2 * TRAINED * (captions + images)


def _seconds_of_captions(config: RetrievalConfig, split: Split, images: int) -> float:
    """Seconds to encode all captions of `split` with their images, and compare each with `images` images."""
    _, regions, features = split.regions.shape
    lengths = [len(caption) + 2 for caption in split.captions[:1000]]
    mean = sum(lengths) / len(lengths)
    width, word_width = config.encoder.width, config.encoder.word_width
    encoding: float = (6 * mean * width * (width + word_width) + regions * features * width) / MULTIPLICATIONS
    comparing = images * (config.comparison.floats_per_pair(regions, round(mean), width) + width) / COMPARED
    return float(len(split.captions)) * (encoding + comparing)


@describe(RetrievalDescription())
def train(config: Mapping[str, Any], session: Session) -> Evaluation:
    """Train and evaluate one retrieval model.

    `config` is checked against `RetrievalConfig`; raises pydantic's ValidationError for one that does not
    pass, and `Diverged` where the loss is no longer a number. Every worker returns the same evaluation.
    """
    checked = RetrievalConfig.model_validate(config)

    from crosscut_trainables import loop

    return loop.run(checked, session)
