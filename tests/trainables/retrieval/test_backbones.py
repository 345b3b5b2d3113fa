"""What holds of every backbone that is registered."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from crosscut_trainables.backbones import BACKBONES, Backbone
from crosscut_trainables.pooling import OWN, pooling_of

WIDTH = 6
IMAGES, TEXTS = [3, 5, 1, 4], [2, 6, 4]


@pytest.fixture(params=sorted(BACKBONES))
def backbone(request: pytest.FixtureRequest) -> Backbone:
    return BACKBONES[request.param].model_validate({})


def scores(backbone: Backbone, images: Any, texts: Any) -> torch.Tensor:
    return backbone.match(images, texts, parts_of(backbone)).scores


def parts_of(backbone: Backbone) -> torch.nn.Module | None:
    """What it learns, as it is while evaluating: batch normalisation mixes pairs while training."""
    torch.manual_seed(0)
    parts = backbone.parts(WIDTH)
    return parts.double().eval() if parts is not None else None


def test_it_is_registered_under_its_own_name(backbone: Backbone) -> None:
    assert BACKBONES[backbone.name] is type(backbone)
    assert backbone.summary


def test_scores_are_one_for_each_image_and_text(backbone: Backbone, make_fragments: Any) -> None:
    assert scores(backbone, make_fragments(IMAGES, 1), make_fragments(TEXTS, 2)).shape == (4, 3)


def test_padding_changes_nothing(backbone: Backbone, make_fragments: Any) -> None:
    tight = scores(backbone, make_fragments(IMAGES, 1), make_fragments(TEXTS, 2))
    loose = scores(backbone, make_fragments(IMAGES, 1, width=9), make_fragments(TEXTS, 2, width=11))
    torch.testing.assert_close(tight, loose, rtol=1e-9, atol=1e-12)


def test_a_pair_scores_the_same_whatever_stands_beside_it(backbone: Backbone, make_fragments: Any) -> None:
    images, texts = make_fragments(IMAGES, 1), make_fragments(TEXTS, 2)
    alone = scores(backbone, images.take(torch.tensor([2])), texts.take(torch.tensor([1])))
    torch.testing.assert_close(alone[0, 0], scores(backbone, images, texts)[2, 1], rtol=1e-9, atol=1e-12)


def test_a_permuted_batch_has_permuted_scores(backbone: Backbone, make_fragments: Any) -> None:
    images, texts = make_fragments(IMAGES, 1), make_fragments(TEXTS, 2)
    rows, columns = torch.tensor([2, 0, 3, 1]), torch.tensor([1, 2, 0])
    permuted = scores(backbone, images.take(rows), texts.take(columns))
    expected = scores(backbone, images, texts)[rows][:, columns]
    torch.testing.assert_close(permuted, expected, rtol=1e-9, atol=1e-12)


def test_every_parameter_gets_a_gradient(backbone: Backbone, make_fragments: Any) -> None:
    torch.manual_seed(0)
    parts = backbone.parts(WIDTH)
    if parts is None:
        return
    parts.double()
    with torch.no_grad():
        # Fresh, the steps of graph reasoning even nodes out so much that the last has nothing to tell apart.
        for parameter in parts.parameters():
            parameter *= 4
    found = backbone.match(make_fragments(IMAGES, 1), make_fragments(TEXTS, 2), parts).scores
    (found * torch.arange(1.0, 13.0, dtype=torch.float64).view(4, 3).sin()).sum().backward()
    missed = [name for name, p in parts.named_parameters() if p.grad is None or p.grad.abs().max() < 1e-12]
    assert missed == []


def test_it_says_whether_it_has_anything_to_learn(backbone: Backbone) -> None:
    assert backbone.learns == has_parameters(backbone)


@pytest.mark.parametrize("pooling", ["gpo", "mean", "max", "attention"])
def test_whether_a_pooling_is_learnt_is_said_as_well(pooling: str) -> None:
    backbone = BACKBONES["vse-infinity"].model_validate({"pooling": pooling})
    assert backbone.learns == has_parameters(backbone)


def has_parameters(backbone: Backbone) -> bool:
    pools = [pooling_of(name, WIDTH) for name in backbone.poolings if name != OWN]
    parts = backbone.parts(WIDTH)
    return any(True for module in (parts, *pools) if module is not None for _ in module.parameters())


def test_regions_in_another_order_score_the_same(backbone: Backbone, make_fragments: Any) -> None:
    images, texts = make_fragments([5, 5], 1), make_fragments(TEXTS, 2)
    order = torch.tensor([4, 2, 0, 1, 3])
    shuffled = dataclasses.replace(images, fragments=images.fragments[:, order])
    torch.testing.assert_close(
        scores(backbone, shuffled, texts), scores(backbone, images, texts), rtol=1e-9, atol=1e-12
    )


def test_gradients_are_finite(backbone: Backbone, make_fragments: Any) -> None:
    images, texts = make_fragments(IMAGES, 1, width=7), make_fragments(TEXTS, 2, width=7)
    inputs = [x for f in (images, texts) for x in (f.fragments.requires_grad_(), f.summary.requires_grad_())]
    scores(backbone, images, texts).sum().backward()
    reached = [x.grad for x in inputs if x.grad is not None]
    assert reached
    assert all(torch.isfinite(grad).all() for grad in reached)
    assert any((grad != 0).any() for grad in reached)


def test_an_image_without_regions_gives_numbers(backbone: Backbone, make_fragments: Any) -> None:
    images = make_fragments(IMAGES, 1)
    images.fragments[1], images.mask[1], images.summary[1] = 0, False, 0
    assert torch.isfinite(scores(backbone, images, make_fragments(TEXTS, 2))).all()


def test_attention_is_there_where_it_is_promised_and_sums_to_one(
    backbone: Backbone, make_fragments: Any
) -> None:
    images, texts = make_fragments(IMAGES, 1, width=7), make_fragments(TEXTS, 2, width=8)
    attentions = backbone.match(images, texts, parts_of(backbone)).attentions
    assert bool(attentions) == backbone.exposes_attention
    for attention in attentions:
        queries, keys, weights = attention.of(torch.tensor([0, 2, 3]), torch.tensor([1, 1, 0]))
        assert weights.shape == (3, queries.mask.shape[1], keys.mask.shape[1])
        assert (weights >= 0).all()
        torch.testing.assert_close(weights.sum(2), torch.ones_like(weights[:, :, 0]))
        assert (weights.transpose(1, 2)[~keys.mask] == 0).all()


def test_unknown_options_are_refused(backbone: Backbone) -> None:
    with pytest.raises(ValidationError, match="colour"):
        type(backbone).model_validate({"name": backbone.name, "colour": "red"})


def test_options_survive_a_round_trip(backbone: Backbone) -> None:
    assert type(backbone).model_validate(backbone.model_dump(mode="json")) == backbone
