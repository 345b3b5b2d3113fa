"""Batch normalisation that is the same for any number of workers and shards."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from crosscut_trainables.distribution import total


class BatchNorm(nn.Module):
    """Ioffe and Szegedy 2015, over the present places of fragments.

    Statistics are taken over whatever is handed in, in groups that normalise themselves alone; a caller chooses
    groups that one worker holds whole, such as one text with all images. What evaluation uses, the running
    mean over the groups' means and variances, is brought up to date once a step by `end_step`, over all groups of
    all workers, so that it does not depend on how a batch was shared.
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, width: int, momentum: float = 0.1) -> None:
        super().__init__()
        self.momentum = momentum
        self.scale = nn.Parameter(torch.ones(width))
        self.shift = nn.Parameter(torch.zeros(width))
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("variance", torch.ones(width))
        self._seen: list[Tensor] = []

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """`x` (groups, places, width) and `mask` (groups, places); padding comes out as whatever it comes out."""
        if not self.training:
            mean, variance = self.mean, self.variance
        else:
            present = mask[..., None]
            count = present.sum(1, keepdim=True).clamp(min=1)
            mean = (x * present).sum(1, keepdim=True) / count
            variance = ((x - mean).square() * present).sum(1, keepdim=True) / count
            with torch.no_grad():
                unbiased = variance * (count / (count - 1).clamp(min=1))
                seen = torch.cat([mean.sum(0)[0], unbiased.sum(0)[0], mean.new_full((1,), len(x))])
                self._seen.append(seen)
        return (x - mean) * (variance + 1e-5).rsqrt() * self.scale + self.shift

    def end_step(self, world_size: int) -> None:
        """Move the running statistics by what this step has seen, on all workers together."""
        if not self._seen:
            return
        seen = torch.stack(self._seen).sum(0) if len(self._seen) > 1 else self._seen[0]
        self._seen = []
        seen = total(seen, world_size)
        width = len(self.scale)
        self.mean.lerp_(seen[:width] / seen[-1], self.momentum)
        self.variance.lerp_(seen[width : 2 * width] / seen[-1], self.momentum)


def end_step(model: nn.Module, world_size: int) -> None:
    """Bring the running statistics of every batch normalisation in `model` up to date."""
    for module in model.modules():
        if isinstance(module, BatchNorm):
            module.end_step(world_size)
