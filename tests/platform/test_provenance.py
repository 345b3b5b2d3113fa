"""Where a result came from."""

from __future__ import annotations

import json
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from crosscut.records.provenance import commit, provenance, versions


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git checkout with one commit, whatever git is told on this machine."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "code.py").write_text("x = 1\n")
    git(folder, "init", "-q")
    git(folder, "add", "code.py")
    git(folder, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "first")
    return folder


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_the_commit_of_a_clean_checkout_is_its_head(checkout: Path) -> None:
    assert commit(checkout) == git(checkout, "rev-parse", "HEAD")
    (checkout / "notes.txt").write_text("not tracked")
    assert commit(checkout) == git(checkout, "rev-parse", "HEAD")
    (checkout / "below").mkdir()
    assert commit(checkout / "below") == git(checkout, "rev-parse", "HEAD")


def test_changed_files_are_told(checkout: Path) -> None:
    (checkout / "code.py").write_text("x = 2\n")
    assert commit(checkout) == git(checkout, "rev-parse", "HEAD") + "+changes"


def test_outside_a_checkout_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit(tmp_path) is None
    (tmp_path / "new").mkdir()
    git(tmp_path / "new", "init", "-q")
    assert commit(tmp_path / "new") is None


def test_without_git_there_is_no_commit(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(checkout))
    assert commit(checkout) is None


def test_provenance_names_versions_and_machine_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    found = provenance("abc")
    assert json.loads(json.dumps(found)) == found
    assert found["commit"] == "abc" and found["cores"] >= 1 and found["host"] and found["machine"]
    assert found["versions"]["numpy"] == metadata.version("numpy")


def test_a_package_that_is_missing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    version = metadata.version

    def without_ray(package: str) -> str:
        if package == "ray":
            raise metadata.PackageNotFoundError(package)
        return version(package)

    monkeypatch.setattr(metadata, "version", without_ray)
    versions.cache_clear()
    try:
        found = versions()
    finally:
        versions.cache_clear()
    assert "ray" not in found and {"python", "numpy", "scipy"} <= found.keys()
