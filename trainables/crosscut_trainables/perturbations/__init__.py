"""Perturbations for evaluation under domain shift, by name. A new one is one more line here."""

from __future__ import annotations

from crosscut_trainables.perturbations.blur import Blur
from crosscut_trainables.perturbations.contrast import Contrast
from crosscut_trainables.perturbations.distractors import Distractors
from crosscut_trainables.perturbations.dropped_regions import DroppedRegions
from crosscut_trainables.perturbations.noise import Noise
from crosscut_trainables.perturbations.occlusion import Occlusion
from crosscut_trainables.perturbations.perturbation import Perturbation
from crosscut_trainables.perturbations.region_noise import RegionNoise
from crosscut_trainables.perturbations.synonyms import Synonyms
from crosscut_trainables.perturbations.typos import Typos
from crosscut_trainables.perturbations.word_order import WordOrder

PERTURBATIONS: dict[str, type[Perturbation]] = {
    "typos": Typos,
    "synonyms": Synonyms,
    "distractors": Distractors,
    "word-order": WordOrder,
    "noise": Noise,
    "blur": Blur,
    "contrast": Contrast,
    "occlusion": Occlusion,
    "region-noise": RegionNoise,
    "dropped-regions": DroppedRegions,
}

__all__ = ["PERTURBATIONS", "Perturbation"]
