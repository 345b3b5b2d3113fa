"""The sweeps that ship with Crosscut, by name."""

from __future__ import annotations

from pathlib import Path

from crosscut.sweepfile import document


def folder() -> Path:
    """Where the bundled sweeps lie: in the package once installed, else at the top of the repository."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "search_spaces"
    return inside if inside.is_dir() else package.parents[1] / "search_spaces"


def names() -> tuple[str, ...]:
    """The names of all bundled sweeps, sorted."""
    return tuple(sorted(path.stem for path in folder().glob("*.yaml")))


def path(name: str) -> Path | None:
    """The file of a bundled sweep, None where there is none of this name."""
    return folder() / f"{name}.yaml" if name in names() else None


def questions() -> dict[str, str | None]:
    """Every bundled sweep with the question that it asks."""
    found: dict[str, str | None] = {}
    for name in names():
        file = folder() / f"{name}.yaml"
        question = document.load(document.read_text(file, str(file)), str(file)).get("question")
        found[name] = question if isinstance(question, str) else None
    return found
