"""The doctor looks at everything, and says what to do where something is amiss."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from crosscut import doctor
from crosscut.doctor import Finding, examine
from crosscut.engine import cluster


@pytest.fixture(autouse=True)
def without_ray(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ray is not started, the port is one that nobody else has, and one works in an empty folder."""
    monkeypatch.setattr(doctor, "_ray", lambda: Finding("Ray", True, "starts"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setattr(doctor, "TENSORBOARD_PORT", free.getsockname()[1])
    monkeypatch.chdir(tmp_path)


def found(storage: str = "results") -> dict[str, Finding]:
    return {finding.subject: finding for finding in examine(storage)}


def test_all_is_well_here_and_nothing_is_left_behind(tmp_path: Path) -> None:
    findings = found()
    assert {subject for subject, finding in findings.items() if not finding.ok} == set()
    assert findings["ray"].text == metadata.version("ray")
    assert findings["storage"].text == f"{tmp_path / 'results'} can be written"
    assert {"Python", "cores", "memory", "torch", "GPUs", "digit-scenes", "Ray"} <= findings.keys()
    assert list(tmp_path.iterdir()) == []


def test_a_storage_that_cannot_be_written_is_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    below = found("file/below")["storage"]
    assert not below.ok
    assert below.text == "'file/below' cannot be written (Not a directory); name another with --storage"
    address = found("s3://bucket")["storage"]
    assert not address.ok and address.text.endswith("; name another with --storage")


def test_a_port_that_is_taken_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(doctor, "TENSORBOARD_PORT", port)
        finding = found()["TensorBoard port"]
    assert not finding.ok
    assert finding.text == f"{port} is taken; use crosscut tensorboard DIR --port with another"


def test_a_package_that_is_missing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    version = metadata.version

    def without_optuna(package: str) -> str:
        if package == "optuna":
            raise metadata.PackageNotFoundError(package)
        return version(package)

    monkeypatch.setattr(metadata, "version", without_optuna)
    finding = found()["optuna"]
    assert not finding.ok and finding.text == "is not installed; install crosscut again with pip"


def test_a_package_called_platform_is_found(tmp_path: Path) -> None:
    (tmp_path / "platform").mkdir()
    assert found()["module names"].ok
    (tmp_path / "platform" / "__init__.py").write_text("")
    assert not found()["module names"].ok


def test_little_memory_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.sysconf
    monkeypatch.setattr(
        os,
        "sysconf",
        lambda name: 2**18 if name == "SC_PHYS_PAGES" else 4096 if "PAGE" in name else real(name),
    )
    finding = found()["memory"]
    assert not finding.ok and finding.text.startswith("1.0 GiB; ")


def test_a_torch_that_does_not_import_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    finding = found()["torch"]
    assert not finding.ok and finding.text.startswith("does not import (")
    assert found()["GPUs"].text == "none; runs train on the CPU"


def test_a_ray_that_does_not_start_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()

    @contextlib.contextmanager
    def broken(*_: object) -> Iterator[None]:
        raise RuntimeError("no shared memory")
        yield

    monkeypatch.setattr(cluster, "connected", broken)
    assert doctor._ray() == Finding("Ray", False, "does not start (RuntimeError: no shared memory)")


def test_the_command_shows_what_to_fix_and_ends_with_one(
    crosscut: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    for storage, code in (("results", 0), ("file/[/]", 1)):
        told = crosscut("doctor", "--storage", storage)
        assert told.code == code
        marks = [line.split()[0] for line in told.output.splitlines()]
        assert marks.count("FIX") == code and marks.count("ok") == len(marks) - code
