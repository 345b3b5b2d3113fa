"""Contrastive content swapping: an irrelevant query must match the attended content worse."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from crosscut_trainables.constraints.constraint import Constraint

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from crosscut_trainables.constraints.pairs import MatchedPairs


BLOCK = 4
"""Pairs whose queries are compared with all of the batch at once; more would leave the cache."""


class ContentSwapping(Constraint):
    """L = Σ_q [γ − S(q, a_q) + S(q′, a_q)]₊ over the queries q of matched pairs.

    a_q = Σ_k w_qk k is what attention gathers for q, S the cosine, q′ a query from a text (or image) of the
    batch that does not match. From "More Than Just Attention" (arXiv 2105.09597).

    [reading] `hardest`: q′ is the fragment, among all of the batch that belong to another image, with the
    largest S(q′, a_q). `random`: a text (or image) of the batch drawn evenly from those that do not match,
    and one of its fragments drawn evenly; the default, because the hardest word of other captions tends to be
    the same word, which is not irrelevant. γ and the weight are unknown and meant to be searched; each pair
    counts with the mean over its queries. A pair without an unmatched one in the batch counts 0.
    """

    name: ClassVar[str] = "ccs"
    summary: ClassVar[str] = "a swapped query matches the attended content worse (arXiv 2105.09597)"

    margin: float = Field(0.2, ge=0, le=2, description="γ, by which the true query must win, [0, 2].")
    negatives: Literal["hardest", "random"] = Field(
        "random", description="Which query of other pairs is swapped in: the hardest, or one at random."
    )

    def loss(self, pairs: MatchedPairs, generator: torch.Generator) -> Tensor:
        import torch

        from crosscut_trainables.constraints.pairs import cosines

        attended = pairs.attended
        with torch.no_grad():
            if self.negatives == "hardest":
                chosen = self._hardest(pairs, attended)
            else:
                chosen = self._drawn(pairs, generator)
        # As an embedding, whose gradient is summed in one order; that of an index is not, where threads share it.
        others = torch.nn.functional.embedding(chosen, pairs.others.fragments.flatten(0, 1))
        swapped = cosines(others, attended)
        terms = (self.margin - cosines(pairs.queries.fragments, attended) + swapped).clamp(min=0)
        return pairs.mean_over_queries(terms * pairs.unmatched.any(1, keepdim=True))

    @staticmethod
    def _hardest(pairs: MatchedPairs, attended: Tensor) -> Tensor:
        """(P, q) which fragment of the batch, its items laid end to end, is the hardest unmatched one."""
        import torch

        others = pairs.others.fragments.flatten(0, 1)
        allowed = pairs.unmatched[:, :, None] & pairs.others.mask
        barred = torch.zeros_like(allowed, dtype=attended.dtype).masked_fill_(~allowed, -math.inf)
        blocks = zip(attended.split(BLOCK), barred.flatten(1).split(BLOCK), strict=True)
        return torch.cat([(part @ others.T).add_(bar[:, None]).argmax(2) for part, bar in blocks])

    @staticmethod
    def _drawn(pairs: MatchedPairs, generator: torch.Generator) -> Tensor:
        """(P, q) a fragment at random from an unmatched item at random, numbered likewise."""
        import torch

        from crosscut_trainables.batches import to_device

        batch, width = pairs.others.mask.shape
        # Drawn for the whole batch: the same on every worker, whichever pairs it has.
        draws = torch.rand((2, batch, width), generator=generator)
        draws = to_device(draws, str(pairs.places.device))[:, pairs.places]
        unmatched = pairs.unmatched.long()
        counts = unmatched.sum(1, keepdim=True)
        nth = ((draws[0] * counts).long() + 1).minimum(counts)  # (P, q): the nth unmatched item
        item = torch.searchsorted(unmatched.cumsum(1), nth).clamp(max=batch - 1)
        present = pairs.others.mask.long()
        counts = present.sum(1)[item]
        nth = ((draws[1] * counts).long() + 1).minimum(counts)
        place = torch.searchsorted(present.cumsum(1)[item], nth[..., None])[..., 0].clamp(max=width - 1)
        return item * width + place
