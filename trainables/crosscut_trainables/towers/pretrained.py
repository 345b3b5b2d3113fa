"""Towers that others have trained: a dual encoder read through transformers."""

from __future__ import annotations

from typing import Literal

from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.session import Session
from crosscut_trainables.towers.given import Given, GivenTowers


def pretrained(config: RetrievalConfig, session: Session) -> GivenTowers:
    """The dual encoder that `pretrained` names, frozen or tuned as it says."""
    chosen = config.pretrained
    assert chosen is not None
    loaded = chosen.load()
    start: Literal["identity"] | None = "identity" if chosen.maps else None
    weights = {"pretrained": chosen.name, "weights": chosen.fingerprint()}
    towers = GivenTowers(
        config,
        session,
        loaded.width,
        loaded.vocabulary,
        loaded.view,
        Given(loaded.images, weights, chosen.freezes_images, False, start),
        Given(loaded.texts, weights, chosen.freezes_texts, False, start),
    )
    towers.encoder_rate = chosen.encoder_rate
    towers.learns = chosen.tuning != "zero-shot"
    if chosen.own_temperature:
        towers.scale = loaded.scale
    return towers
