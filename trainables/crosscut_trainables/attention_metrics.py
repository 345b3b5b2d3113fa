"""Does attention look where the words point: precision, recall and F1 of words' attention to regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crosscut_trainables.data.split import Split

Array = NDArray[np.float32]


@dataclass(frozen=True)
class AttentionScore:
    """Counts over all words that refer to a place, pooled over the words of all captions.

    From "More Than Just Attention" (arXiv 2105.09597). A region is relevant to a word if it overlaps one of
    the word's true boxes by more than a threshold, attended if its weight exceeds a threshold. [reading] That
    the counts are pooled, rather than averaged by word, is ours: it needs no rule for words that attend to
    nothing.
    """

    hits: int
    """(word, region) that are attended and relevant"""
    attended: int
    relevant: int

    @property
    def precision(self) -> float:
        """Share of the attended that are relevant, in percent; 0 where nothing is attended."""
        return 100.0 * self.hits / self.attended if self.attended else 0.0

    @property
    def recall(self) -> float:
        """Share of the relevant that are attended, in percent; 0 where nothing is relevant."""
        return 100.0 * self.hits / self.relevant if self.relevant else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of the two, in percent."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def overlap(a: Array, b: Array) -> Array:
    """(n, k) intersection over union of the boxes `a` (n, 4) and `b` (k, 4), each (x1, y1, x2, y2)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = [np.clip(x[:, 2:] - x[:, :2], 0, None).prod(axis=1) for x in (a, b)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    ious: Array = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return ious


Threshold = float | None
"""A weight above which a region is attended; None is 1 / (regions present in the image)."""
Grid = Mapping[tuple[float, Threshold], AttentionScore]
"""Scores by overlap and threshold."""


def attention_scores(
    split: Split, weights: Sequence[Array], ious: Sequence[float], thresholds: Sequence[Threshold]
) -> Grid:
    """Score the attention of words to the regions of their own image at every overlap with every threshold.

    `weights` has, for each caption, (words, regions) weights without those of start and end marks. Only words
    that refer to a place count. Raises ValueError for a split that has no referents.
    """
    if split.referents is None:
        raise ValueError("the split does not know what its words refer to")
    hits = np.zeros((len(ious), len(thresholds)), np.int64)
    relevant, attended = np.zeros(len(ious), np.int64), np.zeros(len(thresholds), np.int64)
    for caption, image in enumerate(split.image_of):
        referents = split.referents[caption]
        words = [word for word, boxes in enumerate(referents) if len(boxes)]
        if not words:
            continue
        present = split.present[image]
        overlaps = overlap(split.boxes[image], np.concatenate([referents[word] for word in words]))
        starts = np.cumsum([0, *(len(referents[word]) for word in words[:-1])])
        best = np.maximum.reduceat(overlaps, starts, axis=1).T
        own = weights[caption][words]
        limits = [1.0 / int(present.sum()) if one is None else one for one in thresholds]
        near = [(best > iou) & present for iou in ious]
        seen = [(own > limit) & present for limit in limits]
        relevant += [int(one.sum()) for one in near]
        attended += [int(one.sum()) for one in seen]
        hits += [[int((one & other).sum()) for other in seen] for one in near]
    return {
        (iou, threshold): AttentionScore(int(hits[i, j]), int(attended[j]), int(relevant[i]))
        for i, iou in enumerate(ious)
        for j, threshold in enumerate(thresholds)
    }


def attention_metrics(
    name: str,
    split: Split,
    weights: Sequence[Array],
    iou: float,
    threshold: Threshold = None,
    sweep: Sequence[float] = (),
    thresholds: Sequence[float] = (),
) -> dict[str, float]:
    """`name/attention_precision`, `_recall` and `_f1`, at the overlap `iou` and `threshold`.

    For further overlaps, `sweep`, the same with `_iou_0.3` and so on; for further `thresholds` with `_weight_0.1`;
    for each of the first with each of the second with `_iou_0.3_weight_0.1`.
    """
    overlaps = [(iou, ""), *((other, f"_iou_{other:g}") for other in sweep)]
    limits = [(threshold, ""), *((other, f"_weight_{other:g}") for other in thresholds)]
    grid = attention_scores(split, weights, [one for one, _ in overlaps], [one for one, _ in limits])
    metrics: dict[str, float] = {}
    for at, first in overlaps:
        for limit, second in limits:
            score = grid[at, limit]
            metrics[f"{name}/attention_precision{first}{second}"] = score.precision
            metrics[f"{name}/attention_recall{first}{second}"] = score.recall
            metrics[f"{name}/attention_f1{first}{second}"] = score.f1
    return metrics
