r"""LaTeX: a document of its own, and tables, methods and sources to `\input` into a paper."""

from __future__ import annotations

from collections.abc import Collection

from crosscut_reports.render import methods, prose
from crosscut_reports.render.latex import bibliography, results
from crosscut_reports.render.latex.escaping import FALLBACK, escape, paragraph
from crosscut_reports.render.latex.tables import piece, table
from crosscut_reports.render.sections import Section, sections
from crosscut_reports.result import Result

__all__ = ["render"]

_PREAMBLE = r"""\documentclass[10pt]{article}
\usepackage{iftex}
\ifPDFTeX\usepackage[T1]{fontenc}\usepackage[utf8]{inputenc}\usepackage{textcomp}\fi
\usepackage[margin=22mm]{geometry}
\usepackage{array,booktabs,longtable,graphicx}
\setlength{\tabcolsep}{4pt}"""


def render(result: Result, figures: Collection[str] = ()) -> dict[str, str]:
    r"""File name → text.

    `report.tex` compiles as it is, beside the figures `figures` as PDF; `arms.tex`, `contrasts.tex` and
    `methods.tex` are read into it, or into a paper, and `references.bib` has the sources, under the keys that
    `methods.tex` names in `\nocite`. The same result gives the same bytes.
    """
    cited = "\n".join(
        [r"% With \bibliography{references}:", rf"% \nocite{{{','.join(bibliography.keys(result))}}}"]
    )
    return {
        "report.tex": _document(result, figures),
        "arms.tex": piece(results.arms(result)),
        "contrasts.tex": piece(results.contrasts(result)),
        "methods.tex": "\n\n".join([FALLBACK, *map(paragraph, methods.methods(result)), cited]) + "\n",
        "references.bib": bibliography.references(result),
    }


def _document(result: Result, figures: Collection[str]) -> str:
    facts = [
        rf"\item[{escape(label)}] {paragraph(text)}"
        for label, text in (*prose.design(result), *prose.inference(result))
    ]
    guards = [rf"\item[{one.severity}] {paragraph(one.message)}" for one in result.guards]
    verdicts = [
        rf"\item[{one.verdict}] {paragraph(one.sentence)}"
        for declared in (True, False)
        for one in prose.verdicts(result, declared)
    ]
    drawn = [rf"\noindent\includegraphics[width=\linewidth]{{{name}.pdf}}\par\bigskip" for name in figures]
    blocks = [
        _PREAMBLE,
        FALLBACK,
        rf"\title{{{escape(prose.title(result))}}}",
        r"\author{}\date{}",
        r"\begin{document}",
        r"\maketitle",
        *([rf"\noindent\textit{{{escape(result.context.question)}}}"] if result.context.question else []),
        *_list("Design", facts),
        *_list("What to know first", guards),
        *_list("Verdicts", verdicts),
        r"\section*{Contrasts}",
        r"\input{contrasts.tex}",
        r"\section*{Arms}",
        r"\input{arms.tex}",
        *(block for place, one in enumerate(sections(result), 1) for block in _section(one, place)),
        *([r"\section*{Figures}", *drawn] if drawn else []),
        r"\section*{Methods}",
        r"\input{methods.tex}",
        *_list("References", [rf"\item[] {paragraph(text)}" for text in methods.references(result)]),
        r"\end{document}",
    ]
    return "\n\n".join(blocks) + "\n"


def _list(heading: str, items: list[str]) -> list[str]:
    if not items:
        return []
    return [rf"\section*{{{heading}}}", "\n".join([r"\begin{description}", *items, r"\end{description}"])]


def _section(section: Section, place: int) -> list[str]:
    rows = [list(map(escape, row)) for row in section.rows]
    head = list(map(escape, section.head))
    made = table(section.caption, f"section-{place}", head, rows, left=section.left)
    return [rf"\section*{{{escape(section.heading)}}}", made]
