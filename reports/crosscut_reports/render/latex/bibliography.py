"""The sources of a report as BibTeX."""

from __future__ import annotations

import re

from crosscut_reports.render import methods
from crosscut_reports.render.latex.escaping import escape
from crosscut_reports.result import Result

_PARTS = re.compile(r"(?P<authors>.*?) \((?P<year>\d{4})\)\. (?P<title>.*?[.?]) (?P<where>.*)\.$")
_NAME = re.compile(r"([^,]+, (?:[A-Z]\.[ -]?)+)")


def references(result: Result) -> str:
    """`references.bib`: an entry a source that the methods rest on, by its key."""
    used = set(methods.references(result))
    return "\n\n".join(_entry(key, text) for key, text in methods.REFERENCES.items() if text in used) + "\n"


def keys(result: Result) -> list[str]:
    """The keys of these entries."""
    used = set(methods.references(result))
    return [key for key, text in methods.REFERENCES.items() if text in used]


def _entry(key: str, text: str) -> str:
    parts = _PARTS.match(text)
    if parts is None:
        raise ValueError(f"{key}: expected 'Authors (year). Title. Where.', found {text!r}")
    names = [
        name.removeprefix("and ").strip() for name in _NAME.findall(parts["authors"].replace("., ", ".; "))
    ]
    authors = " and ".join(name.lstrip("; ").removeprefix("and ") for name in names)
    fields = {
        "author": authors,
        "title": "{" + escape(parts["title"].rstrip(".")) + "}",
        "howpublished": escape(parts["where"]),
        "year": parts["year"],
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@misc{{{key},", *lines, "}"])
