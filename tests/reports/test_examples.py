"""Examples: which queries are shown, and how they are drawn."""

from __future__ import annotations

import base64
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import unescape
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from crosscut_reports.analysis import Question, analyse
from crosscut_reports.context import Context
from crosscut_reports.contrast import Contrast
from crosscut_reports.examples import SHOWN, find
from crosscut_reports.render import figures, write
from crosscut_reports.render.figures import examples as drawing
from crosscut_reports.result import Examples, Result
from crosscut_reports.scores import MetricScores, Queries, QueryView, Scores

NASTY = "<script>alert('x')</script> & \"q\" ]]>"
GREY = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
COLOUR = np.arange(24, dtype=np.uint8).reshape(2, 4, 3) * 10
BOXES = np.array([[0, 0, 0.5, 1], [0.5, 0.25, 1.5, 1]], np.float32)
WEIGHTS = np.array([[0.75, 0.25], [0.0, 0.5]], np.float32)
"""Two words and the two regions."""


@dataclass
class Views:
    """A shelf of views made by hand, which remembers what it was asked for."""

    views: Mapping[int, QueryView]
    asked: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)

    @property
    def queries(self) -> Sequence[int]:
        return tuple(self.views)

    def view(self, query: int, arms: Sequence[str]) -> QueryView:
        self.asked.append((query, tuple(arms)))
        return self.views[query]


def view(
    words: Sequence[str] = ("two", "five"),
    picture: NDArray[np.uint8] | None = GREY,
    attention: Mapping[str, NDArray[np.float32]] | None = None,
) -> QueryView:
    return QueryView(tuple(words), BOXES, picture, {"a": WEIGHTS} if attention is None else attention)


def scored(
    ranks: Mapping[str, Sequence[Sequence[int]]], views: Mapping[int, QueryView] | None = None
) -> Scores:
    """Scores with these ranks, arm → seed → query; every query can be looked at unless `views` says which."""
    held = np.array(list(ranks.values()), np.int32)
    runs = np.where((held > 0).all(axis=2), held.sum(axis=2), np.nan)[:, :, None]
    rsum = MetricScores("test/rsum", runs.astype(np.float64))
    queries = Queries("test/t2i", held, np.arange(held.shape[2], dtype=np.int32))
    shelf = Views(dict.fromkeys(range(held.shape[2]), view()) if views is None else views)
    seeds = tuple(map(str, range(held.shape[1])))
    levels = {arm: {"arm": arm} for arm in ranks}
    return Scores(tuple(ranks), levels, seeds, {"test/rsum": rsum}, queries=queries, shelf=shelf)


def found(scores: Scores, contrasts: Sequence[Contrast] = (), baseline: str | None = None) -> Examples | None:
    return find(scores, contrasts, baseline, analyse(scores, Question(baseline=baseline), Context("x")).arms)


def shown(examples: Examples | None) -> tuple[list[int], list[int]]:
    assert examples is not None
    return [one.query for one in examples.for_left], [one.query for one in examples.for_right]


def report(views: Mapping[int, QueryView] | None = None, names: tuple[str, str] = ("b", "a")) -> Result:
    """Of two arms and two queries: the first arm is better on the first query, the second on the second."""
    ranks = {names[0]: [[1, 9], [2, 9], [1, 7]], names[1]: [[9, 1], [9, 1], [8, 2]]}
    return analyse(scored(ranks, views), Question(baseline=names[0]), Context("examples"))


def identities(text: str) -> list[str]:
    return re.findall(r'\sid="([^"]*)"', text)


def rectangles(svg: str) -> list[tuple[str, str, str, str]]:
    """What the regions' titles tell, with opacity, x and width."""
    return [
        ((element[0].text or ""), element.get("opacity", ""), element.get("x", ""), element.get("width", ""))
        for element in ElementTree.fromstring(svg).iter(f"{{{drawing.SVG}}}rect")
        if len(element)
    ]


def test_the_largest_differences_are_shown_for_either_arm_equal_ones_in_order() -> None:
    """Reciprocal ranks differ by hand: 9/10, 1/2, 1/2, 0, −1/2, −2/3, and 4/5, which is not on the shelf."""
    left, right = [1, 1, 1, 4, 2, 3, 1], [10, 2, 2, 4, 1, 1, 5]
    scores = scored({"a": [right], "b": [left]}, dict.fromkeys((5, 4, 3, 2, 1, 0), view()))
    examples = found(scores)
    assert examples is not None
    assert (examples.left, examples.right, examples.looked_at, examples.name) == ("b", "a", 6, "test/t2i")
    assert shown(examples) == ([0, 1, 2], [5, 4])
    assert examples.for_right[0].ranks == {"b": (3,), "a": (1,)}
    assert isinstance(scores.shelf, Views)
    assert scores.shelf.asked[-5:] == [(query, ("b", "a")) for query in (0, 1, 2, 5, 4)]


def test_of_many_some_are_shown() -> None:
    better = found(scored({"a": [[*range(2, 12)]], "b": [[1] * 10]}))
    assert shown(better) == ([9, 8, 7], [])
    assert SHOWN == 3


def test_a_query_that_is_equal_on_the_average_is_never_shown() -> None:
    """1/3 + 1/7 + 1/9 in another order is the same sum but for rounding."""
    same = found(scored({"a": [[3], [7], [9]], "b": [[9], [3], [7]]}))
    assert shown(same) == ([], [])


def test_only_seeds_that_both_arms_have_count() -> None:
    """By the second seed, which only one of the arms has, the order would be another."""
    examples = found(scored({"a": [[2, 9], [0, 0], [2, 9]], "b": [[1, 1], [99, 1], [1, 3]]}))
    assert shown(examples) == ([1, 0], [])
    assert examples is not None
    assert examples.for_left[0].ranks == {"b": (1, 3), "a": (9, 9)}


def test_the_arms_are_those_of_the_first_declared_contrast() -> None:
    ranks = {name: [[1 + place, 2]] for place, name in enumerate("abcd")}

    def contrast(weights: Mapping[str, float], *, declared: bool = True) -> Contrast:
        return Contrast("of mine", weights, declared, "arms")

    exploratory = contrast({"a": -1, "b": 1}, declared=False)
    halves = contrast({"a": -0.3, "b": 0.5, "c": -0.7, "d": 0.5})
    examples = found(scored(ranks), [exploratory, halves])
    assert examples is not None
    assert (examples.left, examples.right) == ("b", "c")
    # One side of it has no run at all, so the next is taken.
    gone = {**ranks, "b": [[0, 0]]}
    examples = found(scored(gone), [contrast({"b": 1, "a": -1}), contrast({"c": 1, "d": -1})], "a")
    assert examples is not None
    assert (examples.left, examples.right) == ("c", "d")


def test_without_a_declared_contrast_the_arm_farthest_from_the_baseline_is_compared_with_it() -> None:
    ranks = {"a": [[5, 5]], "b": [[4, 4]], "c": [[9, 9]], "d": [[1, 1]]}
    examples = found(scored(ranks), baseline="a")
    assert examples is not None
    # Both c and d are eight away in the sum of ranks: the first of equals.
    assert (examples.left, examples.right) == ("c", "a")
    assert shown(examples) == ([], [0, 1])


@pytest.mark.parametrize("lacking", ["queries", "shelf", "views", "arm", "seed"])
def test_with_nothing_to_look_at_or_to_compare_there_is_no_page(lacking: str, tmp_path: Path) -> None:
    scores = scored({"a": [[1, 2], [2, 3]], "b": [[2, 1], [1, 1]]})
    if lacking == "queries":
        scores = replace(scores, queries=None)
    elif lacking == "shelf":
        scores = replace(scores, shelf=None)
    elif lacking == "views":
        scores = replace(scores, shelf=Views({}))
    elif lacking == "arm":
        scores = scored({"a": [[1, 2], [2, 3]]})
    else:
        scores = scored({"a": [[1, 2], [0, 0]], "b": [[0, 0], [1, 1]]})
    result = analyse(scores, Question(), Context("x"))
    assert result.examples is None
    assert "examples" not in figures.draw(result)
    write(result, tmp_path)
    assert "Examples</h2>" not in (tmp_path / "report.html").read_text()
    assert json.loads((tmp_path / "report.json").read_text())["examples"] is None


def test_words_regions_and_weights_are_drawn_as_they_are() -> None:
    """A box of half the width is 35.17 points of a panel's 70.35, and one beyond the edge ends there."""
    drawn = drawing.apart(report({0: view()}))
    assert [len(side) for side in drawn] == [1]
    found = rectangles(drawn[0][0])
    told = [(label, opacity) for label, opacity, *_ in found]
    assert told == [
        ("two, region 2: 0.250", "0.33"),
        ("two, region 1: 0.750", "1"),
        ("five, region 2: 0.500", "0.67"),
    ]
    assert [float(x) for _, _, x, _ in found] == pytest.approx([35.17, 0, 35.17], abs=0.02)
    assert [float(width) for *_, width in found] == pytest.approx([35.17] * 3, abs=0.02)


@pytest.mark.parametrize(
    ("attention", "regions"),
    [
        ({}, 0),
        ({"a": WEIGHTS, "b": WEIGHTS}, 6),
        ({"a": np.zeros((2, 2), np.float32)}, 0),
        ({"a": np.array([[np.nan, 0.5], [np.nan, -1]], np.float32)}, 1),
        ({"a": np.full((2, 2), np.nan, np.float32)}, 0),
        ({"a": np.ones((3, 2), np.float32)}, 0),
        ({"a": np.ones((2, 7), np.float32)}, 0),
    ],
)
def test_attention_that_is_lacking_or_no_number_is_left_out(
    attention: Mapping[str, NDArray[np.float32]], regions: int
) -> None:
    (svg,) = drawing.apart(report({0: view(attention=attention)}))[0]
    assert len(rectangles(svg)) == regions
    assert "NaN" not in svg and "nan" not in svg
    # The arms stand there with their ranks, whether they attend or not.
    for told in ("rank 1, 2, 1", "rank 9, 9, 8"):
        assert told in svg


@pytest.mark.parametrize("picture", [GREY, COLOUR, np.asfortranarray(COLOUR[:, ::-1]), None])
def test_the_picture_is_in_the_page_to_the_pixel(picture: NDArray[np.uint8] | None) -> None:
    (svg,) = drawing.apart(report({0: view(picture=picture)}))[0]
    kept = re.findall(r'href="data:image/png;base64,([^"]+)"', svg)
    if picture is None:
        assert kept == []
        assert len(rectangles(svg)) == 3
        return
    # Once, however many panels show it.
    assert len(kept) == 1 and len(re.findall(r'href="#[^"]*picture-0"', svg)) == 3
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(kept[0])))), picture)
    assert "pixelated" in svg


def test_a_large_picture_is_drawn_smooth_and_a_tall_one_keeps_its_shape() -> None:
    (svg,) = drawing.apart(report({0: view(picture=np.zeros((400, 100), np.uint8))}))[0]
    assert "pixelated" not in svg
    used = next(ElementTree.fromstring(svg).iter(f"{{{drawing.SVG}}}use"))
    assert float(used.get("height", 0)) == pytest.approx(4 * float(used.get("width", 0)), abs=0.05)


def test_every_output_has_them(tmp_path: Path) -> None:
    result = report()
    write(result, tmp_path)
    page, text = ((tmp_path / f"report.{end}").read_text() for end in ("html", "md"))
    for told in ("b ranks the right item better than a", "a ranks the right item better than b"):
        assert told in page and told in text
    for told in ("rank 1, 2, 1", "rank 9, 9, 8", "rank 9, 9, 7", "rank 1, 1, 2"):
        assert told in page and told in text
    held = json.loads((tmp_path / "report.json").read_text())["examples"]
    assert (held["left"], held["right"], held["looked_at"]) == ("a", "b", 2)
    assert held["for_left"][0]["ranks"] == {"a": [1, 1, 2], "b": [9, 9, 7]}
    for svg in (figures.draw(result)["examples"], *chain.from_iterable(drawing.apart(result))):
        ElementTree.fromstring(svg)
        assert len(set(identities(svg))) == len(identities(svg))
    assert len(set(identities(page))) == len(identities(page))
    # The regions' weights are on hover, word by word.
    assert page.count("region 1: 0.750") == 2


def test_arms_that_never_differ_are_told_so(tmp_path: Path) -> None:
    result = analyse(scored({"a": [[1], [2]], "b": [[2], [1]]}), Question(baseline="a"), Context("x"))
    assert shown(result.examples) == ([], [])
    write(result, tmp_path)
    told = "there is none on which the ranks of b and a differ"
    assert told in (tmp_path / "report.html").read_text() and told in (tmp_path / "report.md").read_text()
    assert "examples" not in figures.draw(result)


def test_names_and_captions_stay_text(tmp_path: Path) -> None:
    words = (NASTY, "x" * 80)
    result = report({0: view(words, attention={NASTY: WEIGHTS}), 1: view(())}, names=("b", NASTY))
    write(result, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "<script>alert" not in page
    assert "<script>alert" not in (tmp_path / "report.md").read_text()
    for svg in (figures.draw(result)["examples"], *chain.from_iterable(drawing.apart(result))):
        drawn = ElementTree.fromstring(svg)
        assert not list(drawn.iter("script")) and not list(drawn.iter(f"{{{drawing.SVG}}}script"))
    said = " ".join(ElementTree.fromstring(figures.draw(result)["examples"]).itertext())
    assert NASTY in said and f"{'x' * 21}…" in said
    assert NASTY in unescape(page)


def test_the_same_scores_give_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write(report({0: view(picture=COLOUR), 1: view()}), tmp_path / folder)
    written = [{p.name: p.read_bytes() for p in sorted((tmp_path / f).rglob("*.*"))} for f in ("one", "two")]
    assert written[0] == written[1]
    assert any(name.startswith("examples") for name in written[0])
