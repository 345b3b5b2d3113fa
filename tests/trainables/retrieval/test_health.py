"""The health of a training: a run that stood still says so, and one that did not says nothing."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from crosscut_trainables import loop
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.evaluation import Evaluation
from crosscut_trainables.health import Health, epochs
from crosscut_trainables.session import MemorySession

TRIPLET: dict[str, Any] = {"name": "triplet"}
COLLAPSED = (
    "collapsed in epochs 1 to 3: the loss of every batch was 6.4, that of a model that scores all pairs alike"
)
ALIKE = "scored all pairs of the dev split alike after epochs 1 to 3"


def run(data: Any, session: MemorySession | None = None, **options: Any) -> Evaluation:
    """Three epochs of batches of 16 pairs."""
    config = RetrievalConfig.model_validate(
        {
            "backbone": {"name": "vse++"},
            "loss": TRIPLET,
            "encoder": {"width": 16, "word_width": 16, "min_count": 1},
            "training": {"epochs": 3, "batch_size": 16, "learning_rate": 0.005},
            **options,
        }
    )
    return loop.run(config.model_copy(update={"data": data}), session or MemorySession(seed=1))


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ([3], "epoch 3"),
        ([1, 2], "epochs 1 and 2"),
        ([1, 3], "epochs 1 and 3"),
        ([1, 2, 3], "epochs 1 to 3"),
        ([1, 2, 3, 7], "epochs 1 to 3 and 7"),
        ([1, 2, 4], "epochs 1, 2 and 4"),
        ([1, 3, 5, 6, 7], "epochs 1, 3 and 5 to 7"),
        ([12, 9, 11, 10, 2], "epochs 2 and 9 to 12"),
    ],
)
def test_epochs_in_words(numbers: Sequence[int], words: str) -> None:
    assert epochs(numbers) == words


def test_each_way_of_standing_still_has_a_sentence_with_all_its_epochs() -> None:
    health = Health(collapsed={1: 51.2, 2: 51.2, 3: 51.2}, alike=[2], still=[4, 6])
    assert health.notes == (
        "collapsed in epochs 1 to 3: the loss of every batch was 51.2, that of a model that scores all pairs "
        "alike",
        "scored all pairs of the dev split alike after epoch 2",
        "learnt nothing in epochs 4 and 6: every gradient was zero",
    )
    assert Health().notes == ()
    assert Health(still=[1]).notes == ("learnt nothing in epoch 1: every gradient was zero",)


@pytest.mark.parametrize("phase", ["search", "final"])
def test_a_collapsed_run_says_so(toy_data: Any, phase: Any) -> None:
    session = MemorySession(phase=phase)
    assert COLLAPSED in run(toy_data(same=True), session).notes
    assert [metrics["collapsed"] for _, metrics in session.reports] == [1.0, 1.0, 1.0]


def test_epochs_that_sum_over_negatives_do_not_collapse(toy_data: Any) -> None:
    session = MemorySession()
    notes = run(toy_data(same=True), session, loss={**TRIPLET, "warmup_epochs": 2}).notes
    assert [note[:23] for note in notes if "collapsed" in note] == ["collapsed in epoch 3: t"]
    assert [metrics.get("collapsed") for _, metrics in session.reports] == [None, None, 1.0]


@pytest.mark.parametrize("loss", [{**TRIPLET, "negatives": "sum"}, {"name": "infonce"}])
def test_a_loss_that_has_no_hardest_negative_does_not_collapse(toy_data: Any, loss: dict[str, Any]) -> None:
    assert run(toy_data(same=True), loss=loss).notes == (ALIKE,)


@pytest.mark.parametrize("loss", ["triplet", "infonce"])
def test_a_run_without_a_gradient_says_that_it_learnt_nothing(toy_data: Any, loss: str) -> None:
    # All training captions are of one image, so none is a negative of another.
    session = MemorySession(seed=1)
    evaluation = run(toy_data(train_images=1), session, loss={"name": loss})
    assert [metrics["grad_norm"] for _, metrics in session.reports] == [0.0, 0.0, 0.0]
    assert evaluation.notes == ("learnt nothing in epochs 1 to 3: every gradient was zero",)


def test_an_epoch_with_some_gradient_is_not_still(toy_data: Any) -> None:
    options = {"backbone": {"name": "vse++"}, "training": {"epochs": 1, "batch_size": 2}}
    config = RetrievalConfig.model_validate(options).model_copy(update={"data": toy_data(train_images=3)})
    session = MemorySession(seed=1)
    # A batch of two captions of one image has no gradient, one of two images has.
    images = [len(batch.image_of.unique()) for batch in loop.Training(config, session).batches.epoch(1)]
    assert set(images) == {1, 2}
    assert loop.run(config, session).notes == ()
    assert session.reports[0][1]["grad_norm"] > 0


def test_a_run_that_scores_all_pairs_alike_says_so(toy_data: Any) -> None:
    evaluation = run(toy_data(same=True), loss={"name": "infonce"})
    assert evaluation.notes == (ALIKE,)
    # Ties count against the model: 8 images, and 14 captions of others.
    assert evaluation.metrics["dev/t2i_medr"] == 8
    assert evaluation.metrics["dev/i2t_medr"] == 15


def test_a_run_that_tells_texts_apart_but_no_images_does_not_say_so(toy_data: Any) -> None:
    class Blind(toy_data):  # type: ignore[misc]
        def load(self, split: Any) -> Any:
            found = super().load(split)
            regions, present = np.ones_like(found.regions), np.ones_like(found.present)
            return dataclasses.replace(found, regions=regions, present=present)

    evaluation = run(Blind(), loss={"name": "infonce"})
    assert evaluation.metrics["dev/t2i_medr"] == 8
    assert evaluation.metrics["dev/i2t_medr"] < 15
    assert not [note for note in evaluation.notes if "scored all pairs" in note]


@pytest.mark.parametrize("backbone", ["vse++", "scan"])
@pytest.mark.parametrize("loss", ["triplet", "infonce"])
def test_a_healthy_run_has_no_note(toy_data: Any, backbone: str, loss: str) -> None:
    evaluation = run(toy_data(), backbone={"name": backbone}, loss={"name": loss, "false_negatives": "keep"})
    assert evaluation.notes == ()


def test_a_run_that_is_told_to_stop_has_the_notes_of_the_epochs_it_had(toy_data: Any) -> None:
    notes = run(toy_data(same=True), MemorySession(stop_after=1)).notes
    assert notes == (
        COLLAPSED.replace("epochs 1 to 3", "epoch 1"),
        ALIKE.replace("epochs 1 to 3", "epoch 1"),
    )


@pytest.mark.parametrize("options", [{"same": True}, {"train_images": 1}])
def test_a_resumed_run_has_the_notes_of_the_epochs_before_it(toy_data: Any, options: dict[str, Any]) -> None:
    data = toy_data(**options)
    expected = run(data).notes
    stopped = MemorySession(seed=1, stop_after=2)
    run(data, stopped)
    file = io.BytesIO()
    torch.save(stopped.state, file)
    file.seek(0)
    resumed = MemorySession(seed=1, state=torch.load(file, weights_only=True))
    assert run(data, resumed).notes == expected
    assert [step for step, _ in resumed.reports] == [2, 3]
    assert all("epochs 1 to 3" in note for note in expected)
    # After its last epoch there is nothing to train, and the same to say.
    assert run(data, MemorySession(seed=1, state=resumed.state)).notes == expected
