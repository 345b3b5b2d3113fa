"""Queries that are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # with it would come NumPy, which a report of numbers does without
    from crosscut_reports.scores import QueryView


@dataclass(frozen=True)
class ShownQuery:
    """A query on which two arms differ much."""

    query: int
    ranks: Mapping[str, tuple[int, ...]]
    """arm → rank of the best correct item under each common seed, from 1."""
    view: QueryView


@dataclass(frozen=True)
class Examples:
    """Queries on which two arms differ most, of those that can be looked at."""

    name: str
    """Of the split and direction, such as `test/t2i`."""
    left: str
    right: str
    looked_at: int
    """How many queries they were chosen from."""
    for_left: tuple[ShownQuery, ...]
    """Where `left` ranks the correct item better, by falling difference."""
    for_right: tuple[ShownQuery, ...]
