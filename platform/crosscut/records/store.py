"""The store: the folder of one sweep, and the records in it."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crosscut.errors import InputError
from crosscut.records.artifacts import Artifacts
from crosscut.records.details import DETAIL_FILES, Details
from crosscut.records.record import RECORD_FILE, DamagedRecord, Record, details_of


class Store:
    """The folder `<storage>/<sweep>`.

    ```
    sweep.json                 the sweep as it was last asked for
    runs/<key>/                one record: record.json, ranks.npz, rankings.npz, …
    checkpoints/<key>/         the newest checkpoint of a run that has not ended
    artifacts/<name>-<key>/    what runs share, such as an encoder that was trained by itself
    set-aside/<key>.<n>/       records that were damaged, or failed and were tried again
    tensorboard/  report/  logs/
    ```
    A record is written into a folder of its own beside the others and moved to its name in one step, so that
    it is there whole or not at all.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = folder / "runs"
        self.checkpoints = folder / "checkpoints"
        self.set_aside_folder = folder / "set-aside"
        self.tensorboard = folder / "tensorboard"
        self.report = folder / "report"
        self.logs = folder / "logs"
        self.artifacts = Artifacts(folder / "artifacts")

    @classmethod
    def create(cls, storage: str, sweep: str) -> Store:
        """The store of `sweep` under `storage`, its folders made.

        Raises:
            InputError: the storage is not a local folder, or cannot be written.
        """
        store = cls(cls.place(storage) / sweep)
        try:
            for folder in (store.runs, store.checkpoints, store.logs, store.tensorboard):
                folder.mkdir(parents=True, exist_ok=True)
            probe = store.folder / f".probe-{uuid.uuid4().hex}"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise InputError(
                f"--storage: {storage!r} cannot be written ({error.strerror}: {error.filename})"
            ) from error
        return store

    @staticmethod
    def place(storage: str) -> Path:
        """The absolute folder that a storage names. Raises InputError where it cannot be one."""
        if "://" in storage:
            raise InputError(
                f"--storage: found {storage!r}, expected a folder (local, or shared by all nodes of a cluster)"
            )
        path = _absolute(storage, "--storage: ")
        if path.exists() and not path.is_dir():
            raise InputError(f"--storage: found the file {storage!r}, it cannot be written to as a folder")
        return path

    @classmethod
    def open(cls, folder: str) -> Store:
        """The store in an existing folder of a sweep.

        Raises:
            InputError: there is no sweep in it.
        """
        path = _absolute(folder, "")
        if (path / "sweep.json").is_file():
            return cls(path)
        inside = sorted(p.parent.name for p in path.glob("*/sweep.json")) if path.is_dir() else []
        if not path.exists():
            raise InputError(
                f"{folder}: no such folder; expected the folder of a sweep, such as results/quickstart"
            )
        hint = (
            f"; there are sweeps in {', '.join(str(Path(folder) / name) for name in inside)}"
            if inside
            else ""
        )
        raise InputError(f"{folder}: no sweep.json here; expected the folder of a sweep{hint}")

    def write_sweep(self, sweep: Mapping[str, Any]) -> None:
        """Keep the sweep as it is asked for now."""
        self.write_text(self.folder / "sweep.json", json.dumps(sweep, indent=1) + "\n")

    def read_sweep(self) -> dict[str, Any]:
        """The sweep as it was last asked for."""
        loaded: dict[str, Any] = json.loads((self.folder / "sweep.json").read_text())
        return loaded

    def write_text(self, path: Path, text: str) -> None:
        """Write a small file whole or not at all."""
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        temporary.write_text(text)
        temporary.replace(path)

    def read(self, key: str) -> Record | None:
        """The record of `key` without its details, None where there is none.

        Raises:
            DamagedRecord: there is one, but it is not what was written.
        """
        folder = self.runs / key
        try:
            files = {
                path.name: path.read_bytes()
                for path in folder.iterdir()
                if path.is_file() and path.name not in DETAIL_FILES
            }
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DamagedRecord(f"it cannot be read: {error.strerror}") from error
        record = Record.from_files(files)
        if record.key != key:
            raise DamagedRecord(f"it is the record of {record.key}")
        return record

    def details(self, key: str) -> Details:
        """The details of a record; empty where it has none, as those have that were written before there were any.

        Raises:
            DamagedRecord: they are not what was written, or there is no such record.
        """
        folder = self.runs / key
        try:
            files = {
                name: (folder / name).read_bytes()
                for name in (RECORD_FILE, *DETAIL_FILES)
                if (folder / name).is_file()
            }
        except OSError as error:
            raise DamagedRecord(f"it cannot be read: {error.strerror}") from error
        if RECORD_FILE not in files:
            raise DamagedRecord(f"{RECORD_FILE} is missing")
        return details_of(files)

    def write(self, record: Record) -> Record:
        """Keep a record, unless one that is as good has the key already; the one that stays is returned.

        A result takes the place of a failure. Of several failures, as the workers of one run see them, the first
        stays: it is the cause of the others.
        """
        temporary = self.runs / f".{record.key}.{uuid.uuid4().hex}"
        temporary.mkdir()
        try:
            for name, content in record.to_files().items():
                with (temporary / name).open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
            final = self.runs / record.key
            while True:
                try:
                    temporary.rename(final)
                except OSError:
                    if not final.exists():
                        raise
                else:
                    return record
                try:
                    standing = self.read(record.key)
                except DamagedRecord:
                    standing = None
                if standing is not None and (standing.status != "failed" or record.status == "failed"):
                    return standing
                self.set_aside(record.key)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def set_aside(self, key: str) -> Path:
        """Move a record out of the way, never deleting it; returns where it now lies."""
        self.set_aside_folder.mkdir(exist_ok=True)
        number = 1
        while True:
            target = self.set_aside_folder / f"{key}.{number}"
            if not target.exists():
                try:
                    (self.runs / key).rename(target)
                except FileNotFoundError:
                    return target
                except OSError:
                    # another writer took the number in between
                    if not target.exists():
                        raise
                else:
                    return target
            number += 1

    def recorded(self) -> list[str]:
        """Keys of all records here, asked for by the sweep or not."""
        if not self.runs.is_dir():
            return []
        return sorted(
            path.name
            for path in self.runs.iterdir()
            if not path.name.startswith(".") and (path / RECORD_FILE).exists()
        )

    def sweep_up(self) -> None:
        """Remove what writers left that were killed in the middle. Only while no writer lives."""
        for path in self.runs.glob(".*"):
            shutil.rmtree(path, ignore_errors=True)
        for path in self.logs.glob("crosscut-*"):
            shutil.rmtree(path, ignore_errors=True)
        left = (*self.checkpoints.glob("*/.*"), *self.artifacts.folder.glob("*/.*"))
        for path in (*left, *self.folder.glob(".*"), self.folder / "progress.json"):
            if path.is_file():
                path.unlink(missing_ok=True)

    def checkpoint(self, key: str) -> Path:
        """Where the newest checkpoint of an unfinished run lies."""
        return self.checkpoints / key / "checkpoint.pt"

    def drop_checkpoint(self, key: str) -> None:
        """Remove the checkpoint of a run that has ended."""
        shutil.rmtree(self.checkpoints / key, ignore_errors=True)


def _absolute(text: str, where: str) -> Path:
    try:
        path = Path(text).expanduser().absolute()
        path.exists()
    except (RuntimeError, OSError, ValueError) as error:
        raise InputError(f"{where}found {text!r}, expected the path of a folder ({error})") from error
    return path
