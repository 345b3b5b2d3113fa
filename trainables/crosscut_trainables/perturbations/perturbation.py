"""The base of every perturbation: a split in, a split out that asks the same of a model in a worse form."""

from __future__ import annotations

import hashlib
import json
from abc import abstractmethod
from typing import ClassVar, Literal

from pydantic import Field

from crosscut_trainables.component import Component
from crosscut_trainables.data.draws import Draws
from crosscut_trainables.data.split import Split

Strengths = tuple[float, float, float, float, float]
"""The strengths of severities 1 to 5, ascending in what they do."""


class Perturbation(Component):
    """A change of a split's texts, images or regions, for evaluation under domain shift; which caption belongs to
    which image stays.

    Caption or image `i` is changed by the options, the seed and `i` alone, so that one can be perturbed without
    the others. Severities share their random choices: a higher one does to an item what a lower one does, and
    more of it, as far as the kind allows.
    """

    summary: ClassVar[str]
    of: ClassVar[Literal["texts", "images", "regions"]]
    """What changes. Regions are not computed anew from changed images: a model of region features sees nothing
    of a perturbation of images, nor a model of whole images anything of one of regions."""
    strengths: ClassVar[Strengths]
    """The strength of every severity, in the unit that `measure` tells."""
    measure: ClassVar[str]
    """What a strength is, with its unit."""
    drawn: ClassVar[bool] = True
    """False where nothing is left to chance, so that every seed gives the same."""
    version: ClassVar[int] = 1
    """Raised whenever the same options and seed give another split than before."""

    name: str
    severity: int = Field(3, ge=1, le=5, description="How strong, from 1, mild, to 5, severe.")

    @property
    def strength(self) -> float:
        """The strength at this severity."""
        return self.strengths[self.severity - 1]

    @abstractmethod
    def apply(self, split: Split, seed: int) -> Split:
        """The perturbed split; `split` stays as it is.

        `split` is one that a data set gives, not yet seen through an encoder's `view`; `seed` is not negative.
        Regions, and images in files, are changed when they are read, not before.

        Raises:
            ValueError: the split has nothing of what this changes, or in a form that it cannot change.
        """

    def draws(self, seed: int, number: int) -> Draws:
        """The random choices for caption or image `number`; other perturbations have others."""
        stream = int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:4], "big")
        return Draws(seed, stream, number)

    def contents(self) -> dict[str, str]:
        """Of every option that only says where something lies: the hash of what lies there."""
        return {}

    def fingerprint(self) -> str:
        """Hexadecimal SHA-256 of all that the perturbed split depends on besides the split and the seed."""
        options = {**self.model_dump(mode="json"), **self.contents()}
        text = f"{self.name} {self.version}\n{json.dumps(options, sort_keys=True)}\n"
        return hashlib.sha256(text.encode()).hexdigest()
