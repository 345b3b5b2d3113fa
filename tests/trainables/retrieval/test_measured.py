"""What is measured of a split: recalls, recalls in folds, and further metrics by query."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.evaluation import QueryValues
from crosscut_trainables.measured import further, in_folds, recalls
from crosscut_trainables.metrics import NAMES
from crosscut_trainables.positive_ranks import by_category, by_image
from crosscut_trainables.query_metrics import METRICS
from crosscut_trainables.retrieval import train
from crosscut_trainables.session import MemorySession
from crosscut_trainables.trainable import Measuring, description_of

IMAGE_OF = np.repeat(np.arange(20, dtype=np.int32), 3)
BY_IMAGE = {"": by_image(IMAGE_OF, 20)}


@pytest.fixture
def scores() -> NDArray[np.float32]:
    """Correct pairs a little ahead, with ties."""
    random = np.random.default_rng(0)
    noise = random.integers(0, 6, (20, 60)).astype(np.float32)
    return noise + 2 * (np.arange(20)[:, None] == IMAGE_OF)


def test_in_folds_each_query_is_ranked_among_its_own_fold(scores: NDArray[np.float32]) -> None:
    found = in_folds("test", scores, IMAGE_OF, 5)
    assert set(found.ranks) == {"test-5fold/i2t", "test-5fold/t2i"}
    means = []
    for fold in range(5):
        own = slice(4 * fold, 4 * fold + 4)
        captions = slice(12 * fold, 12 * fold + 12)
        alone = recalls("x", scores[own, captions], IMAGE_OF[captions] - 4 * fold)
        np.testing.assert_array_equal(found.ranks["test-5fold/i2t"].ranks[own], alone.ranks["x/i2t"].ranks)
        np.testing.assert_array_equal(
            found.ranks["test-5fold/t2i"].ranks[captions], alone.ranks["x/t2i"].ranks
        )
        means.append(alone.metrics["x/rsum"])
    assert found.metrics["test-5fold/rsum"] == pytest.approx(np.mean(means))
    np.testing.assert_array_equal(found.ranks["test-5fold/i2t"].clusters, np.arange(20))
    np.testing.assert_array_equal(found.ranks["test-5fold/t2i"].clusters, IMAGE_OF)


def test_rsum_in_folds_is_no_six_times_the_mean_of_one_direction(scores: NDArray[np.float32]) -> None:
    found = in_folds("test", scores, IMAGE_OF, 5).metrics
    six = [found[f"test-5fold/{way}_r{k}"] for way in ("i2t", "t2i") for k in (1, 5, 10)]
    assert found["test-5fold/rsum"] == pytest.approx(sum(six))
    assert found["test-5fold/rsum"] != pytest.approx(6 * np.mean(six[:3]))


def test_folds_of_unequal_captions_weigh_by_their_queries_and_images_without_captions_are_none() -> None:
    image_of = np.array([0, 0, 0, 1, 3], np.int32)
    scores = np.zeros((4, 5), np.float32)
    scores[image_of[:4], np.arange(4)] = 1.0  # the first fold is all right, the second all wrong
    found = in_folds("test", scores, image_of, 2)
    np.testing.assert_array_equal(found.ranks["test-2fold/i2t"].clusters, [0, 1, 3])
    np.testing.assert_array_equal(found.ranks["test-2fold/t2i"].ranks, [1, 1, 1, 1, 2])
    np.testing.assert_array_equal(found.ranks["test-2fold/t2i"].clusters, image_of)
    assert found.metrics["test-2fold/t2i_r1"] == 80.0


def test_one_fold_is_the_whole(scores: NDArray[np.float32]) -> None:
    one, whole = in_folds("test", scores, IMAGE_OF, 1), recalls("test", scores, IMAGE_OF)
    for way in ("i2t", "t2i"):
        np.testing.assert_array_equal(one.ranks[f"test-1fold/{way}"].ranks, whole.ranks[f"test/{way}"].ranks)


def test_folds_that_do_not_divide_the_images_are_refused(scores: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match="20 images do not make 3 folds of one size"):
        in_folds("test", scores, IMAGE_OF, 3)


@pytest.mark.parametrize("name", sorted(METRICS))
def test_a_further_metric_is_the_mean_of_its_values_by_query(scores: NDArray[np.float32], name: str) -> None:
    found = further("test", scores, IMAGE_OF, [name], BY_IMAGE)
    assert set(found.metrics) == set(found.values) == {f"test/i2t_{name}", f"test/t2i_{name}"}
    for metric, values in found.values.items():
        assert values.values.dtype == np.float32
        assert found.metrics[metric] == pytest.approx(values.values.mean(), rel=1e-6)
    assert len(found.values[f"test/i2t_{name}"].values) == 20
    np.testing.assert_array_equal(found.values[f"test/t2i_{name}"].clusters, IMAGE_OF)


def test_further_recalls_are_the_recalls_in_percent(scores: NDArray[np.float32]) -> None:
    plain, found = (
        recalls("test", scores, IMAGE_OF),
        further("test", scores, IMAGE_OF, ["r1", "r10", "best_rank"], BY_IMAGE),
    )
    for name in ("i2t_r1", "t2i_r1", "i2t_r10", "t2i_r10"):
        assert found.metrics[f"test/{name}"] == pytest.approx(plain.metrics[f"test/{name}"])
    for way in ("i2t", "t2i"):
        np.testing.assert_array_equal(
            found.values[f"test/{way}_best_rank"].values, plain.ranks[f"test/{way}"].ranks
        )


def test_an_image_without_captions_is_no_query(scores: NDArray[np.float32]) -> None:
    fewer = IMAGE_OF[3:]
    found = further("test", scores[:, 3:], fewer, ["map"], {"": by_image(fewer, 20)})
    assert found.values["test/i2t_map"].clusters.tolist() == list(range(1, 20))
    assert np.isfinite(found.values["test/i2t_map"].values).all()


def test_by_category_everything_of_the_querys_category_is_relevant(scores: NDArray[np.float32]) -> None:
    categories = np.arange(20, dtype=np.int32) % 3
    found = further(
        "test",
        scores,
        IMAGE_OF,
        ["category_precision_at_5", "r1"],
        {
            **BY_IMAGE,
            "category_": (
                by_category([(c,) for c in categories], [(c,) for c in categories[IMAGE_OF]]),
                by_category([(c,) for c in categories[IMAGE_OF]], [(c,) for c in categories]),
            ),
        },
    )
    ranked = np.argsort(
        -(scores + 1e-3 * (categories[:, None] != categories[IMAGE_OF])), axis=1, kind="stable"
    )
    for image in range(20):
        hits = (categories[IMAGE_OF[ranked[image, :5]]] == categories[image]).sum()
        assert found.values["test/i2t_category_precision_at_5"].values[image] == pytest.approx(20 * hits)
    assert len(found.values["test/t2i_category_precision_at_5"].values) == 60
    plain = recalls("test", scores, IMAGE_OF).metrics
    assert found.metrics["test/i2t_r1"] == pytest.approx(plain["test/i2t_r1"])


def test_without_categories_nothing_goes_by_them() -> None:
    description = description_of(train)
    assert description is not None
    config = RetrievalConfig.model_validate({"evaluation": {"metrics": ["category_map"]}})
    with pytest.raises(ValueError, match="found one by category, and test has no categories"):
        description.seconds(config)


def test_without_further_metrics_nothing_is_measured(scores: NDArray[np.float32]) -> None:
    found = further("test", scores, IMAGE_OF, [], {})
    assert (found.metrics, found.values) == ({}, {})


def test_a_run_has_what_is_asked_for_and_the_platform_knows_it_beforehand() -> None:
    config: dict[str, Any] = {
        "data": {"name": "digit-scenes", "train_scenes": 20, "dev_scenes": 5, "test_scenes": 10},
        "backbone": {"name": "vse++"},
        "training": {"epochs": 1, "batch_size": 16},
        "evaluation": {"metrics": ["map_at_7", "mrr"], "folds": 2, "on": {"again": {}}},
    }
    evaluation = train(config, MemorySession())
    description = description_of(train)
    assert isinstance(description, Measuring)
    known = description.metrics(RetrievalConfig.model_validate(config))
    assert set(known) <= set(evaluation.metrics)
    assert {"test/i2t_map_at_7", "again/t2i_mrr", "test-2fold/rsum", "again-2fold/i2t_r1"} <= set(known)
    assert len(known) == len(set(known)) == (1 + 2 + 2) * len(NAMES) + 2 * 4
    assert set(evaluation.values) == {
        f"{split}/{way}_{name}"
        for split in ("test", "again")
        for way in ("i2t", "t2i")
        for name in ("map_at_7", "mrr")
    }
    assert set(evaluation.ranks) == {
        f"{split}/{way}" for split in ("test", "again", "test-2fold", "again-2fold") for way in ("i2t", "t2i")
    }


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"metrics": ["mr"]}, "found metric 'mr', expected one of .*did you mean 'mrr'"),
        ({"metrics": ["map_at_0"]}, "found metric 'map_at_0'"),
        ({"folds": 1}, "greater than or equal to 2"),
    ],
)
def test_what_cannot_be_measured_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        RetrievalConfig.model_validate({"evaluation": options})


def test_values_and_their_clusters_are_of_one_length() -> None:
    with pytest.raises(ValueError, match="must be one-dimensional and of one length"):
        QueryValues(np.zeros(3, np.float32), np.zeros(2, np.int32))
