"""What a trainable does or returns ends in a record, whatever it is."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from crosscut.engine.outcome import MOST_NOTES
from crosscut.engine.site import Site
from crosscut.engine.worker import train
from crosscut.records.record import Record
from crosscut.records.store import Store
from crosscut.records.work import Work
from crosscut.sweepfile.resources import Resources
from crosscut_trainables.diverged import Diverged
from crosscut_trainables.evaluation import Evaluation, QueryRanks


class Mute(Exception):  # noqa: N818
    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.fixture
def run(work: Work, store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Record]]:
    """Train `function` as the worker does."""

    def call(function: Callable[..., Any]) -> Record:
        module = types.ModuleType("made_up")
        module.train = function  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "made_up", module)
        site = Site(str(store.folder), str(store.folder), None)
        return train(replace(work, trainable="made_up:train"), Resources(), site)

    yield call


def raising(error: BaseException) -> Callable[..., Any]:
    def function(config: object, session: object) -> None:
        raise error

    return function


def returning(value: object) -> Callable[..., Any]:
    return lambda config, session: value


@pytest.mark.parametrize(
    ("function", "kind", "reason"),
    [
        (raising(ValueError("no")), "raised", "ValueError: no"),
        (raising(SystemExit(3)), "raised", "SystemExit: 3"),
        (raising(Mute()), "raised", "Mute: it does not say why"),
        (raising(Diverged("epoch 2: loss is nan")), "diverged", "epoch 2: loss is nan"),
        (returning(Evaluation({"m": float("nan")})), "diverged", "m is nan in its evaluation"),
        (returning(None), "raised", "TypeError: made_up:train returned NoneType, expected an Evaluation"),
        (returning(Evaluation({1: 2.0})), "raised", "TypeError: the evaluation names a metric or ranks 1"),  # type: ignore[dict-item]
        (returning(Evaluation({}, {"test/i2t": np.ones(3)})), "raised", "AttributeError: "),  # type: ignore[dict-item]
        (returning(Evaluation({"m": "high"})), "raised", "TypeError: "),  # type: ignore[dict-item]
        (
            returning(Evaluation({}, notes=["fine", 3])),  # type: ignore[list-item]
            "raised",
            "TypeError: the evaluation has the note 3, expected text",
        ),
        (
            returning(Evaluation({}, notes="collapsed")),
            "raised",
            "TypeError: the evaluation's notes are 'collapsed', expected a list of texts",
        ),
        (returning(Evaluation({}, notes=None)), "raised", "TypeError: "),  # type: ignore[arg-type]
    ],
)
def test_it_is_recorded_as_failed_with_its_reason(
    run: Callable[..., Record], store: Store, function: Callable[..., Any], kind: str, reason: str
) -> None:
    record = run(function)
    assert record.status == "failed" and record.failure is not None
    assert record.failure.kind == kind and record.failure.reason.startswith(reason)
    found = store.read(record.key)
    assert found is not None and found.failure == record.failure


def test_ranks_and_metrics_of_any_numeric_type_are_recorded(run: Callable[..., Record], store: Store) -> None:
    ranks = QueryRanks(torch.tensor([1, 2]), torch.tensor([0, 0]))  # type: ignore[arg-type]
    record = run(returning(Evaluation({"m": np.float32(1.5)}, {"test/i2t": ranks})))  # type: ignore[dict-item]
    assert record.status == "finished"
    found = store.read(record.key)
    assert found is not None and found.metrics == {"m": 1.5}
    assert found.ranks["test/i2t"].ranks.tolist() == [1, 2]


def test_notes_are_recorded_in_their_order(run: Callable[..., Record], store: Store) -> None:
    record = run(returning(Evaluation({"m": 1.0}, notes=["collapsed in epoch 3", "its gradient was zero"])))
    found = store.read(record.key)
    assert found is not None and found.status == "finished"
    assert found.notes == record.notes == ("collapsed in epoch 3", "its gradient was zero")


def test_notes_are_few_and_short_and_can_be_shown(run: Callable[..., Record]) -> None:
    notes = ["", " \n", "\x1b[31mred\x1b[0m \udcff\x07\nline", "x" * 100_000, *map(str, range(100))]
    record = run(returning(Evaluation({"m": 1.0}, notes=notes)))
    assert record.notes[0] == "red ? line"
    assert len(record.notes[1]) == 500 and record.notes[1].endswith("…")
    assert record.notes[2:] == tuple(map(str, range(MOST_NOTES - 2)))


def test_a_reason_is_short_and_can_be_shown(run: Callable[..., Record]) -> None:
    record = run(raising(ValueError("\x1b[31mred\x1b[0m \udcff\x07" + "x" * 100_000)))
    assert record.failure is not None
    assert len(record.failure.reason) == 500 and record.failure.reason.startswith("ValueError: red ")
    assert record.failure.reason.isprintable()
    record.failure.reason.encode()
    assert len(record.failure.traceback) <= 20_000 and "\n" in record.failure.traceback


@pytest.mark.parametrize("function", [returning(Evaluation({"m": 1.0})), raising(ValueError("no"))])
def test_a_record_holds_the_hash_of_what_was_declared_before_it(
    work: Work, store: Store, monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any]
) -> None:
    module = types.ModuleType("made_up")
    module.train = function  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "made_up", module)
    site = Site(str(store.folder), str(store.folder), None, declaration="5f3a")
    found = train(replace(work, trainable="made_up:train"), Resources(), site)
    assert found.provenance["declaration"] == "5f3a"
