"""Hierarchical fusion: a local comparison of fragments and a global one of wholes, weighed to one similarity."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import SerializeAsAny

from crosscut_trainables.backbones.backbone import Backbone

if TYPE_CHECKING:
    from torch import Tensor, nn

    from crosscut_trainables.fragments import Fragments
    from crosscut_trainables.match import Match


class Fused(Backbone):
    """S(I, T) = u₁·S_local(I, T) + (1 − u₁)·S_global(I, T) (arXiv 2405.10029).

    u₁ is fixed (and may be searched), or learnt as the logistic function of a number, from the given weight on.
    Attention is that of the local backbone.
    """

    name: Literal["fused"] = "fused"
    summary: ClassVar[str] = "a local and a global similarity, weighed (arXiv 2405.10029)"
    exposes_attention: ClassVar[bool] = True

    local: SerializeAsAny[Backbone]
    whole: SerializeAsAny[Backbone]
    local_weight: float
    learned: bool

    @property
    def poolings(self) -> tuple[str, str]:
        return self.whole.poolings

    @property
    def rounds(self) -> bool:
        return self.local.rounds

    @property
    def learns(self) -> bool:
        return self.learned or self.local.learns or self.whole.learns

    def parts(self, width: int) -> nn.Module | None:
        import torch
        from torch import nn

        made = {"local": self.local.parts(width), "whole": self.whole.parts(width)}
        parts = nn.ModuleDict({name: module for name, module in made.items() if module is not None})
        if self.learned:
            start = math.log(self.local_weight / (1 - self.local_weight))
            parts["weight"] = nn.ParameterDict({"logit": nn.Parameter(torch.tensor(start))})
        return parts if len(parts) else None

    def match(self, images: Fragments, texts: Fragments, parts: nn.Module | None) -> Match:
        from crosscut_trainables.match import Match

        local = self.local.match(images, texts, _part(parts, "local"))
        whole = self.whole.match(images, texts, _part(parts, "whole"))
        weight = self._weight(parts)
        return Match(weight * local.scores + (1 - weight) * whole.scores, local.attentions)

    def floats_per_pair(self, regions: int, words: int, width: int) -> int:
        local = self.local.floats_per_pair(regions, words, width)
        return local + self.whole.floats_per_pair(regions, words, width)

    def numbers_per_pair(self, regions: int, words: int, width: int) -> int:
        local = self.local.numbers_per_pair(regions, words, width)
        return local + self.whole.numbers_per_pair(regions, words, width)

    def _weight(self, parts: nn.Module | None) -> Tensor | float:
        if not self.learned:
            return self.local_weight
        from torch import nn

        learned = _part(parts, "weight")
        assert isinstance(learned, nn.ParameterDict)
        weight: Tensor = learned["logit"].sigmoid()
        return weight


def _part(parts: nn.Module | None, name: str) -> nn.Module | None:
    from torch import nn

    return parts[name] if isinstance(parts, nn.ModuleDict) and name in parts else None
