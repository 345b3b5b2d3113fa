"""The encoders: unit vectors, blind to padding, and made from their generator alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from crosscut_trainables.encoders import IMAGE_ENCODERS, TEXT_ENCODERS
from crosscut_trainables.encoders.gru_encoder import GruEncoder
from crosscut_trainables.encoders.region_encoder import RegionEncoder
from crosscut_trainables.fragments import Fragments
from crosscut_trainables.pooling import OWN, POOLINGS

BOXES = torch.tensor([0.1, 0.2, 0.4, 0.9]).expand(2, 3, 4)
LENGTHS = torch.tensor([3, 6, 2])
IDS = torch.tensor([[1, 5, 2, 0, 0, 0], [1, 4, 5, 6, 7, 2], [1, 2, 0, 0, 0, 0]])
MASK = torch.arange(6) < LENGTHS[:, None]


WAYS = [OWN, *sorted(POOLINGS)]
UNORDERED = [name for name, encoder in sorted(IMAGE_ENCODERS.items()) if not encoder.ordered]


def image_encoder(features: int, width: int, name: str = "linear", pooling: str = OWN) -> nn.Module:
    encoder = IMAGE_ENCODERS[name].model_validate({})
    return encoder.module(features, 3, width, pooling, seeded()).eval()


def text_encoder(name: str, pooling: str = OWN) -> nn.Module:
    return TEXT_ENCODERS[name].model_validate({}).module(9, 4, 8, pooling, 0.0, seeded()).eval()


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def check(fragments: Fragments) -> None:
    norms = fragments.fragments.norm(dim=-1)
    torch.testing.assert_close(norms[fragments.mask], torch.ones_like(norms[fragments.mask]))
    assert (fragments.fragments[~fragments.mask] == 0).all()
    torch.testing.assert_close(fragments.summary.norm(dim=-1), torch.ones(len(fragments)))


@pytest.mark.parametrize("name", sorted(IMAGE_ENCODERS))
def test_an_image_encoder_is_registered_under_its_own_name(name: str) -> None:
    encoder = IMAGE_ENCODERS[name].model_validate({})
    assert encoder.name == name
    assert encoder.summary


@pytest.mark.parametrize("name", sorted(TEXT_ENCODERS))
def test_a_text_encoder_is_registered_under_its_own_name(name: str) -> None:
    encoder = TEXT_ENCODERS[name].model_validate({})
    assert encoder.name == name
    assert encoder.summary


@pytest.mark.parametrize("name", sorted(IMAGE_ENCODERS))
@pytest.mark.parametrize("pooling", WAYS)
def test_regions_are_unit_vectors_and_padding_is_zero(name: str, pooling: str) -> None:
    regions = torch.randn(2, 3, 5, generator=seeded())
    present = torch.tensor([[True, True, False], [True, True, True]])
    check(image_encoder(5, 8, name, pooling)(regions, present, BOXES))


@pytest.mark.parametrize("name", sorted(TEXT_ENCODERS))
@pytest.mark.parametrize("pooling", WAYS)
def test_words_are_unit_vectors_and_padding_is_zero(name: str, pooling: str) -> None:
    check(text_encoder(name, pooling)(IDS, LENGTHS, MASK))


@pytest.mark.parametrize("name", sorted(TEXT_ENCODERS))
@pytest.mark.parametrize("pooling", WAYS)
def test_every_parameter_of_a_text_encoder_gets_a_gradient(name: str, pooling: str) -> None:
    encoder = text_encoder(name, pooling)
    found = encoder(IDS, LENGTHS, MASK)
    weights = torch.randn(8, generator=seeded(1))
    ((found.fragments + found.summary[:, None]) @ weights).square().sum().backward()
    missed = [n for n, p in encoder.named_parameters() if p.grad is None or not p.grad.any()]
    assert missed == []


@pytest.mark.parametrize("name", sorted(IMAGE_ENCODERS))
@pytest.mark.parametrize("pooling", WAYS)
def test_every_parameter_of_an_image_encoder_gets_a_gradient(name: str, pooling: str) -> None:
    encoder = image_encoder(5, 8, name, pooling)
    regions = torch.randn(2, 3, 5, generator=seeded())
    found = encoder(regions, torch.tensor([[True, True, False], [True, True, True]]), BOXES)
    weights = torch.randn(8, generator=seeded(1))
    ((found.fragments + found.summary[:, None]) @ weights).square().sum().backward()
    missed = [n for n, p in encoder.named_parameters() if p.grad is None or not p.grad.any()]
    assert missed == []


@pytest.mark.parametrize("name", sorted(IMAGE_ENCODERS))
@pytest.mark.parametrize("pooling", WAYS)
def test_what_stands_at_padding_changes_nothing_of_an_image(name: str, pooling: str) -> None:
    encoder, present = image_encoder(5, 8, name, pooling), torch.tensor([[True, True, False]])
    regions = torch.randn(1, 3, 5, generator=seeded())
    junk, boxes = regions.clone(), BOXES[:1].clone()
    junk[0, 2], boxes[0, 2] = 1e6, 0.5
    expected = encoder(regions, present, BOXES[:1])
    assert torch.equal(expected.summary, encoder(junk, present, boxes).summary)
    assert torch.equal(expected.fragments, encoder(junk, present, boxes).fragments)


@pytest.mark.parametrize("name", UNORDERED)
@pytest.mark.parametrize("pooling", WAYS)
def test_the_order_of_regions_changes_nothing_of_the_whole(name: str, pooling: str) -> None:
    encoder, present = image_encoder(5, 8, name, pooling), torch.tensor([[True, True, True]])
    regions, order = torch.randn(1, 3, 5, generator=seeded()), torch.tensor([2, 0, 1])
    boxes = torch.rand(1, 3, 4, generator=seeded()).sort(-1).values
    one = encoder(regions, present, boxes)
    two = encoder(regions[:, order], present, boxes[:, order])
    torch.testing.assert_close(one.summary, two.summary)
    torch.testing.assert_close(one.fragments[:, order], two.fragments)


@pytest.mark.parametrize("name", sorted(TEXT_ENCODERS))
@pytest.mark.parametrize("pooling", WAYS)
def test_what_stands_at_padding_changes_nothing_of_a_text(name: str, pooling: str) -> None:
    encoder, junk = text_encoder(name, pooling), torch.where(MASK, IDS, 8)
    one, two = encoder(IDS, LENGTHS, MASK), encoder(junk, LENGTHS, MASK)
    assert torch.equal(one.fragments, two.fragments)
    assert torch.equal(one.summary, two.summary)


@pytest.mark.parametrize("name", sorted(TEXT_ENCODERS))
@pytest.mark.parametrize("pooling", WAYS)
def test_a_text_is_encoded_the_same_alone_and_in_a_batch(name: str, pooling: str) -> None:
    encoder = text_encoder(name, pooling)
    batch = encoder(IDS, LENGTHS, MASK)
    alone = encoder(IDS[:1, :3], LENGTHS[:1], MASK[:1, :3])
    torch.testing.assert_close(batch.fragments[0, :3], alone.fragments[0])
    torch.testing.assert_close(batch.summary[0], alone.summary[0])


@pytest.mark.parametrize("name", sorted(TEXT_ENCODERS))
def test_a_word_depends_on_the_words_on_both_sides(name: str) -> None:
    encoder = text_encoder(name)
    whole = encoder(IDS, LENGTHS, MASK).fragments[1, 2]
    for place in (1, 3):
        other = IDS.clone()
        other[1, place] = 8
        assert not torch.allclose(encoder(other, LENGTHS, MASK).fragments[1, 2], whole)


@pytest.mark.parametrize("name", sorted(IMAGE_ENCODERS))
def test_initial_values_of_an_image_encoder_are_those_of_its_generator(name: str) -> None:
    made = []
    for state in (1, 2):
        torch.manual_seed(state)
        made.append(image_encoder(5, 8, name).state_dict())
    assert all(torch.equal(made[0][key], made[1][key]) for key in made[0])


@pytest.mark.parametrize("name", sorted(TEXT_ENCODERS))
def test_initial_values_of_a_text_encoder_are_those_of_its_generator(name: str) -> None:
    made = []
    for state in (1, 2):
        torch.manual_seed(state)
        made.append(text_encoder(name).state_dict())
    assert all(torch.equal(made[0][key], made[1][key]) for key in made[0])


def test_the_summary_of_a_text_is_the_mean_of_the_two_last_states() -> None:
    encoder = GruEncoder(9, 4, 8, seeded())
    states, _ = encoder.recur(encoder.embed(IDS[:1, :3]))
    expected = (states[0, 2, :8] + states[0, 0, 8:]) / 2
    summary = encoder(IDS[:1, :3], LENGTHS[:1], MASK[:1, :3]).summary[0]
    torch.testing.assert_close(summary, expected / expected.norm())


def test_initial_values_of_the_region_word_family_lie_in_their_range() -> None:
    one, other = GruEncoder(9, 4, 16, seeded()), GruEncoder(9, 4, 16, seeded(1))
    assert not torch.equal(one.embed.weight, other.embed.weight)
    assert one.embed.weight.abs().max() <= 0.1
    assert all(p.abs().max() <= 0.25 for p in one.recur.parameters())
    image = image_encoder(30, 66)
    assert isinstance(image, RegionEncoder)
    values = dict(image.named_parameters())
    assert 0.24 < values["projection.project.weight"].abs().max() <= 0.25  # sqrt(6 / (30 + 66))
    assert (values["projection.project.bias"] == 0).all()


@pytest.mark.parametrize("pooling", sorted(POOLINGS))
def test_wholes_are_pooled_in_single_precision_whatever_the_encoder_computes_in(pooling: str) -> None:
    regions, present = torch.randn(2, 3, 5, generator=seeded()), torch.ones(2, 3, dtype=torch.bool)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        image = image_encoder(5, 8, pooling=pooling)(regions, present, BOXES)
        text = text_encoder("gru", pooling)(IDS, LENGTHS, MASK)
    assert {image.summary.dtype, text.summary.dtype, image.fragments.dtype} == {torch.float32}
