"""Cross attention of all items with all items: the relevance of every query fragment to every item of keys.

The backward pass is written out. It works block by block from the cosines on, as the forward pass does, so
nothing of the size (items x items x regions x words) is ever kept; on one CPU core that is what makes it
fast, and on a GPU it is what bounds the memory of a batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from crosscut_trainables.fragments import Fragments

BLOCK_VALUES = {"cpu": 2**18, "cuda": 2**26}
"""Values that a tensor of one block holds, by device: 1 MB stays in a core's cache."""
ROUNDING = 128
"""Units in the last place by which a weight must be above its bound to count as above it."""
ABSENT = -1e4
"""Added to the logits of padding: its weight becomes exactly 0, and no NaN arises where all is padding."""
SLOPE = 0.1
"""Of the LeakyReLU that clips cosines."""


@dataclass(frozen=True)
class AttentionRule:
    """How cosines become weights: α = softmax over keys of `scale` · s̄."""

    scale: float
    clipped: bool
    """Whether s̄ starts from LeakyReLU(s)."""
    over_queries: str
    """What makes the queries of a key comparable: `l2`, `softmax` or `none`."""
    focus: str = "none"
    """Which keys keep their weight after the softmax, those of a query's keys that are kept sharing all of it:
    `none`: all; `equal`: α_i > 1/n of n keys; `prob`: α_i·Σ_j √α_j > Σ_j α_j^1.5 (Liu et al. 2019, BFAN). Where
    none would be kept, all are."""

    def weights(self, cosines: Tensor, key_mask: Tensor, query_mask: Tensor) -> Tensor:
        """α of the cosines (b, k, q, n); the masks broadcast to (b, k, 1, 1) and to (b, 1, q, n).

        Cosines with queries that are padding must be 0.
        """
        return self.weights_of_raw(*self.raw(cosines, query_mask), key_mask)

    def weights_of_pairs(self, queries: Fragments, keys: Fragments) -> Tensor:
        """(P, q, k) weights of P aligned pairs."""
        cosines = keys.fragments @ queries.fragments.transpose(1, 2)
        key_mask, query_mask = keys.mask[:, :, None, None], queries.mask[:, None, :, None]
        return self.weights(cosines[..., None], key_mask, query_mask)[..., 0].transpose(1, 2)

    def weights_of_all(self, keys: Fragments, queries: Fragments) -> Tensor:
        """(K, k, q, N) weights of every query of N items to every one of K items; kept whole for a gradient."""
        cosines = torch.einsum("bkd,nqd->bkqn", keys.fragments, queries.fragments)
        return self.weights(cosines, keys.mask[:, :, None, None], queries.mask.T)

    def weights_of_raw(self, raw: Tensor, norm: Tensor | None, key_mask: Tensor) -> Tensor:
        """α from what `raw` gives."""
        absent = torch.zeros_like(key_mask, dtype=raw.dtype).masked_fill_(~key_mask, ABSENT)
        if norm is None:
            weights = torch.softmax(raw * self.scale + absent, 1)
        else:
            weights = torch.softmax(torch.addcmul(absent, raw, self.scale / (norm + 1e-8)), 1)
        return weights if self.focus == "none" else self._focused(weights, key_mask)

    def _focused(self, weights: Tensor, key_mask: Tensor) -> Tensor:
        with torch.no_grad():
            # Keys that are alike differ by rounding, which must not choose among them.
            above = 1 + ROUNDING * torch.finfo(weights.dtype).eps
            if self.focus == "equal":
                keep = weights * key_mask.sum(1, keepdim=True) > above
            else:
                roots = weights.sqrt()
                keep = weights * roots.sum(1, keepdim=True) > (weights * roots).sum(1, keepdim=True) * above
            keep |= ~keep.any(1, keepdim=True)
        kept = weights * keep
        return kept / kept.sum(1, keepdim=True)

    def raw(self, cosines: Tensor, query_mask: Tensor) -> tuple[Tensor, Tensor | None]:
        """s̄, and for `l2` the norm (b, k, 1, n) by which it has still to be divided."""
        raw = torch.nn.functional.leaky_relu(cosines, SLOPE) if self.clipped else cosines
        if self.over_queries == "softmax":
            return raw.masked_fill(~query_mask, ABSENT).softmax(2), None
        if self.over_queries == "l2":
            return raw, raw.square().sum(2, keepdim=True).clamp(min=1e-16).sqrt()
        return raw, None

    def raw_backward(self, grad: Tensor, cosines: Tensor, raw: Tensor, norm: Tensor | None) -> Tensor:
        """The gradient to the cosines, from that to the logits (b, k, q, n), which is overwritten."""
        if norm is not None:
            # logits = λ·raw/(norm + ε): the second term is the way through the norm
            divisor = norm + 1e-8
            along = (grad * raw).sum(2, keepdim=True) / (divisor * norm)
            grad = grad.addcmul_(raw, along, value=-1).mul_(self.scale / divisor)
        elif self.over_queries == "softmax":
            grad = raw * (grad - (grad * raw).sum(2, keepdim=True)) * self.scale
        else:
            grad = grad.mul_(self.scale)
        if not self.clipped:
            return grad
        # The operator of LeakyReLU itself: `where` takes ten times as long on the CPU.
        through: Tensor = torch.ops.aten.leaky_relu_backward(grad, cosines, SLOPE, False)
        return through


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
        return cls(cosines, raw, norm, weights, mixed, product, square.clamp(min=1e-12))


class _Relevance(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, keys: Tensor, key_mask: Tensor, queries: Tensor, query_mask: Tensor, rule: AttentionRule
    ) -> Tensor:
        ctx.save_for_backward(keys, key_mask, queries, query_mask)
        ctx.rule = rule
        parts = []
        for own in _blocks(keys, query_mask):
            block = _Block.of(keys[own], key_mask[own], queries, query_mask, rule)
            parts.append(block.product * block.square.rsqrt())
        return torch.cat(parts)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, Tensor, None, None]:
        keys, key_mask, queries, query_mask = ctx.saved_tensors
        key_grads, query_grad = [], torch.zeros_like(queries)
        for own in _blocks(keys, query_mask):
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


def _blocks(keys: Tensor, query_mask: Tensor) -> list[slice]:
    """Slices of the key items, each as large as a block may be."""
    values = BLOCK_VALUES.get(keys.device.type, BLOCK_VALUES["cuda"])
    step = max(1, values // max(1, keys.shape[1] * query_mask.numel()))
    return [slice(first, first + step) for first in range(0, len(keys), step)]


def relevance(
    keys: Tensor, key_mask: Tensor, queries: Tensor, query_mask: Tensor, rule: AttentionRule
) -> Tensor:
    """(K, q, N) cosine of every query with what it attends to in every one of K items; differentiable once.

    `keys` (K, k, D) and `queries` (N, q, D) are of unit norm and zero at padding, with their masks (K, k) and
    (N, q). 0 at queries that are padding.
    """
    # Places of queries stand before their items, so that sums over places run along whole rows.
    flat = queries.transpose(0, 1).flatten(0, 1)
    found: Tensor = _Relevance.apply(keys, key_mask, flat, query_mask.T, rule)  # type: ignore[no-untyped-call]
    return found
