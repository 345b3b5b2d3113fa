"""What a run keeps of its evaluation beside metrics: rankings, lengths, examples, and what its splits are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crosscut_trainables.assessment import LONGEST_SIDE, spread
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.data.digit_scenes import DigitScenes
from crosscut_trainables.domain import facts_of, split_of
from crosscut_trainables.evaluation import Evaluation, QueryRanking
from crosscut_trainables.rankings import ranking
from crosscut_trainables.retrieval import train
from crosscut_trainables.session import MemorySession

DATA = {"name": "digit-scenes", "train_scenes": 30, "dev_scenes": 8, "test_scenes": 12}
BASE: dict[str, Any] = {
    "data": DATA,
    "encoder": {"width": 8, "word_width": 8, "min_count": 1},
    "backbone": {"name": "scan"},
    "training": {"epochs": 1, "batch_size": 32},
    "evaluation": {"examples": 7, "rankings": 5, "on": {"noisy": {"perturb": [{"name": "region-noise"}]}}},
}


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return train(BASE, MemorySession(seed=1))


def test_the_best_item_of_a_ranking_is_the_correct_one_where_its_rank_is_1(evaluation: Evaluation) -> None:
    assert set(evaluation.rankings) == {"test/i2t", "test/t2i", "noisy/i2t", "noisy/t2i"}
    for split in ("test", "noisy"):
        image_of = evaluation.ranks[f"{split}/t2i"].clusters
        texts, images = (evaluation.rankings[f"{split}/{way}"] for way in ("t2i", "i2t"))
        assert texts.items.shape == (60, 5) and images.items.shape == (12, 5)
        assert (texts.gallery, images.gallery) == (12, 60)
        for query, rank in enumerate(evaluation.ranks[f"{split}/t2i"].ranks):
            hits = 1 + np.flatnonzero(texts.items[query] == image_of[query])
            assert hits.tolist() == ([rank] if rank <= 5 else [])
        for query, rank in enumerate(evaluation.ranks[f"{split}/i2t"].ranks):
            hits = 1 + np.flatnonzero(image_of[images.items[query]] == query)
            assert (hits[:1].tolist() or [rank]) == [rank]


def test_without_depth_there_are_no_rankings_and_images_without_captions_are_no_queries() -> None:
    scores = np.arange(12, dtype=np.float32).reshape(3, 4)
    image_of = np.array([0, 0, 2, 2], np.int32)
    assert ranking("test", scores, image_of, 0).rankings == {}
    found = ranking("test", scores, image_of, 2).rankings
    assert found["test/i2t"].items.tolist() == [[3, 2], [3, 2]]
    assert found["test/t2i"].items.tolist() == [[2, 1]] * 4
    with pytest.raises(ValueError, match="do not fit a gallery of 1 items"):
        QueryRanking(np.zeros((3, 2), np.int32), 1)


def test_lengths_are_those_of_the_captions(evaluation: Evaluation) -> None:
    captions = DigitScenes.model_validate(DATA).load("test").captions
    for split in ("test", "noisy"):
        assert evaluation.traits[f"{split}/t2i_words"].values.tolist() == [len(c) for c in captions]
        np.testing.assert_array_equal(
            evaluation.traits[f"{split}/t2i_words"].clusters, evaluation.ranks[f"{split}/t2i"].clusters
        )


def test_examples_are_evenly_apart_with_their_attention_and_picture(evaluation: Evaluation) -> None:
    split = DigitScenes.model_validate(DATA).load("test")
    assert split.scenes is not None
    examples = evaluation.examples["test/t2i"]
    assert [example.query for example in examples] == [0, 8, 17, 25, 34, 42, 51]
    for example in examples:
        image = split.image_of[example.query]
        assert example.words == tuple(split.captions[example.query])
        np.testing.assert_array_equal(example.boxes, split.boxes[image])
        np.testing.assert_array_equal(example.picture, split.scenes[image])
        assert example.attention is not None
        assert example.attention.shape == (len(example.words), 8)
        np.testing.assert_allclose(example.attention.sum(1), 1, rtol=1e-5)


def test_a_model_without_attention_has_examples_without_it() -> None:
    config = {**BASE, "backbone": {"name": "vse++"}}
    found = train(config, MemorySession(seed=1))
    assert [example.attention for example in found.examples["test/t2i"]] == [None] * 7
    none = train({**config, "evaluation": {"examples": 0, "rankings": 0}}, MemorySession(seed=1))
    assert none.examples["test/t2i"] == () and none.rankings == {}
    assert none.metrics["test/rsum"] == found.metrics["test/rsum"]


def test_a_search_trial_keeps_nothing_of_test() -> None:
    found = train(BASE, MemorySession(seed=1, phase="search"))
    assert not (found.ranks or found.rankings or found.examples or found.traits or found.splits)


def test_pictures_of_photographs_are_small_with_their_proportions() -> None:
    from crosscut_trainables.assessment import _small

    picture = np.zeros((400, 640, 3), np.uint8)
    assert _small(picture).shape == (100, LONGEST_SIDE, 3)
    assert _small(picture[:90, :100]) is not None and _small(picture[:90, :100]).shape == (90, 100, 3)


@pytest.mark.parametrize(
    ("count", "wanted", "found"), [(10, 3, [0, 3, 6]), (2, 5, [0, 1]), (0, 3, []), (4, 0, [])]
)
def test_spread_numbers_are_evenly_apart(count: int, wanted: int, found: list[int]) -> None:
    assert spread(count, wanted) == found


def facts(name: str, **domain: Any) -> Any:
    config = RetrievalConfig.model_validate({**BASE, "evaluation": {"on": {name: domain}}})
    return facts_of(config, "test"), facts_of(config, name), config


def test_what_is_done_to_a_split_leaves_its_units_and_makes_a_series_of_it() -> None:
    own, other, _ = facts("noisy", perturb=[{"name": "typos", "severity": 4}])
    assert other.units == own.units and (other.series, other.severity) == ("typos", 4.0)
    assert (own.series, own.severity) == (None, None)
    both = [{"name": "typos", "severity": 2}, {"name": "region-noise", "severity": 2}]
    assert facts("both", perturb=both)[1].series == "typos+region-noise"
    both[1]["severity"] = 3
    assert facts("both", perturb=both)[1].series is None


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"drawing": "rotation"}, True),
        ({"language": "verbose"}, True),
        ({"text": "ambiguous"}, True),
        ({"drawing": "blur", "language": "terse"}, True),
        ({"composition": "dense"}, False),
        ({"text": "accurate"}, False),
        ({"seed": 1}, False),
        ({"test_scenes": 13}, False),
    ],
)
def test_units_are_the_same_exactly_where_scenes_are(changes: dict[str, Any], same: bool) -> None:
    from crosscut_trainables.data.digit_scenes import layouts

    own, other, config = facts("other", data=changes)
    assert (own.units == other.units) is same
    data = config.evaluation.on["other"].data
    assert (layouts(config.data)["test"] == layouts(data)["test"]) is same
    if same:
        one, two = split_of(config, "test"), split_of(config, "other")
        np.testing.assert_array_equal(one.image_of, two.image_of)


def test_another_split_of_the_same_data_has_other_units() -> None:
    own, other, _ = facts("dev2", split="dev")
    assert own.units != other.units
