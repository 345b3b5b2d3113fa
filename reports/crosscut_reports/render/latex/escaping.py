"""Any text as LaTeX that prints it, whichever of pdfLaTeX, XeLaTeX and LuaLaTeX runs."""

from __future__ import annotations

import re
import textwrap
import unicodedata

from crosscut_reports.render.characters import fit

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}",
    # At the start of a row either would be taken for an option of the row before it.
    "[": "{[}",
    "*": "{*}",
    "]": "{]}",
    "\u00a0": "~",
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
    "‘": r"\textquoteleft{}",
    "’": r"\textquoteright{}",
    "“": r"\textquotedblleft{}",
    "”": r"\textquotedblright{}",
    "…": r"\textellipsis{}",
}
_MATHS = {
    "−": "-", "±": r"\pm", "×": r"\times", "·": r"\cdot", "≥": r"\ge", "≤": r"\le", "≠": r"\ne", "∞": r"\infty",
    "→": r"\to", "←": r"\leftarrow", "√": r"\surd", "Σ": r"\Sigma", "∪": r"\cup", "²": "^2", "³": "^3",
    "½": r"\frac12", "⁻": "^-", "ⁿ": "^n", "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta",
    "ε": r"\epsilon", "η": r"\eta", "θ": r"\theta", "κ": r"\kappa", "λ": r"\lambda", "μ": r"\mu", "µ": r"\mu",
    "ν": r"\nu", "ξ": r"\xi", "π": r"\pi", "ρ": r"\rho", "σ": r"\sigma", "τ": r"\tau", "φ": r"\varphi",
    "χ": r"\chi", "ψ": r"\psi", "ω": r"\omega", "Γ": r"\Gamma", "Δ": r"\Delta", "Θ": r"\Theta", "Λ": r"\Lambda",
    "Π": r"\Pi", "Φ": r"\Phi", "Ψ": r"\Psi", "Ω": r"\Omega",
}  # fmt: skip
_LATIN = range(0xC0, 0x180)
"""Letters that T1 has, or LaTeX puts together, in every engine."""
_LACKING = frozenset("÷ĸĿŀŉſ" + "".join(map(chr, (0x110, 0x111, 0x126, 0x127, 0x138, 0x166, 0x167))))

FALLBACK = r"\providecommand{\crosscutchar}[2]{\ifdefined\Umathcode#1\else\texttt{U+#2}\fi}"
"""A character by itself where the engine reads Unicode, else its number."""


def escape(text: str) -> str:
    """The text, every character of which prints as itself, and any white space as space.

    What XML cannot hold, such as a control character, is U+FFFD; a character that pdfLaTeX has no letter for is
    `\\crosscutchar{…}{number}`, see `FALLBACK`.
    """
    # Two hyphens in a row would become one dash.
    return re.sub("-(?=-)", "-{}", "".join(map(_character, fit(text))))


def paragraph(text: str) -> str:
    """The text as `escape` has it, in lines of at most 115 characters where its words allow."""
    return textwrap.fill(escape(text), 115, break_long_words=False, break_on_hyphens=False)


def _character(one: str) -> str:
    if one in _SPECIAL:
        return _SPECIAL[one]
    if one in _MATHS:
        return f"${_MATHS[one]}$"
    if one.isspace():
        return " "
    if " " < one <= "~" or (ord(one) in _LATIN and one not in _LACKING):
        return one
    if unicodedata.category(one) in ("Cc", "Cf", "Co", "Cn", "Mn", "Me", "Mc"):
        # Drawn alone it would move what stands beside it.
        return rf"\texttt{{U+{ord(one):04X}}}"
    return rf"\crosscutchar{{{one}}}{{{ord(one):04X}}}"
