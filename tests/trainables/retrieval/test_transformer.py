"""The transformers, and patches in the place of regions."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from crosscut_trainables import loop
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.data import DATASETS
from crosscut_trainables.data.split import Split
from crosscut_trainables.encoders.patches import Patches
from crosscut_trainables.encoders.text_transformer import TextTransformer
from crosscut_trainables.encoders.transformer import Block
from crosscut_trainables.pooling import OWN
from crosscut_trainables.retrieval import train
from crosscut_trainables.session import MemorySession

FEW = {"name": "digit-scenes", "train_scenes": 20, "dev_scenes": 10, "test_scenes": 10}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def split() -> Split:
    return DATASETS["digit-scenes"].model_validate(FEW).load("dev")


def test_a_block_is_the_transformer_layer_with_normalisation_first() -> None:
    torch.manual_seed(3)
    block = Block(8, heads=2, mlp_ratio=3, dropout=0.0).double()
    layer = torch.nn.TransformerEncoderLayer(
        8, 2, 24, 0.0, "gelu", batch_first=True, norm_first=True, dtype=torch.float64
    )
    attention = layer.self_attn
    with torch.no_grad():
        for norm in (block.norm_attention, block.norm_mlp):
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.uniform_(-1, 1)
        assert attention.in_proj_weight is not None
        attention.in_proj_weight.copy_(torch.cat([block.query.weight, block.key.weight, block.value.weight]))
        attention.in_proj_bias.copy_(torch.cat([block.query.bias, torch.zeros(8), block.value.bias]))
        attention.out_proj.load_state_dict(block.out.state_dict())
        for ours, theirs in (
            (block.norm_attention, layer.norm1),
            (block.norm_mlp, layer.norm2),
            (block.hidden, layer.linear1),
            (block.back, layer.linear2),
        ):
            theirs.load_state_dict(ours.state_dict())
    x = torch.randn(3, 5, 8, dtype=torch.float64, generator=seeded())
    mask = torch.arange(5) < torch.tensor([[5], [2], [4]])
    expected = layer(x, src_key_padding_mask=~mask)
    torch.testing.assert_close(block(x, mask, None)[mask], expected[mask])


def test_patches_are_cut_row_by_row_and_know_their_boxes(split: Split) -> None:
    seen = Patches(patch=10).view(split)
    assert split.scenes is not None
    assert seen.regions.shape == (10, 9, 100)
    for place in range(9):
        row, column = divmod(place, 3)
        cut = split.scenes[:, row * 10 : row * 10 + 10, column * 10 : column * 10 + 10]
        np.testing.assert_allclose(seen.regions[:][:, place], cut.reshape(10, 100) / 255, rtol=1e-6)
        box = np.array([column, row, column + 1, row + 1]) / 3
        np.testing.assert_allclose(seen.boxes[:, place], np.tile(box, (10, 1)), rtol=1e-6)
    assert seen.present.all()
    assert seen.captions is split.captions


def test_a_side_that_is_no_multiple_of_a_patch_is_filled_up(split: Split) -> None:
    seen = Patches(patch=8).view(split)
    assert split.scenes is not None
    assert seen.regions.shape == (10, 16, 64)
    corner = seen.regions[:][:, 15].reshape(10, 8, 8)
    np.testing.assert_allclose(corner[:, :6, :6], split.scenes[:, 24:, 24:] / np.float32(255), rtol=1e-6)
    assert not corner[:, 6:].any()
    assert not corner[:, :, 6:].any()
    assert seen.boxes[0, 15].tolist() == pytest.approx([0.8, 0.8, 1, 1])


def test_data_without_whole_images_have_no_patches(split: Split) -> None:
    with pytest.raises(ValueError, match="patches are of whole images, and this data set has regions only"):
        Patches().view(dataclasses.replace(split, scenes=None))


def test_the_place_of_a_patch_and_of_a_word_matters() -> None:
    image = Patches(heads=2).module(5, 3, 8, OWN, seeded())
    regions, boxes = torch.randn(1, 3, 5, generator=seeded()), torch.rand(1, 3, 4)
    present = torch.ones(1, 3, dtype=torch.bool)
    moved = image(regions.flip(1), present, boxes).summary
    assert not torch.allclose(image(regions, present, boxes).summary, moved)
    text = TextTransformer(heads=2).module(9, 4, 8, OWN, 0.0, seeded())
    ids, lengths, mask = torch.tensor([[1, 5, 6, 2]]), torch.tensor([4]), torch.ones(1, 4, dtype=torch.bool)
    assert not torch.allclose(text(ids, lengths, mask).summary, text(ids.flip(1), lengths, mask).summary)


def test_words_beyond_the_last_position_share_it() -> None:
    text = TextTransformer(heads=2, positions=3).module(9, 4, 8, OWN, 0.0, seeded())
    ids, lengths, mask = (
        torch.tensor([[1, 5, 6, 7, 7]]),
        torch.tensor([5]),
        torch.ones(1, 5, dtype=torch.bool),
    )
    fragments = text(ids, lengths, mask).fragments[0]
    torch.testing.assert_close(fragments[3], fragments[4])
    assert not torch.allclose(fragments[2], fragments[3])


@pytest.mark.parametrize(
    ("key", "encoder"), [("image", {"name": "patches"}), ("text", {"name": "transformer", "heads": 8})]
)
def test_heads_that_do_not_divide_the_width_are_refused(key: str, encoder: Any) -> None:
    with pytest.raises(ValidationError, match=f"{key}: . heads do not divide a width of 30"):
        RetrievalConfig.model_validate({"encoder": {"width": 30, key: encoder}})


DUAL: dict[str, Any] = {
    "data": FEW,
    "encoder": {
        "width": 32,
        "word_width": 32,
        "image": {"name": "patches", "patch": 10, "layers": 1},
        "text": {"name": "transformer", "layers": 1},
    },
    "training": {"epochs": 12, "batch_size": 50, "learning_rate": 0.003, "schedule": "cosine"},
}


@pytest.mark.parametrize("backbone", ["vse++", "scan"])
def test_transformers_of_patches_and_words_learn(backbone: str) -> None:
    session = MemorySession(seed=1)
    evaluation = train({**DUAL, "backbone": {"name": backbone}}, session)
    losses = [metrics["loss/match"] for _, metrics in session.reports]
    assert losses[-1] < 0.9 * losses[0]
    assert evaluation.notes == ()
    # Words of scenes attend to patches as they do to regions.
    assert ("test/attention_f1" in evaluation.metrics) == (backbone == "scan")
    assert bool(session.pictures) == (backbone == "scan")


def test_a_resumed_run_is_the_undisturbed_one_to_the_bit() -> None:
    encoder = {**DUAL["encoder"], "text": {"name": "transformer", "layers": 1, "dropout": 0.2}}
    config = {**DUAL, "encoder": encoder, "training": {**DUAL["training"], "epochs": 2}}
    checked = RetrievalConfig.model_validate(config)
    expected = loop.run(checked, MemorySession(seed=2))
    stopped = MemorySession(seed=2, stop_after=2)
    loop.run(checked, stopped)
    resumed = loop.run(checked, MemorySession(seed=2, state=stopped.state))
    assert resumed.metrics == expected.metrics
    assert all(np.array_equal(resumed.ranks[key].ranks, expected.ranks[key].ranks) for key in expected.ranks)
