"""Does attention look where the words point: precision, recall and F1 of words' attention to regions."""

from __future__ import annotations

from collections.abc import Sequence
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


def attention_score(
    split: Split, weights: Sequence[Array], iou: float, threshold: float | None = None
) -> AttentionScore:
    """Score the attention of words to the regions of their own image.

    `weights` has, for each caption, (words, regions) weights without those of start and end marks. Only words
    that refer to a place count. `threshold` None is 1 / (regions present in the image). Raises ValueError
    for a split that has no referents.
    """
    if split.referents is None:
        raise ValueError("the split does not know what its words refer to")
    hits = attended = relevant = 0
    for caption, image in enumerate(split.image_of):
        referents = split.referents[caption]
        words = [word for word, boxes in enumerate(referents) if len(boxes)]
        if not words:
            continue
        present = split.present[image]
        ious = overlap(split.boxes[image], np.concatenate([referents[word] for word in words]))
        starts = np.cumsum([0, *(len(referents[word]) for word in words[:-1])])
        best = np.maximum.reduceat(ious, starts, axis=1).T
        near = (best > iou) & present
        limit = 1.0 / int(present.sum()) if threshold is None else threshold
        seen = (weights[caption][words] > limit) & present
        hits += int((near & seen).sum())
        attended += int(seen.sum())
        relevant += int(near.sum())
    return AttentionScore(hits, attended, relevant)


def attention_metrics(
    name: str,
    split: Split,
    weights: Sequence[Array],
    iou: float,
    threshold: float | None = None,
    sweep: Sequence[float] = (),
) -> dict[str, float]:
    """`name/attention_precision`, `_recall` and `_f1`; for the sweep the same with `_iou_0.3` and so on."""
    metrics: dict[str, float] = {}
    for at, suffix in [(iou, ""), *((other, f"_iou_{other:g}") for other in sweep)]:
        score = attention_score(split, weights, at, threshold)
        metrics[f"{name}/attention_precision{suffix}"] = score.precision
        metrics[f"{name}/attention_recall{suffix}"] = score.recall
        metrics[f"{name}/attention_f1{suffix}"] = score.f1
    return metrics
