"""Towers: the two encoders of a run, from scratch, out of stages of their own, or pretrained."""

from __future__ import annotations

from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.session import Session
from crosscut_trainables.towers.towers import Towers


def towers_of(config: RetrievalConfig, session: Session) -> Towers:
    """The towers that a configuration asks for; stages are trained, or waited for, here."""
    if config.pretrained is not None:
        from crosscut_trainables.towers.pretrained import pretrained

        return pretrained(config, session)
    if config.stages is not None:
        from crosscut_trainables.towers.staged import staged

        return staged(config, session)
    from crosscut_trainables.towers.scratch import ScratchTowers

    return ScratchTowers(config)


__all__ = ["Towers", "towers_of"]
