"""The trainable of image-text retrieval. Importing it imports no torch; training does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.cost import seconds_of_run, seconds_of_step
from crosscut_trainables.domain import splits_of
from crosscut_trainables.encoders import Gru
from crosscut_trainables.evaluation import Evaluation
from crosscut_trainables.session import Session
from crosscut_trainables.subwords import content_of
from crosscut_trainables.trainable import describe
from crosscut_trainables.word_vectors import file_hash

GEOMETRY = (
    "i2t_uniformity",
    "t2i_uniformity",
    "t2i_alignment",
    "t2i_positive_distance",
    "t2i_negative_distance",
)
"""Metrics that `evaluation.geometry` adds."""


TOGETHER = 8
"""Seeds that are trained in one process at most."""
SHORT = 0.03
"""Seconds of a step of which some can be saved. Longer ones also hold more in memory."""


class RetrievalDescription:
    """What the platform may ask of `train`."""

    config: type[BaseModel] = RetrievalConfig
    locations: tuple[str, ...] = (
        "evaluation.on.*.data.folder",
        "data.folder",
        "encoder.word_vectors",
        "encoder.vocabulary",
        "encoder.subwords",
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
        if options.geometry:
            names += [f"{split}/{name}" for split in splits for name in GEOMETRY]
        if options.folds is not None:
            names += [f"{split}-{options.folds}fold/{name}" for split in splits for name in NAMES]
        return tuple(names)

    def fingerprint(self, config: BaseModel) -> str:
        """Hash of the data set that `config` names, of its words, its tokenizer and its pretrained model."""
        assert isinstance(config, RetrievalConfig)
        parts = [config.data.fingerprint()]
        for path in (config.encoder.word_vectors, config.encoder.vocabulary):
            if path is not None:
                parts.append(file_hash(Path(path))[:16])
        if config.encoder.subwords is not None:
            parts.append(content_of(config.encoder.subwords)[:16])
        if config.pretrained is not None:
            parts.append(config.pretrained.fingerprint()[:16])
        parts += [domain.fingerprint(config.data)[:16] for domain in config.evaluation.on.values()]
        return "+".join(parts)

    def seconds(self, config: BaseModel) -> float | None:
        """Rough seconds of a final run on one core; all splits are looked at for that.

        None for a pretrained model, whose size one knows when it is read.
        """
        assert isinstance(config, RetrievalConfig)
        splits = splits_of(config)
        return None if config.pretrained is not None else seconds_of_run(config, splits)

    def together(self, config: BaseModel) -> int:
        """Eight where a step is short and a recurrent network reads the texts, which is faster for several."""
        assert isinstance(config, RetrievalConfig)
        if config.pretrained is not None or config.stages is not None:
            return 1
        reads = isinstance(config.encoder.text, Gru) and config.training.precision == "fp32"
        return TOGETHER if reads and seconds_of_step(config, splits_of(config)["train"]) <= SHORT else 1

    def train_together(
        self, config: Mapping[str, Any], sessions: Sequence[Session]
    ) -> list[Evaluation | Exception]:
        """Train and evaluate one model for each session, all on this CPU."""
        checked = RetrievalConfig.model_validate(config)

        from crosscut_trainables.together import run_together

        return run_together(checked, sessions)


@describe(RetrievalDescription())
def train(config: Mapping[str, Any], session: Session) -> Evaluation:
    """Train and evaluate one retrieval model.

    `config` is checked against `RetrievalConfig`; raises pydantic's ValidationError for one that does not
    pass, and `Diverged` where the loss is no longer a number. Every worker returns the same evaluation.
    """
    checked = RetrievalConfig.model_validate(config)

    from crosscut_trainables import loop

    return loop.run(checked, session)
