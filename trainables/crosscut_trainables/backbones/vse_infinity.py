"""VSE∞: whole images against whole texts, with a pooling that is learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from crosscut_trainables.backbones.backbone import Backbone

if TYPE_CHECKING:
    from torch import nn

    from crosscut_trainables.fragments import Fragments
    from crosscut_trainables.match import Match


class VSEInfinity(Backbone):
    """Cosine of a whole image and a whole text, both pooled alike from their fragments.

    Chen et al., "Learning the Best Pooling Strategy for Visual Semantic Embedding", CVPR 2021. `gpo` is their
    generalised pooling; mean, max and attention stand beside it. Their image encoder is `mlp`, and their size
    augmentation is `training.region_dropout: 0.2` with `training.word_dropout: 0.2` and `training.disturbance:
    mixed`.
    """

    name: Literal["vse-infinity"] = "vse-infinity"
    summary: ClassVar[str] = "cosine of whole image and whole text, pooling learnt (Chen et al. 2021)"
    exposes_attention: ClassVar[bool] = False
    image_encoder: ClassVar[str] = "mlp"

    pooling: Literal["gpo", "mean", "max", "attention"] = Field(
        "gpo",
        description="How fragments become one vector: gpo (learnt weights of ranks), mean, max or attention.",
    )

    @property
    def poolings(self) -> tuple[str, str]:
        return self.pooling, self.pooling

    @property
    def learns(self) -> bool:
        return self.pooling in ("gpo", "attention")

    def match(self, images: Fragments, texts: Fragments, parts: nn.Module | None) -> Match:
        from crosscut_trainables.match import Match

        return Match(images.summary @ texts.summary.T)
