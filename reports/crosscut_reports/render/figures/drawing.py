"""A drawing: one figure in the making, in the style that all share, and its text as SVG.

Text stays text (readable, searchable, set in the page's own face); marks carry their numbers as `data-`
attributes. Colours are Okabe and Ito's, and no colour says what a shape does not say as well.
"""

from __future__ import annotations

import io
import textwrap
import warnings
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from crosscut_reports.render.characters import fit
from crosscut_reports.result import Result, Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8A7A00")
"""The palette, its yellow darkened so that a line of it is seen on white."""

_Line = Literal["-", "--", ":", "-."]
_LINES: tuple[_Line, ...] = ("-", "--", ":", "-.")


def look(index: int) -> tuple[str, _Line, str]:
    """Colour, line and shape of an arm; no two of the first forty share all three."""
    line = _LINES[(index + index // len(OKABE_ITO)) % 4]
    return OKABE_ITO[index % len(OKABE_ITO)], line, ("o", "s", "^", "D", "v")[index % 5]


def legend(names: Sequence[str]) -> list[Line2D]:
    """The handles of a legend of arms that are drawn as `look` has them."""
    from matplotlib.lines import Line2D

    handles = []
    for index, name in enumerate(names):
        colour, line, shape = look(index)
        handles.append(
            Line2D(
                [], [], color=colour, linestyle=line, linewidth=1.1, marker=shape, markersize=3.4, label=name
            )
        )
    return handles


@dataclass(frozen=True)
class Mark:
    """How a verdict is shown: a colour, a shape, and the same shape as a character."""

    colour: str
    shape: str
    glyph: str
    filled: bool = True


MARKS: Mapping[Verdict, Mark] = {
    "better": Mark("#009E73", "^", "▲"),
    "worse": Mark("#D55E00", "v", "▼"),
    "equivalent": Mark("#0072B2", "s", "■"),
    "undecided": Mark("#5A5A5A", "o", "○", filled=False),
}

STYLE = {
    "svg.hashsalt": "crosscut",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "text.parse_math": False,
    "axes.formatter.useoffset": False,
    "font.size": 8.5,
    "axes.linewidth": 0.6,
    "axes.edgecolor": "#8a8a8a",
    "axes.labelcolor": "#333333",
    "xtick.color": "#333333",
    "ytick.color": "#1a1a1a",
    "xtick.major.width": 0.6,
    "ytick.major.size": 0,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
WIDTH = 8.4
"""Inches; the page scales it."""

SVG = "http://www.w3.org/2000/svg"
XLINK = "{http://www.w3.org/1999/xlink}href"


@dataclass
class Drawing:
    """A figure in the making, and the data attributes of its marks by their id."""

    figure: Figure
    axes: Axes
    data: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def of_height(cls, inches: float) -> Drawing:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(WIDTH, inches), layout="constrained")
        return cls(figure, figure.add_subplot())

    def rows(self, labels: Sequence[str], bold: Sequence[bool], places: Sequence[float]) -> None:
        """Name the rows from the top down, and leave the y axis bare."""
        axes = self.axes
        axes.set_yticks([])
        for label, heavy, place in zip(labels, bold, places, strict=True):
            lines = textwrap.wrap(fit(label), 40, break_on_hyphens=False) or [""]
            for index, line in enumerate(lines):  # a text each: in any face each ends at the axis
                axes.annotate(
                    line, (0, place), (-6, 10.5 * ((len(lines) - 1) / 2 - index)),
                    axes.get_yaxis_transform(), "offset points", ha="right", va="center",
                    annotation_clip=False, fontweight="bold" if heavy else "normal",
                )  # fmt: skip
        axes.set_ylim(max(places) + 0.7, min(places) - 0.7)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color="#e6e6e6", linewidth=0.5)
        axes.set_axisbelow(True)

    def aside(self, text: str, y: float) -> None:
        """Text right of the plot, on a row."""
        place = self.axes.get_yaxis_transform()
        self.axes.text(1.02, y, text, transform=place, va="center", ha="left", clip_on=False)


@contextmanager
def any_glyph() -> Iterator[None]:
    """A character that matplotlib's font lacks is a box in a PNG, text in an SVG, and no reason to warn."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph .* missing from font")
        yield


def level(result: Result) -> str:
    """The level of the intervals, such as `95%`."""
    return f"{100 * (1 - result.design.alpha):g}%"


def svg(name: str, title: str, drawing: Drawing | ElementTree.Element) -> str:
    """The figure as SVG that may stand in a page beside others: titled, of no fixed size, its ids its own.

    A figure is a drawing, or SVG already.
    """
    ElementTree.register_namespace("", SVG)
    root, data = (_plotted(drawing), drawing.data) if isinstance(drawing, Drawing) else (drawing, {})
    for element in root.iter():
        for attribute, value in list(element.items()):
            if attribute == "id":
                element.set("id", f"{name}-{value}")
                known = data.get(value, {})
                for key, datum in known.items():
                    element.set(f"data-{key}", fit(datum))
                if known:
                    element.insert(0, _title("\n".join(f"{key}: {datum}" for key, datum in known.items())))
            elif attribute in ("href", XLINK) and value.startswith("#"):
                del element.attrib[attribute]
                element.set("href", f"#{name}-{value[1:]}")
            elif value.startswith("url(#"):
                element.set(attribute, f"url(#{name}-{value[5:]}")
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    root.set("role", "img")
    root.set("aria-label", fit(title))
    root.insert(0, _title(title))
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _title(text: str) -> ElementTree.Element:
    """What a browser shows while the pointer rests on the element that this is put into."""
    made = ElementTree.Element(f"{{{SVG}}}title")
    made.text = fit(text)
    return made


def _plotted(drawing: Drawing) -> ElementTree.Element:
    """What matplotlib makes of a drawing."""
    text = io.StringIO()
    with any_glyph():
        drawing.figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    root = ElementTree.fromstring(text.getvalue())  # noqa: S314  (what matplotlib has just written)
    for child in list(root):
        if child.tag == f"{{{SVG}}}metadata":
            root.remove(child)
    return root
