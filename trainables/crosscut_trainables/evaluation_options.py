"""How a trained model is evaluated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from pydantic import Field, field_validator, model_validator

from crosscut_trainables.component import Options
from crosscut_trainables.data.split import SPLITS
from crosscut_trainables.domain import Domain
from crosscut_trainables.query_metrics import metric
from crosscut_trainables.relevance import prefix_of


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
    attention_thresholds: tuple[float, ...] = Field(
        (), description="Further weights, each in [0, 1), with which attention metrics are reported as well."
    )
    on: Mapping[str, Domain] = Field(
        {}, description="Further splits that the trained model is evaluated on, by the name of their metrics."
    )
    metrics: tuple[str, ...] = Field(
        (),
        description="Further metrics of test, by query and in both directions: mrr, map, map_at_r, r_precision, "
        "mean_rank, precision_at_5, map_at_10, ndcg_at_10, … with any cutoff; category_map_at_50 and the like go "
        "by category, eccv_map_at_r and the like by the ground truth of ECCV Caption (COCO 5K).",
    )
    geometry: bool = Field(
        False,
        description="Whether alignment, uniformity and mean distances of positive and negative pairs of whole "
        "images and texts are measured; time grows with the square of captions.",
    )
    folds: int | None = Field(
        None,
        ge=2,
        le=1000,
        description="Folds of test in which recalls are measured as well, as test-5fold for 5 (COCO 1K), 2 to "
        "1000.",
    )
    rankings: int = Field(
        100,
        ge=0,
        le=100_000,
        description="Items of every query's ranking that a record keeps, to be exported, 0 to 100000.",
    )
    examples: int = Field(
        100,
        ge=0,
        le=10_000,
        description="Captions of test, evenly apart, that a record keeps with picture and attention, 0 to 10000.",
    )
    precision: Literal["fp32", "bf16"] = Field(
        "fp32",
        description="What regions and words are multiplied in while all pairs are compared: fp32 or bf16.",
    )
    memory_mb: int = Field(
        512, ge=1, le=1_000_000, description="Memory that comparing all pairs may take, 1 to 1000000 MB."
    )

    @field_validator("metrics")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            metric(name.removeprefix(prefix_of(name)))
        return names

    @model_validator(mode="after")
    def _names_of_their_own(self) -> EvaluationOptions:
        for name in self.on:
            if name in SPLITS or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_+-]*", name):
                raise ValueError(
                    f"on: found {name!r}, expected a name of letters, digits and _+- that is none of "
                    f"{', '.join(SPLITS)}"
                )
        return self

    @model_validator(mode="after")
    def _sweep_in_range(self) -> EvaluationOptions:
        for iou in self.attention_sweep:
            if not 0 < iou < 1:
                raise ValueError(f"attention_sweep: {iou} is no overlap between 0 and 1")
        for weight in self.attention_thresholds:
            if not 0 <= weight < 1:
                raise ValueError(f"attention_thresholds: found {weight}, expected a weight in [0, 1)")
        return self
