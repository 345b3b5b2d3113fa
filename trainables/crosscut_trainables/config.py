"""The configuration of a retrieval run: components by name, numbers with their ranges, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import (
    BaseModel,
    Field,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)

from crosscut_trainables import subwords
from crosscut_trainables.asymmetry.options import Asymmetry
from crosscut_trainables.backbones import BACKBONES, Backbone, Scan, VSEPlusPlus
from crosscut_trainables.compatibility import refusal
from crosscut_trainables.component import Options, choice
from crosscut_trainables.constraints import CONSTRAINTS, Constraint
from crosscut_trainables.data import DATASETS
from crosscut_trainables.data.split import Dataset
from crosscut_trainables.data.vocabulary import Vocabulary
from crosscut_trainables.domain import with_own_data
from crosscut_trainables.encoders import IMAGE_ENCODERS, TEXT_ENCODERS, Gru, ImageEncoder, TextEncoder
from crosscut_trainables.evaluation_options import EvaluationOptions
from crosscut_trainables.fusion import Fused
from crosscut_trainables.losses import LOSSES, InfoNCE, Loss
from crosscut_trainables.pretrained import PRETRAINED, DualEncoder
from crosscut_trainables.stages.options import ImageStage, Stages, TextStage

if TYPE_CHECKING:
    AnyData = Dataset
    AnyBackbone = Backbone
    AnyLoss = Loss
    AnyImageEncoder = ImageEncoder
    AnyTextEncoder = TextEncoder
    AnyPretrained = DualEncoder
else:
    AnyData = choice(DATASETS)
    AnyBackbone = choice(BACKBONES)
    AnyLoss = choice(LOSSES)
    AnyImageEncoder = choice(IMAGE_ENCODERS)
    AnyTextEncoder = choice(TEXT_ENCODERS)
    AnyPretrained = choice(PRETRAINED)


class EncoderOptions(Options):
    """How regions and words become fragments."""

    width: int = Field(32, ge=4, le=4096, description="Dimensions of the joint space, 4 to 4096.")
    word_width: int = Field(32, ge=4, le=4096, description="Dimensions of a word's embedding, 4 to 4096.")
    min_count: int = Field(
        4, ge=1, le=1000, description="How often training captions must have a word to keep it, 1 to 1000."
    )
    image: AnyImageEncoder | None = Field(
        None, description="How regions become fragments; null: as the backbone's authors have it."
    )
    text: AnyTextEncoder = Field(Gru(), description="How words become fragments.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Dropout of word embeddings, [0, 1); 0.4 in SGRAF.")
    word_vectors: str | None = Field(
        None,
        description="File of word vectors (a line has a word and word_width numbers) that embeddings start from; "
        "null: at random.",
    )

    vocabulary: str | None = Field(
        None,
        description="JSON file of a vocabulary (word2idx, idx2word, idx), in place of min_count; null: the words "
        "of the training captions.",
    )
    subwords: str | None = Field(
        None,
        description="Tokenizer that cuts captions into pieces of words, in place of a vocabulary: a folder that "
        "transformers reads, or a tokenizer.json; null: whole words.",
    )

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> EncoderOptions:
        for key, encoder in (("image", self.image), ("text", self.text)):
            heads = getattr(encoder, "heads", 1)
            if self.width % heads:
                raise ValueError(f"{key}: {heads} heads do not divide a width of {self.width}")
        return self

    @model_validator(mode="after")
    def _words_or_pieces(self) -> EncoderOptions:
        for key in ("vocabulary", "word_vectors"):
            if self.subwords is not None and getattr(self, key) is not None:
                raise ValueError(
                    f"subwords has pieces of words, and {key} has words; expected one of them, not both"
                )
        return self

    @field_validator("subwords")
    @classmethod
    def _a_tokenizer(cls, path: str | None) -> str | None:
        return None if path is None else subwords.checked(path)

    @field_validator("word_vectors", "vocabulary")
    @classmethod
    def _a_file(cls, path: str | None, info: ValidationInfo) -> str | None:
        if path is None:
            return None
        file = Path(path).expanduser().absolute()
        if not file.is_file():
            what = "word vectors" if info.field_name == "word_vectors" else "a vocabulary"
            raise ValueError(f"found {path!r}, expected a file of {what}: there is none")
        if info.field_name == "vocabulary":
            Vocabulary.read(file)
        return str(file)


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
    schedule: Literal["step", "cosine", "linear", "constant"] = Field(
        "step",
        description="How the learning rate falls: step, cosine or linear (both to 0), or constant.",
    )
    warmup_epochs: float = Field(
        0.0, ge=0, le=1000, description="Epochs over which the learning rate rises from 0, 0 to 1000."
    )
    decay_epoch: int = Field(
        4,
        ge=1,
        le=1000,
        description="After every how many epochs the learning rate decays (step), 1 to 1000.",
    )
    decay_factor: float = Field(
        0.2, gt=0, le=1, description="What the learning rate is multiplied with at a decay (step), (0, 1]."
    )
    weight_decay: float = Field(0.0, ge=0, le=1, description="Decoupled weight decay (AdamW), [0, 1].")
    clip_norm: float = Field(2.0, gt=0, le=1e6, description="Largest norm of the gradient, (0, 1e6].")
    ema: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Decay of the moving average of weights that is evaluated, (0, 1); null: no average.",
    )
    region_dropout: float = Field(
        0.0, ge=0, lt=1, description="Probability that a training image loses a region, [0, 1); 0.2 in VSE∞."
    )
    word_dropout: float = Field(
        0.0, ge=0, lt=1, description="Probability that a word of a training caption is disturbed, [0, 1)."
    )
    disturbance: Literal["remove", "unknown", "mixed"] = Field(
        "remove",
        description="What happens to a disturbed word: remove, unknown (it becomes the unknown word), or mixed: "
        "half become unknown, a tenth another word, the rest go (VSE∞).",
    )
    precision: Literal["fp32", "bf16"] = Field(
        "fp32", description="What the encoders compute in while training and evaluating: fp32 or bf16."
    )


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


class FusionOptions(Options):
    """S = u·S_local + (1 − u)·S_global: the backbone beside one that compares wholes (arXiv 2405.10029)."""

    global_backbone: AnyBackbone = Field(
        VSEPlusPlus(), description="How whole images and whole texts are compared."
    )
    local_weight: float = Field(0.5, ge=0, le=1, description="u, the weight of the local similarity, [0, 1].")
    learned: bool = Field(False, description="Whether u is learnt, from local_weight on.")

    @model_validator(mode="after")
    def _makes_sense(self) -> FusionOptions:
        if self.global_backbone.exposes_attention:
            raise ValueError(
                f"global_backbone: {self.global_backbone.name} compares fragments, expected a backbone that "
                "compares wholes"
            )
        if self.learned and not 0 < self.local_weight < 1:
            raise ValueError("local_weight: a weight that is learnt starts between 0 and 1, neither of them")
        return self


def _default_data() -> Dataset:
    return DATASETS["digit-scenes"]()


class RetrievalConfig(Options):
    """All options of a retrieval run; every one has a default.

    >>> RetrievalConfig.model_validate({"backbone": {"name": "scan", "direction": "i2t"}}).training.epochs
    6
    """

    data: AnyData = Field(default_factory=_default_data, description="The data set.")
    encoder: EncoderOptions = Field(EncoderOptions(), description="How regions and words become fragments.")
    stages: Stages | None = Field(
        None, description="Encoders trained each by itself before the run, then frozen; null: none."
    )
    pretrained: AnyPretrained | None = Field(
        None, description="A dual encoder that others have trained, in place of encoder; null: none."
    )
    backbone: AnyBackbone = Field(Scan(), description="How an image and a text are compared.")
    fusion: FusionOptions | None = Field(
        None, description="A global similarity beside the backbone's; null: none."
    )
    loss: AnyLoss = Field(InfoNCE(), description="What makes matched pairs similar.")
    asymmetry: Asymmetry | None = Field(
        None, description="Negatives and positives made of captions (AsCL); null: none."
    )
    constraints: Constraints = Field(Constraints(), description="What attention must satisfy.")
    training: TrainingOptions = Field(TrainingOptions(), description="How the model is trained.")
    evaluation: EvaluationOptions = Field(EvaluationOptions(), description="How it is evaluated.")

    @model_validator(mode="before")
    @classmethod
    def _domains_begin_from_its_data(cls, plain: Any) -> Any:
        if not isinstance(plain, Mapping) or not isinstance(plain.get("evaluation"), Mapping):
            return plain
        evaluation = plain["evaluation"]
        own = plain.get("data", {"name": "digit-scenes"})
        return {**plain, "evaluation": {**evaluation, "on": with_own_data(evaluation.get("on", {}), own)}}

    @model_validator(mode="after")
    def _goes_together(self) -> RetrievalConfig:
        why = refusal(self)
        if why is not None:
            raise ValueError(why)
        return self

    @property
    def comparison(self) -> Backbone:
        """How images and texts are compared: the backbone, or its fusion with a global one."""
        if self.fusion is None:
            return self.backbone
        return Fused(
            local=self.backbone,
            whole=self.fusion.global_backbone,
            local_weight=self.fusion.local_weight,
            learned=self.fusion.learned,
        )

    @property
    def image_encoder(self) -> ImageEncoder:
        """How regions become fragments: as named, or else as the backbone's authors have it."""
        return self.encoder.image or IMAGE_ENCODERS[self.backbone.image_encoder].model_validate({})

    def options(self) -> dict[str, Any]:
        """The whole configuration as plain values, defaults included."""
        return self.model_dump(mode="json")


SECTIONS: dict[str, type[BaseModel]] = {
    "encoder": EncoderOptions,
    "stages": Stages,
    "stages.text": TextStage,
    "stages.image": ImageStage,
    "fusion": FusionOptions,
    "asymmetry": Asymmetry,
    "training": TrainingOptions,
    "evaluation": EvaluationOptions,
}
"""The sections of a configuration that are no component, by their keys."""
