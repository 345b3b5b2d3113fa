"""What holds of the repository as a whole: which package may import which, and how files are named."""

from __future__ import annotations

import ast
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {
    "crosscut": ROOT / "platform" / "crosscut",
    "crosscut_trainables": ROOT / "trainables" / "crosscut_trainables",
    "crosscut_reports": ROOT / "reports" / "crosscut_reports",
}
FORBIDDEN = {
    "crosscut_trainables": {"ray", "crosscut", "crosscut_reports"},
    "crosscut_reports": {"torch", "ray", "crosscut", "crosscut_trainables"},
}
FILES = [path for folder in PACKAGES.values() for path in sorted(folder.rglob("*.py"))]


def imported(path: Path) -> Iterator[str]:
    """The top-level package of every import of a file, within functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.Call) and node.args:
            # import_module("name") and __import__("name")
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            first = node.args[0]
            if called in ("import_module", "__import__") and isinstance(first, ast.Constant):
                yield str(first.value).partition(".")[0]


def test_imports_are_found_wherever_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(
        "import a.b\nfrom . import here\n"
        "def f():\n    from c.d import e\n    import_module('g.h')\n    class I:\n        import j as k\n"
    )
    assert sorted(imported(path)) == ["a", "c", "g", "j"]


@pytest.mark.parametrize("package", FORBIDDEN)
def test_imports_run_in_the_direction_of_the_arrows(package: str) -> None:
    files = [path for path in FILES if path.is_relative_to(PACKAGES[package])]
    assert len(files) > 10
    wrong = {
        str(path.relative_to(ROOT)): found & FORBIDDEN[package]
        for path in files
        if (found := set(imported(path)))
    }
    assert {path: names for path, names in wrong.items() if names} == {}


def test_the_platform_does_import_both_others() -> None:
    found = {name for path in FILES if path.is_relative_to(PACKAGES["crosscut"]) for name in imported(path)}
    assert {"crosscut_trainables", "crosscut_reports", "ray"} <= found


def test_the_three_folders_are_no_packages() -> None:
    for folder in ("platform", "trainables", "reports"):
        assert (ROOT / folder).is_dir()
        assert sorted(path.name for path in (ROOT / folder).glob("*.py")) == []


def test_pythons_own_platform_module_is_found_from_the_top_of_the_repository() -> None:
    program = "import sys; sys.path.insert(0, sys.argv[1]); import platform; print(platform.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", program, str(ROOT)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert Path(found.stdout.strip()).parent == Path(sysconfig.get_path("stdlib"))


def test_every_module_is_named_for_what_is_in_it() -> None:
    vague = {"utils", "util", "helpers", "helper", "misc", "manager", "managers", "common"}
    named = [str(path) for path in FILES if vague & {path.stem, *path.relative_to(ROOT).parts}]
    assert named == []


def test_no_file_is_two_nouns_long() -> None:
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in FILES}
    assert {path: count for path, count in lines.items() if count > 320} == {}


def test_every_module_says_what_it_is() -> None:
    silent = [str(path) for path in FILES if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []
