"""Leases: locks in a place that knows no locks, such as an object store.

Who wants one writes an entry of its own and then looks at all entries. Who sees another that lives withdraws, so
that of two who come at once both may withdraw and try again, and never both hold. An entry lives as long as it is
written anew; its age is the difference of the times that the place itself gives to entries, so no two machines'
clocks are compared. This needs a place that lists an entry as soon as it is written, as the object stores of today
do.
"""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from crosscut.records.place import Mark, Place

LIFE = 60.0
"""Seconds after which an entry that was not written anew is dead."""
BEAT = 10.0
"""Seconds between two times that an entry is written."""


class Taken(Exception):  # noqa: N818 - a state of the lease, told by whoever asked
    """Another holds the lease."""


@contextlib.contextmanager
def leased(
    place: Place,
    folder: str,
    facts: dict[str, Any],
    *,
    shared: bool = False,
    patience: float = 5.0,
    lost: Callable[[], None] = lambda: None,
) -> Iterator[None]:
    """Hold the lease `folder` of a place.

    Args:
        place: where entries lie.
        folder: the lease's name there.
        facts: who holds it, for `entries`.
        shared: held beside others; only who wants it unshared looks at it.
        patience: seconds to wait for it.
        lost: called from another thread, once, where the entry was taken away while it was held.

    Raises:
        Taken: another holds it for longer than that.
    """
    name = f"{folder}/{uuid.uuid4().hex}"
    content = json.dumps(facts).encode()
    until = time.monotonic() + patience
    place.write(name, content)
    try:
        while not shared and others(place, folder, name):
            place.remove(name)
            if time.monotonic() > until:
                raise Taken
            time.sleep(random.uniform(0.2, 1.0))  # noqa: S311 - so that two do not meet again
            place.write(name, content)
        with _beating(place, name, content, lost):
            yield
    finally:
        with contextlib.suppress(OSError):
            place.remove(name)


def others(place: Place, folder: str, own: str) -> list[str]:
    """Names of the entries that live beside one's own, which must have been written just now. The dead ones are
    removed."""
    marks = place.files(folder)
    now = max((mark.time for mark in marks.values()), default=0)
    living = []
    for file, mark in marks.items():
        if f"{folder}/{file}" == own:
            continue
        if _lives(mark, now):
            living.append(file)
        else:
            place.remove(f"{folder}/{file}")
    return living


def entries(place: Place, folder: str) -> list[dict[str, Any]]:
    """What the holders of a lease say of themselves, of those that live by this machine's clock."""
    found = []
    for file, mark in place.files(folder).items():
        # Here nothing was written just now, so a clock must do; it decides nothing.
        if _lives(mark, time.time_ns()):
            try:
                found.append(dict(json.loads(place.read(f"{folder}/{file}"))))
            except (OSError, ValueError, TypeError):
                continue
    return found


def _lives(mark: Mark, now: int) -> bool:
    return now - mark.time < LIFE * 1e9


@contextlib.contextmanager
def _beating(place: Place, name: str, content: bytes, lost: Callable[[], None]) -> Iterator[None]:
    """Write an entry anew until the end."""
    end = threading.Event()

    def beat() -> None:
        while not end.wait(BEAT):
            try:
                if not place.is_file(name):
                    lost()
                    return
                place.write(name, content)
            except OSError:
                continue  # the store may be back at the next beat

    thread = threading.Thread(target=beat, name="crosscut-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join(timeout=BEAT)
