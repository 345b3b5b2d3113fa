"""The site: where and with what work is done."""

from __future__ import annotations

from dataclasses import dataclass

from crosscut.engine.board import Detail
from crosscut.records.store import Store


@dataclass(frozen=True)
class Site:
    """Where and with what work is done: the same for all of a sweep, and without effect on results."""

    place: str
    """The sweep's place: an absolute path, or a URI."""
    code: str
    """Where the sweep was started, absolute: the user's own trainable may lie there."""
    commit: str | None
    declaration: str | None = None
    """Hash of what the sweep declared before its runs."""
    tensorboard: Detail = "all"
    """Which runs have curves of their own."""
    profile: bool = False
    """Whether runs trace what they do."""

    @property
    def store(self) -> Store:
        """The store in the sweep's place."""
        return Store.at(self.place)
