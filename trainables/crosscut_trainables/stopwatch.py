"""Where the seconds of a run go."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch

from crosscut_trainables.collectives import TRAFFIC

T = TypeVar("T")

PHASES = ("data", "forward", "backward", "update", "evaluation", "waiting")
"""What seconds go into. `waiting` is for other workers, in whatever phase. What is left of a run's seconds goes
into data sets, the model's making, and checkpoints."""


class Stopwatch:
    """Adds up seconds by phase.

    On a GPU they are those between events on its stream, except of `data`, for which the CPU is asked. There only
    reading them waits for the device, and waiting for other workers is part of the phases.

    Args:
        device: where the work is done.

    >>> watch = Stopwatch()
    >>> with watch.of("forward"):
    ...     pass
    >>> watch.seconds()["forward"] >= 0
    True
    """

    def __init__(self, device: str = "cpu") -> None:
        self._cuda = device.startswith("cuda")
        self._spent = dict.fromkeys(PHASES, 0.0)
        self._events: list[tuple[str, torch.cuda.Event, torch.cuda.Event]] = []

    @contextmanager
    def of(self, phase: str) -> Iterator[None]:
        """Count what is done inside as `phase`, and name it so in a trace."""
        if self._cuda and phase != "data":
            first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            first.record()
            with torch.profiler.record_function(phase):
                yield
            last.record()
            self._events.append((phase, first, last))
            return
        begun, before = time.perf_counter(), TRAFFIC.seconds
        try:
            with torch.profiler.record_function(phase):
                yield
        finally:
            waiting = TRAFFIC.seconds - before
            self._spent["waiting"] += waiting
            self._spent[phase] += time.perf_counter() - begun - waiting

    def each(self, items: Iterable[T], phase: str) -> Iterator[T]:
        """The items, counting as `phase` what it takes to get them."""
        iterator = iter(items)
        while True:
            with self.of(phase):
                try:
                    item = next(iterator)
                except StopIteration:
                    return
            yield item

    def add(self, phase: str, seconds: float) -> None:
        """Count seconds that were measured elsewhere."""
        self._spent[phase] += seconds

    def seconds(self) -> dict[str, float]:
        """Seconds by phase so far."""
        if self._events:
            torch.cuda.synchronize()
        for phase, first, last in self._events:
            self._spent[phase] += first.elapsed_time(last) / 1e3
        self._events.clear()
        return dict(self._spent)


@contextmanager
def among(watches: Sequence[Stopwatch], phase: str) -> Iterator[None]:
    """Count what is done inside for several runs as `phase`, on a CPU for each an equal share."""
    if len(watches) == 1:
        with watches[0].of(phase):
            yield
        return
    begun = time.perf_counter()
    with torch.profiler.record_function(phase):
        yield
    for watch in watches:
        watch.add(phase, (time.perf_counter() - begun) / len(watches))
