"""Runs of one configuration that differ in their seeds alone, trained in one process.

Each has a model, an optimizer and a session of its own, and takes its own steps; what small models spend most of
their time on is done for all of them at once (`recurrence.py`), where that is the same to the bit and measures
faster. So the ranks are those of runs that are trained one by one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import TypeVar

from torch import Tensor

from crosscut_trainables.allocator import keep_freed
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.epoch import Epoch
from crosscut_trainables.evaluation import Evaluation
from crosscut_trainables.loop import Training
from crosscut_trainables.recurrence import same_together
from crosscut_trainables.session import Session
from crosscut_trainables.step import Stride, step_together

T = TypeVar("T")
WARM, TRIED = 2, 8
"""Steps before time is taken, and steps each way whose times are compared."""

Outcome = Evaluation | Exception


def run_together(config: RetrievalConfig, sessions: Sequence[Session]) -> list[Outcome]:
    """For each session what `loop.run` returns, or what it raises."""
    return _Together(config, sessions).run()


class _Together:
    def __init__(self, config: RetrievalConfig, sessions: Sequence[Session]) -> None:
        self._runs = [Training(config, session) for session in sessions]
        self._raised: dict[int, Exception] = {}
        self._pace: Pace | None = None
        keep_freed()

    def run(self) -> list[Outcome]:
        for number in range(len(self._runs)):
            self._attempt(number, self._runs[number].begin)
        while going := [n for n, run in enumerate(self._runs) if n not in self._raised and run.going]:
            # Those that were resumed from a later checkpoint wait for the others.
            least = min(self._runs[number].progress.epoch for number in going)
            self._epoch([number for number in going if self._runs[number].progress.epoch == least])
        return [self._finished(number) for number in range(len(self._runs))]

    def _epoch(self, numbers: list[int]) -> None:
        """Train these runs, which are equally far, for an epoch."""
        runs = [self._runs[number] for number in numbers]
        epochs = [run.epoch() for run in runs]
        for run in runs:
            run.model.train()
        batches = (
            run.watch.each(run.batches.epoch(epoch.number), "data")
            for run, epoch in zip(runs, epochs, strict=True)
        )
        for every in zip(*batches, strict=True):
            strides = [
                epoch.stride(run.step, batch)
                for run, epoch, batch in zip(runs, epochs, every, strict=True)
                if run.step is not None
            ]
            if self._pace is None:
                self._pace = Pace(_agree(strides))
            for epoch, terms in zip(epochs, self._pace.take(strides), strict=True):
                epoch.add(terms)
        for number, epoch in zip(numbers, epochs, strict=True):
            self._attempt(number, partial(_end, self._runs[number], epoch))

    def _finished(self, number: int) -> Outcome:
        found = self._raised.get(number) or self._attempt(number, self._runs[number].finish)
        return self._raised[number] if found is None else found

    def _attempt(self, number: int, do: Callable[[], T]) -> T | None:
        """Do what is a run's own, and keep what it raises."""
        try:
            return do()
        except Exception as error:
            self._raised[number] = error
            return None


def _end(run: Training, epoch: Epoch) -> None:
    run.assess(epoch.end(run.progress.health))


class Pace:
    """Takes steps together or one by one, whichever is faster: some each way first.

    Args:
        possible: whether steps may be taken together at all.
    """

    def __init__(self, possible: bool) -> None:
        self._possible = possible
        self._taken = 0
        self._seconds: dict[bool, list[float]] = {True: [], False: []}

    @property
    def together(self) -> bool | None:
        """Whether steps are taken together, None while that is not known."""
        if not self._possible:
            return False
        return self._decided()

    def take(self, strides: Sequence[Stride]) -> list[dict[str, Tensor]]:
        """Take these steps."""
        together = self.together
        if together is not None:
            return _take(strides, together)
        together = self._taken % 2 == 0
        begun = time.perf_counter()
        found = _take(strides, together)
        self._taken += 1
        if self._taken > 2 * WARM:
            self._seconds[together].append(time.perf_counter() - begun)
        return found

    def _decided(self) -> bool | None:
        there, alone = self._seconds[True], self._seconds[False]
        return None if len(alone) < TRIED else median(there) < median(alone)


def _take(strides: Sequence[Stride], together: bool) -> list[dict[str, Tensor]]:
    if together:
        return step_together(strides)
    return [terms for stride in strides for terms in step_together([stride])]


def _agree(strides: Sequence[Stride]) -> bool:
    """Whether the models have something to read together, and that is the same to the bit."""
    readings = []
    for step, batch, *_ in strides:
        reading = step.objective.model.reading(batch.ids, batch.lengths)
        if reading is None:
            return False
        readings.append(reading)
    return same_together(readings)
