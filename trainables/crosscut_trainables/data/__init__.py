"""Data sets, by name. A new one is one more line here."""

from __future__ import annotations

from crosscut_trainables.data.digit_scenes import DigitScenes
from crosscut_trainables.data.split import Dataset

DATASETS: dict[str, type[Dataset]] = {
    "digit-scenes": DigitScenes,
}
