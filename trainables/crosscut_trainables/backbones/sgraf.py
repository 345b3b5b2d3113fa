"""SGR, SAF and SGRAF: reasoning over, and filtering of, the alignments of words with what they attend to."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from crosscut_trainables.backbones.backbone import Backbone

if TYPE_CHECKING:
    from torch import nn

    from crosscut_trainables.backbones.attention_rule import AttentionRule
    from crosscut_trainables.fragments import Fragments
    from crosscut_trainables.match import Match


class SimilarityReasoning(Backbone):
    """What the three share: SCAN's attention of words to regions, and a similarity learnt from its alignments.

    Diao et al., "Similarity Reasoning and Filtration for Image-Text Matching", AAAI 2021. Scores lie in (0, 1).
    """

    exposes_attention: ClassVar[bool] = True
    kinds: ClassVar[tuple[str, ...]]
    """Which of `sgr` and `saf` it is made of."""

    temperature: float = Field(9.0, gt=0, le=100, description="λ of the attention's softmax, (0, 100].")
    similarity_width: int = Field(256, ge=2, le=4096, description="Dimensions of an alignment, 2 to 4096.")
    dropout: float = Field(
        0.4, ge=0, lt=1, description="Dropout while images and texts are pooled to one vector, [0, 1)."
    )

    @property
    def learns(self) -> bool:
        return True

    def parts(self, width: int) -> nn.Module | None:
        from torch import nn

        from crosscut_trainables.backbones.similarity_reasoning import reasoning

        steps = getattr(self, "steps", 0)
        made = {
            kind: reasoning(kind, width, self.similarity_width, self.dropout, steps) for kind in self.kinds
        }
        return nn.ModuleDict(made)

    def match(self, images: Fragments, texts: Fragments, parts: nn.Module | None) -> Match:
        from torch import nn

        from crosscut_trainables.match import Attention, Match

        assert isinstance(parts, nn.ModuleDict)
        rule = self._rule()
        scores = [parts[kind](images, texts, rule) for kind in self.kinds]
        attention = Attention("words", images, texts, rule.weights_of_pairs)
        return Match(sum(scores[1:], scores[0]) / len(scores), (attention,))

    def floats_per_pair(self, regions: int, words: int, width: int) -> int:
        # weights and what they come from; attended vectors, their differences and squares; alignments
        return 4 * regions * words + (words + 1) * (4 * width + 6 * self.similarity_width + words)

    def _rule(self) -> AttentionRule:
        from crosscut_trainables.backbones.attention_rule import AttentionRule

        return AttentionRule(scale=self.temperature, clipped=True, over_queries="l2")


class Sgr(SimilarityReasoning):
    """Graph reasoning over the alignments of a pair."""

    name: Literal["sgr"] = "sgr"
    summary: ClassVar[str] = "graph reasoning over local and global alignments (Diao et al. 2021)"
    kinds: ClassVar[tuple[str, ...]] = ("sgr",)

    steps: int = Field(3, ge=1, le=16, description="Steps of graph reasoning, 1 to 16.")


class Saf(SimilarityReasoning):
    """Attention that filters the alignments of a pair."""

    name: Literal["saf"] = "saf"
    summary: ClassVar[str] = "attention that filters local and global alignments (Diao et al. 2021)"
    kinds: ClassVar[tuple[str, ...]] = ("saf",)


class Sgraf(SimilarityReasoning):
    """The mean of the similarities of both.

    [reading] The published figures average two models that are trained apart; here both heads are trained together
    on one pair of encoders, so that one run is one model.
    """

    name: Literal["sgraf"] = "sgraf"
    summary: ClassVar[str] = "mean of sgr and saf on shared encoders (Diao et al. 2021)"
    kinds: ClassVar[tuple[str, ...]] = ("sgr", "saf")

    steps: int = Field(3, ge=1, le=16, description="Steps of graph reasoning, 1 to 16.")
