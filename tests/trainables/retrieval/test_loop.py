"""Training from end to end, on data small enough for a test."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch

from crosscut_trainables import loop
from crosscut_trainables.backbones import BACKBONES
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.diverged import Diverged
from crosscut_trainables.evaluation import Evaluation
from crosscut_trainables.losses import Triplet
from crosscut_trainables.retrieval import train
from crosscut_trainables.session import MemorySession

SMALL: dict[str, Any] = {
    "encoder": {"width": 16, "word_width": 16, "min_count": 1},
    "training": {"epochs": 4, "batch_size": 16, "learning_rate": 0.02},
}
CONSTRAINED = {**SMALL, "constraints": {"ccr": {}, "ccs": {}}}


class Unwatched(MemorySession):
    """No picture is drawn, which takes longer than a short training."""

    picture = None  # type: ignore[assignment]


def on(data: Any, options: dict[str, Any]) -> RetrievalConfig:
    """The configuration with a data set that is not registered."""
    return RetrievalConfig.model_validate(options).model_copy(update={"data": data})


def with_backbone(name: str, **training: Any) -> dict[str, Any]:
    """Small alignments, so that it takes seconds; those that are reasoned over want smaller steps."""
    aligned = "similarity_width" in BACKBONES[name].model_fields
    return {
        **SMALL,
        "backbone": {"name": name, **({"similarity_width": 16} if aligned else {})},
        "training": {**SMALL["training"], "learning_rate": 0.005 if aligned else 0.02, **training},
    }


def same(one: Evaluation, two: Evaluation) -> bool:
    return one.metrics == two.metrics and all(
        np.array_equal(ranks.ranks, two.ranks[name].ranks) for name, ranks in one.ranks.items()
    )


def timeless(session: MemorySession) -> list[tuple[int, dict[str, float]]]:
    """The reports without what depends on the machine's speed."""
    return [
        (step, {k: v for k, v in metrics.items() if k != "pairs_per_second"})
        for step, metrics in session.reports
    ]


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_every_backbone_learns(toy_data: Any, name: str) -> None:
    session = MemorySession(seed=1)
    evaluation = loop.run(on(toy_data(train_images=60), with_backbone(name, epochs=12)), session)
    losses = [metrics["loss/match"] for _, metrics in session.reports]
    assert losses[-1] < 0.8 * losses[0]
    # Chance: 10 images with two captions each.
    assert evaluation.metrics["test/t2i_r1"] > 2 * 10.0


def test_a_report_says_what_an_epoch_was(toy_data: Any) -> None:
    session = MemorySession(seed=1)
    loop.run(on(toy_data(), CONSTRAINED), session)
    assert [step for step, _ in session.reports] == [1, 2, 3, 4]
    metrics = session.reports[0][1]
    assert {"loss/match", "loss/ccr", "loss/ccs", "loss/total", "lr", "grad_norm", "pairs_per_second"} <= set(
        metrics
    )
    assert {"dev/rsum", "dev/i2t_r1", "dev/t2i_r10"} <= set(metrics)
    assert metrics["loss/total"] == pytest.approx(
        metrics["loss/match"] + metrics["loss/ccr"] + metrics["loss/ccs"], rel=1e-5
    )
    assert all(math.isfinite(value) for value in metrics.values())


def test_the_learning_rate_decays(toy_data: Any) -> None:
    training = {**SMALL["training"], "decay_epoch": 2, "decay_factor": 0.1}
    session = MemorySession()
    loop.run(on(toy_data(), {**SMALL, "training": training}), session)
    assert [m["lr"] for _, m in session.reports] == pytest.approx([0.02, 0.02, 0.002, 0.002])


def test_the_same_seed_gives_the_same_to_the_bit_and_another_another(toy_data: Any) -> None:
    config = on(toy_data(), CONSTRAINED)
    sessions = [MemorySession(seed=seed) for seed in (1, 1, 2)]
    first, second, third = (loop.run(config, session) for session in sessions)
    assert same(first, second)
    assert timeless(sessions[0]) == timeless(sessions[1]) != timeless(sessions[2])
    assert not same(first, third)


def test_global_random_state_is_neither_used_nor_changed(toy_data: Any) -> None:
    config = on(toy_data(), SMALL)
    torch.manual_seed(1)
    first = loop.run(config, MemorySession(seed=1))
    torch.manual_seed(2)
    before = torch.random.get_rng_state()
    assert same(first, loop.run(config, MemorySession(seed=1)))
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("stop_after", [2, 3])
def test_a_resumed_run_is_the_undisturbed_one_to_the_bit(toy_data: Any, stop_after: int) -> None:
    config = on(toy_data(), CONSTRAINED)
    whole = MemorySession(seed=3)
    expected = loop.run(config, whole)
    stopped = MemorySession(seed=3, stop_after=stop_after)
    loop.run(config, stopped)
    resumed = MemorySession(seed=3, state=stopped.state)
    assert same(loop.run(config, resumed), expected)
    # The epoch after which it was told to stop is not in its checkpoint: it is done, and reported, again.
    assert timeless(stopped)[:-1] + timeless(resumed) == timeless(whole)
    assert timeless(resumed)[0] == timeless(stopped)[-1]
    # A run that is resumed after its last epoch trains no more, and gives the same again.
    again = MemorySession(seed=3, state=resumed.state)
    assert same(loop.run(config, again), expected)
    assert again.reports == []


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_a_resumed_run_of_every_backbone_is_the_undisturbed_one_to_the_bit(toy_data: Any, name: str) -> None:
    options = with_backbone(name, epochs=2, word_dropout=0.2, region_dropout=0.2)
    config = on(toy_data(), {**options, "encoder": {**SMALL["encoder"], "dropout": 0.2}})
    whole, stopped = Unwatched(seed=3), Unwatched(seed=3, stop_after=2)
    expected = loop.run(config, whole)
    loop.run(config, stopped)
    resumed = Unwatched(seed=3, state=stopped.state)
    assert same(loop.run(config, resumed), expected)
    assert timeless(stopped)[:1] + timeless(resumed) == timeless(whole)
    assert whole.state is not None
    assert resumed.state is not None
    weights = resumed.state["model"]
    assert all(torch.equal(weights[name], value) for name, value in whole.state["model"].items())


def test_a_checkpoint_is_not_changed_by_the_training_that_goes_on(toy_data: Any) -> None:
    class Recorder(MemorySession):
        def save(self, state: Any) -> None:
            super().save(state)
            sums.append(sum(float(value.sum()) for value in state["model"].values()))
            states.append(state)

    sums: list[float] = []
    states: list[Any] = []
    loop.run(on(toy_data(), SMALL), Recorder())
    assert [sum(float(value.sum()) for value in state["model"].values()) for state in states] == sums
    assert len(set(sums)) == 4


def test_a_run_that_is_told_to_stop_returns_what_there_is(toy_data: Any) -> None:
    session = MemorySession(stop_after=2)
    evaluation = loop.run(on(toy_data(), SMALL), session)
    assert [step for step, _ in session.reports] == [1, 2]
    assert "test/rsum" in evaluation.metrics


def test_the_best_epoch_is_what_is_evaluated(toy_data: Any) -> None:
    session = MemorySession(seed=2)
    evaluation = loop.run(on(toy_data(), SMALL), session)
    assert evaluation.metrics["dev/rsum"] == max(m["dev/rsum"] for _, m in session.reports)
    assert session.state is not None
    best = max(session.reports, key=lambda report: report[1]["dev/rsum"])[0]
    stopped = MemorySession(seed=2, stop_after=best)
    assert same(loop.run(on(toy_data(), SMALL), stopped), evaluation)


def test_a_search_trial_never_sees_test(toy_data: Any) -> None:
    asked = []

    class Watched(toy_data):  # type: ignore[misc]
        def load(self, split: Any) -> Any:
            asked.append(split)
            return super().load(split)

    evaluation = loop.run(on(Watched(), SMALL), MemorySession(phase="search"))
    assert set(asked) == {"train", "dev"}
    assert evaluation.ranks == {}
    assert all(name.startswith("dev/") for name in evaluation.metrics)


def test_a_final_run_has_ranks_of_every_test_query_and_attention_metrics(toy_data: Any) -> None:
    evaluation = loop.run(
        on(toy_data(), {**SMALL, "evaluation": {"attention_sweep": [0.3]}}), MemorySession()
    )
    assert len(evaluation.ranks["test/i2t"].ranks) == 10
    assert len(evaluation.ranks["test/t2i"].ranks) == 20
    assert evaluation.ranks["test/t2i"].clusters.tolist() == sorted([*range(10), *range(10)])
    names = ("precision", "recall", "f1", "f1_iou_0.3")
    assert all(0 <= evaluation.metrics[f"test/attention_{name}"] <= 100 for name in names)


@pytest.mark.parametrize("backbone", [{"name": "vse++"}, {"name": "scan", "direction": "i2t"}])
def test_where_words_do_not_attend_there_are_no_attention_metrics(toy_data: Any, backbone: Any) -> None:
    session = MemorySession(stop_after=1)
    evaluation = loop.run(on(toy_data(), {**SMALL, "backbone": backbone}), session)
    assert not [name for name in evaluation.metrics if "attention" in name]
    assert session.pictures == []


def test_attention_is_shown_where_somebody_watches(toy_data: Any) -> None:
    session = MemorySession(stop_after=1)
    loop.run(on(toy_data(), SMALL), session)
    [(step, name, picture)] = session.pictures
    assert (step, name) == (1, "attention/dev")
    assert picture.dtype == np.uint8
    assert picture.ndim == 3


def test_a_loss_that_is_no_number_is_an_error_that_names_epoch_and_term(toy_data: Any) -> None:
    with pytest.raises(Diverged, match="epoch 1: loss/match is nan"):
        loop.run(on(toy_data(broken=True), SMALL), MemorySession())


def test_a_collapsed_model_is_reported(toy_data: Any) -> None:
    for data, collapsed in ((toy_data(same=True), 1.0), (toy_data(), 0.0)):
        options = {**SMALL, "loss": {"name": "triplet"}}
        session = MemorySession(stop_after=1)
        loop.run(on(data, options), session)
        assert session.reports[0][1]["collapsed"] == collapsed
    assert Triplet().collapsed_at(16) == pytest.approx(6.4)


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_bfloat16_trains_about_as_well_as_float32(toy_data: Any, name: str) -> None:
    # Small steps: with larger ones training enlarges whatever rounding there is, either way.
    losses = []
    for precision in ("fp32", "bf16"):
        session = Unwatched(seed=2)
        options = with_backbone(name, epochs=2, learning_rate=0.005, precision=precision)
        loop.run(on(toy_data(), options), session)
        losses.append(session.reports[-1][1]["loss/match"])
    assert losses[0] != losses[1]
    # Which keys BFAN keeps changes at a bound, so rounding takes it on another way.
    assert losses[1] == pytest.approx(losses[0], rel=0.25 if name == "bfan" else 0.1)


def test_dropout_of_words_acts_only_while_training(toy_data: Any) -> None:
    # Steps too small to change a weight, so that dropout in evaluation would be all that differs.
    options = with_backbone("vse++", epochs=1, learning_rate=1e-30)
    evaluations, losses = [], []
    for dropout in (0.0, 0.5):
        session = MemorySession(seed=1)
        config = on(toy_data(), {**options, "encoder": {**SMALL["encoder"], "dropout": dropout}})
        evaluations.append(loop.run(config, session))
        losses.append(session.reports[0][1]["loss/match"])
    assert same(*evaluations)
    assert losses[0] != losses[1]


def test_dropout_of_words_is_the_same_to_the_bit_from_the_same_seed(toy_data: Any) -> None:
    options = {**SMALL, "backbone": {"name": "vse++"}, "encoder": {**SMALL["encoder"], "dropout": 0.5}}
    config = on(toy_data(), options)
    sessions = [MemorySession(seed=seed) for seed in (1, 1, 2)]
    evaluations = []
    for global_seed, session in enumerate(sessions):
        torch.manual_seed(global_seed)
        evaluations.append(loop.run(config, session))
    assert same(evaluations[0], evaluations[1])
    assert timeless(sessions[0]) == timeless(sessions[1]) != timeless(sessions[2])


def test_the_trainable_runs_on_the_embedded_data() -> None:
    data = {"name": "digit-scenes", "train_scenes": 30, "dev_scenes": 8, "test_scenes": 8}
    evaluation = train({**SMALL, "data": data, "training": {"epochs": 1, "batch_size": 32}}, MemorySession())
    assert len(evaluation.ranks["test/i2t"].ranks) == 8
    assert 0 <= evaluation.metrics["test/rsum"] <= 600
    assert "test/attention_f1" in evaluation.metrics


class Traced(MemorySession):
    """A session that wants to see what a run does."""

    @contextmanager
    def trace(self, name: str) -> Iterator[None]:
        self.__dict__.setdefault("traces", []).append((name, len(self.reports), "begins"))
        try:
            yield
        except BaseException:
            self.__dict__["traces"].append((name, len(self.reports), "breaks off"))
            raise
        self.__dict__["traces"].append((name, len(self.reports), "ends"))


@pytest.mark.parametrize("batch_size", [8, 10_000])
def test_some_steps_and_the_first_evaluation_of_a_run_are_traced_once(toy_data: Any, batch_size: int) -> None:
    config = RetrievalConfig.model_validate({"training": {"epochs": 2, "batch_size": batch_size}})
    session = Traced(seed=1)
    loop.run(config.model_copy(update={"data": toy_data()}), session)
    spans = [(name, 0, way) for name in ("steps", "evaluation") for way in ("begins", "ends")]
    assert session.__dict__["traces"] == spans


def test_a_step_that_raises_breaks_its_trace_off(toy_data: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(*_: Any) -> None:
        raise MemoryError

    session = Traced(seed=1)
    config = RetrievalConfig.model_validate({"training": {"batch_size": 10_000}})
    training = loop.Training(config.model_copy(update={"data": toy_data()}), session)
    monkeypatch.setattr(loop, "step_together", raises)
    try:
        training.run()
    except MemoryError:
        assert session.__dict__["traces"] == [("steps", 0, "begins"), ("steps", 0, "breaks off")]
    else:
        pytest.fail("nothing was raised")
