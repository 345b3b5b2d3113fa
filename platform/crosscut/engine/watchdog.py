"""The watchdog of a worker: ends its process where a run takes too long, or reports nothing for too long."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from crosscut.records.record import FailureKind

GRACE = 20.0
"""Seconds after a limit at which a process ends that does not even let the watchdog run."""
EXIT = 75
"""Exit code of a process that was ended here."""

Tell = Callable[[FailureKind, str], None]


class Watchdog:
    """Watches one run in this process.

    A thread looks at the limits and tells before it ends the process. Code that keeps Python's interpreter to
    itself keeps that thread from looking, so a timer of the interpreter's own, which needs nothing of it, ends the
    process some seconds later and writes where it stood into a file.

    Args:
        time_limit: seconds that the run may take from now on, None for as many as it likes.
        stall_limit: seconds that may pass between two reports, and before the first.
        tell: told what is wrong, in a sentence, before the process ends.
        stack: the file for where it stood.
    """

    def __init__(self, time_limit: float | None, stall_limit: float | None, tell: Tell, stack: Path) -> None:
        self._time_limit = time_limit
        self._stall_limit = stall_limit
        self._tell = tell
        self._stack = stack
        self._thread = threading.get_ident()
        self._begun = self._reported = time.monotonic()
        self._end = threading.Event()
        self._file: IO[str] | None = None

    def reported(self) -> None:
        """The run gave a sign of life."""
        self._reported = time.monotonic()
        self._arm()

    def already(self, seconds: float) -> None:
        """Earlier tries took so long, up to the checkpoint that this one goes on from."""
        if self._time_limit is not None:
            self._time_limit -= seconds
        self._arm()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watch until the end."""
        if self._time_limit is None and self._stall_limit is None:
            yield
            return
        with contextlib.suppress(OSError):
            self._stack.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._stack.open("w")
            # The timer writes what every thread does; this tells which one is the run's.
            self._file.write(f"{self._thread:x}\n")
            self._file.flush()
        self._arm()
        thread = threading.Thread(target=self._watch, name="crosscut-watchdog", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._end.set()
            faulthandler.cancel_dump_traceback_later()
            if self._file is not None:
                self._file.close()
                self._stack.unlink(missing_ok=True)

    def _left(self) -> tuple[float, FailureKind]:
        """Seconds until the nearer limit, and what it is."""
        now = time.monotonic()
        limits: list[tuple[float, FailureKind]] = []
        if self._time_limit is not None:
            limits.append((self._begun + self._time_limit - now, "timeout"))
        if self._stall_limit is not None:
            limits.append((self._reported + self._stall_limit - now, "stalled"))
        return min(limits)

    def _watch(self) -> None:
        while True:
            left, kind = self._left()
            if left > 0:
                if self._end.wait(left):
                    return
                continue
            if self._end.is_set():
                return
            with contextlib.suppress(Exception):  # whatever is wrong with the storage, the process must end
                self._tell(kind, self._sentence(kind))
            os._exit(EXIT)

    def _sentence(self, kind: FailureKind) -> str:
        frame = sys._current_frames().get(self._thread)
        where = ""
        if frame is not None:
            # The innermost lines are often a library's; the last of the file that is deepest in is enough.
            stood = traceback.extract_stack(frame)[-1]
            where = f"; it stood in {stood.name} ({stood.filename}, line {stood.lineno})"
        if kind == "timeout":
            return f"it took longer than resources.time_limit allows, {self._time_limit:g} s{where}"
        return f"it reported nothing for {self._stall_limit:g} s (resources.stall_limit){where}"

    def _arm(self) -> None:
        if self._file is not None and not self._end.is_set():
            seconds = max(self._left()[0], 0.0) + GRACE
            faulthandler.dump_traceback_later(seconds, exit=True, file=self._file)


def stood(stack: Path) -> str | None:
    """Where a process stood that the interpreter's own timer ended, in a sentence; None where it ended none."""
    try:
        lines = stack.read_text().splitlines()
    except OSError:
        return None
    watched = False
    for line in lines[1:]:
        if line.startswith(("Thread 0x", "Current thread 0x")):
            watched = int(line.partition("0x")[2].split()[0], 16) == int(lines[0], 16)
        elif watched and line.strip().startswith("File "):
            return f"it did not even let its watchdog run; it stood at {line.strip()}"
    return None
