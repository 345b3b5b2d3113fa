"""InfoNCE: every pair against all others of the batch, as a classification in both directions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from crosscut_trainables.losses.loss import Loss

if TYPE_CHECKING:
    from torch import Tensor, nn


class InfoNCE(Loss):
    """½·Σ over pairs of −log softmax of the pair among its row and among its column of τ⁻¹·S.

    Van den Oord et al. 2018; symmetric and with a learnt temperature as in Radford et al. 2021: the scale
    τ⁻¹ = exp(θ) is clamped at 100. Summed over the batch, so that the weight of a constraint means the same
    beside either loss.
    """

    name: Literal["infonce"] = "infonce"
    summary: ClassVar[str] = "symmetric cross entropy over the batch (van den Oord et al. 2018)"

    temperature: float = Field(0.07, gt=0, le=10, description="τ at the start; it is learnt, (0, 10].")

    def parts(self) -> nn.Module | None:
        import torch
        from torch import nn

        start = min(math.log(1 / self.temperature), math.log(100.0))
        return nn.ParameterDict({"logit_scale": nn.Parameter(torch.tensor(start))})

    def loss(
        self,
        scores: Tensor,
        image_of: Tensor,
        parts: nn.Module | None,
        epoch: int = 1,
        noise: Tensor | None = None,
    ) -> Tensor:
        import torch
        from torch import nn

        assert isinstance(parts, nn.ParameterDict)
        logits = scores * parts["logit_scale"].exp().clamp(max=100.0)
        own = torch.eye(len(scores), dtype=torch.bool, device=scores.device)
        logits = logits.masked_fill(self.spared(image_of) & ~own, -math.inf)
        pair = logits.diagonal()
        rows = logits
        if noise is not None:
            rows = torch.cat([logits, noise * parts["logit_scale"].exp().clamp(max=100.0)], 1)
        both: Tensor = (rows.logsumexp(1) - pair).sum() + (logits.logsumexp(0) - pair).sum()
        return 0.5 * both
