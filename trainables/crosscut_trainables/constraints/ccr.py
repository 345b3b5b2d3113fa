"""Contrastive content re-sourcing: attended content must match better than what attention left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from crosscut_trainables.constraints.constraint import Constraint

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from crosscut_trainables.constraints.pairs import MatchedPairs


class ContentResourcing(Constraint):
    """L = Σ_q [γ − S(q, a_q) + S(q, ã_q)]₊ over the queries q of matched pairs.

    a_q = Σ_k w_qk k is what attention gathers, S the cosine. From "More Than Just Attention: Improving
    Cross-Modal Attentions with Contrastive Constraints for Image-Text Matching" (arXiv 2105.09597).

    [reading] The weights are reversed as w̃_qk = (1 − w_qk) / Σ_k (1 − w_qk), ã_q = Σ_k w̃_qk k; γ and the
    weight are unknown and meant to be searched; each pair counts with the mean over its queries. A query with
    one key only leaves nothing out, and its term is 0.
    """

    name: ClassVar[str] = "ccr"
    summary: ClassVar[str] = "attended content beats ignored content (arXiv 2105.09597)"

    margin: float = Field(0.2, ge=0, le=2, description="γ, by which attended content must win, [0, 2].")

    def loss(self, pairs: MatchedPairs, generator: torch.Generator) -> Tensor:
        from crosscut_trainables.constraints.pairs import cosines
        from crosscut_trainables.fragments import l2norm

        present = pairs.keys.mask[:, None, :]
        left = (1 - pairs.weights) * present
        reversed_weights = left / left.sum(2, keepdim=True).clamp(min=1e-8)
        ignored = l2norm(reversed_weights @ pairs.keys.fragments)
        queries = pairs.queries.fragments
        terms = (self.margin - cosines(queries, pairs.attended) + cosines(queries, ignored)).clamp(min=0)
        return pairs.mean_over_queries(terms * (present.sum(2) > 1))
