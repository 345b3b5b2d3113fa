"""Places: where a sweep's files lie, on a disk or in an object store, under one set of names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

from crosscut.errors import InputError


@dataclass(frozen=True, order=True)
class Mark:
    """What tells one content of a file from another without reading it."""

    size: int
    """Bytes."""
    time: int
    """When it was written, by the clock of whoever keeps it; nanoseconds since 1970, as far as it tells these."""


class Place(Protocol):
    """A folder with files by name. Names are relative, with `/` between their parts.

    Every method raises OSError where the place cannot be reached or written.
    """

    @property
    def name(self) -> str:
        """The folder as people name it: a path or a URI."""

    @property
    def path(self) -> Path | None:
        """The folder on this machine's disk, None where it is in an object store."""

    def below(self, name: str) -> Place:
        """The folder `name` in this one."""

    def read(self, name: str) -> bytes:
        """A file's content. Raises FileNotFoundError."""

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all, in the place of what has its name."""

    def marks(self, name: str) -> dict[str, dict[str, Mark]]:
        """Subfolder → file → mark, for all files in subfolders of the folder `name`, hidden ones left out."""

    def files(self, name: str) -> dict[str, Mark]:
        """All files below the folder `name`, by their names from there. Hidden ones are among them."""

    def is_file(self, name: str) -> bool:
        """Whether there is such a file."""

    def put(self, name: str, files: Mapping[str, bytes], last: str) -> bool:
        """Write a folder of files, of which `last` says that it is there; False where it is there already.

        Whoever looks sees the whole folder, or one without `last`.
        """

    def move(self, name: str, target: str) -> bool:
        """Move a folder, all its files; False where there is none, or the target is taken."""

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with all that is in it, if it is there."""

    def upload(self, name: str, source: Path) -> None:
        """Write a file's content from the disk of this machine."""

    def download(self, name: str, target: Path) -> None:
        """Write a file's content to the disk of this machine, whole or not at all. Raises FileNotFoundError."""


def place_of(text: str, where: str = "") -> Place:
    """The place that a path or a URI names.

    Args:
        text: a path, `file:///…`, or a URI that `pyarrow.fs` knows: `s3://`, `gs://`, `abfs://`, `hdfs://`.
        where: what errors begin with, such as `--storage: `.

    Raises:
        InputError: it names none, or holds a secret.
    """
    from crosscut.records.local_place import LocalPlace

    scheme = urlsplit(text).scheme if "://" in text else ""
    if scheme in ("", "file"):
        return LocalPlace(_absolute(text.removeprefix("file://"), where))
    from crosscut.records.object_place import ObjectPlace

    if "@" in urlsplit(text).netloc:
        raise InputError(
            f"{where}found credentials in the URI of a storage, expected them in the environment or in the files "
            "that the storage's own tools read: a URI is told in logs and records"
        )
    return ObjectPlace.at(text, where)


def storage_of(text: str) -> Place:
    """The place that `--storage` names, below which sweeps lie. Raises InputError where it can be none."""
    place = place_of(text, "--storage: ")
    if place.path is not None and place.path.exists() and not place.path.is_dir():
        raise InputError(f"--storage: found the file {text!r}, it cannot be written to as a folder")
    return place


def joined(text: str, name: str) -> str:
    """The text that names the folder `name` in the storage that `text` names."""
    if "://" not in text:
        return str(Path(text) / name)
    parts = urlsplit(text)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{name}"))


def _absolute(text: str, where: str) -> Path:
    try:
        path = Path(text).expanduser().absolute()
        path.exists()
    except (RuntimeError, OSError, ValueError) as error:
        raise InputError(f"{where}found {text!r}, expected the path of a folder ({error})") from error
    return path
