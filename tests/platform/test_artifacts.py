"""Artifacts are made once, however many want them at the same time and whoever dies over it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from crosscut.engine.run_session import RunSession
from crosscut.records.artifacts import Artifacts
from crosscut.records.store import Store
from crosscut.records.work import Work
from crosscut_trainables.session import Making, MemorySession, Session, Workshop, artifact_of

IDENTITY = {"width": 3, "options": {"epochs": 2}}

MAKER = """
import sys, time
from pathlib import Path
import torch
from crosscut.records.store import Store

folder, begun, go = (Path(argument) for argument in sys.argv[1:4])

def make(making):
    state = making.restore()
    step = 0 if state is None else state["step"]
    with begun.open("a") as log:
        log.write(f"{step}\\n")
    making.save({"step": step + 1})
    while not go.exists():
        time.sleep(0.01)
    return {"made": torch.tensor([step])}

print(Store(folder).artifacts.artifact("slow", {"x": 1}, make)["made"].item())
"""


class Counting:
    """Makes an artifact and counts how often."""

    def __init__(self, *, fails: int = 0) -> None:
        self.made = 0
        self.fails = fails

    def __call__(self, making: Making) -> dict[str, Any]:
        self.made += 1
        if self.made <= self.fails:
            raise RuntimeError("no more paint")
        return {"weights": torch.arange(3.0), "history": [{"loss": 1.5}], "diverged": ""}


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Store(tmp_path).artifacts


def test_an_artifact_is_made_once_and_then_read(artifacts: Artifacts) -> None:
    make = Counting()
    first, second = (artifacts.artifact("text-stage", IDENTITY, make) for _ in range(2))
    assert make.made == 1
    for found in (first, second):
        assert torch.equal(found["weights"], torch.arange(3.0))
        assert (found["history"], found["diverged"]) == ([{"loss": 1.5}], "")


@pytest.mark.parametrize(
    ("name", "identity"),
    [("image-stage", IDENTITY), ("text-stage", {**IDENTITY, "width": 4}), ("text-stage", {"width": 3})],
)
def test_another_name_or_identity_is_another_artifact(
    artifacts: Artifacts, name: str, identity: Mapping[str, Any]
) -> None:
    make = Counting()
    artifacts.artifact("text-stage", IDENTITY, make)
    artifacts.artifact(name, identity, make)
    assert make.made == 2


def test_the_order_of_keys_does_not_matter(artifacts: Artifacts) -> None:
    make = Counting()
    artifacts.artifact("text-stage", IDENTITY, make)
    artifacts.artifact("text-stage", dict(reversed(IDENTITY.items())), make)
    assert make.made == 1


def test_a_making_that_fails_leaves_nothing_and_is_tried_again(artifacts: Artifacts) -> None:
    make = Counting(fails=1)
    with pytest.raises(RuntimeError, match="paint"):
        artifacts.artifact("text-stage", IDENTITY, make)
    assert torch.equal(artifacts.artifact("text-stage", IDENTITY, make)["weights"], torch.arange(3.0))


def test_a_file_that_is_cut_short_is_made_again(artifacts: Artifacts) -> None:
    make = Counting()
    artifacts.artifact("text-stage", IDENTITY, make)
    file = artifacts.place("text-stage", IDENTITY) / "artifact.pt"
    file.write_bytes(file.read_bytes()[:-20])
    artifacts.artifact("text-stage", IDENTITY, make)
    assert make.made == 2


def test_what_was_made_says_what_defines_it_and_leaves_no_checkpoint(artifacts: Artifacts) -> None:
    def make(making: Making) -> dict[str, Any]:
        making.save({"epoch": 1, "weights": torch.zeros(2)})
        assert making.restore() is not None
        return {}

    artifacts.artifact("text-stage", IDENTITY, make)
    place = artifacts.place("text-stage", IDENTITY)
    assert sorted(path.name for path in place.iterdir()) == ["artifact.pt", "identity.json", "lock"]
    assert '"epochs": 2' in (place / "identity.json").read_text()


def start(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", MAKER, *(str(folder / name) for name in ("store", "begun", "go"))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_processes_that_want_the_same_at_once_make_it_once(tmp_path: Path) -> None:
    workers = [start(tmp_path) for _ in range(3)]
    until((tmp_path / "begun").exists)
    (tmp_path / "go").touch()
    assert [worker.communicate()[0].strip() for worker in workers] == ["0", "0", "0"]
    assert (tmp_path / "begun").read_text() == "0\n"


def test_when_its_maker_dies_one_who_waits_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    first = start(tmp_path)
    until(lambda: bool(list(tmp_path.glob("store/artifacts/slow-*/checkpoint.pt"))))
    second = start(tmp_path)
    first.kill()
    first.communicate()
    until(lambda: begun.read_text() == "0\n1\n")
    (tmp_path / "go").touch()
    assert second.communicate()[0].strip() == "1"


def test_a_run_shares_what_it_makes_and_shows_its_curves(work: Work, store: Store) -> None:
    def make(making: Making) -> dict[str, Any]:
        for step in (1, 2):
            making.report(step, {"loss": 3.0 / step})
        return {"weights": torch.ones(2)}

    one, other = RunSession(work, store), RunSession(work, store)
    assert isinstance(one, Workshop)
    assert torch.equal(one.artifact("text-stage", IDENTITY, make)["weights"], torch.ones(2))

    def never(making: Making) -> dict[str, Any]:
        raise AssertionError("it is there")

    assert torch.equal(other.artifact("text-stage", IDENTITY, never)["weights"], torch.ones(2))
    [folder] = (store.tensorboard / "artifacts").iterdir()
    assert folder.name.startswith("text-stage-")
    events = EventAccumulator(str(folder)).Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [(1, 3.0), (2, 1.5)]


def test_what_reports_nothing_has_no_place_in_tensorboard(work: Work, store: Store) -> None:
    RunSession(work, store).artifact("features", IDENTITY, lambda making: {"table": torch.ones(2)})
    assert not (store.tensorboard / "artifacts").exists()


def test_what_is_shared_lies_in_the_file_and_not_in_memory(work: Work, store: Store) -> None:
    """Runs of one machine then share the pages of a large table."""
    table = RunSession(work, store).artifact("features", {}, lambda making: {"table": torch.zeros(1 << 20)})
    file = str(store.artifacts.place("features", {}) / "artifact.pt")
    assert file in Path("/proc/self/maps").read_text()
    assert table["table"].shape == (1 << 20,)


def test_what_a_killed_maker_left_half_written_is_swept_up(store: Store) -> None:
    place = store.artifacts.place("text-stage", IDENTITY)
    place.mkdir(parents=True)
    (place / ".artifact.pt.123").write_bytes(b"half")
    (place / "checkpoint.pt").write_bytes(b"kept")
    store.sweep_up()
    assert [path.name for path in place.iterdir()] == ["checkpoint.pt"]


def test_sessions_in_memory_share_what_they_are_told_to() -> None:
    make, shelf = Counting(), {}
    for session in (MemorySession(artifacts=shelf), MemorySession(artifacts=shelf), MemorySession()):
        session.artifact("text-stage", IDENTITY, make)
    assert make.made == 2


def test_a_session_that_shares_nothing_has_it_made_each_time() -> None:
    class Plain:
        """A session of a user's own, with no more than the protocol asks for."""

    make = Counting()
    session: Session = Plain()  # type: ignore[assignment]
    for _ in range(2):
        assert artifact_of(session, "text-stage", IDENTITY, make)["diverged"] == ""
    assert make.made == 2
