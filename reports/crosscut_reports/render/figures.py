"""The figures of a report as SVG: forest plot, arms, tuning curves. Same result, same bytes.

Text stays text (readable, searchable, set in the page's own face); marks carry their numbers as `data-`
attributes. Colours are Okabe and Ito's, and no colour says what a shape does not say as well.
"""

from __future__ import annotations

import io
import textwrap
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING

from crosscut_reports.directions import higher_is_better
from crosscut_reports.expected_best import expected_best
from crosscut_reports.render import numbers, prose
from crosscut_reports.render.characters import fit
from crosscut_reports.result import SCOPE_TEXT, ContrastResult, Result, Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8A7A00")
"""The palette, its yellow darkened so that a line of it is seen on white."""


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

NAMES = ("forest", "arms", "tuning")

SVG = "http://www.w3.org/2000/svg"
XLINK = "{http://www.w3.org/1999/xlink}href"

_Data = dict[str, dict[str, str]]


def draw(result: Result) -> dict[str, str]:
    """Name → SVG text, for the figures that the result has data for, of `NAMES`."""
    from matplotlib import style

    makers = (_forest, _arms, _tuning)
    titles = (
        f"Contrasts on {result.design.primary}",
        f"Arms on {result.design.primary}",
        "Expected best dev score against search trials",
    )
    found: dict[str, str] = {}
    with style.context(["default", STYLE]):
        for name, title, make in zip(NAMES, titles, makers, strict=True):
            drawing = make(result)
            if drawing is not None:
                found[name] = _svg(name, title, drawing)
    return found


@dataclass
class _Drawing:
    """A figure in the making, and the data attributes of its marks by their id."""

    figure: Figure
    axes: Axes
    data: _Data = field(default_factory=dict)

    @classmethod
    def of_height(cls, inches: float) -> _Drawing:
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


def _forest(result: Result) -> _Drawing | None:
    """Estimates of the primary metric's contrasts with their intervals, over the margin."""
    chosen = [c for c in result.contrasts if c.metric == result.design.primary and isfinite(c.estimate)]
    groups = {
        "Declared in the sweep file": [c for c in chosen if c.declared],
        "Exploratory": [c for c in chosen if not c.declared],
    }
    if not chosen:
        return None
    drawing = _Drawing.of_height(0.95 + 0.31 * (len(chosen) + sum(map(bool, groups.values()))))
    axes = drawing.axes
    margin = result.design.margin
    if margin > 0:
        axes.axvspan(-margin, margin, color="#0072B2", alpha=0.09, linewidth=0)
    axes.axvline(0, color="#555555", linewidth=0.8)
    places, labels, bold = [], [], []
    y = 0.0
    for heading, members in groups.items():
        if members:
            places.append(y)
            labels.append(heading)
            bold.append(True)
            y += 1
        for contrast in members:
            _contrast(drawing, contrast, y, numbers.decimals(result, contrast.metric))
            places.append(y)
            usual = contrast.scope == result.design.scope
            labels.append(contrast.name if usual else f"{contrast.name} ({prose.scope_text(contrast)})")
            bold.append(False)
            y += 1
    drawing.rows(labels, bold, places)
    band = f"; shaded: the margin of ±{margin:g}" if margin > 0 else ""
    scope = SCOPE_TEXT[result.design.scope]
    text = f"difference in {result.design.primary}, {_level(result)} intervals{band}\nscope: {scope}"
    axes.set_xlabel(fit(text))
    _legend(drawing, {contrast.verdict for contrast in chosen})
    return drawing


def _contrast(drawing: _Drawing, contrast: ContrastResult, y: float, places: int) -> None:
    mark = MARKS[contrast.verdict]
    estimate = numbers.signed(contrast.estimate, places)
    bounds = numbers.interval(contrast.ci, places, sign=True)
    if contrast.ci is not None and all(map(isfinite, contrast.ci)):
        drawing.axes.plot(contrast.ci, (y, y), color=mark.colour, linewidth=1.4, solid_capstyle="butt")
    key = f"contrast-{len(drawing.data)}"
    drawing.axes.plot(
        [contrast.estimate], [y], mark.shape, color=mark.colour, markersize=6, gid=key,
        markerfacecolor=mark.colour if mark.filled else "white", markeredgewidth=1.2,
    )  # fmt: skip
    drawing.data[key] = {
        "name": contrast.name, "estimate": estimate, "interval": bounds, "verdict": contrast.verdict,
        "declared": "yes" if contrast.declared else "no",
    }  # fmt: skip
    drawing.aside(f"{estimate}  {bounds}" if contrast.ci else estimate, y)


def _legend(drawing: _Drawing, verdicts: set[Verdict]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [], [], linestyle="none", marker=mark.shape, color=mark.colour, label=verdict,
            markerfacecolor=mark.colour if mark.filled else "white", markeredgewidth=1.2, markersize=6,
        )
        for verdict, mark in MARKS.items()
        if verdict in verdicts
    ]  # fmt: skip
    drawing.figure.legend(
        handles=handles, loc="outside upper right", ncols=len(handles), frameon=False, handletextpad=0.2
    )


def _arms(result: Result) -> _Drawing | None:
    """Every seed's value of the primary metric as a dot, the mean with its interval beside."""
    arms = [arm for arm in result.arms if arm.metric == result.design.primary and isfinite(arm.mean)]
    if not arms:
        return None
    places = numbers.decimals(result, result.design.primary)
    drawing = _Drawing.of_height(0.8 + 0.36 * len(arms))
    axes = drawing.axes
    labels, bold = [], []
    for row, arm in enumerate(arms):
        values = [value for value in arm.values if isfinite(value)]
        axes.plot(
            values,
            [row + 0.16] * len(values),
            "o",
            color="#56B4E9",
            markersize=3.6,
            alpha=0.75,
            markeredgewidth=0,
        )
        if arm.ci is not None and all(map(isfinite, arm.ci)):
            axes.plot(arm.ci, (row - 0.1, row - 0.1), color="#1a1a1a", linewidth=1.2, solid_capstyle="butt")
        key = f"arm-{row}"
        axes.plot([arm.mean], [row - 0.1], "D", color="#1a1a1a", markersize=4, gid=key)
        mean, bounds = numbers.points(arm.mean, places), numbers.interval(arm.ci, places)
        drawing.data[key] = {"arm": arm.arm, "mean": mean, "interval": bounds, "seeds": str(arm.seeds)}
        drawing.aside(f"{mean}  {bounds}" if arm.ci else mean, row)
        baseline = arm.arm == result.design.baseline
        labels.append(f"{arm.arm} (baseline)" if baseline else arm.arm)
        bold.append(baseline)
    drawing.rows(labels, bold, list(range(len(arms))))
    found = prose.scope(arms)
    scope = f"\nscope: {found}" if found not in (None, numbers.NONE) else ""
    text = f"{result.design.primary}: seeds as dots, mean with {_level(result)} interval above them{scope}"
    axes.set_xlabel(fit(text))
    return drawing


def _tuning(result: Result) -> _Drawing | None:
    """Expected best dev score against search trials, a line an arm."""
    tuned = [tuning for tuning in result.context.tuning if any(map(isfinite, tuning.scores))]
    if not tuned:
        return None
    from matplotlib.ticker import MaxNLocator

    drawing = _Drawing.of_height(max(2.9, 0.7 + 0.2 * len(tuned)))
    axes = drawing.axes
    for index, tuning in enumerate(tuned):
        scores = [score for score in tuning.scores if isfinite(score)]
        best = expected_best(scores, higher_is_better=higher_is_better(tuning.metric))
        key = f"tuning-{index}"
        axes.plot(
            range(1, len(best) + 1), best, gid=key,
            label=textwrap.fill(fit(tuning.arm), 34, break_on_hyphens=False),
            color=OKABE_ITO[index % len(OKABE_ITO)], linewidth=1.3,
            linestyle=("-", "--", ":", "-.")[(index + index // len(OKABE_ITO)) % 4],
            marker=("o", "s", "^", "D", "v")[index % 5], markersize=3,
        )  # fmt: skip
        drawing.data[key] = {"arm": tuning.arm, "best": numbers.score(best[-1]), "trials": str(tuning.trials)}
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(color="#e6e6e6", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.set_xlabel("n, of the search trials with a score")
    metrics = numbers.words(dict.fromkeys(tuning.metric for tuning in tuned))
    axes.set_ylabel(fit(f"{metrics}, expected best of n trials"))
    drawing.figure.legend(loc="outside right upper", frameon=False)
    return drawing


def _level(result: Result) -> str:
    return f"{100 * (1 - result.design.alpha):g}%"


def _svg(name: str, title: str, drawing: _Drawing) -> str:
    """The figure as SVG that may stand in a page beside others: titled, of no fixed size, its ids its own."""
    text = io.StringIO()
    drawing.figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    ElementTree.register_namespace("", SVG)
    root = ElementTree.fromstring(text.getvalue())  # noqa: S314  (what matplotlib has just written)
    for child in list(root):
        if child.tag == f"{{{SVG}}}metadata":
            root.remove(child)
    for element in root.iter():
        for attribute, value in list(element.items()):
            if attribute == "id":
                element.set("id", f"{name}-{value}")
                for key, datum in drawing.data.get(value, {}).items():
                    element.set(f"data-{key}", fit(datum))
            elif attribute in ("href", XLINK) and value.startswith("#"):
                del element.attrib[attribute]
                element.set("href", f"#{name}-{value[1:]}")
            elif value.startswith("url(#"):
                element.set(attribute, f"url(#{name}-{value[5:]}")
    for attribute in ("width", "height", "version"):
        del root.attrib[attribute]
    root.set("role", "img")
    root.set("aria-label", fit(title))
    heading = ElementTree.Element(f"{{{SVG}}}title")
    heading.text = fit(title)
    root.insert(0, heading)
    return ElementTree.tostring(root, encoding="unicode") + "\n"
