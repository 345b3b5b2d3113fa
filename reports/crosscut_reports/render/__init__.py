"""A result as files: `report.html`, `report.md`, `report.json`, CSV tables, LaTeX, and the figures."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from crosscut_reports.result import Result

OPTIONAL = ("shift.csv", "effects.csv", "lengths.csv")
"""Tables that only a report of several splits has, and one of queries whose lengths are known."""


def write(result: Result, folder: str | Path) -> dict[str, Path]:
    """Write every output of `result` into `folder`, made if need be; file name → path.

    All of them are made before the first is written, and a file is replaced whole, so a reader never meets half
    of one. The same result gives the same bytes. Raises ValueError where the result holds a NaN.
    """
    from crosscut_reports.render import csv, figures, html, json, latex, markdown

    drawn = figures.drawings(result)
    svgs = figures.svgs(result, drawn)
    made: dict[str, str | bytes] = {
        "report.html": html.render(result, svgs),
        "report.md": markdown.render(result),
        "report.json": json.render(result),
        "contrasts.csv": csv.contrasts(result),
        "arms.csv": csv.arms(result),
        **(
            {}
            if result.shift is None
            else {"shift.csv": csv.shift(result), "effects.csv": csv.effects(result)}
        ),
        **({"lengths.csv": csv.lengths(result)} if result.lengths else {}),
        **{f"{name}.svg": text for name, text in svgs.items()},
        **figures.files(drawn),
        **latex.render(result, [name for name, one in drawn.items() if isinstance(one, figures.Drawing)]),
    }
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    paths = {name: _replace(target / name, content) for name, content in made.items()}
    kinds = ("svg", *figures.FORMATS)
    for name in (*OPTIONAL, *(f"{name}.{kind}" for name in figures.FIGURES for kind in kinds)):
        if name not in made:  # of an earlier report, and this one has no data for it
            (target / name).unlink(missing_ok=True)
    return paths


def _replace(path: Path, content: str | bytes) -> Path:
    """Write `content` beside `path`, then put it in its place in one step."""
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace"))
        Path(beside).chmod(0o644)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    return path
