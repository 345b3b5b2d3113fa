"""Towers whose encoders are trained in stages of their own, each side by itself, and then frozen.

Shi and Li, "Rethinking Semantic Contrastive Learning and Content Fusion in Multimodal Retrieval": a text stage, an
image stage, and a linear map between the two spaces, which is what the run itself learns.
"""

from __future__ import annotations

from typing import Literal

from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.session import Session
from crosscut_trainables.stages.stage import StagedEncoder, image_stage, text_stage
from crosscut_trainables.towers.given import Given, GivenTowers
from crosscut_trainables.towers.scratch import ScratchTowers


def staged(config: RetrievalConfig, session: Session) -> GivenTowers:
    """The encoders of both stages, trained now if no run has trained them, or waited for."""
    stages = config.stages
    assert stages is not None
    scratch = ScratchTowers(config)
    training = config.training
    anew = training.word_dropout > 0 or config.asymmetry is not None

    def given(stage: StagedEncoder, side: str, encodes_anew: bool) -> Given:
        start: Literal["random"] | None = "random" if stages.map in (side, "both") else None
        return Given(stage.encoder, stage.identity, True, encodes_anew, start)

    texts, images = text_stage(scratch, session), image_stage(scratch, session)
    towers = GivenTowers(
        config,
        session,
        scratch.width,
        scratch.vocabulary,
        scratch.view,
        given(images, "image", training.region_dropout > 0),
        given(texts, "text", anew),
        scratch.splits,
    )
    towers.notes = (*scratch.notes, *texts.notes, *images.notes)
    return towers
