"""A place on a disk: of this machine, or one that machines share."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from crosscut.records.place import Mark


class LocalPlace:
    """A folder. What is written takes its name in one step; folders of files are on the disk before that."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        return str(self._path)

    @property
    def path(self) -> Path:
        return self._path

    def below(self, name: str) -> LocalPlace:
        return LocalPlace(self._path / name)

    def read(self, name: str) -> bytes:
        return (self._path / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        with whole(self._path / name) as temporary:
            temporary.write_bytes(content)

    def marks(self, name: str) -> dict[str, dict[str, Mark]]:
        found: dict[str, dict[str, Mark]] = {}
        try:
            folders = [entry for entry in os.scandir(self._path / name) if not entry.name.startswith(".")]
        except (FileNotFoundError, NotADirectoryError):
            return {}
        for folder in folders:
            try:
                entries = list(os.scandir(folder.path))
                found[folder.name] = {entry.name: _mark(entry.stat()) for entry in entries if entry.is_file()}
            except FileNotFoundError:
                continue  # moved away in between
            except OSError:
                found[folder.name] = {}  # whoever reads it learns why
        return found

    def files(self, name: str) -> dict[str, Mark]:
        top = self._path / name
        found = {}
        for folder, _, names in os.walk(top):
            for file in names:
                path = Path(folder) / file
                try:
                    found[path.relative_to(top).as_posix()] = _mark(path.stat())
                except FileNotFoundError:
                    continue
        return found

    def is_file(self, name: str) -> bool:
        return (self._path / name).is_file()

    def put(self, name: str, files: Mapping[str, bytes], last: str) -> bool:
        final = self._path / name
        temporary = final.with_name(f".{final.name}.{uuid.uuid4().hex}")
        temporary.mkdir(parents=True)
        try:
            for file, content in files.items():
                with (temporary / file).open("wb") as stream:
                    stream.write(content)
                    stream.flush()
                    os.fsync(stream.fileno())
            try:
                temporary.rename(final)
            except OSError:
                if not final.exists():
                    raise
                return False
            return True
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def move(self, name: str, target: str) -> bool:
        final = self._path / target
        final.parent.mkdir(parents=True, exist_ok=True)
        if final.exists():
            return False
        try:
            (self._path / name).rename(final)
        except FileNotFoundError:
            return False
        except OSError:
            # another took the target in between
            if not final.exists():
                raise
            return False
        return True

    def remove(self, name: str) -> None:
        path = self._path / name
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def upload(self, name: str, source: Path) -> None:
        if source == self._path / name:
            return
        with whole(self._path / name) as temporary:
            shutil.copyfile(source, temporary)

    def download(self, name: str, target: Path) -> None:
        if target == self._path / name:
            target.stat()  # raises where it is missing
            return
        with whole(target) as temporary:
            shutil.copyfile(self._path / name, temporary)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a path to write to, which takes the name `path` at the end, if nothing was raised."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    temporary.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _mark(stat: os.stat_result) -> Mark:
    return Mark(stat.st_size, stat.st_mtime_ns)
