"""Locks of a sweep: one driver at a time, and none while workers of an earlier one still live.

On a disk they are advisory locks of the operating system, which lets go of them when their process dies, however
it dies: no stale lock is ever left. In an object store they are leases, which end a minute after their process.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import platform
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from crosscut.errors import InputError
from crosscut.records.lease import LIFE, Taken, entries, leased
from crosscut.records.place import Place

DRIVER = "driver.lock"
WORKERS = "workers.lock"


@contextlib.contextmanager
def driving(place: Place, *, patience: float = 60.0) -> Iterator[None]:
    """Hold the sweep in `place` as its only driver.

    Args:
        place: the sweep's place.
        patience: seconds to wait for the workers of an earlier driver to end; they live for some seconds after
            it was killed.

    Raises:
        InputError: another driver holds the sweep, or an earlier one's workers do not end.
    """
    facts = {"pid": os.getpid(), "host": platform.node(), "since": time.time()}
    held_by_another = f"{place.name}: {{who}} holds this sweep; wait for it or stop it first"
    if place.path is None:
        try:
            with leased(place, DRIVER, facts, lost=_give_up):
                _wait_for_leases(place, max(patience, 1.5 * LIFE))
                yield
        except Taken:
            raise InputError(held_by_another.format(who=holder(place))) from None
        return
    with (place.path / DRIVER).open("a+") as file:
        # `held` takes the lock for an instant to look, which is no reason to give up.
        if not _locked_within(file, 1.0):
            raise InputError(held_by_another.format(who=holder(place)))
        file.seek(0)
        file.truncate()
        json.dump(facts, file)
        file.flush()
        _wait_for_workers(place.path, patience)
        yield


@contextlib.contextmanager
def working(place: Place) -> Iterator[None]:
    """Hold the sweep as one of its workers, however many there are."""
    if place.path is None:
        with leased(place, WORKERS, {"pid": os.getpid(), "host": platform.node()}, shared=True):
            yield
        return
    with (place.path / WORKERS).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def holder(place: Place) -> str:
    """Who holds the sweep, in words."""
    try:
        who: dict[str, Any]
        who = (
            entries(place, DRIVER)[0] if place.path is None else json.loads((place.path / DRIVER).read_text())
        )
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(who["since"]))
        return f"process {who['pid']} on {who['host']}, since {since},"
    except (OSError, ValueError, KeyError, IndexError, TypeError, OverflowError):
        return "another process"


def held(place: Place) -> bool:
    """Whether a driver holds the sweep now."""
    if place.path is None:
        return bool(entries(place, DRIVER))
    try:
        with (place.path / DRIVER).open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _give_up() -> None:
    """End a driver whose lease another has taken, as one that is interrupted: two must not drive."""
    os.kill(os.getpid(), signal.SIGINT)


def _wait_for_workers(folder: Path, patience: float) -> None:
    with (folder / WORKERS).open("a") as file:
        if not _locked_within(file, patience):
            raise _still_training(str(folder), patience)


def _wait_for_leases(place: Place, patience: float) -> None:
    until = time.monotonic() + patience
    try:
        with leased(place, WORKERS, {"waits": True}, patience=patience):
            return
    except Taken:
        raise _still_training(place.name, time.monotonic() - until + patience) from None


def _still_training(where: str, seconds: float) -> InputError:
    return InputError(
        f"{where}: workers of an earlier driver still train after {seconds:.0f} seconds; stop them first"
    )


def _locked_within(file: IO[str], seconds: float) -> bool:
    """Take the exclusive lock of `file` within so many seconds; False where that fails."""
    until = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        else:
            return True
