"""Bidirectional focal attention for all pairs at once, against its definition pair by pair and query by query."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from crosscut_trainables.backbones.bfan import Bfan
from crosscut_trainables.fragments import Fragments

PLACES = ([3, 5, 1, 4], [2, 6, 4])


def direct_weights(keys: Tensor, queries: Tensor, backbone: Bfan) -> Tensor:
    """Weights (queries, keys) of one pair without padding. What is kept is a constant for the gradient."""
    cosines = keys @ queries.T
    clipped = torch.where(cosines > 0, cosines, 0.1 * cosines)
    raw = torch.stack([row / (row.norm() + 1e-8) for row in clipped])
    rows = []
    for q in range(len(queries)):
        exponentials = torch.exp(backbone.temperature * raw[:, q])
        weights = exponentials / exponentials.sum()
        if backbone.focus == "equal":
            kept = [w.item() > 1 / len(keys) for w in weights]
        else:
            roots = sum(w.item() ** 0.5 for w in weights)
            threshold = sum(w.item() ** 1.5 for w in weights)
            kept = [w.item() * roots > threshold for w in weights]
        focused = torch.stack([w if keep else 0 * w for w, keep in zip(weights, kept, strict=True)])
        rows.append(focused / focused.sum() if any(kept) else weights)
    return torch.stack(rows)


def direct_score(regions: Tensor, words: Tensor, backbone: Bfan) -> Tensor:
    means = []
    for keys, queries in ((regions, words), (words, regions)):
        weights = direct_weights(keys, queries, backbone)
        cosines = []
        for q, query in enumerate(queries):
            attended = weights[q] @ keys
            cosines.append(query @ attended / attended.norm())
        means.append(torch.stack(cosines).mean())
    return means[0] + means[1]


def direct_scores(images: Fragments, texts: Fragments, backbone: Bfan) -> Tensor:
    return torch.stack(
        [
            torch.stack(
                [
                    direct_score(image[regions], text[words], backbone)
                    for text, words in zip(texts.fragments, texts.mask, strict=True)
                ]
            )
            for image, regions in zip(images.fragments, images.mask, strict=True)
        ]
    )


def whole(vectors: Tensor) -> Fragments:
    """Items without padding, from (items, places, dimensions)."""
    return Fragments(vectors, torch.ones(vectors.shape[:2], dtype=torch.bool), vectors[:, 0])


@pytest.mark.usefixtures("rectangles")
@pytest.mark.parametrize("focus", ["equal", "prob"])
@pytest.mark.parametrize("temperature", [20.0, 4.0])
def test_scores_and_gradients_are_those_of_the_definition(
    assert_same_scores: Any, focus: str, temperature: float
) -> None:
    backbone = Bfan.model_validate({"focus": focus, "temperature": temperature})
    assert_same_scores(
        lambda images, texts: backbone.match(images, texts, None).scores,
        lambda images, texts: direct_scores(images, texts, backbone),
        PLACES,
    )


@pytest.mark.parametrize("focus", ["equal", "prob"])
def test_attention_of_a_pair_is_that_of_the_definition_in_both_directions(
    make_fragments: Any, focus: str
) -> None:
    backbone = Bfan.model_validate({"focus": focus})
    images, texts = make_fragments(PLACES[0], 3, width=6), make_fragments(PLACES[1], 4, width=7)
    attentions = backbone.match(images, texts, None).attentions
    assert [attention.queries for attention in attentions] == ["words", "regions"]
    for attention in attentions:
        _, _, weights = attention.of(torch.tensor([0, 1, 3]), torch.tensor([2, 2, 0]))
        for pair, (image, text) in enumerate([(0, 2), (1, 2), (3, 0)]):
            both = (images.fragments[image][images.mask[image]], texts.fragments[text][texts.mask[text]])
            keys, queries = both if attention.queries == "words" else both[::-1]
            own = weights[pair, : len(queries)]
            torch.testing.assert_close(own.sum(1), torch.ones(len(queries), dtype=torch.float64))
            assert (own[:, len(keys) :] == 0).all()
            expected = direct_weights(keys, queries, backbone)
            torch.testing.assert_close(own[:, : len(keys)], expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(("focus", "expected"), [("equal", [50 / 84, 34 / 84, 0]), ("prob", [1, 0, 0])])
def test_weights_of_a_small_case_are_those_worked_out_by_hand(focus: str, expected: list[float]) -> None:
    # α = (0.50, 0.34, 0.16) lies above 1/3 twice, and above Σ α^1.5 / Σ √α = 0.364 once. A fourth key is padding.
    rule = Bfan.model_validate({"focus": focus}).rule("t2i")
    raw = torch.tensor([0.50, 0.34, 0.16, 1.0], dtype=torch.float64).log().view(1, 4, 1, 1) / rule.scale
    present = torch.tensor([True, True, True, False]).view(1, 4, 1, 1)
    assert rule.weights_of_raw(raw, None, present).flatten().tolist() == pytest.approx([*expected, 0])


@pytest.mark.parametrize("focus", ["equal", "prob"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 36])
def test_a_query_whose_keys_are_all_alike_keeps_all(
    make_fragments: Any, focus: str, dtype: torch.dtype, count: int
) -> None:
    backbone = Bfan.model_validate({"focus": focus})
    alike = whole(make_fragments([1, 1], 1).fragments.to(dtype).repeat(1, count, 1))
    several = whole(make_fragments([5, 5], 2).fragments.to(dtype))
    both = torch.tensor([0, 1])
    for direction, images, texts in ((0, alike, several), (1, several, alike)):
        match = backbone.match(images, texts, None)
        weights = match.attentions[direction].of(both, both)[2]
        torch.testing.assert_close(weights, torch.full_like(weights, 1 / count))
        assert torch.isfinite(match.scores).all()
