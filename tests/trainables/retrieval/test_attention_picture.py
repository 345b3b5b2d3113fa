"""The picture of attention."""

from __future__ import annotations

import numpy as np
import pytest

from crosscut_trainables.attention_picture import attention_picture
from crosscut_trainables.evaluation import QueryExample


def example(weights: list[list[float]], words: list[str], scene: bool = True) -> QueryExample:
    return QueryExample(
        query=0,
        words=tuple(words),
        attention=np.array(weights, np.float32),
        boxes=np.array([[0, 0, 0.5, 1], [0.5, 0, 1, 1]], np.float32),
        picture=np.zeros((8, 8), np.uint8) if scene else None,
    )


def test_it_is_an_image_that_is_red_where_attention_is() -> None:
    left = attention_picture([example([[1, 0]], ["$left"])]).astype(int)
    right = attention_picture([example([[0, 1]], ["$left"])]).astype(int)
    assert left.shape == right.shape
    assert left.shape[2] == 3
    changed = (left - right)[..., 0]
    columns = np.flatnonzero(np.abs(changed).sum(0))
    middle = (columns.min() + columns.max()) // 2
    assert changed[:, : middle - 3].sum() > 0 > changed[:, middle + 3 :].sum()


@pytest.mark.parametrize("scene", [True, False])
def test_examples_of_different_lengths_stand_below_each_other(scene: bool) -> None:
    short = example([[1, 0]], ["one"], scene)
    long = example([[1, 0]] * 8, [f"word{i}" for i in range(8)], scene)
    assert attention_picture([short, long]).shape[0] > 2 * attention_picture([short]).shape[0]


def test_the_same_examples_give_the_same_bytes() -> None:
    one, two = (attention_picture([example([[0.3, 0.7]], ["word"])]) for _ in range(2))
    assert one.dtype == np.uint8
    assert (one == two).all()
