"""The store: the place of one sweep, and the records in it."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from crosscut.errors import InputError
from crosscut.records.artifacts import Artifacts
from crosscut.records.details import DETAIL_FILES, Details
from crosscut.records.local_place import LocalPlace
from crosscut.records.place import Place, joined, place_of, storage_of
from crosscut.records.record import RECORD_FILE, DamagedRecord, Record, details_of

PATIENCE = 120.0
"""Seconds for which a record that cannot be written is tried again: a disk may be full for a while."""

Given = TypeVar("Given")


class Store:
    """The place `<storage>/<sweep>`.

    ```
    sweep.json                 the sweep as it was last asked for
    runs/<key>/                one record: record.json, ranks.npz, rankings.npz, …
    checkpoints/<key>/         the newest checkpoint of a run that has not ended
    artifacts/<name>-<key>/    what runs share, such as an encoder that was trained by itself
    set-aside/<key>.<n>/       records that were damaged, or failed and were tried again
    tensorboard/  report/  logs/
    ```
    A record is there whole or not at all. Where the place is in an object store, `folder` is on this machine's
    disk, and what lies there goes to the place by `push` and comes from it by `pull`; where it is a folder, both
    are the same and these do nothing.
    """

    def __init__(self, place: Place | Path, *, patience: float = PATIENCE) -> None:
        self.place: Place = LocalPlace(place) if isinstance(place, Path) else place
        self.folder = self.place.path or _scratch(self.place.name)
        self.runs = self.folder / "runs"
        self.checkpoints = self.folder / "checkpoints"
        self.set_aside_folder = self.folder / "set-aside"
        self.tensorboard = self.folder / "tensorboard"
        self.report = self.folder / "report"
        self.logs = self.folder / "logs"
        self.artifacts = Artifacts(self)
        self._patience = patience

    @classmethod
    def at(cls, storage: str, sweep: str | None = None) -> Store:
        """The store of `sweep` under the storage of that path or URI, or the one that it names itself.

        Raises:
            InputError: it names no place.
        """
        return cls(place_of(storage) if sweep is None else storage_of(storage).below(sweep))

    @classmethod
    def create(cls, storage: str, sweep: str) -> Store:
        """The store of `sweep` under `storage`, its folders made.

        Raises:
            InputError: the storage is no place, or cannot be written.
        """
        store = cls.at(storage, sweep)
        try:
            for folder in (store.runs, store.checkpoints, store.logs, store.tensorboard):
                folder.mkdir(parents=True, exist_ok=True)
            probe = f".probe-{uuid.uuid4().hex}"
            store.place.write(probe, b"")
            store.place.remove(probe)
        except OSError as error:
            reason = error.strerror or " ".join(str(error).split())
            where = f": {error.filename}" if error.filename else ""
            raise InputError(f"--storage: {storage!r} cannot be written ({reason}{where})") from error
        return store

    @classmethod
    def open(cls, folder: str) -> Store:
        """The store in an existing folder of a sweep.

        Raises:
            InputError: there is no sweep in it.
        """
        store = cls.at(folder)
        path = store.place.path
        try:
            if store.place.is_file("sweep.json"):
                return store
        except OSError as error:
            raise InputError(f"{folder}: cannot be read ({' '.join(str(error).split())})") from error
        if path is None:
            raise InputError(f"{folder}: no sweep.json here; expected the folder of a sweep")
        if not path.exists():
            raise InputError(
                f"{folder}: no such folder; expected the folder of a sweep, such as results/quickstart"
            )
        inside = sorted(p.parent.name for p in path.glob("*/sweep.json")) if path.is_dir() else []
        hint = (
            f"; there are sweeps in {', '.join(str(Path(folder) / name) for name in inside)}"
            if inside
            else ""
        )
        raise InputError(f"{folder}: no sweep.json here; expected the folder of a sweep{hint}")

    def write_sweep(self, sweep: Mapping[str, Any]) -> None:
        """Keep the sweep as it is asked for now."""
        self.place.write("sweep.json", (json.dumps(sweep, indent=1) + "\n").encode())

    def read_sweep(self) -> dict[str, Any]:
        """The sweep as it was last asked for."""
        loaded: dict[str, Any] = json.loads(self.place.read("sweep.json"))
        return loaded

    def read(self, key: str) -> Record | None:
        """The record of `key` without its details, None where there is none.

        Raises:
            DamagedRecord: there is one, but it is not what was written.
        """
        files: dict[str, bytes] = {}
        try:
            files[RECORD_FILE] = self.place.read(f"runs/{key}/{RECORD_FILE}")
            files |= self._listed(key, files[RECORD_FILE])
        except FileNotFoundError:
            if files or (self.place.path is not None and (self.runs / key).exists()):
                raise DamagedRecord(f"{'a file of it' if files else RECORD_FILE} is missing") from None
            return None
        except OSError as error:
            raise _unreadable(error) from error
        record = Record.from_files(files)
        if record.key != key:
            raise DamagedRecord(f"it is the record of {record.key}")
        return record

    def read_there(self, key: str) -> Record:
        """The record of a key that has one. Raises DamagedRecord, also where it is gone."""
        record = self.read(key)
        if record is None:
            raise DamagedRecord(f"{RECORD_FILE} is missing")
        return record

    def details(self, key: str) -> Details:
        """The details of a record; empty where it has none, as those have that were written before there were any.

        Raises:
            DamagedRecord: they are not what was written, or there is no such record.
        """
        try:
            files = {RECORD_FILE: self.place.read(f"runs/{key}/{RECORD_FILE}")}
            for name in DETAIL_FILES:
                if self.place.is_file(f"runs/{key}/{name}"):
                    files[name] = self.place.read(f"runs/{key}/{name}")
        except FileNotFoundError:
            raise DamagedRecord(f"{RECORD_FILE} is missing") from None
        except OSError as error:
            raise _unreadable(error) from error
        return details_of(files)

    def write(self, record: Record) -> Record:
        """Keep a record, unless one that is as good has the key already; the one that stays is returned.

        A result takes the place of a failure. Of several failures, as the workers of one run see them, the first
        stays: it is the cause of the others. Where it cannot be written it is tried again for a while.

        Raises:
            OSError: it cannot be written.
        """
        files = record.to_files()
        while not self.patiently(lambda: self.place.put(f"runs/{record.key}", files, RECORD_FILE)):
            try:
                standing = self.read(record.key)
            except DamagedRecord:
                standing = None
            if standing is not None and (standing.status != "failed" or record.status == "failed"):
                return standing
            self.set_aside(record.key)
        return record

    def set_aside(self, key: str) -> str:
        """Move a record out of the way, never deleting it; returns where it now lies."""
        number = 1
        while True:
            target = f"set-aside/{key}.{number}"
            there = self.place.move(f"runs/{key}", target)
            if there or not (self.place.files(f"runs/{key}") or self.place.is_file(f"runs/{key}")):
                return joined(self.place.name, target)
            number += 1

    def recorded(self) -> list[str]:
        """Keys of all records here, asked for by the sweep or not."""
        return sorted(key for key, files in self.place.marks("runs").items() if RECORD_FILE in files)

    def sweep_up(self) -> None:
        """Remove what writers left that were killed in the middle. Only while no writer lives."""
        # Half a record in an object store has its own name and no `record.json`: it is none, and is written over.
        self.place.remove("progress.json")
        for path in self.folder.glob("runs/.*"):
            LocalPlace(self.folder).remove(f"runs/{path.name}")
        for path in self.logs.glob("crosscut-*"):
            LocalPlace(self.logs).remove(path.name)
        for pattern in ("checkpoints/*/.*", "artifacts/*/.*", ".*"):
            for path in self.folder.glob(pattern):
                if path.is_file():
                    path.unlink(missing_ok=True)

    def checkpoint(self, key: str) -> Path:
        """Where the newest checkpoint of an unfinished run lies on this machine."""
        return self.checkpoints / key / "checkpoint.pt"

    def drop_checkpoint(self, key: str) -> None:
        """Remove the checkpoint of a run that has ended."""
        self.place.remove(f"checkpoints/{key}")
        if self.place.path is None:
            LocalPlace(self.checkpoints).remove(key)

    def push(self, path: Path) -> None:
        """Bring a file, or all files below a folder, from this machine's disk to the place."""
        if self.place.path is not None:
            return
        files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
        for file in files:
            self.place.upload(file.relative_to(self.folder).as_posix(), file)

    def pull(self, path: Path) -> bool:
        """Bring a file, or all files below a folder, from the place to this machine's disk; False where the place
        has none."""
        name = path.relative_to(self.folder).as_posix()
        if self.place.path is not None:
            return path.exists()
        if self.place.is_file(name):
            self.place.download(name, path)
            return True
        files = self.place.files(name)
        for file in files:
            self.place.download(f"{name}/{file}", path / file)
        return bool(files)

    def _listed(self, key: str, record: bytes) -> dict[str, bytes]:
        """The files that a record names, other than details."""
        try:
            names = [name for name in json.loads(record)["files"] if name not in DETAIL_FILES]
        except (ValueError, KeyError, TypeError, RecursionError):
            return {}
        return {name: self.place.read(f"runs/{key}/{name}") for name in names if Path(name).name == name}

    def patiently(self, do: Callable[[], Given]) -> Given:
        """Do something with the place, again and again for a while where that fails."""
        wait, until = 0.5, time.monotonic() + self._patience
        while True:
            try:
                return do()
            except OSError:
                if time.monotonic() + wait > until:
                    raise
            time.sleep(wait)
            wait = min(2 * wait, 15.0)


def _unreadable(error: OSError) -> DamagedRecord:
    return DamagedRecord(f"it cannot be read: {error.strerror or ' '.join(str(error).split())}")


def _scratch(name: str) -> Path:
    """The folder on this machine for a place in an object store. `CROSSCUT_SCRATCH` says in which folder."""
    chosen = os.environ.get("CROSSCUT_SCRATCH")
    top = Path(chosen) if chosen else Path(tempfile.gettempdir()) / f"crosscut-{os.getuid()}"
    top.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not chosen and top.stat().st_uid != os.getuid():
        raise InputError(f"{top}: this folder is another user's, set CROSSCUT_SCRATCH to one of your own")
    folder = top / hashlib.sha256(name.encode()).hexdigest()[:16]
    folder.mkdir(exist_ok=True)
    return folder
