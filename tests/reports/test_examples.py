"""Queries on which two arms differ most: which are chosen, and how they are shown."""

from __future__ import annotations

import base64
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from crosscut_reports.analysis import Question, analyse
from crosscut_reports.context import Context
from crosscut_reports.contrast import Contrast
from crosscut_reports.examples import SHOWN, find
from crosscut_reports.render import examples_prose, figures, html, markdown, write
from crosscut_reports.render.figures.examples import COLUMNS, HUE, WIDTH, apart, png
from crosscut_reports.result import ArmResult, Examples, Result
from crosscut_reports.scores import MetricScores, Queries, QueryView, Scores

SVG = "{http://www.w3.org/2000/svg}"
HEADING = "Examples"
NASTY = ("<script>alert('x')</script>", 'a&b_% | "q"', "]]> <!-- $y_1$ *z*")
BOXES = np.array([[0, 0, 0.5, 1], [0.5, 0, 1, 1], [0.25, 0.25, 0.75, 0.75]], np.float32)


@dataclass
class Held:
    """A shelf of views that are held, with what was asked of it."""

    views: Mapping[int, QueryView]
    asked: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)

    @property
    def queries(self) -> Sequence[int]:
        return tuple(self.views)

    def view(self, query: int, arms: Sequence[str]) -> QueryView:
        self.asked.append((query, tuple(arms)))
        own = self.views[query].attention
        return replace(self.views[query], attention={arm: own[arm] for arm in arms if arm in own})


def seen(
    words: Sequence[str] = ("a", "red", "seven"),
    picture: NDArray[np.uint8] | None = None,
    attention: Mapping[str, Any] | None = None,
) -> QueryView:
    held = {arm: np.asarray(weights, np.float32) for arm, weights in (attention or {}).items()}
    return QueryView(tuple(words), BOXES, picture, held)


def grey(height: int = 3, width: int = 5) -> NDArray[np.uint8]:
    return np.arange(height * width, dtype=np.uint8).reshape(height, width)


def colour(height: int = 4, width: int = 3) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


def scored(ranks: Any, shelf: Held | None = None, names: Iterable[str] = ()) -> Scores:
    """Ranks (arms, seeds, queries), all of which can be looked at unless a shelf is given."""
    ranks = np.asarray(ranks, np.int32)
    arms = tuple(names) or tuple("abcdefgh"[: len(ranks)])
    there = (ranks > 0).all(axis=2)[:, :, None]
    rsum = np.where(there, np.random.default_rng(9).normal(300, 9, there.shape), np.nan)
    return Scores(
        arms,
        {arm: {"arm": arm} for arm in arms},
        tuple(map(str, range(ranks.shape[1]))),
        {"test/rsum": MetricScores("test/rsum", rsum)},
        queries=Queries("test/t2i", ranks, np.arange(ranks.shape[2], dtype=np.int32)),
        shelf=shelf or Held({query: seen() for query in range(ranks.shape[2])}),
    )


def means(*values: float) -> list[ArmResult]:
    """The arms a, b, … with these means."""
    return [
        ArmResult(arm, "test/rsum", mean, None, 1, None, None, (mean,), {"arm": arm})
        for arm, mean in zip("abcdefgh", values, strict=False)
    ]


def declared(*, really: bool = True, **weights: float) -> Contrast:
    return Contrast("f: x vs y", weights, really, "hypothesis")


def chosen(scores: Scores, *contrasts: Contrast) -> Examples:
    found = find(scores, contrasts, None, [])
    assert found is not None
    return found


def places(found: Examples) -> tuple[list[int], list[int]]:
    return [one.query for one in found.for_left], [one.query for one in found.for_right]


def report(scores: Scores, **asked: Any) -> Result:
    return analyse(scores, Question(**asked), Context("examples"))


def pictured(views: Sequence[QueryView], names: tuple[str, str] = ("a", "b")) -> Result:
    """A report on two arms, of which the later is better on every second query from the first on."""
    better = np.arange(len(views)) % 2
    ranks = np.array([[2 - better] * 2, [1 + better] * 2])
    return report(scored(ranks, Held(dict(enumerate(views))), names), baseline=names[0])


def written(result: Result, folder: Path) -> dict[str, str]:
    """Every text that is written, by the name of its file."""
    paths = write(result, folder)
    return {
        name: path.read_text("utf-8") for name, path in paths.items() if path.suffix not in (".png", ".pdf")
    }


def figure(*views: QueryView) -> ElementTree.Element:
    return ElementTree.fromstring(figures.draw(pictured(views))["examples"])


def texts(svg: ElementTree.Element) -> list[str]:
    return ["".join(one.itertext()) for one in svg.iter(f"{SVG}text")]


def panels(svg: ElementTree.Element) -> list[list[dict[str, str]]]:
    """The regions of each panel, a word each, in the order of drawing."""
    found = [group for group in svg.iter(f"{SVG}g") if group.get("fill") == HUE]
    return [[{**box.attrib, "title": box[0].text or ""} for box in group] for group in found]


def section(page: str) -> str:
    (found,) = re.findall(rf"<h2[^>]*>{HEADING}</h2>.*?</section>", page, flags=re.DOTALL)
    return str(found)


def part(text: str) -> str:
    return re.split(r"\n## ", text.split(f"## {HEADING}\n", 1)[1])[0]


# What is chosen


def test_the_largest_differences_are_shown_first_and_ties_in_order_of_the_queries() -> None:
    # Of b less a: 0, ½, ½, ¾, −½, ½, −¾, 1/6, −1/6
    shelf = Held({query: seen() for query in (8, 7, 6, 5, 4, 3, 2, 1, 0)})
    scores = scored([[[5, 2, 2, 4, 1, 2, 1, 3, 2]], [[5, 1, 1, 1, 2, 1, 4, 2, 3]]], shelf)
    found = chosen(scores)
    assert (found.name, found.left, found.right, found.looked_at) == ("test/t2i", "b", "a", 9)
    assert places(found) == ([3, 1, 2], [6, 4, 8])
    assert found.for_left[0].ranks == {"b": (1,), "a": (4,)}
    assert sorted(shelf.asked) == [(query, ("b", "a")) for query in (1, 2, 3, 4, 6, 8)]
    assert len(found.for_left) == SHOWN


def test_only_queries_that_can_be_looked_at_are_chosen_from() -> None:
    scores = scored([[[9, 9, 9, 1]], [[1, 2, 3, 9]]], Held({2: seen(), 1: seen()}))
    found = chosen(scores)
    assert (places(found), found.looked_at) == (([1, 2], []), 2)
    assert [one.ranks["b"] for one in found.for_left] == [(2,), (3,)]


def test_a_difference_that_is_only_rounding_is_none_and_breaks_no_tie() -> None:
    turned = [[11, 3, 7], [3, 7, 11], [7, 11, 3], [11, 7, 3], [3, 11, 7], [7, 3, 11]]
    raw = (1 / 200 - 1 / np.transpose(turned)).mean(axis=0)
    assert np.argmin(raw) != 0
    found = chosen(scored([np.full((3, 6), 200), np.transpose(turned)]))
    assert places(found) == ([0, 1, 2], [])
    # The same ranks under other seeds are no difference.
    found = chosen(scored([np.transpose([turned[0]] * 6), np.transpose(turned)]))
    assert places(found) == ([], [])


def test_only_common_seeds_count() -> None:
    a = [[9, 9, 9], [2, 1, 3], [0, 0, 0], [1, 1, 1]]
    b = [[0, 0, 0], [1, 2, 3], [1, 1, 1], [1, 1, 1]]
    found = chosen(scored([a, b]))
    assert places(found) == ([0], [1])
    assert found.for_left[0].ranks == {"b": (1, 1), "a": (2, 1)}
    assert "averaged over 2 common seeds;" in examples_prose.caption(found)
    found = chosen(scored([a[:3], b[:3]]))
    assert found.for_right[0].ranks == {"b": (2,), "a": (1,)}
    assert "averaged over 1 common seed;" in examples_prose.caption(found)


RANKS = np.array([[[2, 1]], [[1, 2]], [[1, 3]], [[3, 1]]])


def pair(scores: Scores, *contrasts: Contrast, baseline: str | None = None, **given: Any) -> tuple[str, str]:
    found = find(scores, contrasts, baseline, given.get("of", means(10, 12, 9, 14)))
    assert found is not None
    return found.left, found.right


def test_the_arms_are_those_of_the_largest_weights_in_the_first_declared_contrast() -> None:
    scores = scored(RANKS)
    first, second = declared(b=1.0, d=-1.0), declared(a=0.2, b=-1.0, c=0.8)
    assert pair(scores, declared(really=False, a=1.0, b=-1.0), first, second, baseline="a") == ("b", "d")
    assert pair(scores, second, first, baseline="a") == ("c", "b")
    # Of equal weights, those that rounding alone sets apart included, the first arm.
    assert pair(scores, declared(d=0.3, b=0.1 + 0.2, c=-0.1 - 0.2, a=-0.3)) == ("b", "a")
    # An arm without a run is passed over, and so is a contrast with none of a side left.
    gone = scored(np.where(np.arange(4)[:, None, None] == 2, 0, RANKS))
    assert pair(gone, second, baseline="a") == ("a", "b")
    assert pair(gone, declared(c=1.0, a=-1.0), first) == ("b", "d")


def test_without_a_declaration_it_is_the_arm_farthest_from_the_baseline() -> None:
    scores, exploratory = scored(RANKS), declared(really=False, c=1.0, d=-1.0)
    assert pair(scores, exploratory, baseline="a") == ("d", "a")
    assert pair(scores, baseline="d") == ("c", "d")
    assert pair(scores, baseline="a", of=means(10, 8, 12, 9)) == ("b", "a")
    gone = scored(np.where(np.arange(4)[:, None, None] == 3, 0, RANKS))
    assert pair(gone, exploratory, baseline="a") == ("b", "a")
    # 40.2 − 40.1 and 40.3 − 40.2 differ by rounding alone.
    assert pair(scores, baseline="b", of=means(40.3, 40.2, 40.1)) == ("a", "b")


@pytest.mark.parametrize(("baseline", "of"), [(None, means(1, 5, 9)), ("d", means(1, 5, 9)), ("a", means(1))])
def test_without_a_baseline_that_has_a_mean_it_is_the_first_two(
    baseline: str | None, of: list[ArmResult]
) -> None:
    assert pair(scored(RANKS), baseline=baseline, of=of) == ("b", "a")
    assert pair(scored(np.concatenate([RANKS[:1] * 0, RANKS[1:]])), baseline=None, of=of) == ("c", "b")


@pytest.mark.parametrize(
    "scores",
    [
        replace(scored(RANKS), queries=None),
        replace(scored(RANKS), shelf=None),
        scored(RANKS, Held({})),
        scored(RANKS[:1]),
        scored([[[1, 2]], [[0, 0]]]),
        scored(RANKS * 0),
        scored([[[1, 2], [0, 0]], [[0, 0], [2, 1]]]),
    ],
    ids=["no queries", "no shelf", "an empty shelf", "one arm", "one arm has runs", "no runs", "no seed"],
)
def test_there_is_no_page(scores: Scores, tmp_path: Path) -> None:
    assert find(scores, [declared(b=1.0, a=-1.0)], "a", means(1, 2)) is None
    assert find(scores, [], "a", means(1, 2)) is None
    before = pictured([seen(), seen()])
    assert "examples.svg" in write(before, tmp_path)
    without = replace(before, examples=None)
    paths = written(without, tmp_path)
    assert not (tmp_path / "examples.svg").exists()
    assert apart(without) == []
    assert f">{HEADING}</h2>" not in paths["report.html"]
    assert f"## {HEADING}" not in paths["report.md"]
    assert json.loads(paths["report.json"])["examples"] is None


def test_where_no_query_differs_the_report_says_so_and_draws_nothing(tmp_path: Path) -> None:
    result = report(scored(np.full((2, 2, 4), 3)), baseline="a")
    assert result.examples is not None
    assert places(result.examples) == ([], [])
    paths = written(result, tmp_path)
    told = (
        "Of 4 queries of test/t2i that can be looked at there is none on which the ranks of b and a differ."
    )
    assert told in section(paths["report.html"])
    assert told in part(paths["report.md"])
    assert "<svg" not in section(paths["report.html"])
    assert "examples.svg" not in paths


# Outputs

LOOKS = {"b": [[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.1, 0.001, 0.4]], "a": [[0.1, 0.2, 0.05]] * 3}


def test_every_output_shows_the_queries_and_their_ranks(tmp_path: Path) -> None:
    result = pictured([seen(("one", "two")), seen(("three",), grey(), {"b": [[0.1, np.nan, 0.12345]]})])
    assert result.examples is not None
    paths = written(result, tmp_path)
    page, said, svg = section(paths["report.html"]), part(paths["report.md"]), paths["examples.svg"]
    for told in (page, said, " ".join(texts(ElementTree.fromstring(svg)))):
        at = [told.index(f"{x} ranks the right item better than {y}") for x, y in ("ba", "ab")]
        assert at[0] < told.index("one two") < at[1] < told.index("three")
        assert "chosen for that out of 2 queries that can be looked at" in told
    assert "- query 0, “one two”: b rank 1, 1; a rank 2, 2" in said
    assert "- query 1, “three”: b rank 2, 2; a rank 1, 1" in said
    assert "averaged over the arm’s seeds" in page
    data = json.loads(paths["report.json"])["examples"]
    assert {key: data[key] for key in ("name", "left", "right", "looked_at")} == {
        "name": "test/t2i", "left": "b", "right": "a", "looked_at": 2,
    }  # fmt: skip
    (first,), (second,) = data["for_left"], data["for_right"]
    assert first == {
        "query": 0, "words": ["one", "two"], "ranks": {"b": [1, 1], "a": [2, 2]},
        "boxes": BOXES.tolist(), "attention": {},
    }  # fmt: skip
    assert second["attention"] == {"b": [[0.1, None, 0.1235]]}


@pytest.mark.parametrize("picture", [grey(), colour(), colour(160, 40)[::-1], colour(97, 160)[:, ::2]])
def test_pictures_are_kept_pixel_by_pixel(picture: NDArray[np.uint8]) -> None:
    svg = figure(seen(picture=picture))
    (image,) = svg.iter(f"{SVG}image")
    kind, data = image.attrib["href"].split(",")
    assert kind == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(data, validate=True))) as decoded:
        assert decoded.mode == ("L" if picture.ndim == 2 else "RGB")
        np.testing.assert_array_equal(np.asarray(decoded), picture)
    assert (image.get("height"), image.get("width")) == tuple(map(str, picture.shape[:2]))
    assert ("pixelated" in image.get("style", "")) == (max(picture.shape[:2]) <= 96)
    (use,) = svg.iter(f"{SVG}use")
    high, wide = (float(use.attrib[side]) for side in ("height", "width"))
    assert high / wide == pytest.approx(picture.shape[0] / picture.shape[1], rel=1e-2)
    assert png(np.ascontiguousarray(picture)) == base64.b64decode(data)


def test_without_attention_there_are_ranks_beside_the_picture_alone() -> None:
    svg = figure(seen(picture=grey()), seen())
    assert panels(svg) == []
    assert len(list(svg.iter(f"{SVG}use"))) == 1
    assert {"brank 1, 1", "arank 2, 2", "brank 2, 2", "arank 1, 1"} <= set(texts(svg))
    assert not [text for text in texts(svg) if "attends to" in text]
    page = html.render(pictured([seen()]), {})
    assert "attends to" not in section(page)


@pytest.mark.parametrize("picture", [None, grey()])
def test_regions_are_drawn_over_a_panel_a_word(picture: NDArray[np.uint8] | None) -> None:
    svg = figure(seen(("a", "red", "seven"), picture, LOOKS))
    found = panels(svg)
    # Strength is within an arm, the strongest is on top, and what would not be seen is left out.
    assert [[box["opacity"] for box in panel] for panel in found] == [
        ["0.25", "0.25", "0.5"], ["1"], ["0.1", "0.4"], *[["0.25", "0.5", "1"]] * 3,
    ]  # fmt: skip
    assert [box["title"] for box in found[0]] == [
        "a, region 2: 0.250", "a, region 3: 0.250", "a, region 1: 0.500",
    ]  # fmt: skip
    uses = list(svg.iter(f"{SVG}use"))
    assert len(uses) == 6 + (picture is not None)
    (box,), wide = found[1], float(uses[-1].attrib["width"])
    assert [float(box[side]) for side in ("x", "width")] == pytest.approx([wide / 2] * 2, abs=0.01)
    assert float(box["height"]) == pytest.approx(float(uses[-1].attrib["height"]))
    assert len(list(svg.iter(f"{SVG}image"))) == (picture is not None)


def test_many_words_go_over_rows_within_the_figure_and_long_ones_are_cut() -> None:
    words = ("w" * 40, *"bcdefghijk")
    svg = figure(seen(words, colour(), {"b": np.full((11, 3), 0.3)}), seen(("a " * 150).split()))
    _, _, wide, high = map(float, svg.attrib["viewBox"].split())
    assert wide == pytest.approx(WIDTH)
    moved = [re.findall(r"[\d.]+", g.attrib["transform"]) for g in svg.iter(f"{SVG}g") if g.get("transform")]
    tops = [float(y) for _, y in moved[1:]]
    assert [tops.count(y) for y in sorted(set(tops))] == [6, 5]
    assert COLUMNS >= 6
    assert all(0 <= float(x) < wide and 0 <= float(y) < high for x, y in moved)
    assert f"{'w' * 21}…{'w' * 40}" in texts(svg)  # whole as its title


@pytest.mark.parametrize("held", [np.nan, 0.0, -1.0])
def test_weights_that_are_no_numbers_or_nothing_draw_no_region(held: float, tmp_path: Path) -> None:
    weights = np.full((3, 3), held)
    assert [len(panel) for panel in panels(figure(seen(attention={"b": weights})))] == [0, 0, 0]
    weights[1, 2] = 0.5
    result = pictured([seen(picture=grey(), attention={"b": weights, "a": [[0.5, 0.5]]})])
    paths = written(result, tmp_path)
    svg = ElementTree.fromstring(paths["examples.svg"])
    assert [[box["title"] for box in panel] for panel in panels(svg)] == [[], ["red, region 3: 0.500"], []]
    assert "arank 2, 2" in texts(svg)  # weights of other regions than these are not drawn
    assert not re.search(r'"[^"]*\bnan\b[^"]*"', paths["examples.svg"], re.IGNORECASE)


def test_regions_are_kept_within_the_picture_and_those_of_no_place_are_left_out() -> None:
    boxes = np.array([[-1, -1, 0.5, 2], [np.nan, 0, 1, 1], [0.75, 0.5, 0.25, 1]], np.float32)
    svg = figure(replace(seen(attention={"b": np.full((3, 3), 0.4)}), boxes=boxes))
    assert all("region 1" in box["title"] for panel in panels(svg) for box in panel)
    (box,) = panels(svg)[0]
    side = float(next(svg.iter(f"{SVG}use")).attrib["width"])
    found = [float(box[name]) for name in ("x", "y", "width", "height")]
    assert found == pytest.approx([0, 0, side / 2, side], abs=0.01)


def test_no_words_and_no_regions_are_drawn_as_such() -> None:
    bare = QueryView((), BOXES[:0], None, {"b": np.zeros((0, 0), np.float32)})
    empty = QueryView(("red",), BOXES[:0], colour(), {"a": np.zeros((1, 0), np.float32)})
    svg = figure(bare, empty)
    assert panels(svg) == [[]]
    assert "red" in texts(svg)


def test_names_and_captions_stay_text_in_every_output(tmp_path: Path) -> None:
    words = (*NASTY, "\x00\x1b", "&lt;b&gt;", "' onload='x")
    views = [seen(words, colour(), {name: np.full((6, 3), 0.5) for name in NASTY}) for _ in range(2)]
    result = pictured(views, (NASTY[0], NASTY[1]))
    paths = written(result, tmp_path)
    page, said = section(paths["report.html"]), part(paths["report.md"])
    for text in (page, said, paths["examples.svg"]):
        assert "<script" not in text
        assert "<b>" not in text
        assert "<!--" not in text
        assert "a&b" not in text
    tags = re.findall(r"<[^>]*>", page)
    assert not [tag for tag in tags if "onload='" in tag and "aria-label" not in tag]
    shown = " ".join(words).replace("\x00\x1b", "\N{REPLACEMENT CHARACTER}" * 2)
    for number, svg in enumerate(re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)):
        root = ElementTree.fromstring(svg)
        assert root.get("aria-label") == root[0].text == f"Query {number}: {shown}"
        assert {"onload", "onclick"}.isdisjoint({key for one in root.iter() for key in one.attrib})
        drawn = [text.removesuffix(f"rank {r}, {r}") for text in texts(root) for r in (1, 2)]
        assert set(NASTY[:2]) <= set(drawn)
        assert f"{NASTY[0]}, region 1: 0.500" in [box["title"] for box in panels(root)[0]]
    assert f"{NASTY[1]} ranks the right item better than {NASTY[0]}" in unescape(page)
    assert "a&amp;b\\_%" in said
    data = json.loads(paths["report.json"])["examples"]
    assert data["for_left"][0]["words"] == list(words)
    assert (data["left"], data["right"]) == (NASTY[1], NASTY[0])


def test_ids_are_unique_over_the_page_and_every_reference_resolves() -> None:
    views = [seen(("red", "one"), picture, LOOKS) for picture in (grey(), colour(), None, grey(), None)]
    views = [replace(view, attention={"b": np.full((2, 3), 0.5)}) for view in views]
    result = pictured(views)
    drawn = figures.draw(result)
    page = html.render(result, drawn)
    for text in (page, drawn["examples"]):
        ids = re.findall(r'\sid="([^"]*)"', text)
        assert len(ids) == len(set(ids))
        targets = set(re.findall(r'href="#([^"]*)"', text))
        assert len({target for target in targets if "picture" in target}) == 5
        assert targets <= set(ids)
    assert [len(side) for side in apart(result)] == [3, 2]
    assert section(page).count("<figure>") == 5


def test_the_same_scores_give_the_same_bytes(tmp_path: Path) -> None:
    views = [seen(picture=picture, attention=LOOKS) for picture in (grey(), colour(), None)]
    first, second = (write(pictured(views), tmp_path / name) for name in ("first", "second"))
    assert {"examples.svg", "report.html", "report.md", "report.json"} <= set(first)
    assert set(first) == set(second)
    for name, path in first.items():
        assert path.read_bytes() == second[name].read_bytes()
    result = pictured(views)
    assert apart(result) == apart(result)
    assert markdown.render(result) == markdown.render(result)


def test_half_a_character_does_not_cost_the_report(tmp_path: Path) -> None:
    """JSON of captions may hold half of a pair of code units, which no encoding has."""
    write(pictured([seen(("a", "\ud800", "b"))]), tmp_path)
    for name in ("report.html", "report.md", "report.json"):
        assert (tmp_path / name).read_text(encoding="utf-8")
