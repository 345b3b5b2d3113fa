"""A section of the report that is a caption, a table and at most one figure, for every form it is rendered in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """Plain text throughout: whoever renders it escapes it."""

    heading: str
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 1
    """Columns of text, which come first; the others are numbers."""
    figure: str | None = None
    """Name of the figure that goes with it, where the result has data for one."""
