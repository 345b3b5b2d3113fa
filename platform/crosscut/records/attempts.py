"""Attempts: what is known of the tries of a run that came to nothing, until it has a record."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import asdict

from crosscut.records.record import Attempt, FailureKind
from crosscut.records.store import Store


class Attempts:
    """The tries of one run, kept beside its checkpoint.

    A worker that must end without a record leaves the reason; the driver takes it, or what Ray says where there is
    none, and adds it to the list.
    """

    def __init__(self, store: Store, key: str) -> None:
        self._place = store.place
        self._patiently = store.patiently
        self._list = f"checkpoints/{key}/attempts.json"
        self._left = f"checkpoints/{key}/left.json"

    def read(self) -> tuple[Attempt, ...]:
        """Those so far; none where they cannot be read."""
        try:
            return tuple(Attempt(**one) for one in json.loads(self._place.read(self._list)))
        except (OSError, ValueError, TypeError):
            return ()

    def leave(self, kind: FailureKind, reason: str) -> None:
        """Say why this try ends. Called by its worker; the first reason stays."""
        if not self._place.is_file(self._left):
            left = Attempt(kind, reason, time.time())
            self._place.write(self._left, json.dumps(asdict(left)).encode())

    def left(self) -> Attempt | None:
        """What a worker left, which is taken away; None where it left nothing."""
        try:
            found = Attempt(**json.loads(self._place.read(self._left)))
        except (OSError, ValueError, TypeError):
            return None
        self._patiently(lambda: self._place.remove(self._left))
        return found

    def forget(self) -> None:
        """Remove what is known: it is in the record."""
        for name in (self._list, self._left):
            with contextlib.suppress(OSError):
                self._place.remove(name)

    def add(self, attempt: Attempt) -> tuple[Attempt, ...]:
        """Add a try; all of them."""
        every = (*self.read(), attempt)
        content = json.dumps([asdict(one) for one in every]).encode()
        self._patiently(lambda: self._place.write(self._list, content))
        return every
