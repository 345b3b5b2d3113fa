"""Dropout whose draws belong to the global batch, so that any number of workers and shards drops the same."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from crosscut_trainables.randomness import seed_for
from crosscut_trainables.rows import Rows


class Dropout(nn.Module):
    """Sets values to 0 with probability `p` and divides the others by 1 − p, while training.

    Unlike torch's own it draws from a generator of its own, begun anew at every step by `begin_step`. Each worker
    draws for the whole batch and keeps its rows, so a value is dropped or not whoever holds it.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.seed = 0

    def forward(self, x: Tensor, rows: Rows | None = None) -> Tensor:
        """`x` (items, …), the items being `rows` of the batch, all of it by default."""
        if not self.training or self.p == 0:
            return x
        rows = rows or Rows.all(len(x))
        generator = torch.Generator(device=x.device).manual_seed(self.seed)
        drawn = torch.rand((rows.of, *x.shape[1:]), generator=generator, device=x.device)
        return x * (drawn[rows.first : rows.first + len(x)] >= self.p) / (1 - self.p)


def begin_step(model: nn.Module, seed: int) -> None:
    """Give every dropout in `model` the draws of a new step, each its own."""
    for name, module in model.named_modules():
        if isinstance(module, Dropout):
            module.seed = seed_for(seed, name)
