"""Fusion: a local and a global similarity, weighed, for every pair of backbones that are registered."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from crosscut_trainables.backbones import BACKBONES, Backbone
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.encoders import IMAGE_ENCODERS
from crosscut_trainables.fusion import Fused

WIDTH = 6
LOCAL = sorted(name for name, backbone in BACKBONES.items() if backbone.exposes_attention)
GLOBAL = sorted(name for name, backbone in BACKBONES.items() if not backbone.exposes_attention)
every_pair = pytest.mark.parametrize(
    ("local", "whole"), [(local, whole) for local in LOCAL for whole in GLOBAL]
)


def named(name: str) -> dict[str, Any]:
    """The options of a backbone that is small."""
    small = {"similarity_width": 5} if "similarity_width" in BACKBONES[name].model_fields else {}
    return {"name": name, **small}


def fused(local: str, whole: str, **options: Any) -> Fused:
    config = RetrievalConfig.model_validate(
        {"backbone": named(local), "fusion": {"global_backbone": named(whole), **options}}
    )
    assert isinstance(config.comparison, Fused)
    return config.comparison


def parts_of(backbone: Backbone) -> nn.Module | None:
    torch.manual_seed(0)
    parts = backbone.parts(WIDTH)
    return None if parts is None else parts.double().eval()


def part(parts: nn.Module | None, name: str) -> nn.Module | None:
    return dict(parts.named_children()).get(name) if parts is not None else None


def weight_logit(parts: nn.Module | None) -> nn.Parameter:
    assert parts is not None
    return parts.get_parameter("weight.logit")


@pytest.fixture
def batch(make_fragments: Any) -> tuple[Any, Any]:
    return make_fragments([3, 5, 1, 4], 1, width=6), make_fragments([2, 6, 4], 2, width=7)


def apart(backbone: Fused, parts: nn.Module | None, batch: tuple[Any, Any]) -> tuple[Tensor, Tensor]:
    """The local and the global similarities, each worked out without the other."""
    return (
        backbone.local.match(*batch, part(parts, "local")).scores,
        backbone.whole.match(*batch, part(parts, "whole")).scores,
    )


@every_pair
@pytest.mark.parametrize("u", [0.0, 0.5, 1.0])
def test_similarities_are_weighed(local: str, whole: str, u: float, batch: tuple[Any, Any]) -> None:
    backbone = fused(local, whole, local_weight=u)
    parts = parts_of(backbone)
    found = backbone.match(*batch, parts).scores
    one, two = apart(backbone, parts, batch)
    assert not torch.allclose(one, two)
    for image in range(4):
        for text in range(3):
            expected = u * one[image, text].item() + (1 - u) * two[image, text].item()
            assert found[image, text].item() == pytest.approx(expected, rel=1e-12, abs=1e-12)


@every_pair
@pytest.mark.parametrize("u", [0.2, 0.5])
def test_a_weight_that_is_learnt_starts_where_it_is_told_and_gets_its_gradient(
    local: str, whole: str, u: float, batch: tuple[Any, Any]
) -> None:
    backbone = fused(local, whole, local_weight=u, learned=True)
    parts = parts_of(backbone)
    logit = weight_logit(parts)
    one, two = apart(backbone, parts, batch)
    assert logit.sigmoid().item() == pytest.approx(u, rel=1e-6)
    found = backbone.match(*batch, parts).scores
    torch.testing.assert_close(found, u * one + (1 - u) * two, rtol=1e-5, atol=1e-6)
    weigh = torch.arange(1.0, 13.0, dtype=torch.float64).view(4, 3)
    (found * weigh).sum().backward()
    assert logit.grad is not None
    expected = u * (1 - u) * ((one - two) * weigh).sum().item()
    assert logit.grad.item() == pytest.approx(expected, rel=1e-5)


@every_pair
@pytest.mark.parametrize("learned", [False, True])
def test_what_is_learnt_is_what_the_two_learn_and_the_weight_where_it_is(
    local: str, whole: str, learned: bool
) -> None:
    backbone = fused(local, whole, learned=learned)
    parts = backbone.parts(WIDTH)
    names = {name.partition(".")[0] for name, _ in parts.named_parameters()} if parts is not None else set()
    own = {"local": backbone.local, "whole": backbone.whole}
    expected = {name for name, each in own.items() if each.parts(WIDTH) is not None}
    assert names == expected | ({"weight"} if learned else set())


@every_pair
def test_attention_is_that_of_the_local_backbone(local: str, whole: str, batch: tuple[Any, Any]) -> None:
    backbone = fused(local, whole)
    assert backbone.exposes_attention
    parts = parts_of(backbone)
    found = backbone.match(*batch, parts).attentions
    expected = backbone.local.match(*batch, part(parts, "local")).attentions
    pairs = torch.tensor([0, 1, 3]), torch.tensor([2, 2, 0])
    assert [attention.queries for attention in found] == [attention.queries for attention in expected]
    for one, two in zip(found, expected, strict=True):
        assert torch.equal(one.of(*pairs)[2], two.of(*pairs)[2])


@every_pair
def test_wholes_are_pooled_as_the_global_backbone_has_it(local: str, whole: str) -> None:
    backbone = fused(local, whole)
    assert backbone.poolings == BACKBONES[whole].model_validate({}).poolings


@every_pair
def test_numbers_per_pair_add_up(local: str, whole: str) -> None:
    backbone = fused(local, whole)
    sizes = 36, 20, 1024
    alone = [each.floats_per_pair(*sizes) for each in (backbone.local, backbone.whole)]
    assert backbone.floats_per_pair(*sizes) == sum(alone)
    alone = [each.numbers_per_pair(*sizes) for each in (backbone.local, backbone.whole)]
    assert backbone.numbers_per_pair(*sizes) == sum(alone)


@pytest.mark.parametrize("local", LOCAL)
def test_the_image_encoder_is_that_of_the_local_backbone(local: str) -> None:
    config = RetrievalConfig.model_validate(
        {"backbone": {"name": local}, "fusion": {"global_backbone": {"name": "vse-infinity"}}}
    )
    assert config.image_encoder.name == BACKBONES[local].image_encoder


def test_without_fusion_the_backbone_compares_alone() -> None:
    config = RetrievalConfig.model_validate({"backbone": {"name": "scan"}})
    assert config.comparison == config.backbone


def refusal(options: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as error:
        RetrievalConfig.model_validate(options)
    [found] = error.value.errors()
    return str(found["msg"]).removeprefix("Value error, ")


@pytest.mark.parametrize("name", LOCAL)
def test_a_global_backbone_with_attention_is_refused(name: str) -> None:
    assert refusal({"fusion": {"global_backbone": {"name": name}}}) == (
        f"global_backbone: {name} compares fragments, expected a backbone that compares wholes"
    )


@pytest.mark.parametrize("name", GLOBAL)
def test_fusion_with_a_backbone_without_attention_is_refused(name: str) -> None:
    assert refusal({"backbone": {"name": name}, "fusion": {}}) == (
        f"fusion needs a backbone that compares fragments; {name} does not"
    )


@pytest.mark.parametrize("weight", [0, 1])
def test_a_weight_that_is_learnt_from_an_end_is_refused(weight: float) -> None:
    assert refusal({"fusion": {"learned": True, "local_weight": weight}}) == (
        "local_weight: a weight that is learnt starts between 0 and 1, neither of them"
    )


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_a_weight_outside_of_0_to_1_is_refused(weight: float) -> None:
    refusal({"fusion": {"local_weight": weight}})


@pytest.mark.parametrize("fusion", [None, {}])
@pytest.mark.parametrize("name", sorted(IMAGE_ENCODERS))
def test_pfan_with_an_image_encoder_without_positions_is_refused(
    name: str, fusion: dict[str, Any] | None
) -> None:
    options = {"backbone": {"name": "pfan"}, "encoder": {"image": {"name": name}}, "fusion": fusion}
    if IMAGE_ENCODERS[name].has_positions:
        assert RetrievalConfig.model_validate(options).image_encoder.name == name
    else:
        assert refusal(options) == f"pfan needs an image encoder with positions; {name} has none"
