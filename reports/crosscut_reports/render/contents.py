"""The contents of the page: an id for every section, and links to them."""

from __future__ import annotations

import re

PLACE = "<!--contents-->"
"""Where the links go."""
_HEADING = re.compile(r"<h2>(.*?)</h2>")
FEWEST = 3
"""Fewer sections need no contents."""


def linked(page: str) -> str:
    """The page with an id in each of its second headings, and links to them in place of `PLACE`."""
    links: list[str] = []

    def named(found: re.Match[str]) -> str:
        heading = found[1]
        name = re.sub(r"[^a-z]+", "-", heading.lower()).strip("-")
        links.append(f'<a href="#{name}">{heading}</a>')
        return f'<h2 id="{name}">{heading}</h2>'

    text = _HEADING.sub(named, page)
    nav = (
        f'<nav class="contents" aria-label="Contents">{" ".join(links)}</nav>' if len(links) >= FEWEST else ""
    )
    return text.replace(PLACE, nav, 1)
