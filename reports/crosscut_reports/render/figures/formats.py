"""The figures as PNG and PDF, for slides and papers. Same drawing, same bytes."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping
from typing import Literal
from xml.etree.ElementTree import Element

from crosscut_reports.render.figures.drawing import STYLE, Drawing, any_glyph

Format = Literal["png", "pdf"]
FORMATS: tuple[Format, ...] = ("png", "pdf")

DPI = 200.0
"""Dots per inch of a PNG."""
LONGEST = 16_000
"""Pixels of its longer side at most; a figure of very many rows has fewer dots per inch."""

_METADATA: Mapping[Format, dict[str, None]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
}
"""What matplotlib would write of itself and of the time."""


def settle(drawing: Drawing) -> None:
    """Lay a drawing out once and for all, so that it looks the same in every format, whichever comes first."""
    with any_glyph():
        drawing.figure.draw_without_rendering()
    drawing.figure.set_layout_engine(None)


def files(drawn: Mapping[str, Drawing | Element], formats: Collection[Format] = FORMATS) -> dict[str, bytes]:
    """`forest.png`, `forest.pdf` … → bytes, on a white ground; text in a PDF stays text.

    A figure that is an SVG element already, such as the examples, has neither.
    """
    from matplotlib import style

    found: dict[str, bytes] = {}
    with style.context(["default", STYLE]):
        for name, drawing in drawn.items():
            if isinstance(drawing, Drawing):
                found |= {f"{name}.{kind}": _bytes(drawing, kind) for kind in formats}
    return found


def _bytes(drawing: Drawing, kind: Format) -> bytes:
    file = io.BytesIO()
    dpi = min(DPI, LONGEST / max(drawing.figure.get_size_inches()))
    with any_glyph():
        drawing.figure.savefig(file, format=kind, dpi=dpi, facecolor="white", metadata=_METADATA[kind])
    return file.getvalue()
