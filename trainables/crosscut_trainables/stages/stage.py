"""A stage: one encoder trained by itself, kept where every run that needs the same one finds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from crosscut_trainables.diverged import Diverged
from crosscut_trainables.session import Session, artifact_of
from crosscut_trainables.stages.stage_training import ImageTraining, StageTraining, TextTraining
from crosscut_trainables.towers.scratch import ScratchTowers
from crosscut_trainables.word_vectors import file_hash

STAGE_VERSION = 1
"""Raised whenever the same options give another encoder than before."""
ALIKE = 0.99
"""Mean cosine of items of different meanings above which a stage has made all alike."""


@dataclass(frozen=True)
class StagedEncoder:
    """What a stage gives."""

    encoder: nn.Module
    identity: Mapping[str, Any]
    """All that defines it."""
    notes: tuple[str, ...]
    """What a reader of a result that is built on it should know."""


def text_stage(scratch: ScratchTowers, session: Session) -> StagedEncoder:
    """The text encoder of the first stage. Raises `Diverged` where its loss is no number."""
    config = scratch.config
    assert config.stages is not None
    encoder = config.encoder
    vectors = encoder.word_vectors
    defines = {
        "width": encoder.width,
        "word_width": encoder.word_width,
        "vocabulary": scratch.vocabulary.content,
        "dropout": encoder.dropout,
        "word_vectors": None if vectors is None else file_hash(Path(vectors)),
        "encoder": encoder.text.model_dump(mode="json"),
    }
    training = TextTraining(scratch, config.stages.text, _seed(scratch, session), session.device)
    return _stage("text", defines, training, session)


def image_stage(scratch: ScratchTowers, session: Session) -> StagedEncoder:
    """The image encoder of the second stage. Raises `Diverged` where its loss is no number."""
    config = scratch.config
    assert config.stages is not None
    defines = {"width": config.encoder.width, "encoder": config.image_encoder.model_dump(mode="json")}
    training = ImageTraining(scratch, config.stages.image, _seed(scratch, session), session.device)
    return _stage("image", defines, training, session)


def _seed(scratch: ScratchTowers, session: Session) -> int:
    assert scratch.config.stages is not None
    chosen = scratch.config.stages.seed
    return session.seed if chosen is None else chosen


def _stage(kind: str, defines: Mapping[str, Any], training: StageTraining, session: Session) -> StagedEncoder:
    identity = {
        "version": STAGE_VERSION,
        "stage": training.options.model_dump(mode="json"),
        "seed": training.seed,
        "data": training.scratch.config.data.fingerprint(),
        **defines,
    }
    made = artifact_of(session, f"{kind}-stage", identity, training.make)
    if made["diverged"]:
        # Whoever asks again gets the same answer at once.
        raise Diverged(f"{kind} stage, {made['diverged']}")
    training.encoder.load_state_dict(made["weights"])
    alike = made["history"][-1].get("cosine_other", 0.0)
    notes = (
        f"the {kind} stage made all {kind}s alike: those of different meanings have a mean cosine of "
        f"{alike:.3f} on dev",
    )
    encoder = training.encoder.eval()
    return StagedEncoder(encoder, {"kind": kind, **identity}, notes if alike > ALIKE else ())
