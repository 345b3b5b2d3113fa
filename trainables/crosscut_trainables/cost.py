"""The cost of a retrieval run, roughly, from its configuration and the sizes of its splits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from crosscut_trainables.data.split import Split
from crosscut_trainables.subwords import read

if TYPE_CHECKING:
    from crosscut_trainables.config import RetrievalConfig

START_UP = 0.5
"""Seconds until torch is imported and the data are at hand."""
MULTIPLICATIONS = 2e10
"""Multiplications in a second that encoding reaches on one core."""
COMPARED = 1.4e9
"""Numbers in a second that a backbone works through when it compares pairs, forward."""
TRAINED = 4.0
"""How many times as long forward and backward take together as forward alone."""
STEP = 0.0025
"""Seconds that a step of training takes on a shard however small it is."""


def seconds_of_run(config: RetrievalConfig, splits: Mapping[str, Split]) -> float:
    """Rough seconds of a final run on one core; a search trial saves the evaluation on test.

    Two terms, both from the sizes of the splits: encoding regions and words, and comparing pairs, where every
    caption meets a batch of images in training and all images of its split in evaluation. Stages count in each
    run, though runs share them. `splits` are all that `domain.splits_of` gives.
    """
    train, dev = splits["train"], splits["dev"]
    a_train = seconds_of_step(config, train) * _steps(config, train)
    a_dev = _seconds_of_captions(config, dev, len(dev.present))
    evaluated = [split for name, split in splits.items() if name not in ("train", "dev")]
    at_the_end = sum(_seconds_of_captions(config, split, len(split.present)) for split in evaluated)
    trained = config.training.epochs * (a_train + a_dev)
    return START_UP + _seconds_of_stages(config, train) + trained + at_the_end


def seconds_of_step(config: RetrievalConfig, train: Split) -> float:
    """Rough seconds of a training step on one core."""
    batch = min(config.training.batch_size, len(train.captions))
    epoch = TRAINED * _seconds_of_captions(config, train, batch)
    if (made := config.asymmetry) is not None:
        # Texts that are made are encoded and compared as captions are.
        epoch *= 1 + made.noises * (made.noise != "none") + (made.positives != "none")
    return epoch / _steps(config, train) + STEP * config.training.shards


def _steps(config: RetrievalConfig, train: Split) -> int:
    """Steps of an epoch."""
    return max(1, len(train.captions) // config.training.batch_size)


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
    captions = split.captions[:1000]
    if config.encoder.subwords is not None:
        captions = [pieces for pieces, _ in read(config.encoder.subwords).pieces_of(captions)]
    lengths = [len(caption) + 2 for caption in captions]
    mean = sum(lengths) / len(lengths)
    width, word_width = config.encoder.width, config.encoder.word_width
    encoding: float = (6 * mean * width * (width + word_width) + regions * features * width) / MULTIPLICATIONS
    comparing = images * (config.comparison.numbers_per_pair(regions, round(mean), width) + width) / COMPARED
    return float(len(split.captions)) * (encoding + comparing)
