"""Artifacts: what runs of a sweep need in common, made once by whichever wants it first."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crosscut.records.key import digest
from crosscut.records.lease import leased
from crosscut.records.local_place import whole
from crosscut_trainables.session import Making

if TYPE_CHECKING:
    from crosscut.records.store import Store

Board = Callable[[int, Mapping[str, float]], None]


class Artifacts:
    """The folder `<sweep>/artifacts`.

    ```
    <name>-<key>/artifact.pt      what was made, there whole or not at all
                 identity.json    what defines it, for people
                 checkpoint.pt    how far its making has come
                 lock             held by the one who makes it
    ```
    The key is a hash of the identity. The lock is the operating system's, which lets go of it when its holder
    dies; whoever waits then goes on from the checkpoint. Where the store is in an object store the folder is this
    machine's copy of what lies there, and a lease beside the lock keeps machines apart.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.folder = store.folder / "artifacts"

    def place(self, name: str, identity: Mapping[str, Any]) -> Path:
        """The folder of an artifact. Raises ValueError for a name that is no folder's."""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}", name):
            raise ValueError(
                f"an artifact is called {name!r}, expected letters, digits, '_', '.' and '-', "
                "a letter or digit first"
            )
        return self.folder / f"{name}-{digest(dict(identity))[:20]}"

    def artifact(
        self,
        name: str,
        identity: Mapping[str, Any],
        make: Callable[[Making], Mapping[str, Any]],
        board: Callable[[str], Board] | None = None,
    ) -> dict[str, Any]:
        """The artifact of this identity: read if it is there, waited for while another makes it, or made.

        Tensors in it are mapped from its file and read as they are used, so all runs of a machine share one copy.

        Args:
            name: what it is, such as `text-stage`; the first part of its folder's name.
            identity: all that defines it, as plain values.
            make: makes it, tensors and plain values; it may keep checkpoints and report.
            board: gives, for the name of the folder, what plots a step's values.
        """
        place = self.place(name, identity)
        found = _read(place / "artifact.pt", mapped=True)
        if found is not None:
            return found
        place.mkdir(parents=True, exist_ok=True)
        with _held(place / "lock"):
            found = self._there(place / "artifact.pt")
            if found is None:
                with self._leased(place.name):
                    found = self._there(place / "artifact.pt")
                    if found is None:
                        text = json.dumps({"name": name, **identity}, indent=1, sort_keys=True) + "\n"
                        (place / "identity.json").write_text(text)
                        self._make(place, make, None if board is None else board(place.name))
                        found = _read(place / "artifact.pt", mapped=True)
        assert found is not None
        return found

    def _there(self, path: Path) -> dict[str, Any] | None:
        """What a file holds that another has made, here or on another machine."""
        found = _read(path, mapped=True)
        if found is None and self._store.place.path is None and self._store.pull(path):
            found = _read(path, mapped=True)
        return found

    def _make(self, place: Path, make: Callable[[Making], Mapping[str, Any]], board: Board | None) -> None:
        _write(place / "artifact.pt", make(_Bench(self._store, place / "checkpoint.pt", board)))
        for name in ("identity.json", "artifact.pt"):
            self._store.push(place / name)
        (place / "checkpoint.pt").unlink(missing_ok=True)
        self._store.place.remove(f"artifacts/{place.name}/checkpoint.pt")

    @contextlib.contextmanager
    def _leased(self, name: str) -> Iterator[None]:
        """Keep other machines from making the same; on a disk the lock has done so."""
        if self._store.place.path is not None:
            yield
            return
        forever = float("inf")
        with leased(self._store.place, f"artifacts/{name}/leases", {"pid": os.getpid()}, patience=forever):
            yield


class _Bench:
    """Where one artifact is made."""

    def __init__(self, store: Store, checkpoint: Path, board: Board | None) -> None:
        self._store = store
        self._checkpoint = checkpoint
        self._board = board

    def report(self, step: int, metrics: Mapping[str, float]) -> None:
        if self._board is not None:
            self._board(step, metrics)

    def save(self, state: Mapping[str, Any]) -> None:
        _write(self._checkpoint, state)
        self._store.push(self._checkpoint)

    def restore(self) -> dict[str, Any] | None:
        self._store.pull(self._checkpoint)
        return _read(self._checkpoint, mapped=False)


def _write(path: Path, state: Mapping[str, Any]) -> None:
    """Write a file whole or not at all."""
    import torch

    with whole(path) as temporary, temporary.open("wb") as file:
        torch.save(dict(state), file)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path, *, mapped: bool) -> dict[str, Any] | None:
    """What `_write` wrote, tensors on the CPU; None where there is nothing, or nothing that can be read."""
    if not path.exists():
        return None
    import torch

    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except Exception:
        # torch has no one error for a file that it cannot read; it is made again.
        return None
    return state


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
