"""Rows: which items of a global batch a tensor holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rows:
    """A run of neighbours in a batch, so that what is drawn for the whole batch can be cut to a worker's part."""

    first: int
    """Place of the first item in the batch."""
    of: int
    """Items of the whole batch."""

    @classmethod
    def all(cls, count: int) -> Rows:
        """The whole of a batch of `count` items."""
        return cls(0, count)
