"""Data sets, by name. A new one is one more line here."""

from __future__ import annotations

from crosscut_trainables.data.digit_scenes import DigitScenes
from crosscut_trainables.data.flickr8k import Flickr8k
from crosscut_trainables.data.karpathy import Karpathy
from crosscut_trainables.data.nus_wide import NusWide
from crosscut_trainables.data.precomputed import Precomputed
from crosscut_trainables.data.prepared import Prepared
from crosscut_trainables.data.split import Dataset

DATASETS: dict[str, type[Dataset]] = {
    "digit-scenes": DigitScenes,
    "precomputed": Precomputed,
    "karpathy": Karpathy,
    "flickr8k": Flickr8k,
    "nus-wide": NusWide,
    "prepared": Prepared,
}
