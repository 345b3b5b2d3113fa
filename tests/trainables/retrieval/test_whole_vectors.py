"""Alignment, uniformity and distances of a run's whole images and texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crosscut_reports.directions import higher_is_better
from crosscut_trainables import loop
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.retrieval import GEOMETRY, train
from crosscut_trainables.session import MemorySession
from crosscut_trainables.trainable import Measuring, description_of
from crosscut_trainables.whole_vectors import geometry, whole_vectors

BASE: dict[str, Any] = {
    "data": {"name": "digit-scenes", "train_scenes": 30, "dev_scenes": 8, "test_scenes": 12},
    "encoder": {"width": 8, "word_width": 8, "min_count": 1},
    "training": {"epochs": 1, "batch_size": 32},
    "evaluation": {"geometry": True, "on": {"noisy": {"perturb": [{"name": "region-noise"}]}}},
}


@pytest.mark.parametrize("backbone", ["vse++", "scan"])
def test_a_run_has_them_on_every_split_by_query(backbone: str) -> None:
    found = train({**BASE, "backbone": {"name": backbone}}, MemorySession(seed=1))
    for split in ("test", "noisy"):
        for name in GEOMETRY:
            assert np.isfinite(found.metrics[f"{split}/{name}"])
        for name in ("t2i_alignment", "t2i_positive_distance", "t2i_negative_distance"):
            values = found.values[f"{split}/{name}"]
            assert len(values.values) == 60
            assert found.metrics[f"{split}/{name}"] == pytest.approx(values.values.mean(), rel=1e-5)
            np.testing.assert_array_equal(values.clusters, found.ranks[f"{split}/t2i"].clusters)
        assert -8 <= found.metrics[f"{split}/i2t_uniformity"] <= 0
        squared = np.square(found.values[f"{split}/t2i_positive_distance"].values)
        np.testing.assert_allclose(found.values[f"{split}/t2i_alignment"].values, squared, rtol=1e-4)
    assert "dev/t2i_alignment" not in found.metrics


def test_vectors_are_those_that_the_model_compares_and_half_precision_has_length_1() -> None:
    for precision in ("fp32", "bf16"):
        plain = {**BASE, "backbone": {"name": "vse++"}}
        plain["training"] = {**BASE["training"], "precision": precision}
        training = loop.Training(RetrievalConfig.model_validate(plain), MemorySession(seed=1))
        training.model.eval()
        images, texts = whole_vectors(training.model, training.towers.prepared("test"), "cpu")
        np.testing.assert_allclose(np.linalg.norm(images, axis=1), 1, rtol=1e-6)
        np.testing.assert_allclose(np.linalg.norm(texts, axis=1), 1, rtol=1e-6)
        scores, _ = training.assessment.scores(training.towers.prepared("test"))
        np.testing.assert_allclose(images @ texts.T, scores, atol=1e-6 if precision == "fp32" else 1e-2)


def test_a_single_image_has_neither_negative_pairs_nor_uniformity() -> None:
    one = np.eye(2, dtype=np.float32)
    found = geometry("test", one[:1], one, np.array([0, 0], np.int32))
    assert found.metrics == {
        "test/t2i_uniformity": pytest.approx(-4.0),
        "test/t2i_alignment": 1.0,
        "test/t2i_positive_distance": pytest.approx(np.sqrt(2) / 2),
    }


def test_the_description_knows_their_names_and_the_report_their_direction() -> None:
    description = description_of(train)
    assert isinstance(description, Measuring)
    config = RetrievalConfig.model_validate(BASE)
    names = set(description.metrics(config))
    assert {f"{split}/{name}" for split in ("test", "noisy") for name in GEOMETRY} <= names
    better = [name for name in GEOMETRY if higher_is_better(f"test/{name}")]
    assert better == ["t2i_negative_distance"]
    assert not names & {f"dev/{name}" for name in GEOMETRY}
