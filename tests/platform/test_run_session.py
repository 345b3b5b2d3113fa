"""The session of a run on the platform."""

from __future__ import annotations

import gzip
import json
import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import IO, Any

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from crosscut.engine.board import Board, folder_of
from crosscut.engine.run_session import NotANumber, RunSession, refuse_nan
from crosscut.engine.seat import Seat
from crosscut.records.record import Record, Step
from crosscut.records.store import Store
from crosscut.records.work import StopRule, Work
from crosscut_trainables.session import Gallery, Session, Tracer, traced


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands still until it is moved."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_it_is_a_session_of_its_work(work: Work, store: Store) -> None:
    session = RunSession(work, store, Seat(1, 3, "cuda:1"))
    assert isinstance(session, Gallery)
    as_protocol: Session = session
    assert (as_protocol.seed, as_protocol.phase) == (2, "final")
    assert (as_protocol.rank, as_protocol.world_size, as_protocol.device) == (1, 3, "cuda:1")


def test_reports_are_the_history_in_plain_numbers(work: Work, store: Store) -> None:
    session = RunSession(work, store)
    reported: list[Any] = [np.int64(1), {"dev/rsum": np.float32(1.5), "loss": torch.tensor(0.25)}]
    assert session.report(*reported) is False
    assert session.report(2, {"dev/rsum": 3}) is False
    assert session.history == [Step(1, {"dev/rsum": 1.5, "loss": 0.25}), Step(2, {"dev/rsum": 3.0})]
    assert all(type(step.step) is int for step in session.history)
    assert {type(value) for step in session.history for value in step.metrics.values()} == {float}
    assert not session.stopped


def test_a_report_says_stop_by_the_best_score_so_far(work: Work, store: Store) -> None:
    ruled = replace(work, stop_rule=StopRule("dev/rsum", True, {2: 10.0, 3: 20.0}))
    session = RunSession(ruled, store)
    assert session.report(1, {"dev/rsum": 15.0}) is False
    # worse than before, but the best so far counts
    assert session.report(2, {"dev/rsum": 1.0}) is False
    assert not session.stopped
    assert session.report(3, {"loss": 1.0}) is True
    assert session.stopped


def test_a_stop_rule_for_a_score_that_falls_compares_the_other_way(work: Work, store: Store) -> None:
    ruled = replace(work, stop_rule=StopRule("dev/medr", False, {1: 10.0, 2: 5.0}))
    session = RunSession(ruled, store)
    assert session.report(1, {"dev/medr": 10.0}) is False
    assert session.report(2, {"dev/medr": 7.0}) is True


def test_a_metric_that_was_never_reported_stops_nothing(work: Work, store: Store) -> None:
    ruled = replace(work, stop_rule=StopRule("dev/rsum", True, {1: 10.0}))
    assert RunSession(ruled, store).report(1, {"loss": 0.0}) is False


def test_every_worker_does_what_rank_zero_is_told(work: Work, store: Store) -> None:
    ruled = replace(work, stop_rule=StopRule("dev/rsum", True, {1: 10.0}))
    told: list[bool] = []

    def rank_zero_stops(mine: bool) -> bool:
        told.append(mine)
        return True

    session = RunSession(ruled, store, Seat(1, 2, agree=rank_zero_stops))
    assert session.report(1, {"dev/rsum": 50.0}) is True
    assert told == [False] and session.stopped


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused_by_name(work: Work, store: Store, value: float) -> None:
    session = RunSession(work, store)
    session.report(1, {"dev/rsum": 1.0})
    with pytest.raises(NotANumber, match=f"loss is {value} at step 2"):
        session.report(2, {"dev/rsum": 2.0, "loss": value})
    assert session.history == [Step(1, {"dev/rsum": 1.0})]
    with pytest.raises(NotANumber, match=f"a is {value} in its evaluation"):
        refuse_nan({"a": value}, "in its evaluation")


def test_a_run_goes_on_from_its_checkpoint_with_its_history_and_its_time(
    work: Work, store: Store, clock: list[float]
) -> None:
    first = RunSession(work, store)
    assert first.restore() is None
    first.report(1, {"dev/rsum": 1.0})
    clock[0] += 5.0
    first.save({"step": 1, "weights": torch.arange(3.0), "names": ["a"], "nested": {"x": 1.5}})
    # what comes after the checkpoint is lost with the process
    first.report(2, {"dev/rsum": 99.0})
    clock[0] += 100.0
    second = RunSession(work, store)
    state = second.restore()
    assert state is not None
    assert torch.equal(state["weights"], torch.arange(3.0))
    assert (state["step"], state["names"], state["nested"]) == (1, ["a"], {"x": 1.5})
    assert second.history == [Step(1, {"dev/rsum": 1.0})]
    clock[0] += 2.0
    assert second.seconds == 7.0
    second.report(2, {"dev/rsum": 2.0})
    second.save({"step": 2})
    third = RunSession(work, store)
    assert third.restore() == {"step": 2}
    assert [step.step for step in third.history] == [1, 2] and third.seconds == 7.0


def test_a_stop_rule_counts_what_was_reported_before_the_checkpoint(work: Work, store: Store) -> None:
    ruled = replace(work, stop_rule=StopRule("dev/rsum", True, {2: 10.0}))
    first = RunSession(ruled, store)
    first.report(1, {"dev/rsum": 15.0})
    first.save({"step": 1})
    second = RunSession(ruled, store)
    second.restore()
    assert second.report(2, {"dev/rsum": 1.0}) is False


def test_a_checkpoint_is_written_whole_or_not_at_all(
    work: Work, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = RunSession(work, store)
    session.save({"step": 1})

    def die(_: object, file: IO[bytes]) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(torch, "save", die)
        with pytest.raises(KeyboardInterrupt):
            session.save({"step": 2})
    assert RunSession(work, store).restore() == {"step": 1}
    store.sweep_up()
    assert [path.name for path in store.checkpoint(work.key).parent.iterdir()] == ["checkpoint.pt"]


def test_runs_do_not_share_checkpoints(work: Work, store: Store) -> None:
    RunSession(work, store).save({"step": 1})
    assert RunSession(replace(work, key="f" * 20), store).restore() is None


def test_rank_zero_alone_writes_and_all_ranks_read(work: Work, store: Store) -> None:
    other = RunSession(work, store, Seat(1, 2))
    other.save({"step": 7})
    assert not store.checkpoint(work.key).exists()
    RunSession(work, store, Seat(0, 2)).save({"step": 1})
    assert other.restore() == {"step": 1}


def test_what_is_reported_is_plotted_also_what_came_before_the_checkpoint(work: Work, store: Store) -> None:
    first = RunSession(work, store, plots=True)
    first.report(1, {"dev/rsum": 1.0})
    first.save({"step": 1})
    assert first._board is not None
    first._board.close()
    second = RunSession(work, store, plots=True)
    second.restore()
    second.report(2, {"dev/rsum": 2.0})
    second.picture(2, "attention", np.zeros((4, 4, 3), np.uint8))
    second.close(Record(work, "finished"))
    events = EventAccumulator(str(store.tensorboard / folder_of(work))).Reload()
    assert [(s.step, s.value) for s in events.Scalars("dev/rsum")] == [(1, 1.0), (2, 2.0)]
    assert len(events.Images("attention")) == 1


def test_without_a_board_pictures_go_nowhere(work: Work, store: Store) -> None:
    RunSession(work, store, Seat(1, 2)).picture(1, "a", np.zeros((4, 4, 3), np.uint8))
    assert list(store.tensorboard.iterdir()) == []


@pytest.fixture
def make_board(work: Work, store: Store) -> Callable[[], Board]:
    return lambda: Board(store.tensorboard, work)


def test_a_checkpoint_of_other_values_is_not_resumed(work: Work, store: Store) -> None:
    # the key of a search trial does not cover its values, which change if a trial before it is done again
    RunSession(work, store).save({"epoch": 2})
    assert RunSession(work, store).restore() == {"epoch": 2}
    other = replace(work, config={"training": {"learning_rate": 0.2}})
    session = RunSession(other, store)
    assert session.restore() is None
    assert session.history == []


def test_a_checkpoint_that_cannot_be_read_begins_the_run_again(work: Work, store: Store) -> None:
    RunSession(work, store).save({"epoch": 2})
    store.checkpoint(work.key).write_bytes(b"torn")
    assert RunSession(work, store).restore() is None


@pytest.mark.parametrize("value", [np.float64(1.0), np.zeros(2), {1, 2}, object()])
def test_what_could_not_be_restored_is_not_saved(work: Work, store: Store, value: object) -> None:
    with pytest.raises(TypeError, match=r"state\['best'\]\[0\] is a "):
        RunSession(work, store).save({"best": [value]})
    assert not store.checkpoint(work.key).exists()


def test_after_a_report_that_said_stop_nothing_is_saved(work: Work, store: Store) -> None:
    ruled = replace(work, stop_rule=StopRule("dev/rsum", True, {2: 10.0}))
    session = RunSession(ruled, store)
    session.report(1, {"dev/rsum": 1.0})
    session.save({"epoch": 1})
    assert session.report(2, {"dev/rsum": 2.0}) is True
    session.save({"epoch": 2})
    resumed = RunSession(ruled, store)
    assert resumed.restore() == {"epoch": 1}
    assert resumed.report(2, {"dev/rsum": 2.0}) is True and resumed.stopped


def test_what_is_traced_lies_beside_the_curves_for_tensorboard_and_perfetto(work: Work, store: Store) -> None:
    session = RunSession(work, store, traces=True)
    assert isinstance(session, Tracer)
    with traced(session, "steps"), torch.profiler.record_function("forward"):
        torch.ones(3, 4) @ torch.ones(4, 5)
    (path,) = (store.tensorboard / folder_of(work)).iterdir()
    assert path.name == "steps.pt.trace.json.gz"
    found = json.loads(gzip.decompress(path.read_bytes()))
    events = {event["name"]: event for event in found["traceEvents"]}
    assert {"forward", "aten::matmul"} <= events.keys()
    assert events["aten::matmul"]["args"]["Input Dims"] == [[3, 4], [4, 5]]
    assert str(store.folder) not in json.dumps(found) and "crosscut-trace" not in json.dumps(found)
    assert not session.notes


def test_nothing_is_traced_that_nobody_wants_and_nothing_of_what_raises(work: Work, store: Store) -> None:
    with traced(RunSession(work, store), "steps"):
        torch.ones(3)
    with pytest.raises(KeyError), traced(RunSession(work, store, traces=True), "steps"):
        raise KeyError
    assert not (store.tensorboard / folder_of(work)).exists()


def test_a_trace_that_cannot_be_written_is_a_note(work: Work, store: Store) -> None:
    session = RunSession(work, store, traces=True)
    store.tensorboard.mkdir(parents=True, exist_ok=True)
    (store.tensorboard / folder_of(work)).parent.write_text("in the way")
    with traced(session, "steps"):
        torch.ones(3)
    assert len(session.notes) == 1 and session.notes[0].startswith("its trace could not be written (")
