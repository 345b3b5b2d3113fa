"""Backbones: how an image and a text are compared. `BACKBONES` lists them by name."""

from __future__ import annotations

from crosscut_trainables.backbones.backbone import Backbone
from crosscut_trainables.backbones.scan import Scan
from crosscut_trainables.backbones.vse import VSEPlusPlus

BACKBONES: dict[str, type[Backbone]] = {"scan": Scan, "vse++": VSEPlusPlus}

__all__ = ["BACKBONES", "Backbone", "Scan", "VSEPlusPlus"]
