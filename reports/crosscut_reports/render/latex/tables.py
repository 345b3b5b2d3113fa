"""Tables in the style of booktabs, over several pages where they are long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crosscut_reports.render.latex.escaping import FALLBACK, escape

NEEDS = (
    r"% Needs: \usepackage{booktabs,longtable,array} and, with pdfLaTeX, \usepackage[T1]{fontenc}"
    r"\usepackage{textcomp}"
)


def table(
    caption: str, label: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, left: int, note: str = ""
) -> str:
    """A longtable of cells that are LaTeX already; the first `left` columns are text, the others numbers.

    `caption` is plain text; `note`, LaTeX, follows it.
    """
    # Together as wide as two fifths of the line, so that numbers have the rest.
    width = f"{0.4 / left:.2f}"
    columns = rf">{{\raggedright\arraybackslash}}p{{{width}\linewidth}}" * left + "r" * (len(head) - left)
    titles = " & ".join(head) + r" \\"
    lines = [
        rf"\begin{{longtable}}{{@{{}}{columns}@{{}}}}",
        rf"\caption{{{escape(caption)}{note}}}\label{{tab:{label}}}\\",
        r"\toprule",
        titles,
        r"\midrule",
        r"\endfirsthead",
        r"\toprule",
        titles,
        r"\midrule",
        r"\endhead",
        r"\bottomrule",
        r"\endfoot",
        *(" & ".join(row) + r" \\" for row in rows),
        r"\end{longtable}",
    ]
    return "\n".join(lines)


def piece(*blocks: str) -> str:
    """A file to be read into a paper: what it needs, then the blocks."""
    return "\n".join([NEEDS, FALLBACK, *blocks]) + "\n"
