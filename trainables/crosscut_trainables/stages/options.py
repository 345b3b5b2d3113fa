"""The options of three-stage semantic training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from crosscut_trainables.component import Options, choice
from crosscut_trainables.stages import SEMANTIC_LOSSES, SemanticLoss, Separated

if TYPE_CHECKING:
    AnySemanticLoss = SemanticLoss
else:
    AnySemanticLoss = choice(SEMANTIC_LOSSES)


class Stage(Options):
    """How one encoder is trained by itself."""

    loss: AnySemanticLoss = Field(Separated(), description="What makes items of one meaning alike.")
    epochs: int = Field(6, ge=1, le=1000, description="Passes over the training split, 1 to 1000.")
    batch_size: int = Field(128, ge=2, le=65536, description="Pairs of a batch, 2 to 65536.")
    learning_rate: float = Field(
        0.003, gt=0, le=1, description="Of Adam at the start, (0, 1]; it falls to 0 along half a cosine."
    )
    drop: float = Field(
        0.2, ge=0, lt=1, description="Probability that an item of a pair loses a word, or a region, [0, 1)."
    )


class TextStage(Stage):
    """The first stage: the text encoder by itself."""

    positives: Literal["siblings", "views"] = Field(
        "siblings",
        description="What has one meaning: siblings (two captions of an image), or views (a caption twice, with "
        "other words dropped).",
    )


class ImageStage(Stage):
    """The second stage: the image encoder by itself."""

    positives: Literal["views", "captions"] = Field(
        "views",
        description="What has one meaning: views (an image twice, with other regions dropped), or captions (the "
        "image whose captions are nearest, by the cosine of their tf-idf).",
    )


class Stages(Options):
    """A text stage, an image stage, and a linear map on the frozen encoders, which the run learns (Shi and Li)."""

    text: TextStage = Field(TextStage(), description="The text encoder by itself.")
    image: ImageStage = Field(ImageStage(), description="The image encoder by itself.")
    map: Literal["image", "text", "both"] = Field(
        "image", description="Which side has the linear map into the other's space: image, text, or both."
    )
    seed: int | None = Field(
        None,
        ge=0,
        lt=2**32,
        description="Seed of both stages; null: the run's own. A number has all runs share one pair of encoders: "
        "then the spread over seeds is that of the linear map alone.",
    )
