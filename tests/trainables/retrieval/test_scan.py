"""Stacked cross attention for all pairs at once, against its definition pair by pair and query by query."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from crosscut_trainables.backbones import by_length
from crosscut_trainables.backbones.scan import Scan
from crosscut_trainables.fragments import Fragments

PLACES = ([3, 5, 1, 4], [2, 6, 4])


def direct_score(keys: Tensor, queries: Tensor, backbone: Scan) -> tuple[Tensor, Tensor]:
    """Score and weights (queries, keys) of one pair without padding, as the paper and its code define them."""
    cosines = keys @ queries.T
    raw = cosines
    if backbone.raw == "softmax":
        raw = torch.stack([torch.exp(row) / torch.exp(row).sum() for row in cosines])
    if backbone.raw.startswith("clipped"):
        raw = torch.where(cosines > 0, cosines, 0.1 * cosines)
    if backbone.raw.endswith("l2"):
        raw = torch.stack([row / (row.norm() + 1e-8) for row in raw])
    scale = backbone.temperature or {"t2i": 9.0, "i2t": 4.0}[backbone.direction]
    weights, relevance = [], []
    for q, query in enumerate(queries):
        exponentials = torch.exp(scale * raw[:, q])
        weights.append(exponentials / exponentials.sum())
        attended = weights[-1] @ keys
        relevance.append(query @ attended / attended.norm())
    r = torch.stack(relevance)
    lse = backbone.lse_temperature or {"t2i": 6.0, "i2t": 5.0}[backbone.direction]
    pooled = {
        "mean": r.mean(),
        "sum": r.sum(),
        "max": r.max(),
        "lse": torch.log(torch.exp(lse * r).sum()) / lse,
    }
    return pooled[backbone.pooling], torch.stack(weights)


def direct_scores(images: Fragments, texts: Fragments, backbone: Scan) -> Tensor:
    if backbone.direction == "both":
        ways = [backbone.model_copy(update={"direction": direction}) for direction in ("t2i", "i2t")]
        return (direct_scores(images, texts, ways[0]) + direct_scores(images, texts, ways[1])) / 2
    rows = []
    for image, regions in zip(images.fragments, images.mask, strict=True):
        row = []
        for text, words in zip(texts.fragments, texts.mask, strict=True):
            pair = (image[regions], text[words])
            keys, queries = pair if backbone.direction == "t2i" else pair[::-1]
            row.append(direct_score(keys, queries, backbone)[0])
        rows.append(torch.stack(row))
    return torch.stack(rows)


OPTIONS: list[dict[str, Any]] = [
    *({"raw": raw} for raw in ("clipped-l2", "l2", "clipped", "softmax", "none")),
    *({"pooling": pooling} for pooling in ("lse", "max", "sum")),
    {"temperature": 20.0, "pooling": "lse", "lse_temperature": 2.0},
]


@pytest.mark.usefixtures("rectangles")
@pytest.mark.parametrize(
    ("direction", "options"),
    [
        *((direction, options) for direction in ("t2i", "i2t") for options in OPTIONS),
        *(("both", options) for options in ({}, {"pooling": "lse"}, OPTIONS[-1])),
    ],
    ids=str,
)
def test_scores_and_gradients_are_those_of_the_definition(
    assert_same_scores: Any, direction: str, options: dict[str, Any]
) -> None:
    backbone = Scan.model_validate({"direction": direction, **options})
    assert_same_scores(
        lambda images, texts: backbone.match(images, texts, None).scores,
        lambda images, texts: direct_scores(images, texts, backbone),
        PLACES,
    )


@pytest.mark.parametrize("temperature", [1.0, 9.0, 20.0, 100.0])
@pytest.mark.parametrize("direction", ["t2i", "i2t"])
@pytest.mark.parametrize("raw", ["clipped-l2", "l2", "softmax", "none"])
def test_without_a_gradient_single_precision_says_what_double_does(
    make_fragments: Any, direction: str, raw: str, temperature: float
) -> None:
    backbone = Scan.model_validate({"direction": direction, "raw": raw, "temperature": temperature})
    # an image without regions and a text without words say nothing, and break nothing
    wide = make_fragments([5, 3, 0, 8], 3, width=8), make_fragments([2, 6, 0, 1, 4], 4, width=7)
    narrow = [Fragments(f.fragments.float(), f.mask, f.summary.float()) for f in wide]
    with torch.no_grad():
        found = backbone.match(narrow[0], narrow[1], None).scores
    expected = backbone.match(
        *(replace(f, fragments=f.fragments.requires_grad_()) for f in wide), None
    ).scores
    torch.testing.assert_close(found.double(), expected.detach(), rtol=0, atol=2e-5)


def test_texts_of_one_length_are_compared_at_once_up_to_a_bound(
    make_fragments: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, texts = make_fragments([3, 5], 3), make_fragments([4] * 20 + [2, 6] * 3, 4, width=7)
    seen: list[tuple[int, int]] = []

    def compare(group: Fragments) -> Tensor:
        seen.append((len(group), group.mask.shape[1]))
        return images.summary @ group.summary.T

    torch.testing.assert_close(by_length.by_length(texts, compare), compare(texts))
    assert seen[:-1] == [(23, 4), (3, 6)]
    seen.clear()
    monkeypatch.setattr(by_length, "PLACES", 72)
    by_length.by_length(texts, compare)
    assert seen == [(18, 4), (8, 6)]


@pytest.mark.parametrize("direction", ["t2i", "i2t"])
@pytest.mark.parametrize("raw", ["clipped-l2", "softmax"])
def test_attention_of_a_pair_is_that_of_the_definition(make_fragments: Any, direction: str, raw: str) -> None:
    backbone = Scan.model_validate({"direction": direction, "raw": raw})
    images, texts = make_fragments(PLACES[0], 3), make_fragments(PLACES[1], 4)
    [attention] = backbone.match(images, texts, None).attentions
    _, _, weights = attention.of(torch.tensor([0, 1, 3]), torch.tensor([2, 2, 0]))
    for pair, (image, text) in enumerate([(0, 2), (1, 2), (3, 0)]):
        whole = (images.fragments[image][images.mask[image]], texts.fragments[text][texts.mask[text]])
        keys, queries = whole if direction == "t2i" else whole[::-1]
        expected = direct_score(keys, queries, backbone)[1]
        torch.testing.assert_close(weights[pair, : len(queries), : len(keys)], expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("raw", ["clipped-l2", "softmax"])
def test_both_directions_have_the_attention_of_each(make_fragments: Any, raw: str) -> None:
    images, texts = make_fragments(PLACES[0], 3), make_fragments(PLACES[1], 4)
    both = Scan.model_validate({"direction": "both", "raw": raw}).match(images, texts, None).attentions
    assert [attention.queries for attention in both] == ["words", "regions"]
    pairs = torch.tensor([0, 1, 3]), torch.tensor([2, 2, 0])
    for direction, attention in zip(("t2i", "i2t"), both, strict=True):
        alone = Scan.model_validate({"direction": direction, "raw": raw}).match(images, texts, None)
        assert torch.equal(attention.of(*pairs)[2], alone.attentions[0].of(*pairs)[2])


def test_a_word_that_is_a_region_scores_highest_where_attention_is_sharp() -> None:
    eye = torch.eye(4, dtype=torch.float64)
    mask = torch.ones(1, 2, dtype=torch.bool)
    image = Fragments(eye[None, :2], mask, eye[:1])
    same, other = Fragments(eye[None, :2], mask, eye[:1]), Fragments(eye[None, 2:], mask, eye[:1])
    backbone = Scan(temperature=100, raw="none")
    assert backbone.match(image, same, None).scores.item() == pytest.approx(1.0)
    assert backbone.match(image, other, None).scores.item() == pytest.approx(0.0)


def test_weights_of_a_small_case_are_those_worked_out_by_hand() -> None:
    # One word, two regions with cosines 1 and 0: after clipped-l2 they are 1 and 0, so λ = log 3 gives 3 to 1.
    eye = torch.eye(2, dtype=torch.float64)
    image = Fragments(eye[None], torch.ones(1, 2, dtype=torch.bool), eye[:1])
    text = Fragments(eye[None, :1], torch.ones(1, 1, dtype=torch.bool), eye[:1])
    match = Scan(temperature=math.log(3)).match(image, text, None)
    weights = match.attentions[0].of(torch.tensor([0]), torch.tensor([0]))[2]
    assert weights[0, 0].tolist() == pytest.approx([0.75, 0.25])
    assert match.scores.item() == pytest.approx(0.75 / math.hypot(0.75, 0.25))
