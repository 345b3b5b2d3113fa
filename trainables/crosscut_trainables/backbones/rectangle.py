"""Attention between some images and some texts, forth and back, in a few tensors that stay in a cache.

Every pair of a rectangle is whole: all regions of the image, all words of the text. So both directions of
attention can be worked out from the same cosines, whatever a softmax or a norm goes over.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from crosscut_trainables.backbones.attention_rule import AttentionRule

SMALLEST = 1e-12
"""Least square of the length of what a query attends to."""
TINY = 1e-30
"""Stands for it where nothing is there to attend to."""

_KEPT = threading.local()


@dataclass(frozen=True)
class Attending:
    """What attends to what in a rectangle, in one direction: b items of k keys, n items of q queries."""

    rule: AttentionRule
    gram: Tensor
    """(b, k, k) K Kᵀ of every item of keys"""
    key_mask: Tensor
    """(b, k)"""
    query_mask: Tensor
    """(q, n): places of queries stand before their items, so that sums over places run along whole rows."""

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(b, k, q, n), of cosines and all that is made of them."""
        (b, k), (q, n) = self.key_mask.shape, self.query_mask.shape
        return b, k, q, n

    def relevance(self, cosines: Tensor, room: Room) -> Tensor:
        """(b, q, n) cosine of every query with what it attends to in every item; 0 at padding."""
        mixed = room.of(self.shape, 1)
        product, square, _ = self._weighed(cosines, room.of(self.shape, 0), mixed, mixed)
        return product.mul_(square.rsqrt_())

    def backward(self, grad: Tensor, cosines: Tensor, room: Room, place: int) -> tuple[Tensor, Tensor]:
        """From the gradient (b, q, n) to the relevance: those to the cosines and to `gram`.

        The first is in the room at `place`; places up to 2 are overwritten.
        """
        weights, spare, further = (room.of(self.shape, number) for number in range(3))
        mixed = room.of(self.shape, place)
        product, square, norm = self._weighed(cosines, weights, mixed, spare)
        inverse = square.rsqrt_()
        to_product = grad * inverse
        to_square = -to_product * product * inverse.square_()  # twice the gradient to ‖c‖²
        # Softmax would subtract Σ α·to_weights over keys. That is 0: scaling α does not change a cosine, for which
        # reason weights need not sum to 1 either. It is a softmax over the keys that are kept where only some are.
        to_logits = mixed.mul_(to_square[:, None]).addcmul_(cosines, to_product[:, None]).mul_(weights)
        torch.mul(weights, to_square[:, None], out=spare)
        to_gram = torch.bmm(spare.flatten(2), weights.flatten(2).transpose(1, 2))
        to_cosines = self.rule.to_cosines(to_logits, cosines, norm, self.query_mask, spare, further)
        return to_cosines.addcmul_(weights, to_product[:, None]), to_gram

    def _weighed(
        self, cosines: Tensor, weights: Tensor, mixed: Tensor, spare: Tensor
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """<c, query> and ‖c‖² (b, q, n) for weights α that need not sum to 1, and the norm of the rule.

        α is in `weights` and K Kᵀ α in `mixed` then, unless `spare` is the same.
        """
        total, norm = self.rule.shares(
            cosines, self.key_mask[:, :, None, None], self.query_mask, weights, mixed
        )
        torch.bmm(self.gram, weights.flatten(2), out=mixed.flatten(2))
        square = torch.mul(mixed, weights, out=spare).sum(1)
        product = torch.mul(cosines, weights, out=spare).sum(1)
        least = total.square_().mul_(SMALLEST).clamp_(min=TINY)
        return product, torch.maximum(square, least), norm


def turned(cosines: Tensor, room: Room, place: int) -> Tensor:
    """(n, q, k, b) of (b, k, q, n), as the other direction wants them, in the room at `place`."""
    backwards = cosines.permute(3, 2, 1, 0)
    return room.of(tuple(backwards.shape), place).copy_(backwards)


def of_device(bounds: Mapping[str, int], like: Tensor) -> int:
    """The bound of `cpu` or `cuda` that holds where a tensor is."""
    return bounds["cpu" if like.device.type == "cpu" else "cuda"]


class Room:
    """Tensors to work in, by their place; a thread's are kept, as to get memory takes as long as to fill it."""

    def __init__(self, like: Tensor) -> None:
        self._like = like
        kept: dict[torch.dtype, dict[int, Tensor]] = _KEPT.__dict__.setdefault("tensors", {})
        self._tensors = kept.setdefault(like.dtype, {}) if like.device.type == "cpu" else {}

    def of(self, shape: tuple[int, ...], place: int) -> Tensor:
        """A tensor of this shape, with whatever it was last used for in it."""
        values = math.prod(shape)
        tensor = self._tensors.get(place)
        if tensor is None or len(tensor) < values:
            tensor = self._tensors[place] = self._like.new_empty(values)
        return tensor[:values].view(shape)
