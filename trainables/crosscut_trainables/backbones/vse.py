"""VSE++: whole images against whole texts, the baseline without attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from crosscut_trainables.backbones.backbone import Backbone

if TYPE_CHECKING:
    from torch import nn

    from crosscut_trainables.fragments import Fragments
    from crosscut_trainables.match import Match


class VSEPlusPlus(Backbone):
    """Cosine of the summary of the image and the summary of the text.

    Faghri et al., "VSE++: Improving Visual-Semantic Embeddings with Hard Negatives", BMVC 2018. The image is
    the mean of its projected regions, the text the last state of its recurrent network.
    """

    name: Literal["vse++"] = "vse++"
    summary: ClassVar[str] = "cosine of whole image and whole text (Faghri et al. 2018)"
    exposes_attention: ClassVar[bool] = False

    def match(self, images: Fragments, texts: Fragments, parts: nn.Module | None) -> Match:
        from crosscut_trainables.match import Match

        return Match(images.summary @ texts.summary.T)
