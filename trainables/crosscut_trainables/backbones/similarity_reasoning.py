"""The modules of SGRAF: alignments of an image with a text, and two ways to reason over them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from crosscut_trainables.backbones.attention_rule import AttentionRule
from crosscut_trainables.backbones.by_length import by_length
from crosscut_trainables.backbones.rectangle import Room, of_device
from crosscut_trainables.batch_norm import BatchNorm
from crosscut_trainables.dropout import Dropout
from crosscut_trainables.fragments import EPSILON, Fragments, l2norm

ABSENT = -1e4
"""Stands for the logit of padding."""
VALUES = {"cpu": 2**20, "cuda": 2**28}
"""Numbers of attended vectors that are there at once without a gradient, by device: 4 MB stay in the cache."""


def _linear(inputs: int, outputs: int, bias: bool = True) -> nn.Linear:
    """Without a bias where a softmax over places, or batch normalisation, would take it away again."""
    layer = nn.Linear(inputs, outputs, bias=bias)
    nn.init.xavier_uniform_(layer.weight)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer


class SelfAttention(nn.Module):
    """One vector of many fragments: l2norm(Σ_k a_k x_k), a = softmax of w·(f(x_k) ∘ g(mean x)).

    f and g are a linear map, batch normalisation (of images alone), tanh and dropout. [reading] The reference
    normalises each of 36 places by itself; here all places are normalised together, so that an image may have any
    number of regions.
    """

    def __init__(self, width: int, dropout: float, normalised: bool) -> None:
        super().__init__()
        self.each, self.whole = (_linear(width, width, bias=not normalised) for _ in range(2))
        self.norm_each = BatchNorm(width) if normalised else None
        self.norm_whole = BatchNorm(width) if normalised else None
        self.drop_each, self.drop_whole = Dropout(dropout), Dropout(dropout)
        self.weigh = _linear(width, 1, bias=False)

    def forward(self, items: Fragments) -> Tensor:
        """(B, D) of unit norm."""
        x, mask = items.fragments, items.mask
        mean = x.sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        each, whole = self.each(x), self.whole(mean)
        if self.norm_each is not None and self.norm_whole is not None:
            flat = self.norm_each(each.flatten(0, 1)[None], mask.flatten()[None])
            each = flat[0].unflatten(0, x.shape[:2])
            whole = self.norm_whole(whole[None], mask.any(1)[None])[0]
        each = self.drop_each(torch.tanh(each), items.rows)
        whole = self.drop_whole(torch.tanh(whole), items.rows)
        logits = self.weigh(each * whole[:, None])[..., 0].masked_fill(~mask, ABSENT)
        return l2norm((torch.softmax(logits, 1)[:, None] @ x)[:, 0])


class GraphReasoning(nn.Module):
    """SGR: `steps` times X ← ReLU(W_r · softmax(Q Kᵀ) X) over the nodes of a pair, then node 0."""

    def __init__(self, width: int, steps: int) -> None:
        super().__init__()
        self.queries = nn.ModuleList(_linear(width, width) for _ in range(steps))
        self.keys = nn.ModuleList(_linear(width, width, bias=False) for _ in range(steps))
        self.out = nn.ModuleList(_linear(width, width) for _ in range(steps))

    def forward(self, nodes: Tensor, mask: Tensor) -> Tensor:
        """(b, n, S) from `nodes` (b, n, 1 + q, S) and `mask` (n, 1 + q)."""
        for query, key, out in zip(self.queries, self.keys, self.out, strict=True):
            logits = query(nodes) @ key(nodes).transpose(-1, -2)
            edges = torch.softmax(logits.masked_fill(~mask[:, None], ABSENT), -1)
            nodes = torch.relu(out(edges @ nodes))
        return nodes[:, :, 0]


class AttentionFiltration(nn.Module):
    """SAF: l2norm(Σ_j β_j x_j), β = l1norm(sigmoid(BN(w·x_j))) over the nodes of a pair.

    Batch normalisation goes over all images with one text, as in the reference, which compares text by text.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weigh = _linear(width, 1, bias=False)
        self.norm = BatchNorm(1)

    def forward(self, nodes: Tensor, mask: Tensor) -> Tensor:
        """(b, n, S) from `nodes` (b, n, 1 + q, S) and `mask` (n, 1 + q)."""
        images, texts, places = nodes.shape[:3]
        logits = self.weigh(nodes).transpose(0, 1).reshape(texts, images * places, 1)
        normed = self.norm(logits, mask.repeat(1, images)).reshape(texts, images, places).transpose(0, 1)
        weights = normed.sigmoid() * mask
        weights = weights / weights.sum(-1, keepdim=True).clamp(min=1e-8)
        return l2norm((weights[..., None, :] @ nodes)[..., 0, :])


class Reasoning(nn.Module):
    """One similarity of every image with every text, from their alignments.

    Local alignments x_j = l2norm(W_l (c_j − e_j)²), c_j the unit vector of what word j attends to, and a global
    one x_0 = l2norm(W_g (v̄ − t̄)²); the score is the logistic function of a linear map of what `reason` makes of
    them.
    """

    def __init__(self, width: int, similarity_width: int, dropout: float, reason: nn.Module) -> None:
        super().__init__()
        self.pool_image = SelfAttention(width, dropout, normalised=True)
        self.pool_text = SelfAttention(width, dropout, normalised=False)
        self.local, self.whole = _linear(width, similarity_width), _linear(width, similarity_width)
        self.reason = reason
        self.score = _linear(similarity_width, 1)

    def forward(self, images: Fragments, texts: Fragments, rule: AttentionRule) -> Tensor:
        """(images, texts) similarities in (0, 1)."""
        image = self.pool_image(images)
        texts = Fragments(texts.fragments, texts.mask, self.pool_text(texts))

        def compare(group: Fragments) -> Tensor:
            # Running statistics and no gradient: some images at a time say what all would, and stay in the cache.
            together = self.training or torch.is_grad_enabled()
            step = len(images)
            if not together:
                step = max(1, of_device(VALUES, group.fragments) // max(1, group.fragments.numel()))
            blocks = [slice(first, first + step) for first in range(0, len(images), step)]
            scores = [self._compare(images.take(some), image[some], group, rule) for some in blocks]
            return scores[0] if len(scores) == 1 else torch.cat(scores)

        return by_length(texts, compare)

    def _compare(self, images: Fragments, image: Tensor, texts: Fragments, rule: AttentionRule) -> Tensor:
        local = l2norm(self.local(_differences(images, texts, rule)))
        whole = l2norm(self.whole((image[:, None] - texts.summary).square()))
        nodes = torch.cat([whole[:, :, None], local], 2)
        mask = torch.cat([torch.ones_like(texts.mask[:, :1]), texts.mask], 1)
        scores: Tensor = self.score(self.reason(nodes, mask))[..., 0].sigmoid()
        return scores


def _differences(images: Fragments, texts: Fragments, rule: AttentionRule) -> Tensor:
    """(images, texts, q, D) squares of the differences of words e_j and the unit vectors c_j of what they attend
    to."""
    weights = rule.weights_of_all(images, texts)
    if torch.is_grad_enabled():
        attended = l2norm(torch.einsum("bkqn,bkd->bnqd", weights, images.fragments))
        return (attended - texts.fragments).square()
    (b, k, d), (n, q) = images.fragments.shape, texts.mask.shape
    attended = Room(images.fragments).of((b, n * q, d), 0)
    torch.bmm(weights.permute(0, 3, 2, 1).reshape(b, n * q, k), images.fragments, out=attended)
    attended.div_(torch.linalg.vector_norm(attended, dim=-1, keepdim=True).add_(EPSILON))
    return attended.view(b, n, q, d).sub_(texts.fragments).square_()


def reasoning(kind: str, width: int, similarity_width: int, dropout: float, steps: int) -> Reasoning:
    """The module of `sgr` or `saf`."""
    reason: Any = (
        GraphReasoning(similarity_width, steps) if kind == "sgr" else AttentionFiltration(similarity_width)
    )
    return Reasoning(width, similarity_width, dropout, reason)
