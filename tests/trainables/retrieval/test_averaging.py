"""The moving average of weights: its recursion, and that it is what is evaluated but not what is trained."""

from __future__ import annotations

import copy
import io
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from crosscut_trainables import loop
from crosscut_trainables.averaging import WeightAverage
from crosscut_trainables.batches import PreparedSplit
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.data.vocabulary import Vocabulary
from crosscut_trainables.metrics import retrieval_metrics
from crosscut_trainables.ranks import image_to_text, text_to_image
from crosscut_trainables.session import MemorySession
from crosscut_trainables.similarity import similarity


def config(data: Any, ema: float | None, epochs: int = 3, backbone: str = "vse++") -> RetrievalConfig:
    return RetrievalConfig.model_validate(
        {
            "backbone": {"name": backbone},
            "encoder": {"width": 16, "word_width": 16, "min_count": 1},
            "training": {"epochs": epochs, "batch_size": 16, "learning_rate": 0.02, "ema": ema},
        }
    ).model_copy(update={"data": data})


def timeless(session: MemorySession) -> list[dict[str, float]]:
    """What was reported without what depends on the machine's speed."""
    return [{k: v for k, v in m.items() if k != "pairs_per_second"} for _, m in session.reports]


def of_training(session: MemorySession) -> list[dict[str, float]]:
    """What was reported of training alone."""
    return [{k: v for k, v in m.items() if not k.startswith("dev/")} for m in timeless(session)]


def line(weight: float) -> nn.Linear:
    model = nn.Linear(1, 1, bias=False)
    to(model, weight)
    return model


def to(model: nn.Linear, weight: float) -> None:
    with torch.no_grad():
        model.weight.fill_(weight)


@pytest.mark.parametrize(
    ("decay", "expected"),
    [
        # d is 2/11, 3/12 and 4/13 as long as that is less than the decay.
        (0.999, [20 / 11, 38 / 11, 4 / 13 * 38 / 11]),
        (0.2, [20 / 11, 0.2 * 20 / 11 + 3.2, 0.04 * 20 / 11 + 0.64]),
        (0.1, [1.9, 0.19 + 3.6, 0.019 + 0.36]),
    ],
)
def test_it_is_the_recursion_with_a_decay_that_grows_up_to_its_own(
    decay: float, expected: list[float]
) -> None:
    model = line(1.0)
    average, found = WeightAverage(model, decay), []
    for weight in (2.0, 4.0, 0.0):
        to(model, weight)
        average.update()
        found.append(average.weights["weight"].item())
    assert found == pytest.approx(expected)


def test_it_begins_with_the_weights_and_leaves_them_alone() -> None:
    model = line(3.0)
    average = WeightAverage(model, 0.9)
    to(model, 5.0)
    assert average.weights["weight"].item() == 3.0
    average.update()
    assert model.weight.item() == 5.0


def test_running_statistics_are_taken_as_they_are() -> None:
    model = nn.BatchNorm1d(2)
    assert model.running_mean is not None
    average = WeightAverage(model, 0.9)
    with torch.no_grad():
        model.weight.fill_(5.0)
        model.running_mean.fill_(7.0)
    average.update()
    state = average.state_of_model()
    assert set(state) == set(model.state_dict())
    assert state["running_mean"].tolist() == [7.0, 7.0]
    assert state["weight"].tolist() == pytest.approx([1 * 2 / 11 + 5 * 9 / 11] * 2)


def test_what_is_restored_goes_on_to_the_bit() -> None:
    torch.manual_seed(0)
    model = nn.Linear(5, 4)
    average = WeightAverage(model, 0.3)

    def step(*averages: WeightAverage) -> None:
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn(parameter.shape))
        for each in averages:
            each.update()

    for _ in range(3):
        step(average)
    kept = copy.deepcopy(average.state())
    again = WeightAverage(model, 0.3)
    again.restore(kept)
    for _ in range(3):
        step(average, again)
    assert again.steps == average.steps == 6
    assert all(torch.equal(again.weights[name], value) for name, value in average.weights.items())
    # What it was restored from is not what it goes on with.
    assert kept["steps"] == 3
    assert not torch.equal(kept["weights"]["weight"], again.weights["weight"])  # type: ignore[index]


# SAF has running statistics beside its weights.
@pytest.mark.parametrize(("backbone", "ema"), [("vse++", 0.2), ("vse++", 0.999), ("saf", 0.5)])
def test_a_resumed_run_is_the_undisturbed_one_to_the_bit(toy_data: Any, backbone: str, ema: float) -> None:
    wanted = config(toy_data(), ema, backbone=backbone)
    whole, stopped = MemorySession(seed=3), MemorySession(seed=3, stop_after=2)
    expected = loop.run(wanted, whole)
    loop.run(wanted, stopped)
    file = io.BytesIO()
    torch.save(stopped.state, file)
    file.seek(0)
    resumed = MemorySession(seed=3, state=torch.load(file, weights_only=True))
    found = loop.run(wanted, resumed)
    assert timeless(stopped)[:-1] + timeless(resumed) == timeless(whole)
    assert found.metrics == expected.metrics
    assert all(np.array_equal(found.ranks[name].ranks, expected.ranks[name].ranks) for name in expected.ranks)
    assert whole.state is not None
    assert resumed.state is not None
    for kept in ("model", "average"):
        states = [{**session.state, **session.state["step"]} for session in (whole, resumed)]  # type: ignore[dict-item]
        one, two = (state[kept] for state in states)
        one, two = (state.get("weights", state) for state in (one, two))
        assert all(torch.equal(two[name], value) for name, value in one.items())


def test_training_goes_on_with_the_weights_themselves(toy_data: Any) -> None:
    plain, averaged = MemorySession(seed=1), MemorySession(seed=1)
    loop.run(config(toy_data(), None), plain)
    loop.run(config(toy_data(), 0.99), averaged)
    assert of_training(averaged) == of_training(plain)
    assert timeless(averaged) != timeless(plain)
    assert plain.state is not None
    assert averaged.state is not None
    assert all(
        torch.equal(averaged.state["model"][name], value) for name, value in plain.state["model"].items()
    )


def test_what_is_evaluated_and_kept_is_the_average(toy_data: Any) -> None:
    data, session = toy_data(), MemorySession(seed=1)
    wanted = config(data, 0.99, epochs=1)
    evaluation = loop.run(wanted, session)
    assert session.state is not None
    average, own = session.state["step"]["average"]["weights"], session.state["model"]
    best = session.state["progress"]["weights"]
    assert all(torch.equal(best[name], value) for name, value in average.items())
    assert any(not torch.equal(own[name], value) for name, value in average.items())

    vocabulary = Vocabulary.build(data.load("train").captions)
    model = loop.Training(wanted, MemorySession()).model.eval()
    model.load_state_dict({**own, **average})
    for name in ("dev", "test"):
        split = PreparedSplit.of(data.load(name), vocabulary)
        scores = similarity(model, wanted.comparison, split)
        image_of = split.image_of.numpy().astype("int32")
        i2t, t2i = image_to_text(scores, image_of), text_to_image(scores, image_of)
        expected = retrieval_metrics(name, i2t, t2i)
        assert {k: v for k, v in evaluation.metrics.items() if k in expected} == expected
    assert np.array_equal(evaluation.ranks["test/i2t"].ranks, i2t.ranks)
    assert np.array_equal(evaluation.ranks["test/t2i"].ranks, t2i.ranks)
