"""Comparing texts in groups of about one length, so that little is computed for padding."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from crosscut_trainables.fragments import Fragments

GROUP = 16
"""Texts that are compared together."""


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
    longest = [int(group.max()) for group in extents[order].split(GROUP)]
    fragments, mask = texts.fragments[order].split(GROUP), texts.mask[order].split(GROUP)
    summary = texts.summary[order].split(GROUP)
    scores = [
        compare(Fragments(f[:, :width], m[:, :width], s))
        for f, m, s, width in zip(fragments, mask, summary, longest, strict=True)
    ]
    return torch.cat(scores, 1)[:, torch.argsort(order)]
