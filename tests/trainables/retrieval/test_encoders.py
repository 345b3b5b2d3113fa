"""The encoders: unit vectors, blind to padding, and made from their generator alone."""

from __future__ import annotations

import pytest
import torch

from crosscut_trainables.encoders import IMAGE_ENCODERS
from crosscut_trainables.encoders.fragment_encoders import RegionEncoder, TextEncoder
from crosscut_trainables.fragments import Fragments
from crosscut_trainables.pooling import POOLINGS

BOXES = torch.tensor([0.1, 0.2, 0.4, 0.9]).expand(2, 3, 4)
LENGTHS = torch.tensor([3, 6, 2])
IDS = torch.tensor([[1, 5, 2, 0, 0, 0], [1, 4, 5, 6, 7, 2], [1, 2, 0, 0, 0, 0]])
MASK = torch.arange(6) < LENGTHS[:, None]


def image_encoder(
    features: int, width: int, name: str = "linear", pooling: str = "mean", seed: int = 0
) -> RegionEncoder:
    encoder = IMAGE_ENCODERS[name].model_validate({})
    return RegionEncoder(encoder.projection(features, width, seeded(seed)), width, pooling).eval()


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def check(fragments: Fragments) -> None:
    norms = fragments.fragments.norm(dim=-1)
    torch.testing.assert_close(norms[fragments.mask], torch.ones_like(norms[fragments.mask]))
    assert (fragments.fragments[~fragments.mask] == 0).all()
    torch.testing.assert_close(fragments.summary.norm(dim=-1), torch.ones(len(fragments)))


@pytest.mark.parametrize("name", sorted(IMAGE_ENCODERS))
def test_it_is_registered_under_its_own_name(name: str) -> None:
    encoder = IMAGE_ENCODERS[name].model_validate({})
    assert encoder.name == name
    assert encoder.summary


@pytest.mark.parametrize("name", sorted(IMAGE_ENCODERS))
@pytest.mark.parametrize("pooling", sorted(POOLINGS))
def test_regions_are_unit_vectors_and_padding_is_zero(name: str, pooling: str) -> None:
    regions = torch.randn(2, 3, 5, generator=seeded())
    present = torch.tensor([[True, True, False], [True, True, True]])
    check(image_encoder(5, 8, name, pooling)(regions, present, BOXES))


@pytest.mark.parametrize("pooling", ["last", *sorted(POOLINGS)])
def test_words_are_unit_vectors_and_padding_is_zero(pooling: str) -> None:
    check(TextEncoder(9, 4, 8, seeded(), pooling)(IDS, LENGTHS, MASK))


@pytest.mark.parametrize("name", sorted(IMAGE_ENCODERS))
@pytest.mark.parametrize("pooling", sorted(POOLINGS))
def test_every_parameter_of_an_image_encoder_gets_a_gradient(name: str, pooling: str) -> None:
    encoder = image_encoder(5, 8, name, pooling)
    regions = torch.randn(2, 3, 5, generator=seeded())
    found = encoder(regions, torch.tensor([[True, True, False], [True, True, True]]), BOXES)
    weights = torch.randn(8, generator=seeded(1))
    ((found.fragments + found.summary[:, None]) @ weights).square().sum().backward()
    assert all(p.grad is not None and (p.grad != 0).any() for p in encoder.parameters())


@pytest.mark.parametrize("name", sorted(IMAGE_ENCODERS))
@pytest.mark.parametrize("pooling", sorted(POOLINGS))
def test_what_stands_at_padding_changes_nothing_of_an_image(name: str, pooling: str) -> None:
    encoder, present = image_encoder(5, 8, name, pooling), torch.tensor([[True, True, False]])
    regions = torch.randn(1, 3, 5, generator=seeded())
    junk, boxes = regions.clone(), BOXES[:1].clone()
    junk[0, 2], boxes[0, 2] = 1e6, 0.5
    expected = encoder(regions, present, BOXES[:1])
    assert torch.equal(expected.summary, encoder(junk, present, boxes).summary)
    assert torch.equal(expected.fragments, encoder(junk, present, boxes).fragments)


@pytest.mark.parametrize("name", sorted(IMAGE_ENCODERS))
@pytest.mark.parametrize("pooling", sorted(POOLINGS))
def test_the_order_of_regions_changes_nothing_of_the_whole(name: str, pooling: str) -> None:
    encoder, present = image_encoder(5, 8, name, pooling), torch.tensor([[True, True, True]])
    regions, order = torch.randn(1, 3, 5, generator=seeded()), torch.tensor([2, 0, 1])
    boxes = torch.rand(1, 3, 4, generator=seeded()).sort(-1).values
    one = encoder(regions, present, boxes)
    two = encoder(regions[:, order], present, boxes[:, order])
    torch.testing.assert_close(one.summary, two.summary)
    torch.testing.assert_close(one.fragments[:, order], two.fragments)


def test_what_stands_at_padding_changes_nothing_of_a_text() -> None:
    words, junk_ids = TextEncoder(9, 4, 8, seeded()), torch.where(MASK, IDS, 8)
    for one, two in ((words(IDS, LENGTHS, MASK), words(junk_ids, LENGTHS, MASK)),):
        assert torch.equal(one.fragments, two.fragments)
        assert torch.equal(one.summary, two.summary)


def test_a_text_is_encoded_the_same_alone_and_in_a_batch() -> None:
    encoder = TextEncoder(9, 4, 8, seeded())
    batch = encoder(IDS, LENGTHS, MASK)
    alone = encoder(IDS[:1, :3], LENGTHS[:1], MASK[:1, :3])
    torch.testing.assert_close(batch.fragments[0, :3], alone.fragments[0])
    torch.testing.assert_close(batch.summary[0], alone.summary[0])


def test_a_word_depends_on_the_words_on_both_sides() -> None:
    encoder = TextEncoder(9, 4, 8, seeded())
    whole = encoder(IDS, LENGTHS, MASK).fragments[1, 2]
    for place in (1, 3):
        other = IDS.clone()
        other[1, place] = 8
        assert not torch.allclose(encoder(other, LENGTHS, MASK).fragments[1, 2], whole)


def test_the_summary_of_a_text_is_the_mean_of_the_two_last_states() -> None:
    encoder = TextEncoder(9, 4, 8, seeded())
    states, _ = encoder.recur(encoder.embed(IDS[:1, :3]))
    expected = (states[0, 2, :8] + states[0, 0, 8:]) / 2
    summary = encoder(IDS[:1, :3], LENGTHS[:1], MASK[:1, :3]).summary[0]
    torch.testing.assert_close(summary, expected / expected.norm())


def test_initial_values_come_from_the_generator_and_lie_in_their_range() -> None:
    torch.manual_seed(1)
    one, image = TextEncoder(9, 4, 16, seeded()), image_encoder(30, 66).projection.project
    torch.manual_seed(2)
    two, other = TextEncoder(9, 4, 16, seeded()), TextEncoder(9, 4, 16, seeded(1))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert not torch.equal(one.embed.weight, other.embed.weight)
    assert one.embed.weight.abs().max() <= 0.1
    assert all(p.abs().max() <= 0.25 for p in one.recur.parameters())
    assert 0.24 < image.weight.abs().max() <= 0.25  # sqrt(6 / (30 + 66))
    assert (image.bias == 0).all()


@pytest.mark.parametrize("pooling", sorted(POOLINGS))
def test_wholes_are_pooled_in_single_precision_whatever_the_encoder_computes_in(pooling: str) -> None:
    regions, present = torch.randn(2, 3, 5, generator=seeded()), torch.ones(2, 3, dtype=torch.bool)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        image = image_encoder(5, 8, pooling=pooling)(regions, present, BOXES)
        text = TextEncoder(9, 4, 8, seeded(), pooling)(IDS, LENGTHS, MASK)
    assert {image.summary.dtype, text.summary.dtype, image.fragments.dtype} == {torch.float32}
