"""Seeds that are trained together have the ranks that they have one by one."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
import torch

from crosscut_trainables import loop, step, together
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.diverged import Diverged
from crosscut_trainables.evaluation import Evaluation
from crosscut_trainables.recurrence import Reading, same_together
from crosscut_trainables.session import MemorySession
from crosscut_trainables.together import Outcome, Pace, run_together

SMALL: dict[str, Any] = {
    "data": {"name": "digit-scenes", "train_scenes": 60, "dev_scenes": 20, "test_scenes": 20},
    "encoder": {"width": 16, "word_width": 16, "min_count": 1},
    "training": {"epochs": 2, "batch_size": 24, "learning_rate": 0.02},
}


class Unwatched(MemorySession):
    """No picture is drawn, which takes longer than a short training."""

    picture = None  # type: ignore[assignment]


def config(**options: Any) -> RetrievalConfig:
    return RetrievalConfig.model_validate({**SMALL, **options})


def alone(options: RetrievalConfig, *seeds: int) -> list[Evaluation]:
    return [loop.run(options, Unwatched(seed=seed)) for seed in seeds]


def assert_same(one: Outcome, other: Evaluation) -> None:
    assert isinstance(one, Evaluation)
    assert one.metrics == other.metrics and one.notes == other.notes
    for name, ranks in other.ranks.items():
        np.testing.assert_array_equal(one.ranks[name].ranks, ranks.ranks)


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Steps are taken together however long they take; how many each time."""
    taken: list[int] = []

    def count(strides: Any) -> Any:
        taken.append(len(strides))
        return step.step_together(strides)

    monkeypatch.setattr(together, "step_together", count)
    monkeypatch.setattr(together.Pace, "_decided", lambda self: True)
    return taken


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"backbone": {"name": "vse++"}},
        {"constraints": {"ccr": {}, "ccs": {}}, "training": {**SMALL["training"], "shards": 2}},
        {"encoder": {**SMALL["encoder"], "dropout": 0.2}, "training": {**SMALL["training"], "ema": 0.9}},
        {"backbone": {"name": "vse-infinity"}, "asymmetry": {}},
    ],
    ids=["scan", "vse++", "constraints and shards", "dropout and average", "pooling and made texts"],
)
def test_ranks_are_those_of_runs_one_by_one(options: dict[str, Any], always: list[int]) -> None:
    chosen = config(**options)
    found = run_together(chosen, [Unwatched(seed=seed) for seed in (1, 2, 3)])
    assert set(always) == {3}
    for one, other in zip(found, alone(chosen, 1, 2, 3), strict=True):
        assert_same(one, other)
        assert isinstance(one, Evaluation) and one.spent["forward"] > 0


def test_one_that_diverges_or_breaks_leaves_the_others_as_they_are(
    always: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = config()
    expected = alone(chosen, 1, 2, 3)
    assess, finish = loop.Training.assess, loop.Training.finish

    def diverges(self: loop.Training, metrics: dict[str, float]) -> None:
        if self.session.seed == 2:
            raise Diverged("epoch 1: loss/total is nan")
        assess(self, metrics)

    def breaks(self: loop.Training) -> Evaluation:
        if self.session.seed == 3:
            raise MemoryError
        return finish(self)

    monkeypatch.setattr(loop.Training, "assess", diverges)
    monkeypatch.setattr(loop.Training, "finish", breaks)
    first, second, third = run_together(chosen, [Unwatched(seed=seed) for seed in (1, 2, 3)])
    assert_same(first, expected[0])
    assert isinstance(second, Diverged) and isinstance(third, MemoryError)
    assert set(always) == {3, 2}


def test_runs_that_were_broken_off_at_different_epochs_go_on_together(always: list[int]) -> None:
    chosen = config()
    begun = [Unwatched(seed=seed) for seed in (1, 2)]
    later = loop.Training(chosen, begun[1])
    later.begin()
    assert later.step is not None
    later.assess(later.train(later.step))
    found = run_together(chosen, begun)
    assert set(always) == {1, 2}
    for one, other in zip(found, alone(chosen, 1, 2), strict=True):
        assert_same(one, other)


def test_what_a_step_raises_is_not_blamed_on_a_run(
    always: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(strides: Any) -> Any:
        raise RuntimeError("no memory")

    monkeypatch.setattr(together, "step_together", breaks)
    with pytest.raises(RuntimeError, match="no memory"):
        run_together(config(), [Unwatched(seed=seed) for seed in (1, 2)])


def test_transformers_have_nothing_to_read_together(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def count(strides: Any) -> Any:
        sizes.append(len(strides))
        return step.step_together(strides)

    monkeypatch.setattr(together, "step_together", count)
    chosen = config(encoder={**SMALL["encoder"], "text": {"name": "transformer"}})
    found = run_together(chosen, [Unwatched(seed=seed) for seed in (1, 2)])
    assert set(sizes) == {1}
    for one, other in zip(found, alone(chosen, 1, 2), strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("slow", [True, False])
def test_the_faster_way_is_taken(slow: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """`slow`: whether steps together are slower than one by one."""
    now, sizes = [0.0], []

    def steps(strides: Any) -> Any:
        sizes.append(len(strides))
        now[0] += (3.0 if slow else 1.5) if len(strides) == 2 else 1.0
        return [{} for _ in strides]

    monkeypatch.setattr(together, "step_together", steps)
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    pace = Pace(True)
    for _ in range(2 * (together.WARM + together.TRIED)):
        assert pace.together is None
        pace.take([None, None])  # type: ignore[list-item]
    assert pace.together is not slow
    sizes.clear()
    pace.take([None, None])  # type: ignore[list-item]
    assert sizes == ([1, 1] if slow else [2])


def test_a_machine_on_which_sums_have_another_order_trains_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    training = loop.Training(config(), Unwatched(seed=1))
    batch = next(iter(training.batches.epoch(1)))
    reading = training.model.reading(batch.ids, batch.lengths)
    assert reading is not None and same_together([reading, reading])
    product = torch.baddbmm

    def another_order(bias: Any, state: Any, weights: Any, **given: Any) -> Any:
        found = product(bias, state, weights, **given)
        return found.mul_(1 + 1e-6) if len(state) > 2 else found

    monkeypatch.setattr(torch, "baddbmm", another_order)
    assert not same_together([reading, Reading(reading.weights, reading.x, reading.lengths)])
