"""Stages: encoders that are trained each side by itself, before the run. `SEMANTIC_LOSSES` lists their losses by
name; a new one is one more line here."""

from __future__ import annotations

from crosscut_trainables.stages.literal import Literal
from crosscut_trainables.stages.semantic_loss import SemanticLoss
from crosscut_trainables.stages.separated import Separated

SEMANTIC_LOSSES: dict[str, type[SemanticLoss]] = {"separated": Separated, "literal": Literal}

__all__ = ["SEMANTIC_LOSSES", "SemanticLoss", "Separated"]
