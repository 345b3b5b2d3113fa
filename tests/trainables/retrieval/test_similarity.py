"""Similarity of all pairs in blocks."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from crosscut_trainables import similarity as module
from crosscut_trainables.attention_of_words import attention_of_words
from crosscut_trainables.backbones import BACKBONES, Scan
from crosscut_trainables.batches import PreparedSplit
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.data.vocabulary import Vocabulary
from crosscut_trainables.model import RetrievalModel
from crosscut_trainables.similarity import block_of_images, encode_images, encode_texts, similarity
from crosscut_trainables.towers.scratch import ScratchTowers

MakeModel = Callable[[RetrievalConfig], RetrievalModel]


@pytest.fixture
def prepared(toy_data: Any) -> PreparedSplit:
    return PreparedSplit.of(toy_data().load("test"), Vocabulary.build(toy_data().load("train").captions, 4))


@pytest.fixture
def model_of(toy_data: Any) -> MakeModel:
    def make(config: RetrievalConfig) -> RetrievalModel:
        config = config.model_copy(update={"data": toy_data()})
        return RetrievalModel(config, ScratchTowers(config), seed=1).eval()

    return make


@pytest.mark.parametrize("name", sorted(BACKBONES))
@pytest.mark.parametrize(("captions", "images"), [(256, 1000), (3, 4), (1, 1)])
def test_blocks_give_what_all_at_once_gives(
    prepared: PreparedSplit,
    model_of: MakeModel,
    name: str,
    captions: int,
    images: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = RetrievalConfig.model_validate({"backbone": {"name": name}})
    model = model_of(config)
    with torch.no_grad():
        whole = config.backbone.match(
            encode_images(model, prepared, torch.arange(10), "cpu"),
            encode_texts(model, prepared, torch.arange(20), "cpu"),
            model.backbone_parts,
        ).scores.numpy()
    monkeypatch.setattr(module, "CAPTIONS", captions)
    monkeypatch.setattr(module, "block_of_images", lambda *_: images)
    scores = similarity(model, config.backbone, prepared)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, whole, rtol=1e-5, atol=1e-6)


def test_a_bound_below_one_pair_still_compares_pair_by_pair(
    prepared: PreparedSplit, model_of: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = RetrievalConfig()
    model = model_of(config)
    expected = similarity(model, config.backbone, prepared)
    monkeypatch.setattr(module, "block_of_images", lambda *_: 0)
    np.testing.assert_allclose(similarity(model, config.backbone, prepared), expected, rtol=1e-5, atol=1e-6)


def test_a_block_holds_no_more_than_the_memory() -> None:
    backbone = Scan()
    images = block_of_images(backbone, regions=36, words=20, width=1024, captions=256, memory_mb=512)
    per_image = 4 * 3 * 20 * 256
    assert images * per_image <= 512 * 2**20 < (images + 1) * per_image


def test_attention_of_words_is_there_for_words_alone(prepared: PreparedSplit, model_of: MakeModel) -> None:
    config = RetrievalConfig()
    found = attention_of_words(model_of(config), config.backbone, prepared, torch.tensor([3, 0]))
    assert found is not None
    assert [len(weights) for weights in found] == (prepared.lengths[[3, 0]] - 2).tolist()
    for weights in found:
        np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-5)
    for options in ({"name": "scan", "direction": "i2t"}, {"name": "vse++"}):
        other = RetrievalConfig.model_validate({"backbone": options})
        assert attention_of_words(model_of(other), other.backbone, prepared, torch.tensor([0])) is None


@pytest.mark.parametrize("fusion", [None, {"local_weight": 0.5}], ids=["alone", "fused"])
@pytest.mark.parametrize(
    "backbone",
    [{"name": "scan", "direction": direction} for direction in ("t2i", "i2t", "both")]
    + [{"name": "bfan"}, {"name": "pfan"}],
    ids=str,
)
def test_in_bfloat16_scores_are_about_those_of_single_precision(
    prepared: PreparedSplit, model_of: MakeModel, backbone: dict[str, Any], fusion: dict[str, Any] | None
) -> None:
    plain = {"backbone": backbone, "fusion": fusion, "evaluation": {"precision": "bf16"}}
    config = RetrievalConfig.model_validate(plain)
    model = model_of(config)
    scores = similarity(model, config.comparison, prepared, bf16=True)
    exact = similarity(model, config.comparison, prepared)
    assert scores.dtype == np.float32
    assert 0 < np.abs(scores - exact).max() < 0.03


@pytest.mark.parametrize(
    "backbone", [{"name": "vse++"}, {"name": "sgr"}, {"name": "pfan", "peak": 0.5}], ids=str
)
def test_bfloat16_is_refused_where_more_than_fragments_is_compared(backbone: dict[str, Any]) -> None:
    name = "pfan with a peak" if "peak" in backbone else backbone["name"]
    with pytest.raises(ValueError, match=f"precision: bf16 needs .*{re.escape(name)} does not"):
        RetrievalConfig.model_validate({"backbone": backbone, "evaluation": {"precision": "bf16"}})
