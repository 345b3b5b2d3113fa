"""The rule by which cosines of keys and queries become weights of attention."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from crosscut_trainables.fragments import Fragments

ROUNDING = 128
"""Units in the last place by which a weight must be above its bound to count as above it."""
ABSENT = -1e4
"""Added to the logits of padding: its weight becomes exactly 0, and no NaN arises where all is padding."""
SLOPE = 0.1
"""Of the LeakyReLU that clips cosines."""
SAFE = 20.0
"""Up to this scale, exponentials of logits need no shift: they and their products stay within single precision."""


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

    def shares(
        self, cosines: Tensor, key_mask: Tensor, query_mask: Tensor, shares: Tensor, spare: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Write weights into `shares` that are proportional to `weights`' over the keys of a query.

        What cosines with attended vectors are made of does not change by a factor, and a pass over memory less is
        a tenth of the time of all. `shares` and `spare` are of the shape and type of `cosines`. Gives the sums of
        the weights, and the norm that `raw` has.
        """
        norm, factor = None, cosines.new_full((), self.scale)
        self._write_raw(cosines, query_mask, shares)
        if self.over_queries == "l2":
            torch.mul(shares, shares, out=spare)
            norm = spare.sum(2, keepdim=True).clamp_(min=1e-16).sqrt_()
            factor = self.scale / (norm + 1e-8)
        torch.addcmul(_absent(key_mask, cosines.dtype), shares, factor, out=shares)
        if self.scale > SAFE:
            shares.sub_(shares.amax(1, keepdim=True))
        shares.exp_()
        if self.focus != "none":
            self._focus(shares, key_mask, spare)
        return shares.sum(1), norm

    def to_cosines(
        self,
        grad: Tensor,
        cosines: Tensor,
        norm: Tensor | None,
        query_mask: Tensor,
        spare: Tensor,
        further: Tensor,
    ) -> Tensor:
        """The gradient to the cosines, in place of that to the logits (b, k, q, n).

        `norm` is what `shares` gave; `spare` and `further` are overwritten.
        """
        if norm is not None:
            # logits = λ·raw/(norm + ε): the second term is the way through the norm
            self._write_raw(cosines, query_mask, spare)
            divisor = norm + 1e-8
            along = torch.mul(grad, spare, out=further).sum(2, keepdim=True) / (divisor * norm)
            grad.addcmul_(spare, along, value=-1).mul_(self.scale / divisor)
        elif self.over_queries == "softmax":
            self._write_raw(cosines, query_mask, spare)
            grad.sub_(torch.mul(grad, spare, out=further).sum(2, keepdim=True)).mul_(spare).mul_(self.scale)
        else:
            grad.mul_(self.scale)
        if self.clipped:
            # The operator of LeakyReLU itself: `where` takes ten times as long on the CPU.
            torch.ops.aten.leaky_relu_backward.grad_input(grad, cosines, SLOPE, False, grad_input=grad)
        return grad

    def _write_raw(self, cosines: Tensor, query_mask: Tensor, out: Tensor) -> None:
        """Write what `raw` gives into `out`."""
        if self.clipped:
            torch.ops.aten.leaky_relu.out(cosines, SLOPE, out=out)
        else:
            out.copy_(cosines)
        if self.over_queries == "softmax":
            torch.softmax(out.masked_fill(~query_mask, ABSENT), 2, out=out)

    def _focus(self, shares: Tensor, key_mask: Tensor, spare: Tensor) -> None:
        """Set those of the shares to 0 that `_kept` would not keep."""
        if self.focus == "equal":
            bound = shares.sum(1, keepdim=True).div_(key_mask.sum(1, keepdim=True).clamp(min=1))
        else:
            roots = torch.sqrt(shares, out=spare).sum(1, keepdim=True)
            bound = spare.mul_(shares).sum(1, keepdim=True).div_(roots.clamp_(min=1e-30))
        bound.mul_(_above(shares.dtype))
        bound.masked_fill_(shares.amax(1, keepdim=True) <= bound, -1.0)
        shares.mul_(torch.gt(shares, bound, out=spare))

    def weights_of_raw(self, raw: Tensor, norm: Tensor | None, key_mask: Tensor) -> Tensor:
        """α from what `raw` gives."""
        absent = _absent(key_mask, raw.dtype)
        if norm is None:
            weights = torch.softmax(raw * self.scale + absent, 1)
        else:
            weights = torch.softmax(torch.addcmul(absent, raw, self.scale / (norm + 1e-8)), 1)
        return weights if self.focus == "none" else self._focused(weights, key_mask)

    def _focused(self, weights: Tensor, key_mask: Tensor) -> Tensor:
        with torch.no_grad():
            keep = self._kept(weights, key_mask)
        kept = weights * keep
        return kept / kept.sum(1, keepdim=True)

    def _kept(self, shares: Tensor, key_mask: Tensor) -> Tensor:
        """Which keys a query keeps, from weights that need not sum to 1."""
        above = _above(shares.dtype)
        if self.focus == "equal":
            keep = shares * key_mask.sum(1, keepdim=True) > shares.sum(1, keepdim=True) * above
        else:
            roots = shares.sqrt()
            keep = shares * roots.sum(1, keepdim=True) > (shares * roots).sum(1, keepdim=True) * above
        keep |= ~keep.any(1, keepdim=True)
        return keep

    def raw(self, cosines: Tensor, query_mask: Tensor) -> tuple[Tensor, Tensor | None]:
        """s̄, and for `l2` the norm (b, k, 1, n) by which it has still to be divided."""
        raw = torch.nn.functional.leaky_relu(cosines, SLOPE) if self.clipped else cosines
        if self.over_queries == "softmax":
            return raw.masked_fill(~query_mask, ABSENT).softmax(2), None
        if self.over_queries == "l2":
            return raw, raw.square().sum(2, keepdim=True).clamp(min=1e-16).sqrt()
        return raw, None


def _above(dtype: torch.dtype) -> float:
    """By what a weight must exceed its bound: keys that are alike differ by rounding, which must not choose."""
    return 1 + ROUNDING * torch.finfo(dtype).eps


def _absent(key_mask: Tensor, dtype: torch.dtype) -> Tensor:
    """What is added to logits: `ABSENT` at padding, else 0."""
    return torch.zeros_like(key_mask, dtype=dtype).masked_fill_(~key_mask, ABSENT)
