"""The options of asymmetry-sensitive contrastive learning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from crosscut_trainables.asymmetry.negatives import NOISES
from crosscut_trainables.asymmetry.positives import POSITIVES
from crosscut_trainables.component import Options

if TYPE_CHECKING:
    Noise = str
    Positive = str
else:
    Noise = Literal["none", *NOISES]
    Positive = Literal["none", *POSITIVES]


class Asymmetry(Options):
    """L = (1 − w)·L_I + w·L_II&III: generated negatives and positives beside the captions (arXiv 2405.10029)."""

    noise: Noise = Field(
        "mixed",
        description="How negatives are made of captions (asymmetry I): one of the strategies, or none.",
    )
    noises: int = Field(1, ge=1, le=16, description="Negatives made of each caption, 1 to 16.")
    positives: Positive = Field(
        "mixed",
        description="How positives are made (asymmetry II: truncate, drop; III: sibling, join), or none.",
    )
    share: float = Field(
        0.2,
        gt=0,
        le=1,
        description="Share of a caption's words that is changed or dropped, (0, 1]; at least one.",
    )
    positive_weight: float = Field(0.5, ge=0, le=1, description="w, the weight of L_II&III, [0, 1].")

    @model_validator(mode="after")
    def _does_something(self) -> Asymmetry:
        if self.noise == "none" and self.positives == "none":
            raise ValueError(
                "noise and positives are both none, expected one of them; leave asymmetry out for neither"
            )
        return self
