"""Backbones: how an image and a text are compared. `BACKBONES` lists them by name."""

from __future__ import annotations

from crosscut_trainables.backbones.backbone import Backbone
from crosscut_trainables.backbones.bfan import Bfan
from crosscut_trainables.backbones.pfan import Pfan
from crosscut_trainables.backbones.scan import Scan
from crosscut_trainables.backbones.sgraf import Saf, Sgr, Sgraf
from crosscut_trainables.backbones.vse import VSEPlusPlus
from crosscut_trainables.backbones.vse_infinity import VSEInfinity

BACKBONES: dict[str, type[Backbone]] = {
    "scan": Scan,
    "bfan": Bfan,
    "pfan": Pfan,
    "sgr": Sgr,
    "saf": Saf,
    "sgraf": Sgraf,
    "vse++": VSEPlusPlus,
    "vse-infinity": VSEInfinity,
}

__all__ = ["BACKBONES", "Backbone", "Scan", "VSEPlusPlus"]
