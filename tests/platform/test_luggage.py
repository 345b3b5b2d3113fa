"""What travels with a job, and what never does."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from crosscut.errors import InputError
from crosscut.jobs import luggage
from crosscut.jobs.luggage import CODE, PACKAGES, REMADE, SECRET, START, files, pack


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    for name in ("toy.py", "deep/er/model.py", "data/words.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "toy.yaml").write_text("name: toy\n")
    return folder


def chosen(folder: Path, *leave_out: str) -> list[str]:
    return [str(path.relative_to(folder)) for path in files(folder, leave_out, [])]


def test_a_job_has_the_sweep_the_packages_and_the_code(code: Path, tmp_path: Path) -> None:
    target = tmp_path / "job"
    target.mkdir()
    packed = pack(code / "toy.yaml", "exit 3", code, target)
    assert sorted(p.name for p in target.iterdir()) == sorted(["toy.yaml", *PACKAGES, CODE, START])
    assert (target / START).read_text() == "exit 3"
    assert (target / CODE / "deep/er/model.py").read_text() == "deep/er/model.py"
    assert (target / "crosscut/search_spaces/quickstart.yaml").is_file(), (
        "bundled sweeps go by name there too"
    )
    assert (target / "crosscut_reports/render/templates/report.js").is_file()
    assert not list(target.rglob("__pycache__"))
    assert (packed.sweep, packed.files, packed.notes) == ("toy.yaml", 4, ())
    assert packed.bytes == sum((code / name).stat().st_size for name in chosen(code))


def test_a_trainable_of_crosscuts_own_takes_no_code_along(code: Path, tmp_path: Path) -> None:
    target = tmp_path / "job"
    target.mkdir()
    assert pack(code / "toy.yaml", "", None, target).files == 0
    assert not list((target / CODE).iterdir())


@pytest.mark.parametrize("checkout", [False, True])
@pytest.mark.parametrize("name", [*REMADE, *SECRET])
def test_what_is_remade_or_secret_stays_here(code: Path, name: str, checkout: bool) -> None:
    before = chosen(code)
    for folder in ("", "deep/"):
        place = code / folder / name.replace("*", "x")
        place.mkdir() if "." not in name[1:] and name not in SECRET else place.write_text("x")
        if place.is_dir():
            (place / "inside.py").write_text("x")
    if checkout:
        subprocess.run(["git", "init", "-q", str(code)], check=True)
    notes: list[str] = []
    assert [str(path.relative_to(code)) for path in files(code, (), notes)] == before
    if name in SECRET:
        assert len(notes) == 2 and all("holds a secret" in note for note in notes)


def test_a_checkout_sends_what_git_would(code: Path) -> None:
    subprocess.run(["git", "init", "-q", str(code)], check=True)
    (code / ".gitignore").write_text("data/\n")
    assert chosen(code) == [".gitignore", "deep/er/model.py", "toy.py", "toy.yaml"]


def test_records_and_what_one_names_stay_here(code: Path) -> None:
    (code / "results/toy/runs/0123").mkdir(parents=True)
    (code / "results/toy/sweep.json").write_text("{}")
    (code / "results/toy/runs/0123/record.json").write_text("{}")
    assert chosen(code, "data/", "deep/*/model.py") == ["toy.py", "toy.yaml"]


def test_a_link_out_of_the_folder_is_not_followed(code: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/private.txt").write_text("private")
    (code / "link.txt").symlink_to(tmp_path / "outside/private.txt")
    (code / "folder").symlink_to(tmp_path / "outside")
    (code / "again.py").symlink_to("toy.py")
    target = tmp_path / "job"
    target.mkdir()
    packed = pack(code / "toy.yaml", "exit 3", code, target)
    assert not any(path.read_bytes() == b"private" for path in target.rglob("*") if path.is_file())
    assert (target / CODE / "again.py").read_text() == "toy.py"
    assert [note.split()[0] for note in packed.notes] == ["folder", "link.txt"]


def test_too_much_code_is_refused_with_what_is_large(
    code: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(luggage, "MOST", 2**20)
    (code / "weights.bin").write_bytes(bytes(2**21))
    target = tmp_path / "job"
    target.mkdir()
    with pytest.raises(InputError, match=r"2 MiB, expected at most 1 MiB .*weights.bin \(2 MiB\)"):
        pack(code / "toy.yaml", "exit 3", code, target)
    again = tmp_path / "again"
    again.mkdir()
    assert pack(code / "toy.yaml", "", code, again, ["*.bin"]).files == 4


@pytest.mark.parametrize("name", [*PACKAGES, CODE, START])
def test_a_sweep_called_like_something_else_of_the_job_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("name: toy\n")
    with pytest.raises(InputError, match="expected another name"):
        pack(tmp_path / name, "", None, tmp_path)
