"""The learning rate in the course of training, against values worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from crosscut_trainables import loop
from crosscut_trainables.config import RetrievalConfig, TrainingOptions
from crosscut_trainables.schedule import learning_rate
from crosscut_trainables.session import MemorySession

SCHEDULES = ("step", "cosine", "linear", "constant")


def options(**changes: Any) -> TrainingOptions:
    return TrainingOptions.model_validate({"epochs": 4, "learning_rate": 0.1, **changes})


def course(of: TrainingOptions, batches: int) -> list[float]:
    return [learning_rate(of, e, b, batches) for e in range(1, of.epochs + 1) for b in range(batches)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"schedule": "step", "decay_epoch": 2, "decay_factor": 0.5},
            [0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05],
        ),
        (
            {"schedule": "step", "decay_epoch": 1, "decay_factor": 0.1},
            [0.1, 0.1, 0.01, 0.01, 1e-3, 1e-3, 1e-4, 1e-4],
        ),
        # ½(1 + cos(k π/8))
        (
            {"schedule": "cosine"},
            [0.1, 0.0961939766, 0.0853553391, 0.0691341716, 0.05, 0.0308658284, 0.0146446609, 0.0038060234],
        ),
        ({"schedule": "linear"}, [0.1, 0.0875, 0.075, 0.0625, 0.05, 0.0375, 0.025, 0.0125]),
        ({"schedule": "constant"}, [0.1] * 8),
    ],
)
def test_each_schedule_has_the_values_of_its_formula(changes: dict[str, Any], expected: list[float]) -> None:
    assert course(options(**changes), 2) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("warmup", "expected"),
    [
        (0, [1.0] * 8),
        (1.5, [1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1.0, 1.0, 1.0]),
        (0.5, [0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]),
        # Shorter than a batch.
        (0.1, [1.0] * 8),
        # Longer than the training.
        (16, [k / 64 for k in range(1, 9)]),
    ],
)
def test_warming_up_is_a_line_from_batch_to_batch(warmup: float, expected: list[float]) -> None:
    found = course(options(schedule="constant", epochs=2, warmup_epochs=warmup), 4)
    assert found == pytest.approx([0.1 * share for share in expected])


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_warming_up_multiplies_what_the_schedule_says(schedule: str) -> None:
    plain = course(options(schedule=schedule, decay_epoch=1), 2)
    warmed = course(options(schedule=schedule, decay_epoch=1, warmup_epochs=2), 2)
    shares = [0.25, 0.5, 0.75, 1, 1, 1, 1, 1]
    assert warmed == pytest.approx([share * rate for share, rate in zip(shares, plain, strict=True)])


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("warmup", [0, 1, 2.5, 1000])
@pytest.mark.parametrize("batches", [1, 3])
def test_every_batch_has_a_rate_above_0_and_at_most_the_one_asked_for(
    schedule: str, warmup: float, batches: int
) -> None:
    rates = course(options(schedule=schedule, warmup_epochs=warmup), batches)
    assert all(0 < rate <= 0.1 for rate in rates)


def test_a_run_reports_the_rate_of_the_last_batch_of_each_epoch(toy_data: Any) -> None:
    training = {"epochs": 2, "batch_size": 16, "learning_rate": 0.1, "schedule": "linear", "warmup_epochs": 1}
    config = RetrievalConfig.model_validate({"backbone": {"name": "vse++"}, "training": training})
    session = MemorySession()
    loop.run(config.model_copy(update={"data": toy_data()}), session)
    # Three batches an epoch: 1 − (2/3)/2 times 3/3, and 1 − (5/3)/2.
    assert [metrics["lr"] for _, metrics in session.reports] == pytest.approx([0.1 * 2 / 3, 0.1 / 6])


def test_the_rate_of_a_batch_is_that_of_its_step(toy_data: Any) -> None:
    # The first step of Adam moves every weight that has a gradient by the learning rate.
    training = {"epochs": 1, "batch_size": 48, "learning_rate": 0.1, "schedule": "constant"}
    moved = []
    for warmup in (0, 10):
        config = RetrievalConfig.model_validate(
            {"backbone": {"name": "vse++"}, "training": {**training, "warmup_epochs": warmup}}
        ).model_copy(update={"data": toy_data()})
        session = MemorySession()
        before = loop.Training(config, session).model.state_dict()
        loop.run(config, session)
        assert session.state is not None
        name = "image_encoder.projection.project.weight"
        moved.append(float((session.state["model"][name] - before[name]).abs().max()))
    assert moved == pytest.approx([0.1, 0.01], rel=1e-3)
