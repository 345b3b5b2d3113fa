"""A session in memory that draws no pictures, which takes longer than a short training."""

from __future__ import annotations

from crosscut_trainables.session import MemorySession


class Unwatched(MemorySession):
    """Nobody watches."""

    picture = None  # type: ignore[assignment]
