"""The configuration of a retrieval run: components by name, numbers with their ranges, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from crosscut_trainables.backbones import BACKBONES, Backbone, Scan
from crosscut_trainables.component import choice
from crosscut_trainables.constraints import CONSTRAINTS, Constraint
from crosscut_trainables.data import DATASETS
from crosscut_trainables.data.split import Dataset
from crosscut_trainables.losses import LOSSES, InfoNCE, Loss

if TYPE_CHECKING:
    AnyData = Dataset
    AnyBackbone = Backbone
    AnyLoss = Loss
else:
    AnyData = choice(DATASETS)
    AnyBackbone = choice(BACKBONES)
    AnyLoss = choice(LOSSES)


class Options(BaseModel):
    """Base of the sections of a configuration: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class EncoderOptions(Options):
    """How large the encoders are."""

    width: int = Field(32, ge=4, le=4096, description="Dimensions of the joint space, 4 to 4096.")
    word_width: int = Field(32, ge=4, le=4096, description="Dimensions of a word's embedding, 4 to 4096.")
    min_count: int = Field(
        4, ge=1, le=1000, description="How often training captions must have a word to keep it, 1 to 1000."
    )


class TrainingOptions(Options):
    """How the model is trained."""

    epochs: int = Field(6, ge=1, le=1000, description="Passes over the training captions, 1 to 1000.")
    batch_size: int = Field(
        128, ge=2, le=65536, description="Pairs of a batch over all workers together, 2 to 65536."
    )
    shards: Literal[1, 2] = Field(
        1,
        description="Parts of a batch whose sums are taken apart: 1, or 2, with which one worker and two give the "
        "same ranks to the bit.",
    )
    learning_rate: float = Field(0.015, gt=0, le=1, description="Of Adam at the start, (0, 1].")
    decay_epoch: int = Field(
        4, ge=1, le=1000, description="After every how many epochs the learning rate decays, 1 to 1000."
    )
    decay_factor: float = Field(
        0.2, gt=0, le=1, description="What the learning rate is multiplied with at a decay, (0, 1]."
    )
    weight_decay: float = Field(0.0, ge=0, le=1, description="Decoupled weight decay (AdamW), [0, 1].")
    clip_norm: float = Field(2.0, gt=0, le=1e6, description="Largest norm of the gradient, (0, 1e6].")
    precision: Literal["fp32", "bf16"] = Field(
        "fp32", description="What the encoders compute in while training and evaluating: fp32 or bf16."
    )


class EvaluationOptions(Options):
    """How the model is evaluated."""

    iou: float = Field(
        0.5, gt=0, lt=1, description="Overlap with a word's box above which a region is relevant, (0, 1)."
    )
    attention_threshold: float | None = Field(
        None, ge=0, lt=1, description="Weight above which a region is attended, [0, 1); null: 1/regions."
    )
    attention_sweep: tuple[float, ...] = Field(
        (), description="Further overlaps, each in (0, 1), at which attention metrics are reported as well."
    )
    memory_mb: int = Field(
        512, ge=1, le=1_000_000, description="Memory that comparing all pairs may take, 1 to 1000000 MB."
    )

    @model_validator(mode="after")
    def _sweep_in_range(self) -> EvaluationOptions:
        for iou in self.attention_sweep:
            if not 0 < iou < 1:
                raise ValueError(f"attention_sweep: {iou} is no overlap between 0 and 1")
        return self


class ConstraintOptions(Options):
    """The constraints on attention, by name; those that are null do not act."""

    def active(self) -> dict[str, Constraint]:
        """The constraints that act, by name."""
        return {name: value for name in CONSTRAINTS if (value := getattr(self, name)) is not None}


if TYPE_CHECKING:
    Constraints = ConstraintOptions
else:
    Constraints = create_model(
        "Constraints",
        __base__=ConstraintOptions,
        **{
            name: (constraint | None, Field(None, description=constraint.summary))
            for name, constraint in CONSTRAINTS.items()
        },
    )


def _default_data() -> Dataset:
    return DATASETS["digit-scenes"]()


class RetrievalConfig(Options):
    """All options of a retrieval run; every one has a default.

    >>> RetrievalConfig.model_validate({"backbone": {"name": "scan", "direction": "i2t"}}).training.epochs
    6
    """

    data: AnyData = Field(default_factory=_default_data, description="The data set.")
    encoder: EncoderOptions = Field(EncoderOptions(), description="How large the encoders are.")
    backbone: AnyBackbone = Field(Scan(), description="How an image and a text are compared.")
    loss: AnyLoss = Field(InfoNCE(), description="What makes matched pairs similar.")
    constraints: Constraints = Field(Constraints(), description="What attention must satisfy.")
    training: TrainingOptions = Field(TrainingOptions(), description="How the model is trained.")
    evaluation: EvaluationOptions = Field(EvaluationOptions(), description="How it is evaluated.")

    @model_validator(mode="after")
    def _constraints_have_attention(self) -> RetrievalConfig:
        for name in self.constraints.active():
            if not self.backbone.exposes_attention:
                raise ValueError(
                    f"{name} needs a backbone that exposes attention; {self.backbone.name} has none"
                )
        return self

    def options(self) -> dict[str, Any]:
        """The whole configuration as plain values, defaults included."""
        return self.model_dump(mode="json")
