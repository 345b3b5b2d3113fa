"""Precision, recall and F1 of attention, on a case worked out by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from crosscut_trainables.attention_metrics import (
    AttentionScore,
    attention_metrics,
    attention_scores,
    overlap,
)
from crosscut_trainables.data.split import Split

BOXES = np.array([[0, 0, 0.5, 0.5], [0.5, 0, 1, 0.5], [0, 0.5, 0.5, 1], [0, 0, 0, 0]], np.float32)
NOWHERE = np.zeros((0, 4), np.float32)


@pytest.fixture
def split() -> Split:
    """One image of three regions and a place of padding; `left` is region 0, `both` are regions 1 and 2."""
    return Split(
        regions=np.zeros((1, 4, 2), np.float32),
        boxes=BOXES[None],
        present=np.array([[True, True, True, False]]),
        captions=[["left", "a", "both"]],
        image_of=np.array([0], np.int32),
        referents=[[BOXES[:1], NOWHERE, BOXES[1:3]]],
    )


WEIGHTS = [np.array([[0.8, 0.1, 0.1, 0], [0.4, 0.3, 0.3, 0], [0.4, 0.5, 0.1, 0]], np.float32)]


def attention_score(split: Split, weights: Any, iou: float, threshold: float | None = None) -> AttentionScore:
    return attention_scores(split, weights, [iou], [threshold])[iou, threshold]


def test_overlap_of_half_shifted_boxes_is_a_third() -> None:
    a, b = np.array([[0, 0, 1, 1]], np.float32), np.array([[0.5, 0, 1.5, 1], [2, 2, 3, 3]], np.float32)
    assert overlap(a, b)[0].tolist() == pytest.approx([1 / 3, 0.0])
    assert overlap(a, a)[0, 0] == pytest.approx(1.0)
    assert overlap(BOXES[3:], BOXES[3:])[0, 0] == 0.0


def test_counts_are_those_made_by_hand(split: Split) -> None:
    # Above 1/3: `left` attends to 0 (relevant); `both` to 0 (not) and 1 (relevant); region 2 is missed.
    score = attention_score(split, WEIGHTS, iou=0.5)
    assert (score.hits, score.attended, score.relevant) == (2, 3, 3)
    assert score.precision == pytest.approx(200 / 3)
    assert score.f1 == pytest.approx(200 / 3)


def test_a_lower_threshold_attends_to_more(split: Split) -> None:
    score = attention_score(split, WEIGHTS, iou=0.5, threshold=0.05)
    assert (score.hits, score.attended, score.relevant) == (3, 6, 3)
    assert (score.precision, score.recall) == (50.0, 100.0)


def test_padding_is_neither_attended_nor_relevant(split: Split) -> None:
    assert split.referents is not None
    with_box = dataclasses.replace(split, boxes=np.where(split.present[..., None], split.boxes, BOXES[0]))
    assert attention_score(with_box, WEIGHTS, iou=0.5, threshold=0.0) == attention_score(
        split, WEIGHTS, iou=0.5, threshold=0.0
    )


def test_attending_to_nothing_scores_zero(split: Split) -> None:
    score = attention_score(split, WEIGHTS, iou=0.5, threshold=0.99)
    assert (score.precision, score.recall, score.f1) == (0.0, 0.0, 0.0)


def test_the_sweep_adds_metrics_of_its_own_names(split: Split) -> None:
    metrics = attention_metrics("test", split, WEIGHTS, 0.5, sweep=(0.3,))
    assert set(metrics) == {
        f"test/attention_{name}{suffix}"
        for name in ("precision", "recall", "f1")
        for suffix in ("", "_iou_0.3")
    }


def test_every_overlap_is_scored_with_every_weight(split: Split) -> None:
    metrics = attention_metrics("test", split, WEIGHTS, 0.5, sweep=(0.3, 0.99), thresholds=(0.05, 0.45))
    assert len(metrics) == 3 * 3 * 3
    for iou, first in ((0.5, ""), (0.3, "_iou_0.3"), (0.99, "_iou_0.99")):
        for threshold, second in ((None, ""), (0.05, "_weight_0.05"), (0.45, "_weight_0.45")):
            score = attention_score(split, WEIGHTS, iou, threshold)
            assert metrics[f"test/attention_precision{first}{second}"] == score.precision
            assert metrics[f"test/attention_recall{first}{second}"] == score.recall
            assert metrics[f"test/attention_f1{first}{second}"] == score.f1
    assert metrics["test/attention_recall_weight_0.05"] == 100.0
    assert metrics["test/attention_precision_weight_0.45"] == 100.0


def test_a_split_without_referents_is_refused(split: Split) -> None:
    with pytest.raises(ValueError, match="does not know what its words refer to"):
        attention_score(dataclasses.replace(split, referents=None), WEIGHTS, iou=0.5)
