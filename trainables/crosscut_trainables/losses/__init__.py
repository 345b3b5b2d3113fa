"""Matching losses. `LOSSES` lists them by name."""

from __future__ import annotations

from crosscut_trainables.losses.infonce import InfoNCE
from crosscut_trainables.losses.loss import Loss
from crosscut_trainables.losses.triplet import Triplet

LOSSES: dict[str, type[Loss]] = {"triplet": Triplet, "infonce": InfoNCE}

__all__ = ["LOSSES", "InfoNCE", "Loss", "Triplet"]
