"""Comparing texts in groups of about one length, so that little is computed for padding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from crosscut_trainables.fragments import Fragments

GROUP = 16
"""Texts that are compared together; without gradients, further ones as long as the last of them join them."""


def by_length(texts: Fragments, compare: Callable[[Fragments], Tensor]) -> Tensor:
    """(images, texts) from `compare`, which gives the (images, group) scores of a group of texts.

    On the CPU only: a batch is padded to its longest text, which is often twice the mean, but a GPU would have to
    wait to be told the lengths, and minds padding less.
    """
    import torch

    from crosscut_trainables.fragments import Fragments

    if texts.mask.is_cuda or len(texts) <= GROUP:
        return compare(texts)
    extents = (texts.mask * torch.arange(1, texts.mask.shape[1] + 1)).amax(1)
    order = torch.argsort(extents, stable=True)
    scores = []
    for first, last, width in _groups(extents[order].tolist(), growing=not torch.is_grad_enabled()):
        some = order[first:last]
        group = Fragments(texts.fragments[some, :width], texts.mask[some, :width], texts.summary[some])
        scores.append(compare(group))
    return torch.cat(scores, 1)[:, torch.argsort(order)]


def _groups(extents: Sequence[int], growing: bool) -> Iterator[tuple[int, int, int]]:
    """First, last and longest of each group of texts, from their lengths, which ascend."""
    first = 0
    while first < len(extents):
        last = min(first + GROUP, len(extents))
        while growing and last < len(extents) and extents[last] == extents[last - 1]:
            last += 1
        yield first, last, extents[last - 1]
        first = last
