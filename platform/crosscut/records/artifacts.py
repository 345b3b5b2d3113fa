"""Artifacts: what runs of a sweep need in common, made once by whichever wants it first."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from crosscut.records.key import digest
from crosscut_trainables.session import Making

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
    dies; whoever waits then goes on from the checkpoint.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, name: str, identity: Mapping[str, Any]) -> Path:
        """The folder of an artifact."""
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
            found = _read(place / "artifact.pt", mapped=True)
            if found is None:
                text = json.dumps({"name": name, **identity}, indent=1, sort_keys=True) + "\n"
                (place / "identity.json").write_text(text)
                made = make(_Bench(place / "checkpoint.pt", None if board is None else board(place.name)))
                _write(place / "artifact.pt", made)
                (place / "checkpoint.pt").unlink(missing_ok=True)
                found = _read(place / "artifact.pt", mapped=True)
        assert found is not None
        return found


class _Bench:
    """Where one artifact is made."""

    def __init__(self, checkpoint: Path, board: Board | None) -> None:
        self._checkpoint = checkpoint
        self._board = board

    def report(self, step: int, metrics: Mapping[str, float]) -> None:
        if self._board is not None:
            self._board(step, metrics)

    def save(self, state: Mapping[str, Any]) -> None:
        _write(self._checkpoint, state)

    def restore(self) -> dict[str, Any] | None:
        return _read(self._checkpoint, mapped=False)


def _write(path: Path, state: Mapping[str, Any]) -> None:
    """Write a file whole or not at all."""
    import torch

    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with temporary.open("wb") as file:
            torch.save(dict(state), file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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
