"""Asymmetry-sensitive contrastive learning (AsCL): negatives and positives made of captions, by name."""

from __future__ import annotations

from crosscut_trainables.asymmetry.negatives import NOISES
from crosscut_trainables.asymmetry.positives import POSITIVES

__all__ = ["NOISES", "POSITIVES"]
