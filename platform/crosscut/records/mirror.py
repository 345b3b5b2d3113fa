"""A mirror: a folder of a store in an object store, kept on this machine's disk for who reads files alone."""

from __future__ import annotations

from pathlib import Path

from crosscut.records.local_place import LocalPlace
from crosscut.records.place import Mark
from crosscut.records.store import Store


class Mirror:
    """The files below a folder of the store, as they were when it was last refreshed."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self.folder = folder
        """Where they lie on this machine."""
        self._name = folder.relative_to(store.folder).as_posix()
        self._marks: dict[str, Mark] = {}

    def refresh(self) -> None:
        """Bring what is new or has changed, and remove what is gone.

        Raises:
            OSError: the place cannot be reached.
        """
        if self._store.place.path is not None:
            return
        there = self._store.place.files(self._name)
        for name, mark in there.items():
            if self._marks.get(name) != mark:
                try:
                    self._store.place.download(f"{self._name}/{name}", self.folder / name)
                except FileNotFoundError:
                    continue  # gone in between
                self._marks[name] = mark
        for name in LocalPlace(self.folder).files("").keys() - there.keys():
            (self.folder / name).unlink(missing_ok=True)
            self._marks.pop(name, None)
