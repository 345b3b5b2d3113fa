"""Queries on which two arms differ, with what each word attends to; SVG by hand, since it is mostly pictures."""

from __future__ import annotations

import base64
import struct
import textwrap
import zlib
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

import numpy as np
from numpy.typing import NDArray

from crosscut_reports.render import examples_prose, numbers
from crosscut_reports.render.characters import fit
from crosscut_reports.render.figures.drawing import SVG, svg
from crosscut_reports.result import Examples, Result, ShownQuery

WIDTH = 604.8
"""As wide as the plotted figures, in points, so that text has one size on the page."""
HUE = "#0072B2"
"""Okabe and Ito's blue, darker than any paled picture; the weight is in its opacity alone."""
_PALED = "0.38"
"""Opacity of the picture under the regions, so that they are seen on a dark one too."""
COLUMNS = 8
"""Most panels side by side."""
_APART = 6.0
_SIDE = (WIDTH + _APART) / COLUMNS - _APART
_TALLEST = 1.4
"""Times as high as wide may a picture be at the full width of its panel."""
_SIZE, _SMALL, _LINE = 8.5, 7.5, 12.0
_CHARACTERS = 100
"""Of a line as wide as the figure, in any face."""
_LETTERS = 22
"""Of a word that is whole under its panel."""
_PIXELATED = 96
"""Pictures with no longer side are small: their pixels are shown as they are."""
_FONT = "font-family: 'DejaVu Sans', sans-serif"


def draw(result: Result) -> Element | None:
    """Why these queries, then all that are shown, one below the other, those of either arm under a heading."""
    examples = result.examples
    if examples is None or not examples_prose.sides(examples):
        return None
    root = _root()
    below = 0.0
    for text in (examples_prose.caption(examples), examples_prose.attention_caption(examples) or ""):
        below = _paragraph(root, text, below, _SIZE, _CHARACTERS)
    for heading, queries in examples_prose.sides(examples):
        below = _paragraph(root, heading, below + 2 * _LINE, 10, _CHARACTERS - 16, weight="bold") + _LINE
        for shown in queries:
            below += _block(root, examples, shown, below) + 2 * _LINE
    return _sized(root, below - 2 * _LINE)


def apart(result: Result) -> list[list[str]]:
    """The same queries as an SVG text each, so that a page may break between them: a list a heading."""
    found: list[list[str]] = []
    for _, queries in examples_prose.sides(result.examples) if result.examples else []:
        found.append([])
        for shown in queries:
            assert result.examples is not None
            root = _root()
            _sized(root, _block(root, result.examples, shown, 0.0))
            title = f"Query {shown.query}: {examples_prose.words(shown)}"
            found[-1].append(svg(f"example-{shown.query}", title, root))
    return found


def png(picture: NDArray[np.uint8]) -> bytes:
    """A grey (height, width) or colour (height, width, 3) picture as PNG; the same pixels give the same bytes."""
    height, width = picture.shape[:2]
    # Every line begins with the number of its filter, here none.
    lines = np.concatenate([np.zeros((height, 1), np.uint8), picture.reshape(height, -1)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if picture.ndim == 3 else 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


@dataclass(frozen=True)
class _Scene:
    """The picture of a query as it is put into panels."""

    key: str
    width: float
    height: float

    def place(self, parent: Element, x: float, y: float, opacity: str = "1") -> Element:
        """A panel with the scene in a group of its own."""
        panel = _add(parent, "g", transform=f"translate({_n(x)} {_n(y)})")
        _add(panel, "use", href=f"#{self.key}", width=_n(self.width), height=_n(self.height), opacity=opacity)
        return panel


def _block(root: Element, examples: Examples, shown: ShownQuery, top: float) -> float:
    """One query from `top` on; how high it is."""
    view = shown.view
    scene = _scene(root, shown)
    attend = [arm for arm in (examples.left, examples.right) if _weights(shown, arm) is not None]
    x, characters, below = 0.0, _CHARACTERS, top
    if view.picture is not None:
        scene.place(root, 0, top)
        x, characters = _SIDE + 2 * _APART, int(_CHARACTERS * (1 - (_SIDE + 2 * _APART) / WIDTH))
    for line in textwrap.wrap(examples_prose.words(shown), int(characters * _SIZE / 10)) or [""]:
        below += 13
        _text(root, line, x, below, 10)
    below += _LINE
    _text(root, f"query {shown.query} of {examples.name}", x, below, _SMALL, fill="#5f5c56")
    for arm in (examples.left, examples.right):
        if arm not in attend:
            below = _named(root, shown, arm, x, below + _LINE / 2, characters)
    below = max(below, top + scene.height if view.picture is not None else top)
    for arm in attend:
        below = _named(root, shown, arm, 0, below + _LINE / 2, _CHARACTERS) + _LINE / 2
        below = _panels(root, shown, arm, scene, below)
    return below + 3 - top


def _named(root: Element, shown: ShownQuery, arm: str, x: float, top: float, characters: int) -> float:
    """An arm and its ranks; where they end."""
    lines = textwrap.wrap(fit(arm), characters, break_on_hyphens=False) or [""]
    ranks = examples_prose.ranks(shown, arm)
    for line in lines:
        top += _LINE
        text = _text(root, line, x, top, _SIZE, weight="bold")
    if len(lines[-1]) + len(ranks) + 2 <= characters:
        _add(text, "tspan", ranks, dx="8", style="font-weight: normal")
        return top
    for line in textwrap.wrap(ranks, characters):
        top += _LINE
        _text(root, line, x, top, _SIZE)
    return top


def _panels(root: Element, shown: ShownQuery, arm: str, scene: _Scene, top: float) -> float:
    """A panel a word with the regions that it attends to; where they end."""
    weights = _weights(shown, arm)
    assert weights is not None
    strongest = float(weights.max(initial=0.0)) or 1.0
    pitch, row = _SIDE + _APART, scene.height + _LINE + _APART
    rows = -(-len(weights) // COLUMNS)
    columns = -(-len(weights) // max(rows, 1))
    for number, (word, own) in enumerate(zip(shown.view.words, weights, strict=True)):
        x, y = pitch * (number % columns), top + row * (number // columns)
        panel = scene.place(root, x + (_SIDE - scene.width) / 2, y, _PALED)
        boxes = _add(panel, "g", fill=HUE, fill_opacity="0.6", stroke=HUE)
        # The strongest last, so that none hides it.
        for region in np.argsort(own, kind="stable").tolist():
            _box(boxes, shown, scene, region, word, float(own[region]), strongest)
        _word(root, word, x + _SIDE / 2, y + scene.height + _LINE - 3)
    return top + rows * row - _APART


def _box(
    parent: Element, shown: ShownQuery, scene: _Scene, region: int, word: str, weight: float, strongest: float
) -> None:
    opacity = _n(weight / strongest)
    if opacity == "0":
        return
    x1, y1, x2, y2 = np.clip(shown.view.boxes[region], 0, 1).tolist()
    if not (x1 <= x2 and y1 <= y2):  # of no place: what is no number is not less than any
        return
    box = _add(
        parent, "rect", x=_n(scene.width * x1), y=_n(scene.height * y1), width=_n(scene.width * (x2 - x1)),
        height=_n(scene.height * (y2 - y1)), opacity=opacity,
    )  # fmt: skip
    _add(box, "title", f"{word}, region {region + 1}: {numbers.points(weight, 3)}")


def _weights(shown: ShownQuery, arm: str) -> NDArray[np.float64] | None:
    """(words, regions) of an arm; None where it has none, or has them of other regions than the view's."""
    found = shown.view.attention.get(arm)
    if found is None or found.shape != (len(shown.view.words), len(shown.view.boxes)):
        return None
    return np.clip(np.nan_to_num(np.asarray(found, np.float64)), 0, None)


def _scene(root: Element, shown: ShownQuery) -> _Scene:
    """The picture, which every panel of the query uses, or a white ground; kept once."""
    picture = shown.view.picture
    height, width = (1, 1) if picture is None else picture.shape[:2]
    tall = min(_SIDE * height / width, _SIDE * _TALLEST)
    scene = _Scene(f"picture-{shown.query}", tall * width / height, tall)
    symbol = _add(root, "symbol", id=scene.key, viewBox=f"0 0 {width} {height}", preserveAspectRatio="none")
    if picture is None:
        _add(symbol, "rect", width="1", height="1", fill="white", stroke="#8a8a8a", stroke_width="0.02")
        return scene
    data = base64.b64encode(png(np.ascontiguousarray(picture))).decode("ascii")
    image = _add(symbol, "image", href=f"data:image/png;base64,{data}", width=str(width), height=str(height))
    if max(height, width) <= _PIXELATED:
        image.set("style", "image-rendering: pixelated")
    return scene


def _word(root: Element, word: str, x: float, y: float) -> None:
    """A word under its panel, smaller where it is long, and cut where it is too long for that."""
    shown = word if len(word) <= _LETTERS else f"{word[: _LETTERS - 1]}…"
    text = _text(root, shown, x, y, min(_SMALL, 13 * _SMALL / max(len(shown), 1)), anchor="middle")
    if shown != word:
        _add(text, "title", word)


def _paragraph(root: Element, text: str, top: float, size: float, characters: int, weight: str = "") -> float:
    """Lines of text; where they end."""
    for line in textwrap.wrap(text, characters):
        top += 1.4 * size
        _text(root, line, 0, top, size, weight=weight)
    return top


def _text(
    parent: Element, text: str, x: float, y: float, size: float, *, weight: str = "", anchor: str = "",
    fill: str = "",
) -> Element:  # fmt: skip
    styles = {"font-weight": weight, "text-anchor": anchor}
    style = [f"font-size: {_n(size)}px", *(f"{key}: {value}" for key, value in styles.items() if value)]
    found = _add(parent, "text", text, x=_n(x), y=_n(y), style="; ".join(style))
    if fill:
        found.set("fill", fill)
    return found


def _root() -> Element:
    return Element(f"{{{SVG}}}svg", {"style": _FONT, "fill": "#1a1a1a"})


def _sized(root: Element, height: float) -> Element:
    root.set("viewBox", f"0 0 {_n(WIDTH)} {_n(height)}")
    return root


def _add(parent: Element, tag: str, text: str | None = None, **attributes: str) -> Element:
    """A new element in another; `_` in an attribute's name stands for `-`."""
    plain = {key.replace("_", "-"): value for key, value in attributes.items()}
    found = SubElement(parent, f"{{{SVG}}}{tag}", plain)
    if text is not None:
        found.text = fit(text)
    return found


def _n(value: float) -> str:
    """A length to two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
