"""Poolings: how the fragments of an image, or of a text, become one vector. `POOLINGS` lists them by name."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from crosscut_trainables.recurrence import recur

OWN = "own"
"""In place of a name: the encoder's own way, a mean, a last state or a class token."""
LOWEST = -1e4
"""Stands at padding where the largest counts."""
POSITIONS = 32
"""Dimensions of a position's encoding, and of the network that reads it."""
SHARPNESS = 0.1
"""Temperature of the weights of positions."""


class MeanPooling(nn.Module):
    """The mean of the places that are there."""

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, D) from `x` (B, n, D), which is 0 at padding, and `mask` (B, n)."""
        return x.sum(1) / mask.sum(1, keepdim=True).clamp(min=1)


class MaxPooling(nn.Module):
    """The largest value of every dimension."""

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, D) from `x` (B, n, D) and `mask` (B, n); 0 where no place is there."""
        largest = x.masked_fill(~mask[..., None], LOWEST).amax(1)
        return largest * mask.any(1, keepdim=True)


class AttentionPooling(nn.Module):
    """Σ_k a_k x_k with a = softmax over places of w·tanh(W x_k) (Lin et al. 2017, self-attentive embedding)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(width, width)
        self.weigh = nn.Linear(width, 1, bias=False)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, D) from `x` (B, n, D) and `mask` (B, n)."""
        logits = self.weigh(torch.tanh(self.hidden(x)))[..., 0].masked_fill(~mask, LOWEST)
        return (torch.softmax(logits, 1)[:, None] @ x)[:, 0]


class GeneralisedPooling(nn.Module):
    """Σ_k θ_k · (the k-th largest value of every dimension), θ = softmax of what a network says of position k.

    Chen et al., "Learning the Best Pooling Strategy for Visual Semantic Embedding", CVPR 2021 (VSE∞): a
    bidirectional GRU reads sinusoidal encodings of 0 … n − 1, its directions are averaged, a linear map gives one
    number for each position, divided by 0.1. Mean and max are special cases.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.read = nn.GRU(POSITIONS, POSITIONS, batch_first=True, bidirectional=True)
        self.weigh = nn.Linear(POSITIONS, 1, bias=False)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, D) from `x` (B, n, D) and `mask` (B, n); padding may stand anywhere."""
        width = x.shape[1]
        ordered = x.masked_fill(~mask[..., None], LOWEST).sort(1, descending=True).values
        # What stands behind the places that are there has a weight of exactly 0.
        weights = self.coefficients(width)[mask.sum(1)]
        return (weights[:, None] @ ordered)[:, 0]

    def coefficients(self, width: int) -> Tensor:
        """(width + 1, width) θ for 0 to `width` places, 0 beyond them: it depends on their number alone."""
        device = self.weigh.weight.device
        codes = _encodings(width, device)
        states = recur(self.read, codes.expand(width, -1, -1), torch.arange(1, width + 1)).states
        logits = self.weigh(states.float().unflatten(2, (2, -1)).mean(2))[..., 0]
        places = torch.arange(width, device=device)
        there = places <= places[:, None]
        weights = torch.softmax((logits.float() / SHARPNESS).masked_fill(~there, -math.inf), 1)
        return torch.cat([torch.zeros_like(weights[:1]), weights])


def _encodings(count: int, device: torch.device) -> Tensor:
    """(count, POSITIONS) sines and cosines of the positions 0 … count − 1 (Vaswani et al. 2017)."""
    position = torch.arange(count, device=device, dtype=torch.float32)[:, None]
    rates = torch.exp(torch.arange(0, POSITIONS, 2, device=device) * (-math.log(10000.0) / POSITIONS))
    return torch.stack([torch.sin(position * rates), torch.cos(position * rates)], 2).flatten(1)


def pooling_of(name: str, width: int) -> nn.Module:
    """The pooling called `name`, for fragments of `width` dimensions."""
    return POOLINGS[name](width)


def pooled(pool: nn.Module, x: Tensor, mask: Tensor) -> Tensor:
    """Pool in float32 whatever an encoder computes in: wholes are compared as fragments are."""
    with torch.autocast(x.device.type, enabled=False):
        found: Tensor = pool(x, mask)
    return found


POOLINGS: dict[str, Callable[[int], nn.Module]] = {
    "mean": lambda width: MeanPooling(),
    "max": lambda width: MaxPooling(),
    "attention": AttentionPooling,
    "gpo": GeneralisedPooling,
}
"""Name → what makes the pooling of fragments of so many dimensions."""
