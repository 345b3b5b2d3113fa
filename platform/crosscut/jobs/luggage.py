"""The luggage of a job: the sweep file, Crosscut as it is here, and the user's own code, in one folder.

```
start.sh            what the job begins with
<sweep file>        under its own name
crosscut/  crosscut_trainables/  crosscut_reports/
code/               the user's own files, where the trainable is theirs; the job works in it
```
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from crosscut.errors import InputError
from crosscut.sweepfile import bundled

PACKAGES = ("crosscut", "crosscut_trainables", "crosscut_reports")
CODE = "code"
START = "start.sh"

REMADE = (
    ".git", ".hg", ".svn", "__pycache__", "*.pyc", ".venv", "venv", "env", "node_modules", "*.egg-info", ".tox",
    ".mypy_cache", ".pytest_cache", ".ruff_cache", ".ipynb_checkpoints", ".cache", ".DS_Store",
)  # fmt: skip
"""Names of files and folders that are made anew where they are needed."""

SECRET = (
    ".env", ".env.*", ".envrc", ".netrc", ".pypirc", ".ssh", ".aws", ".kube", ".docker", ".gnupg", "*.pem",
    "*.key", "id_rsa*", "id_ed25519*", "credentials*", "secrets*",
)  # fmt: skip
"""Names of what nobody else is to have. They never travel."""

MOST = 100 * 2**20
"""Bytes of the user's code that travel at the most; data belong on storage that the nodes share."""


@dataclass(frozen=True)
class Packed:
    """What was put into a job's folder."""

    sweep: str
    """Name of the sweep file in it."""
    files: int
    """Files of the user's own code."""
    bytes: int
    notes: tuple[str, ...]
    """A sentence for each file that was left out though its folder has it."""


def pack(
    sweep_file: Path, start: str, code: Path | None, target: Path, leave_out: Sequence[str] = ()
) -> Packed:
    """Put all that a job needs into the empty folder `target`.

    Args:
        sweep_file: the sweep, as YAML.
        start: the shell script that the job begins with.
        code: the folder of the user's own code; None where the trainable is one of Crosscut's.
        target: the folder.
        leave_out: further names or paths, with wildcards, of files and folders that stay here.

    Raises:
        InputError: the code is more than `MOST`, or the sweep's file is called as something else of the job is.
    """
    if sweep_file.name in (*PACKAGES, CODE, START):
        raise InputError(
            f"{sweep_file}: expected another name, since {sweep_file.name!r} is something else in a job's folder"
        )
    shutil.copyfile(sweep_file, target / sweep_file.name)
    (target / START).write_text(start, encoding="utf-8")
    for package in PACKAGES:
        _copy_package(package, target)
    (target / CODE).mkdir()
    if code is None:
        return Packed(sweep_file.name, 0, 0, ())
    notes: list[str] = []
    chosen = list(files(code, leave_out, notes))
    sizes = {path: path.stat().st_size for path in chosen}
    total = sum(sizes.values())
    if total > MOST:
        largest = sorted(sizes, key=lambda path: -sizes[path])[:3]
        named = ", ".join(f"{path.relative_to(code)} ({sizes[path] / 2**20:.0f} MiB)" for path in largest)
        raise InputError(
            f"--code: {code} has {total / 2**20:.0f} MiB, expected at most {MOST / 2**20:.0f} MiB to travel with "
            f"the job; the largest files are {named}; leave some out with --leave-out, or name another folder"
        )
    for path in chosen:
        place = target / CODE / path.relative_to(code)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place)
    return Packed(sweep_file.name, len(chosen), total, tuple(notes))


def files(folder: Path, leave_out: Sequence[str], notes: list[str]) -> Iterator[Path]:
    """Files of a folder that travel, sorted: in a git checkout those that git tracks or would track, else all.

    Never what `REMADE` or `SECRET` names, a folder of a sweep's records, or a link out of the folder. `notes` gets
    a sentence for each secret and each such link.
    """
    root = folder.resolve()
    stores: dict[Path, bool] = {}
    for relative in sorted(_listed(folder)):
        path = folder / relative
        if _matches(relative, (*REMADE, *leave_out)):
            continue
        if any(_is_store(folder / parent, stores) for parent in relative.parents):
            continue
        if _matches(relative, SECRET):
            notes.append(f"{relative} stays here: by its name it holds a secret")
        elif not path.resolve().is_relative_to(root):
            notes.append(f"{relative} stays here: it is a link out of {folder}")
        elif path.is_file():
            yield path


def _listed(folder: Path) -> Iterable[PurePosixPath]:
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(folder), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
            capture_output=True,
            timeout=60,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return _walked(folder, folder)
    return [
        PurePosixPath(name) for name in done.stdout.decode("utf-8", "surrogateescape").split("\0") if name
    ]


def _walked(folder: Path, root: Path) -> Iterator[PurePosixPath]:
    for path in folder.iterdir():
        relative = PurePosixPath(path.relative_to(root))
        if path.is_dir() and not path.is_symlink():
            if not _matches(relative, REMADE):
                yield from _walked(path, root)
        else:
            yield relative


def _matches(relative: PurePosixPath, patterns: Iterable[str]) -> bool:
    """Whether a pattern fits the whole path, or any part of it by name."""
    return any(
        fnmatch(str(relative), pattern) or any(fnmatch(part, pattern) for part in relative.parts)
        for pattern in (pattern.rstrip("/") for pattern in patterns)
    )


def _is_store(folder: Path, known: dict[Path, bool]) -> bool:
    """Whether a folder holds the records of a sweep."""
    if folder not in known:
        known[folder] = (folder / "sweep.json").is_file() and (folder / "runs").is_dir()
    return known[folder]


def _copy_package(name: str, target: Path) -> None:
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.origin is not None
    place = target / name
    shutil.copytree(Path(spec.origin).parent, place, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    if name == "crosscut" and not (place / "search_spaces").exists():
        # In a checkout they lie beside the packages.
        shutil.copytree(bundled.folder(), place / "search_spaces")
