"""A place in an object store, or in whatever else `pyarrow.fs` reaches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crosscut.errors import InputError
from crosscut.records.local_place import whole
from crosscut.records.place import Mark, joined

CHUNK = 8 * 2**20
"""Bytes that are held at a time while a file is copied."""


class ObjectPlace:
    """Objects whose names begin alike. One object is written whole or not at all; of several, the one that says
    that they are there comes last.

    Args:
        uri: the place as people name it.
        system: a `pyarrow.fs.FileSystem`.
        base: the path in it.
    """

    path = None

    def __init__(self, uri: str, system: Any, base: str) -> None:
        self._uri = uri
        self.system = system
        """The file system."""
        self.base = base.rstrip("/")
        """The path of the place in it."""

    @classmethod
    def at(cls, uri: str, where: str) -> ObjectPlace:
        """The place of a URI. Raises InputError where no file system knows it."""
        from pyarrow import ArrowException
        from pyarrow.fs import FileSystem

        try:
            system, base = FileSystem.from_uri(uri)
        except (ArrowException, OSError, ValueError) as error:
            text = " ".join(str(error).split()).partition(". Detail")[0]
            raise InputError(
                f"{where}found {uri!r}, expected a folder or a URI such as s3://bucket/folder ({text})"
            ) from error
        if not base.strip("/"):
            raise InputError(f"{where}found {uri!r}, expected a bucket as well, such as s3://bucket/folder")
        return cls(uri, system, base)

    @property
    def name(self) -> str:
        return self._uri

    def below(self, name: str) -> ObjectPlace:
        return ObjectPlace(joined(self._uri, name), self.system, f"{self.base}/{name}")

    def read(self, name: str) -> bytes:
        with self.system.open_input_stream(self._at(name)) as stream:
            content: bytes = stream.read()
        return content

    def write(self, name: str, content: bytes) -> None:
        self._ready(name)
        with self.system.open_output_stream(self._at(name)) as stream:
            stream.write(content)

    def marks(self, name: str) -> dict[str, dict[str, Mark]]:
        found: dict[str, dict[str, Mark]] = {}
        for file, mark in self.files(name).items():
            folder, slash, rest = file.partition("/")
            if slash and not folder.startswith(".") and "/" not in rest:
                found.setdefault(folder, {})[rest] = mark
        return found

    def files(self, name: str) -> dict[str, Mark]:
        from pyarrow.fs import FileSelector, FileType

        top = self._at(name)
        listed = self.system.get_file_info(FileSelector(top, allow_not_found=True, recursive=True))
        return {
            info.path[len(top) + 1 :]: Mark(info.size, info.mtime_ns or 0)
            for info in listed
            if info.type == FileType.File
        }

    def is_file(self, name: str) -> bool:
        from pyarrow.fs import FileType

        return bool(self.system.get_file_info(self._at(name)).type == FileType.File)

    def put(self, name: str, files: Mapping[str, bytes], last: str) -> bool:
        if self.is_file(f"{name}/{last}"):
            return False
        for file in sorted(files, key=lambda file: file == last):
            self.write(f"{name}/{file}", files[file])
        return True

    def move(self, name: str, target: str) -> bool:
        files = self.files(name)
        if not files or self.files(target):
            return False
        for file in files:
            self._ready(f"{target}/{file}")
            self.system.copy_file(self._at(f"{name}/{file}"), self._at(f"{target}/{file}"))
        for file in files:
            self.remove(f"{name}/{file}")
        return True

    def remove(self, name: str) -> None:
        from pyarrow.fs import FileType

        kind = self.system.get_file_info(self._at(name)).type
        if kind == FileType.File:
            self.system.delete_file(self._at(name))
        elif kind == FileType.Directory:
            self.system.delete_dir(self._at(name))

    def upload(self, name: str, source: Path) -> None:
        self._ready(name)
        with source.open("rb") as file, self.system.open_output_stream(self._at(name)) as stream:
            while piece := file.read(CHUNK):
                stream.write(piece)

    def download(self, name: str, target: Path) -> None:
        with (
            self.system.open_input_stream(self._at(name)) as stream,
            whole(target) as temporary,
            temporary.open("wb") as file,
        ):
            while piece := stream.read(CHUNK):
                file.write(piece)

    def _at(self, name: str) -> str:
        return f"{self.base}/{name}" if name else self.base

    def _ready(self, name: str) -> None:
        """Make the folder of a file, where the file system has folders; an object store has none to make."""
        if urlsplit(self._uri).scheme not in ("s3", "gs", "gcs", "abfs", "abfss"):
            self.system.create_dir(self._at(name).rpartition("/")[0], recursive=True)
