"""Comparing texts in groups of about one length, so that little is computed for padding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from crosscut_trainables.fragments import Fragments

GROUP = 16
"""Texts that are compared together; further ones as long as the last of them may join them."""
PLACES = 2**10
"""Places for words of such a larger group: as many as a matrix product wants."""


def by_length(texts: Fragments, compare: Callable[[Fragments], Tensor]) -> Tensor:
    """(images, texts) from `compare`, which gives the (images, group) scores of a group of texts."""
    import torch

    from crosscut_trainables.fragments import Fragments

    if texts.mask.is_cuda or len(texts) <= GROUP:
        return compare(texts)
    scores, order = [], []
    for some, width in groups_of(texts.mask):
        group = Fragments(texts.fragments[some, :width], texts.mask[some, :width], texts.summary[some])
        scores.append(compare(group))
        order.append(some)
    return torch.cat(scores, 1)[:, torch.argsort(torch.cat(order))]


def groups_of(mask: Tensor) -> list[tuple[Tensor, int]]:
    """Groups of the texts with the mask (texts, words): which they are, and the words of the longest.

    On the CPU only: a batch is padded to its longest text, which is often twice the mean, but a GPU would have to
    wait to be told the lengths, and minds padding less. There all texts are one group.
    """
    import torch

    if mask.is_cuda:
        return [(torch.arange(len(mask), device=mask.device), mask.shape[1])]
    extents = (mask * torch.arange(1, mask.shape[1] + 1)).amax(1)
    order = torch.argsort(extents, stable=True)
    return [(order[first:last], width) for first, last, width in _groups(extents[order].tolist())]


def _groups(extents: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """First, last and longest of each group of texts, from their lengths, which ascend."""
    first = 0
    while first < len(extents):
        last = min(first + GROUP, len(extents))
        width = max(1, extents[last - 1])
        while (
            last < len(extents)
            and extents[last] == extents[last - 1]
            and (last + 1 - first) * width <= PLACES
        ):
            last += 1
        yield first, last, width
        first = last
