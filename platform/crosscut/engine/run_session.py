"""The session of a run on the platform: reports into the record and TensorBoard, checkpoints into the store."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crosscut.engine.board import Board, Curves, folder_of
from crosscut.engine.seat import Seat
from crosscut.engine.tracing import SUFFIX, tracing
from crosscut.engine.watchdog import Tell, Watchdog
from crosscut.records.key import digest
from crosscut.records.local_place import whole
from crosscut.records.record import Record, Step
from crosscut.records.store import Store
from crosscut.records.work import Work
from crosscut.sweepfile.resources import Resources
from crosscut_trainables.session import Making, Phase

PUSH = 15.0
"""Seconds between two times that a run's curves are brought to an object store."""


class NotANumber(Exception):  # noqa: N818 - a state of the run, told in its own words
    """A run reported NaN or an infinity."""


class RunSession:
    """One worker's session of one piece of work.

    Args:
        work: what is trained.
        store: where checkpoints go; all workers of a run see the same folder.
        seat: this worker's. Of runs that share a process each spends its share of the seconds that pass.
        plots: whether this worker writes the run's TensorBoard files.
        traces: whether it traces what it does.
    """

    def __init__(
        self,
        work: Work,
        store: Store,
        seat: Seat = Seat(),  # noqa: B008  (it cannot change)
        *,
        plots: bool = False,
        traces: bool = False,
    ) -> None:
        self.work = work
        self.history: list[Step] = []
        self.notes: list[str] = []
        """What went wrong beside the run, a sentence each."""
        self.stopped = False
        """Whether the run was told to stop early."""
        self.earlier_seconds = 0.0
        """Time that attempts before this one spent up to the checkpoint it resumed from."""
        self._store = store
        self._seat = seat
        self._traces = traces
        self._watchdog: Watchdog | None = None
        self._board: Board | None = None
        self._pushed = self._begun = time.monotonic()
        if plots:
            with self._plotting():
                self._board = Board(store.tensorboard, work)

    @property
    def seed(self) -> int:
        return self.work.seed

    @property
    def rank(self) -> int:
        return self._seat.rank

    @property
    def world_size(self) -> int:
        return self._seat.world_size

    @property
    def device(self) -> str:
        return self._seat.device

    @property
    def phase(self) -> Phase:
        return self.work.phase

    @property
    def seconds(self) -> float:
        """Time spent on the run so far, earlier attempts that were resumed included."""
        return self.earlier_seconds + (time.monotonic() - self._begun) / self._seat.together

    def report(self, step: int, metrics: Mapping[str, float]) -> bool:
        values = {name: float(value) for name, value in metrics.items()}
        refuse_nan(values, f"at step {step}")
        self.history.append(Step(int(step), values))
        self._alive()
        self._plot(lambda board: board.scalars(step, values))
        rule = self.work.stop_rule
        stop = False
        if rule is not None:
            reports = ((s.step, s.metrics.get(rule.metric)) for s in self.history)
            stop = self._seat.agree(rule.gives_up(reports))
        self.stopped = self.stopped or stop
        return stop

    def save(self, state: Mapping[str, Any]) -> None:
        # Resumed, a run that was told to stop is to be told so again, so it keeps the checkpoint before that.
        if self._seat.rank != 0 or self.stopped:
            return
        _refuse_what_cannot_be_restored(state, "state")
        made = {
            "config": digest(self.work.config),
            "state": dict(state),
            "history": [{"step": s.step, "metrics": dict(s.metrics)} for s in self.history],
            "seconds": self.seconds,
        }
        try:
            self._keep(made)
        except OSError as error:
            # The run can go on without; it would only begin earlier if it were broken off.
            self._note(f"its checkpoint could not be written ({error.strerror or error})")
        self._alive()

    def _keep(self, made: Mapping[str, Any]) -> None:
        import torch

        path = self._store.checkpoint(self.work.key)
        with whole(path) as temporary, temporary.open("wb") as file:
            torch.save(dict(made), file)
            file.flush()
            os.fsync(file.fileno())
        self._store.push(path)

    def restore(self) -> dict[str, Any] | None:
        path = self._store.checkpoint(self.work.key)
        if not self._store.pull(path):
            return None
        import torch

        try:
            made = torch.load(path, map_location="cpu", weights_only=True)
        except Exception:
            # torch has no one error for a file that it cannot read; the run begins again.
            return None
        # A search trial's key does not cover its values, and they change where a trial before it is done again.
        self._alive()
        if made["config"] != digest(self.work.config):
            return None
        self.history = [Step(s["step"], s["metrics"]) for s in made["history"]]
        self.earlier_seconds = made["seconds"]
        if self._watchdog is not None:
            self._watchdog.already(self.earlier_seconds)
        self._plot(self._replot)
        state: dict[str, Any] = made["state"]
        return state

    def picture(self, step: int, name: str, image: NDArray[np.uint8]) -> None:
        """Show an image, (height, width, 3) uint8, in TensorBoard."""
        self._plot(lambda board: board.picture(step, name, image))

    @contextlib.contextmanager
    def trace(self, name: str) -> Iterator[None]:
        """Trace what is done inside beside the run's curves, where that is wanted."""
        if not self._traces:
            yield
            return
        folder = self._store.tensorboard / folder_of(self.work)
        with contextlib.ExitStack() as stack:
            stack.enter_context(tracing(folder / f"{name}{SUFFIX}", self.device))
            yield
            try:
                stack.close()
                self._store.push(folder)
            except OSError as error:
                self._note(f"its trace could not be written ({error.strerror or error})")

    def artifact(
        self, name: str, identity: Mapping[str, Any], make: Callable[[Making], Mapping[str, Any]]
    ) -> dict[str, Any]:
        """What runs of the sweep share, made by the first that wants it, with curves of its own in TensorBoard."""
        curves: list[Curves] = []

        def board(place: str) -> Callable[[int, Mapping[str, float]], None]:
            def plot(step: int, values: Mapping[str, float]) -> None:
                # What reports nothing, such as a table of features, is no run of TensorBoard's.
                if not curves:
                    curves.append(Curves(self._store.tensorboard / "artifacts" / place))
                curves[0].scalars(step, values)

            return plot

        try:
            return self._store.artifacts.artifact(name, identity, make, board)
        finally:
            for plotted in curves:
                plotted.close()
                self._store.push(self._store.tensorboard / "artifacts")

    @contextlib.contextmanager
    def watched(self, needs: Resources, give_up: Tell) -> Iterator[None]:
        """Watch the run's limits, if it has any; `give_up` is told before the process ends."""
        stack = self._store.checkpoint(self.work.key).with_name("stack.txt")
        self._watchdog = Watchdog(needs.time_limit, needs.stall_limit, give_up, stack)
        with self._watchdog.watching():
            yield

    def close(self, record: Record) -> None:
        """Complete the run's TensorBoard files with its outcome."""
        last = max((step.step for step in record.history), default=0)
        self._plot(lambda board: board.complete(record.status, last, record.metrics))
        self._publish()

    def drop(self) -> None:
        """Close what was written for a run that is begun again."""
        if self._board is not None:
            self._board.close()

    def _alive(self) -> None:
        """Tell the watchdog: a report, or a checkpoint written or read, is a sign of life."""
        if self._watchdog is not None:
            self._watchdog.reported()

    def _replot(self, board: Board) -> None:
        """Plot what an earlier try reported."""
        for step in self.history:
            board.scalars(step.step, step.metrics)

    def _plot(self, do: Callable[[Board], None]) -> None:
        if self._board is not None:
            with self._plotting():
                do(self._board)
        if time.monotonic() - self._pushed > PUSH:
            self._publish()

    @contextlib.contextmanager
    def _plotting(self) -> Iterator[None]:
        """Go on without curves where they cannot be written: the record is worth more."""
        try:
            yield
        except OSError as error:
            self._board = None
            self._note(f"its curves could not be written ({error.strerror or error})")

    def _publish(self) -> None:
        """Bring the curves to an object store, if that is where the sweep is."""
        self._pushed = time.monotonic()
        if self._board is not None and self._store.place.path is None:
            with self._plotting():
                self._store.push(self._store.tensorboard / folder_of(self.work))

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def _refuse_what_cannot_be_restored(value: Any, where: str) -> None:
    """Raise TypeError for what `torch.load(weights_only=True)` would refuse when the run is resumed."""
    if isinstance(value, dict):
        for key, entry in value.items():
            _refuse_what_cannot_be_restored(entry, f"{where}[{key!r}]")
    elif type(value) in (list, tuple):
        for number, entry in enumerate(value):
            _refuse_what_cannot_be_restored(entry, f"{where}[{number}]")
    elif value is not None and type(value) not in (bool, int, float, str):
        import torch

        if not isinstance(value, torch.Tensor):
            raise TypeError(
                f"{where} is a {type(value).__name__}, expected tensors, numbers, text, lists or mappings of them"
            )


def refuse_nan(metrics: Mapping[str, float], where: str) -> None:
    """Raise NotANumber where a metric is NaN or infinite, naming it."""
    for name, value in metrics.items():
        if not math.isfinite(value):
            raise NotANumber(f"{name} is {value} {where}")
