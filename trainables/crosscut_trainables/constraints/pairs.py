"""What a constraint on attention sees of a batch: its matched pairs, and the queries of the other pairs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from crosscut_trainables.fragments import Fragments, l2norm
from crosscut_trainables.match import Attention


@dataclass(frozen=True)
class MatchedPairs:
    """P matched pairs of a batch of B, with the attention inside each of them.

    On several workers P are the worker's own pairs and B is the global batch.
    """

    queries: Fragments
    """P items: words of the texts, or regions of the images, whichever attend."""
    keys: Fragments
    """P items that are attended to."""
    weights: Tensor
    """(P, q, k) attention."""
    others: Fragments
    """B items: the queries of the whole batch."""
    unmatched: Tensor
    """(P, B) bool: the items of `others` that belong to another image."""
    places: Tensor
    """(P,) where the pairs stand in the batch."""

    @cached_property
    def attended(self) -> Tensor:
        """(P, q, D) the attended information a_q = Σ_k w_qk k, of unit norm."""
        return l2norm(self.weights @ self.keys.fragments)

    def mean_over_queries(self, terms: Tensor) -> Tensor:
        """Σ over pairs of the mean over the queries of each, of `terms` (P, q).

        [reading] The formulas sum over queries. The mean makes a pair with many words count as much as one
        with few, and a constraint as much as the matching loss, which is a sum over pairs.
        """
        mask = self.queries.mask
        means = (terms * mask).sum(1) / mask.sum(1).clamp(min=1)
        return means.sum()


def matched_pairs(
    attention: Attention, own_texts: Tensor, places: Tensor, all_texts: Fragments, image_of: Tensor
) -> MatchedPairs:
    """The matched pairs at `places` of the batch.

    `attention` has the images of the whole batch (B) and at least the texts of the pairs; `own_texts` (P,)
    says where those are in it. `all_texts` has the texts of the whole batch, `image_of` (B,) its images.
    """
    queries, keys, weights = attention.of(places, own_texts)
    others = all_texts if attention.queries == "words" else attention.images
    unmatched = image_of[places][:, None] != image_of[None, :]
    return MatchedPairs(queries, keys, weights, others, unmatched, places)


def cosines(a: Tensor, b: Tensor) -> Tensor:
    """Cosines of the unit vectors `a` and `b` along the last dimension."""
    products: Tensor = torch.linalg.vecdot(a, b)
    return products
