"""LaTeX that compiles, whatever arms are called."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pylatexenc.latex2text import LatexNodes2Text
from pylatexenc.latexwalker import LatexEnvironmentNode, LatexWalker

from crosscut_reports.analysis import analyse
from crosscut_reports.arrays import from_arrays
from crosscut_reports.context import Context
from crosscut_reports.question import Question
from crosscut_reports.render import latex, methods, write
from crosscut_reports.render.latex.escaping import escape
from crosscut_reports.result import Result

COMPILER = shutil.which("tectonic") or shutil.which("pdflatex") or shutil.which("lualatex")
NASTY = (
    "\\input{/etc/passwd} $x_1^2$ & 100% #1 ~ {a} <b> |c| \"q\" 'r' [s] a--b −±×≥→∞ σα é ß ł 日本 "
    "\x00 \ud800 \t\n"
)


def parsed(text: str) -> LatexWalker:
    """Fails where braces, maths or environments are not balanced."""
    walker = LatexWalker(text, tolerant_parsing=False)
    walker.get_latex_nodes()
    return walker


def rows(text: str) -> list[tuple[int, list[str]]]:
    """Columns of each table, with its rows of cells."""
    found = []
    for columns, body in re.findall(
        r"\\begin\{longtable\}\{([^\n]*)\}\n(.*?)\\end\{longtable\}", text, re.DOTALL
    ):
        plain = re.sub(r"p\{[^}]*\}", "p", columns.replace(r">{\raggedright\arraybackslash}", ""))
        count = len(re.sub(r"@\{\}", "", plain))
        found.append((count, [line for line in body.splitlines() if line.endswith(r" \\")]))
    return found


@pytest.mark.parametrize("name", ["rich", "seeds_only", "hostile"])
def test_every_file_is_balanced_and_every_row_has_its_cells(
    name: str, request: pytest.FixtureRequest
) -> None:
    files = latex.render(request.getfixturevalue(name), ["forest"])
    assert set(files) == {"report.tex", "arms.tex", "contrasts.tex", "methods.tex", "references.bib"}
    tables = 0
    for file, text in files.items():
        parsed(text)
        for count, lines in rows(text):
            tables += 1
            assert lines, file
            assert all(len(re.findall(r"(?<!\\)&", line)) == count - 1 for line in lines), file
    assert tables >= 2
    document = parsed(files["report.tex"]).get_latex_nodes()[0]
    assert [n.environmentname for n in document if isinstance(n, LatexEnvironmentNode)] == ["document"]


def test_any_text_prints_as_itself() -> None:
    text = escape(NASTY)
    parsed(text)
    assert not re.search(r"(?<!\\)[#%&_]", text)
    back = LatexNodes2Text(keep_comments=True).latex_to_text(
        re.sub(r"\\crosscutchar\{(.)\}\{[0-9A-F]+\}", r"\1", text)
        .replace(r"\textless{}", "<")
        .replace(r"\textgreater{}", ">")
        .replace(r"\textbar{}", "|")
    )
    for part in ("\\input{/etc/passwd}", "100% #1 ~ {a} <b> |c|", "[s]", "é ß ł 日本"):
        assert part in back
    assert r"\input" not in text


@pytest.mark.parametrize(
    ("plain", "expected"),
    [
        ("−3.1", "$-$3.1"),
        ("a---b", "a-{}-{}-b"),
        ("[+1, ∞]", r"{[}+1, $\infty$]".replace("]", "{]}", 1).replace("{[{]}", "{[}")),
        ("日", r"\crosscutchar{日}{65E5}"),
        ("a\x07b", r"a\crosscutchar{�}{FFFD}b"),
        ("a\u0301", r"a\texttt{U+0301}"),
        ("a\n\tb", "a  b"),
        ("Ærø Łódź", "Ærø Łódź"),
        ("*", "{*}"),  # else a row that begins with it loses it
        ("Ŀ", r"\crosscutchar{Ŀ}{013F}"),  # pdfLaTeX stops at it
    ],
)
def test_characters(plain: str, expected: str) -> None:
    assert escape(plain) == expected


def test_the_best_mean_of_each_metric_is_bold_whichever_way_is_better(rich: Result) -> None:
    text = latex.render(rich)["arms.tex"]
    bold = re.findall(r"\\textbf\{([^}]*)\}", text)
    best = {}
    for arm in rich.arms:
        best.setdefault(arm.metric, []).append(arm.mean)
    expected = [min(means) if metric.endswith("medr") else max(means) for metric, means in best.items()]
    assert len(bold) >= len(expected)
    for value in expected:
        assert any(abs(float(one) - value) < 0.006 for one in bold)


def small(declared: bool, seeds: int = 6) -> Result:
    draw = np.random.default_rng(0)
    values = np.array([50.0, 60.0, 40.0, 50.01])[:, None] + draw.normal(0, 0.3, (4, seeds))
    scores = from_arrays({"rsum": values, "medr": 10 - values / 10}, ("base", "up", "down", "same"))
    asked = ({"arm": "each vs base"},) if declared else ()
    return analyse(
        scores,
        Question(primary="rsum", metrics=("rsum",), baseline="base", hypotheses=asked),
        Context(name="x"),
    )


@pytest.mark.parametrize("declared", [True, False])
def test_marks_say_what_differs_from_the_baseline_and_the_caption_says_how(declared: bool) -> None:
    text = latex.render(small(declared))["arms.tex"]
    lines = {line.split(" &")[0]: line.split(" & ")[1] for line in text.splitlines() if line.endswith(r" \\")}
    brackets = ("", "") if declared else ("(", ")")
    assert rf"$^{{{brackets[0]}\ast{brackets[1]}}}$" in lines["up"]
    assert rf"$^{{{brackets[0]}\dagger{brackets[1]}}}$" in lines["down"]
    assert "^" not in lines["same"]
    assert "^" not in lines["base (baseline)"]
    caption = LatexNodes2Text().latex_to_text(text[text.index(r"\caption") : text.index(r"\label")])
    for words in (
        "than the baseline base",
        "two-sided",
        "α = 0.05",
        "Holm, family of 3",
        "new seeds, these queries",
    ):
        assert words in caption
    assert ("In brackets: not declared" in caption) != declared


def test_a_contrast_told_from_the_other_side_marks_the_arm_rightly() -> None:
    result = small(True)
    turned = tuple(
        replace(
            one,
            weights={arm: -weight for arm, weight in one.weights.items()},
            verdict={"better": "worse", "worse": "better"}.get(one.verdict, one.verdict),
        )
        for one in result.contrasts
    )
    assert latex.render(replace(result, contrasts=turned))["arms.tex"] == latex.render(result)["arms.tex"]


@pytest.mark.parametrize("count", [27, 200])
def test_many_arms_with_any_names_are_a_row_each(count: int) -> None:
    names = tuple(f"{NASTY} {place}" for place in range(count))
    values = np.random.default_rng(1).normal(50, 1, (count, 3))
    result = analyse(from_arrays({"rsum": values}, names), Question(baseline=names[0]), Context(name=NASTY))
    files = latex.render(result)
    for text in files.values():
        parsed(text)
    # TeX reads a line whole, and has room for so many characters.
    assert max(len(line) for line in files["report.tex"].splitlines()) < 2000
    ((_, lines),) = rows(files["arms.tex"])
    assert len(lines) == count + 2, "and the head, of the first page and of the others"


def test_methods_and_sources_are_those_of_the_page(rich: Result) -> None:
    files = latex.render(rich)
    text = " ".join(LatexNodes2Text().latex_to_text(files["methods.tex"]).split())
    for paragraph in methods.methods(rich):
        words = re.findall(r"[A-Za-z]{4,}", paragraph)
        assert " ".join(words[:3]) in " ".join(re.findall(r"[A-Za-z]{4,}", text))
    entries = re.findall(r"@misc\{(\w+),", files["references.bib"])
    assert len(entries) == len(methods.references(rich))
    assert f"\\nocite{{{','.join(entries)}}}" in files["methods.tex"]
    assert "author = {Hillis, S. L.}" in files["references.bib"]
    assert "author = {Obuchowski, N. A. and Rockette, H. E.}" in files["references.bib"]


def test_every_reference_has_authors_a_year_a_title_and_a_place() -> None:
    for key, text in methods.REFERENCES.items():
        entry = latex.bibliography._entry(key, text)
        fields = dict(re.findall(r"^  (\w+) = \{(.*)\},$", entry, re.MULTILINE))
        assert set(fields) == {"author", "title", "howpublished", "year"}
        assert all(fields.values()), key
        assert fields["author"].count(" and ") == len(
            re.findall(r"[A-Z]\.,? (?:and )?(?=[A-Z][a-z])", text.split("(")[0])
        )


def test_the_folder_of_a_report_has_them_and_the_figures_they_show(rich: Result, tmp_path: Path) -> None:
    paths = write(rich, tmp_path)
    shown = re.findall(r"\\includegraphics\[[^]]*\]\{([^}]*)\}", paths["report.tex"].read_text())
    assert shown
    assert all(name in paths for name in shown)
    read = re.findall(r"\\input\{([^}]*)\}", paths["report.tex"].read_text())
    assert read == ["contrasts.tex", "arms.tex", "methods.tex"]
    assert all(name in paths for name in read)
    again = write(rich, tmp_path / "again")
    for name in ("report.tex", *read, "references.bib"):
        assert paths[name].read_bytes() == again[name].read_bytes()


@pytest.mark.skipif(COMPILER is None, reason="no LaTeX on the path")
def test_it_compiles(hostile: Result, tmp_path: Path) -> None:
    write(hostile, tmp_path)
    assert COMPILER is not None
    options = [] if "tectonic" in COMPILER else ["-interaction=nonstopmode", "-halt-on-error"]
    subprocess.run([COMPILER, *options, "report.tex"], cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "report.pdf").exists()
