"""How much searched parameters matter: shares with intervals, for arms with trials enough."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crosscut.importance import FEWEST, importances
from crosscut.sweepfile.space import Parameter

SPACE = {
    "a": Parameter.parse({"uniform": [0, 1]}),
    "b": Parameter.parse({"log_uniform": [0.001, 1]}),
    "c": Parameter.parse({"choice": ["x", "y"]}),
}


def trials(count: int, *, weight: float = 3.0) -> tuple[list[dict[str, Any]], list[float]]:
    """`a` decides the score, `b` a little, `c` nothing."""
    draw = np.random.default_rng(0)
    points = [
        {"a": float(draw.random()), "b": float(10 ** (-3 * draw.random())), "c": str(draw.choice(["x", "y"]))}
        for _ in range(count)
    ]
    return points, [
        weight * p["a"] + 0.1 * float(np.log10(p["b"])) + 0.05 * float(draw.normal()) for p in points
    ]


def test_what_decides_the_score_matters_most() -> None:
    found = importances("arm", SPACE, *trials(60), maximize=True)
    assert found[0].parameter == "a"
    assert found[0].importance > 0.5
    assert sum(one.importance for one in found) == pytest.approx(1.0)
    assert all(one.arm == "arm" and one.trials == 60 for one in found)
    for one in found:
        assert one.interval is not None
        assert 0 <= one.interval[0] <= one.interval[1] <= 1


def test_lower_is_better_looks_at_the_lowest_scores() -> None:
    points, scores = trials(60)
    turned = importances("arm", SPACE, points, [-score for score in scores], maximize=False)
    straight = importances("arm", SPACE, points, scores, maximize=True)
    assert [one.importance for one in turned] == pytest.approx([one.importance for one in straight])


def test_the_same_trials_give_the_same_interval() -> None:
    first, second = (importances("arm", SPACE, *trials(30), maximize=True) for _ in range(2))
    assert first == second
    other = importances("other", SPACE, *trials(30), maximize=True)
    assert [one.importance for one in other] == [one.importance for one in first]
    assert [one.interval for one in other] != [one.interval for one in first]


def test_too_little_says_nothing() -> None:
    assert importances("arm", SPACE, *trials(FEWEST - 1), maximize=True) == []
    points, scores = trials(30)
    assert importances("arm", {"a": SPACE["a"]}, points, scores, maximize=True) == []
    assert importances("arm", SPACE, points, [1.0] * 30, maximize=True) == []
