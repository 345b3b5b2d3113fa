"""The report as one page, and the folder of all outputs."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from crosscut_reports.analysis import Question, analyse
from crosscut_reports.context import Context
from crosscut_reports.render import figures, write
from crosscut_reports.render.html import render
from crosscut_reports.result import Result
from crosscut_reports.table import read

VOID = {"meta", "br", "hr", "img", "link", "input"}
LOADS = {"src", "srcset", "data", "poster", "action", "href"}


class Page(HTMLParser):
    """Elements, attributes and texts of a page; every element must be closed in turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def page(result: Result) -> str:
    return render(result, figures.draw(result))


def plain(text: str) -> str:
    """The page's words without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).replace("\N{NO-BREAK SPACE}", " ").split())


@pytest.mark.parametrize("name", ["rich", "seeds_only", "hostile"])
def test_the_page_is_well_formed_and_needs_nothing_else(name: str, request: pytest.FixtureRequest) -> None:
    text = page(request.getfixturevalue(name))
    found = Page(text)
    assert {tag for tag, _ in found.elements}.isdisjoint({"link", "img", "iframe", "object", "image"})
    assert [attributes for tag, attributes in found.elements if tag == "script"] == [{}], "ours, inlined"
    loads = [value for _, attributes in found.elements for key, value in attributes.items() if key in LOADS]
    assert all(value and value.startswith("#") for value in loads)
    assert "@import" not in text
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", text))


def test_ids_are_unique_and_references_resolve(rich: Result) -> None:
    elements = Page(page(rich)).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {(attributes["href"] or "")[1:] for _, attributes in elements if "href" in attributes}
    assert targets
    assert targets <= set(ids)


def test_hostile_names_are_text(hostile: Result) -> None:
    text = page(hostile)
    assert text.count("<script") == 1, "ours"
    assert "&lt;script&gt;" in text
    assert hostile.context.failures[0].reason in " ".join(Page(text).text)


def test_sections_come_in_order(rich: Result) -> None:
    words = plain(page(rich))
    marks = [
        "Do contrastive constraints",
        "One of 31 runs failed",
        "had 5 search trials",
        "For test/rsum: training seeds and queries",
        "Where the variation",
        "Declared in the sweep file",
        "Exploratory: not declared",
        "Wins–ties–losses",
        "SD over seeds",
        "F tests of main effects",
        "Search trials see the dev split",
        "Do words attend to what they refer to",
        "the loss was NaN at step 212",
        "Every cluster holds six queries",
        "Hillis, S. L. (2014)",
        "9f2c41d0",
    ]
    places = [words.index(mark) for mark in marks]
    assert places == sorted(places)


def test_every_verdict_has_its_sentence_word_and_shape(rich: Result) -> None:
    text = page(rich)
    for contrast in rich.contrasts[:6]:
        assert contrast.sentence in plain(text)
    for verdict, mark in figures.MARKS.items():
        assert f'<span class="chip {verdict}">{mark.glyph} {verdict}</span>' in text


def test_the_table_and_the_figure_print_the_same_numbers(rich: Result) -> None:
    text = page(rich)
    table = plain(text[text.index(">Contrasts</h2>") : text.index(">Arms</h2>")])
    for _, attributes in Page(text).elements:
        if "data-estimate" in attributes:
            assert f"{attributes['data-estimate']} {attributes['data-interval']}" in table
    arms = plain(text[text.index(">Arms</h2>") : text.index(">Factors</h2>")])
    assert "scan-t2i, none (baseline) 5 6 441.30 [439.20, 443.40]" in arms


def test_no_p_value_is_rounded_across_alpha(rich: Result) -> None:
    near = replace(rich.contrasts[0], p=0.0496, p_adjusted=0.0496)
    words = plain(page(replace(rich, contrasts=(near,))))
    assert " 0.0496 " in words
    assert " 0.050 " not in words


def test_tables_name_their_scope(rich: Result) -> None:
    scoped = replace(
        rich,
        arms=tuple(replace(arm, scope="queries") for arm in rich.arms),
        factors=(replace(rich.factors[0], cells=1, combinations=3),),
    )
    words = plain(page(scoped))
    assert "test/rsum, declared: new seeds and new queries" in words
    assert "test/i2t_r1, exploratory: new seeds and new queries" in words
    assert "test/i2t_r1: these trained models, new queries" in words
    assert "over 1 of 3 combinations new seeds and new queries 811.20" in words
    assert "Factor tests are exploratory and adjusted by Holm among themselves." in words
    first = replace(rich.contrasts[0], scope="seeds")
    mixed = plain(page(replace(rich, contrasts=(first, *rich.contrasts[1:]))))
    assert "test/rsum, declared Contrast" in mixed
    assert "new seeds, these queries" in mixed


def test_what_is_detectable_and_what_tuning_curves_show_is_said(rich: Result) -> None:
    words = plain(page(rich))
    assert "power 0.8 in a single test at α = 0.05, before adjustment for the family" in words
    assert "pruned trials count with their best score so far" in words


def test_no_p_value_is_printed_as_zero(rich: Result) -> None:
    words = plain(page(rich))
    assert "< 0.001" in words
    assert " 0.000 " not in words


def test_a_table_from_elsewhere_says_that_it_has_no_tuning(seeds_only: Result) -> None:
    words = plain(page(seeds_only))
    assert "does not say how the arms were tuned" in words
    for absent in ("Failures", "Attention", "Provenance", "F tests", "σ query", "Trials"):
        assert absent not in words


def test_a_report_without_declarations_says_so(rich: Result) -> None:
    design = replace(rich.design, family=0, families=rich.design.families[1:])
    bare = replace(rich, contrasts=rich.contrasts[4:6], design=design)
    words = plain(page(bare))
    assert "nothing declared, every contrast is exploratory" in words
    assert "Declared in the sweep file" not in words
    assert "Declared contrasts" not in words
    empty = plain(page(replace(rich, contrasts=())))
    assert "There is no contrast on test/rsum." in empty


def test_the_same_result_gives_the_same_bytes(rich: Result, tmp_path: Path) -> None:
    first, second = write(rich, tmp_path / "first"), write(rich, tmp_path / "second")
    assert set(first) == {
        "report.html", "report.md", "report.json", "contrasts.csv", "arms.csv",
        "report.tex", "arms.tex", "contrasts.tex", "methods.tex", "references.bib",
        *(f"{name}.{kind}" for name in ("forest", "arms", "interaction", "tuning")
          for kind in ("svg", "png", "pdf")),
    }  # fmt: skip
    for name, path in first.items():
        assert path.read_bytes() == second[name].read_bytes()
        assert path.suffix == ".png" or path.read_bytes().endswith(b"\n")
    assert sorted(os.listdir(tmp_path / "first")) == sorted(first)


def test_writing_again_replaces_what_was_there(rich: Result, seeds_only: Result, tmp_path: Path) -> None:
    write(rich, tmp_path)
    paths = write(seeds_only, tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted(paths)
    assert "flickr30k" in paths["report.html"].read_text(encoding="utf-8")


def test_nothing_is_written_where_something_cannot_be(rich: Result, tmp_path: Path) -> None:
    write(rich, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    broken = replace(rich, factors=(replace(rich.factors[0], p=math.nan),), guards=())
    with pytest.raises(ValueError, match="found NaN"):
        write(broken, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_published_table_becomes_a_whole_report(shared_data: Path, tmp_path: Path) -> None:
    scores = read(shared_data / "van_dyke_sensitivity.csv")
    result = analyse(scores, Question(margin=0.05), Context(name="sensitivity"))
    words = plain(write(result, tmp_path)["report.html"].read_text(encoding="utf-8"))
    # Estimate, standard error, degrees of freedom, F and p as published for these readers and cases.
    assert "+0.0978 [+0.0175, +0.1780] 0.0378 15.7 0.020" in words
    assert "6.69 1, 15.7 0.020" in words


def test_importing_the_package_is_cheap() -> None:
    code = (
        "import sys, crosscut_reports, crosscut_reports.render; "
        "heavy = {'matplotlib', 'scipy', 'jinja2', 'pyarrow', 'numpy', 'torch', 'ray'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
