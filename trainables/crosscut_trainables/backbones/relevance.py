"""Cross attention of all items with all items: the relevance of every query fragment to every item of keys.

The backward pass is written out. It works block by block from the cosines on, as the forward pass does, so
nothing of the size (items x items x regions x words) is ever kept; on one CPU core that is what makes it
fast, and on a GPU it is what bounds the memory of a batch. Where no gradient is wanted, a pass of its own goes
through the same few tensors in place, which takes hardly longer than the product that the cosines are.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from crosscut_trainables.backbones.attention_rule import AttentionRule

GRADIENT_VALUES = {"cpu": 2**18, "cuda": 2**26}
"""Values that a tensor of one block holds, by device: 1 MB stays in a core's cache."""
BLOCK_VALUES = {"cpu": 2**20, "cuda": 2**26}
"""The same where no gradient is wanted, and only three tensors are there: they stay in the cache of all cores."""
COLUMNS = {"cpu": 2**10, "cuda": 2**14}
"""Queries of such a block, by device: as many as the matrix product wants; the rest of the room is for keys."""
SMALLEST = 1e-12
"""Least square of the length of what a query attends to."""
TINY = 1e-30
"""Stands for it where nothing is there to attend to."""

_KEPT = threading.local()


@dataclass(frozen=True)
class _Block:
    """One block of key items with all queries: everything the two passes have in common."""

    cosines: Tensor
    raw: Tensor
    norm: Tensor | None
    weights: Tensor
    mixed: Tensor
    """(b, k, q, n) K Kᵀ α, so that ‖c‖² = Σ α · mixed"""
    product: Tensor
    """(b, q, n) <c, query>"""
    square: Tensor
    """(b, q, n) ‖c‖²"""

    @classmethod
    def of(
        cls, keys: Tensor, key_mask: Tensor, queries: Tensor, query_mask: Tensor, rule: AttentionRule
    ) -> _Block:
        (b, k, _), (q, n) = keys.shape, query_mask.shape
        cosines = (keys.flatten(0, 1) @ queries.T).view(b, k, q, n)
        raw, norm = rule.raw(cosines, query_mask)
        weights = rule.weights_of_raw(raw, norm, key_mask[:, :, None, None])
        gram = keys @ keys.transpose(1, 2)
        mixed = torch.bmm(gram, weights.view(b, k, q * n)).view(b, k, q, n)
        product, square = (weights * cosines).sum(1), (weights * mixed).sum(1)
        return cls(cosines, raw, norm, weights, mixed, product, square.clamp(min=SMALLEST))


class _Relevance(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, keys: Tensor, key_mask: Tensor, queries: Tensor, query_mask: Tensor, rule: AttentionRule
    ) -> Tensor:
        ctx.save_for_backward(keys, key_mask, queries, query_mask)
        ctx.rule = rule
        parts = []
        for own in _blocks_for_gradient(keys, query_mask):
            block = _Block.of(keys[own], key_mask[own], queries, query_mask, rule)
            parts.append(block.product * block.square.rsqrt())
        return torch.cat(parts)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, Tensor, None, None]:
        keys, key_mask, queries, query_mask = ctx.saved_tensors
        key_grads, query_grad = [], torch.zeros_like(queries)
        for own in _blocks_for_gradient(keys, query_mask):
            part = keys[own]
            block = _Block.of(part, key_mask[own], queries, query_mask, ctx.rule)
            (b, k, d), (q, n) = part.shape, query_mask.shape
            inverse = block.square.rsqrt()
            to_product = grad[own] * inverse
            to_square = -to_product * block.product * inverse.square()  # twice the gradient to ‖c‖²
            to_weights = (to_product[:, None] * block.cosines).addcmul_(to_square[:, None], block.mixed)
            # Softmax would subtract Σ α·to_weights over keys. That is 0: scaling α does not change a cosine. It is
            # a softmax over the keys that are kept where only some are.
            to_logits = to_weights.mul_(block.weights)
            to_cosines = ctx.rule.raw_backward(to_logits, block.cosines, block.raw, block.norm)
            to_cosines.addcmul_(to_product[:, None], block.weights)
            flat = to_cosines.view(b * k, q * n)
            query_grad.addmm_(flat.T, part.flatten(0, 1))
            scaled = (block.weights * to_square[:, None]).view(b, k, q * n)
            to_gram = torch.bmm(scaled, block.weights.view(b, k, q * n).transpose(1, 2))
            key_grads.append(torch.baddbmm((flat @ queries).view(b, k, d), to_gram, part))
        return torch.cat(key_grads), None, query_grad, None, None


def _blocks_for_gradient(keys: Tensor, query_mask: Tensor) -> list[slice]:
    """Slices of the key items, each as large as a block may be."""
    values = max(1, keys.shape[1] * query_mask.numel())
    return _slices(len(keys), max(1, _of(GRADIENT_VALUES, keys) // values))


def _without_gradient(
    keys: Tensor, key_mask: Tensor, queries: Tensor, query_mask: Tensor, rule: AttentionRule
) -> Tensor:
    """(K, q, N) relevance, block by block in the same few tensors: to get memory takes as long as to fill it."""
    (count, k, d), (q, n) = keys.shape, query_mask.shape
    found = keys.new_empty(count, q, n)
    gram = keys @ keys.transpose(1, 2)
    columns = max(1, _of(COLUMNS, keys) // q)
    rows = max(1, _of(BLOCK_VALUES, keys) // (k * q * min(columns, n)))
    buffers = _buffers(keys, min(rows, count) * k * q * min(columns, n))
    for some in _slices(n, columns):
        mask = query_mask[:, some]
        flat = queries.view(q, n, d)[:, some].flatten(0, 1)
        for own in _slices(count, rows):
            b, width = len(gram[own]), mask.shape[1]
            cosines, shares, mixed = (each[: b * k * len(flat)].view(b * k, -1) for each in buffers)
            torch.mm(keys[own].flatten(0, 1), flat.T, out=cosines)
            cosines, shares, mixed = (each.view(b, k, q, width) for each in (cosines, shares, mixed))
            total = rule.shares(cosines, key_mask[own, :, None, None], mask, shares, mixed)
            torch.bmm(gram[own], shares.flatten(2), out=mixed.flatten(2))
            square = mixed.mul_(shares).sum(1)
            least = total.square_().mul_(SMALLEST).clamp_(min=TINY)
            found[own, :, some] = cosines.mul_(shares).sum(1).mul_(torch.maximum(square, least).rsqrt_())
    return found


def _buffers(like: Tensor, values: int) -> list[Tensor]:
    """Three tensors of so many values; those of a CPU are kept for the thread's next call."""
    if like.device.type != "cpu":
        return [like.new_empty(values) for _ in range(3)]
    kept: dict[torch.dtype, list[Tensor]] = _KEPT.__dict__.setdefault("buffers", {})
    found = kept.get(like.dtype)
    if found is None or len(found[0]) < values:
        found = kept[like.dtype] = [like.new_empty(values) for _ in range(3)]
    return found


def _of(bounds: dict[str, int], like: Tensor) -> int:
    return bounds.get(like.device.type, bounds["cuda"])


def _slices(count: int, step: int) -> list[slice]:
    return [slice(first, first + step) for first in range(0, count, step)]


def relevance(
    keys: Tensor, key_mask: Tensor, queries: Tensor, query_mask: Tensor, rule: AttentionRule
) -> Tensor:
    """(K, q, N) cosine of every query with what it attends to in every one of K items; differentiable once.

    `keys` (K, k, D) and `queries` (N, q, D) are of unit norm and zero at padding, with their masks (K, k) and
    (N, q). 0 at queries that are padding.
    """
    # Places of queries stand before their items, so that sums over places run along whole rows.
    flat = queries.transpose(0, 1).flatten(0, 1)
    if not (torch.is_grad_enabled() and (keys.requires_grad or queries.requires_grad)):
        return _without_gradient(keys, key_mask, flat, query_mask.T, rule)
    found: Tensor = _Relevance.apply(keys, key_mask, flat, query_mask.T, rule)  # type: ignore[no-untyped-call]
    return found
