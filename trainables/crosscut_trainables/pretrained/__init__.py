"""Pretrained dual encoders, by name. A new one is one more line here."""

from __future__ import annotations

from crosscut_trainables.pretrained.align import Align
from crosscut_trainables.pretrained.altclip import AltClip
from crosscut_trainables.pretrained.clip import Clip
from crosscut_trainables.pretrained.dual_encoder import DualEncoder
from crosscut_trainables.pretrained.groupvit import GroupVit
from crosscut_trainables.pretrained.siglip import Siglip

PRETRAINED: dict[str, type[DualEncoder]] = {
    "clip": Clip,
    "align": Align,
    "altclip": AltClip,
    "groupvit": GroupVit,
    "siglip": Siglip,
}

__all__ = ["PRETRAINED", "DualEncoder"]
