"""Training one batch on W workers so that gradients are those of one worker, not an approximation.

Each worker encodes its own pairs, gathers the fragments of all, compares all images with its own texts,
gathers the columns of scores, and computes the loss L of the whole batch. So every worker holds the same
number L, as a function of its own copy θ_r of the parameters and, through the collectives, of all others'.
Backward passes differentiate J = Σ_r L_r, because the backward of `gather` and of `total` is a **sum** over
workers, which is the transpose of what they do forward. Backward therefore leaves ∂J/∂θ_r on worker r. All
copies are equal, so Σ_r ∂J/∂θ_r = d(W·L)/dθ, and the **mean** over workers of what backward left is dL/dθ.
It does not matter by which way a parameter enters: an encoder by the worker's own pairs, a part of the
backbone by its columns, a part of the loss in all copies alike.

With one worker nothing here calls `torch.distributed`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from crosscut_trainables.collectives import all_gather, all_reduce


def share(count: int, rank: int, world_size: int) -> slice:
    """The contiguous share of `count` items that is `rank`'s; shares differ by at most one item."""
    return slice(rank * count // world_size, (rank + 1) * count // world_size)


def shares(count: int, world_size: int) -> list[int]:
    """How many of `count` items each worker has."""
    parts = (share(count, rank, world_size) for rank in range(world_size))
    return [part.stop - part.start for part in parts]


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, sizes: Sequence[int]) -> Tensor:
        rank = dist.get_rank()
        ctx.own = slice(sum(sizes[:rank]), sum(sizes[: rank + 1]))
        padded = x.new_zeros((max(sizes), *x.shape[1:]))
        padded[: len(x)] = x
        parts = all_gather(padded, len(sizes))
        return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, None]:
        grad: Tensor = grads[0].clone(memory_format=torch.contiguous_format)
        all_reduce(grad)
        return grad[ctx.own], None


class _Total(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        x = x.clone()
        all_reduce(x)
        return x

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Tensor:
        grad: Tensor = grads[0].clone(memory_format=torch.contiguous_format)
        all_reduce(grad)
        return grad


def gather(x: Tensor, sizes: Sequence[int]) -> Tensor:
    """`x` of all workers along the first dimension, where worker r has sizes[r] rows; differentiable."""
    if len(sizes) == 1:
        return x
    gathered: Tensor = _Gather.apply(x, sizes)  # type: ignore[no-untyped-call]
    return gathered


def total(x: Tensor, world_size: int) -> Tensor:
    """The sum of `x` over all workers; differentiable."""
    if world_size == 1:
        return x
    summed: Tensor = _Total.apply(x)  # type: ignore[no-untyped-call]
    return summed


def average_gradients(parameters: Iterable[nn.Parameter], world_size: int) -> None:
    """Replace every gradient by its mean over workers, in one collective. A missing gradient counts as 0."""
    if world_size == 1:
        return
    grads = []
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        grads.append(parameter.grad)
    flat = torch.cat([grad.flatten() for grad in grads])
    all_reduce(flat)
    flat /= world_size
    for grad, mean in zip(grads, flat.split([grad.numel() for grad in grads]), strict=True):
        grad.copy_(mean.view_as(grad))
