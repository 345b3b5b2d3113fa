"""What must never happen: code read from a storage, a path that leaves its folder, a secret that is told."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from crosscut.records.record import DamagedRecord, Record, details_of
from crosscut.records.store import Store
from crosscut.records.work import Work

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [path for root in ("platform", "trainables", "reports") for path in (ROOT / root).rglob("*.py")]

FORBIDDEN = {
    "a pickle": r"\bpickle\b|\bcloudpickle\b|\bjoblib\b|\bshelve\b|allow_pickle=True",
    "a checkpoint with more than weights": r"weights_only=False|torch\.load\((?![^)]*weights_only=True)[^)]*\)",
    "YAML that makes objects": r"yaml\.(load|unsafe_load|full_load)\(",
    "text that is run": r"(?<![\w.])(eval|exec)\(",
    "a shell": r"shell=True|os\.system\(",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_source_reads(what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in SOURCES
        for match in re.finditer(FORBIDDEN[what], path.read_text(encoding="utf-8"))
    ]
    assert found == [], what


def test_the_patterns_would_find_what_they_forbid() -> None:
    bad = {
        "a pickle": "import pickle",
        "a checkpoint with more than weights": "torch.load(path, map_location='cpu')",
        "YAML that makes objects": "yaml.load(text)",
        "text that is run": "x = eval(text)",
        "a shell": "subprocess.run(line, shell=True)",
    }
    assert all(re.search(FORBIDDEN[what], text) for what, text in bad.items())
    assert not re.search(FORBIDDEN["text that is run"], "model.eval()")


@pytest.fixture
def work() -> Work:
    return Work("0" * 20, "a", {"f": "a"}, "final", 0, 0, "m:train", {"x": 1}, {}, "data")


def test_a_record_names_no_file_outside_its_folder(tmp_path: Path, work: Work) -> None:
    store = Store(tmp_path / "sweep")
    store.write(Record(work, "finished", {"test/rsum": 1.0}))
    path = store.runs / work.key / "record.json"
    body = json.loads(path.read_text())
    (tmp_path / "secret.npz").write_bytes(b"secret")
    body["files"] = {"../../../secret.npz": "0" * 64}
    path.write_text(json.dumps(body))
    with pytest.raises(DamagedRecord):
        store.read(work.key)
    assert not store.details(work.key).rankings


def test_arrays_with_objects_in_them_are_not_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "bad.npz", **{"test/t2i/items": np.array([object()], dtype=object)})
    content = (tmp_path / "bad.npz").read_bytes()
    import hashlib

    files = {"rankings.npz": hashlib.sha256(content).hexdigest()}
    with pytest.raises((DamagedRecord, ValueError)):
        details_of({"record.json": json.dumps({"files": files}).encode(), "rankings.npz": content})


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "x" * 81, "a\nb"])
def test_an_artifact_lies_in_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="an artifact is called"):
        Store(tmp_path).artifacts.place(name, {})


def test_no_server_listens_beyond_this_machine_unless_told() -> None:
    told = (ROOT / "platform/crosscut/tensorboard_command.py").read_text()
    assert (
        'host: Annotated[str, typer.Option(help="Address that the server listens on.")] = "localhost"' in told
    )
    for path in SOURCES:
        assert "0.0.0.0" not in path.read_text(encoding="utf-8"), path
    for path in (ROOT / "deploy").rglob("*"):
        if path.is_file():
            assert "--dashboard-host=0.0.0.0" not in path.read_text() or "kubernetes" in str(path), path


def test_no_environment_variable_reaches_a_record(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from crosscut.records.provenance import provenance

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-4711")
    monkeypatch.setenv("CROSSCUT_NOTIFY", "https://hooks.example/hush-4711")
    assert "hush-4711" not in json.dumps(provenance("abc"))
