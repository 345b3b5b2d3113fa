"""Locks of a sweep's folder: one driver at a time, and none while workers of an earlier one still live.

They are advisory locks of the operating system, which lets go of them when their process dies, however it
dies: no stale lock is ever left.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from crosscut.errors import InputError

DRIVER = "driver.lock"
WORKERS = "workers.lock"


@contextlib.contextmanager
def driving(folder: Path, *, patience: float = 60.0) -> Iterator[None]:
    """Hold the sweep in `folder` as its only driver.

    Args:
        folder: the sweep's folder.
        patience: seconds to wait for the workers of an earlier driver to end; they live for some seconds after
            it was killed.

    Raises:
        InputError: another driver holds the sweep, or an earlier one's workers do not end.
    """
    with (folder / DRIVER).open("a+") as file:
        # `held` takes the lock for an instant to look, which is no reason to give up.
        if not _locked_within(file, 1.0):
            raise InputError(f"{folder}: {holder(folder)} holds this sweep; wait for it or stop it first")
        file.seek(0)
        file.truncate()
        json.dump({"pid": os.getpid(), "host": platform.node(), "since": time.time()}, file)
        file.flush()
        _wait_for_workers(folder, patience)
        yield


@contextlib.contextmanager
def working(folder: Path) -> Iterator[None]:
    """Hold the sweep as one of its workers, however many there are."""
    with (folder / WORKERS).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def holder(folder: Path) -> str:
    """Who holds the sweep, in words."""
    try:
        who = json.loads((folder / DRIVER).read_text())
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(who["since"]))
        return f"process {who['pid']} on {who['host']}, since {since},"
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return "another process"


def held(folder: Path) -> bool:
    """Whether a driver holds the sweep now."""
    try:
        with (folder / DRIVER).open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _wait_for_workers(folder: Path, patience: float) -> None:
    with (folder / WORKERS).open("a") as file:
        if not _locked_within(file, patience):
            raise InputError(
                f"{folder}: workers of an earlier driver still train after {patience:.0f} seconds; stop them first"
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
