"""What goes wrong around a run, on real Ray: it is ended, tried again, or told, and nothing else is lost."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crosscut.records.record import Record
from crosscut.records.store import Store

pytestmark = pytest.mark.slow

SWEEP = """
name: toy
trainable: toy:train
config: {{effect: 0.0, x: 0.5, seconds: 0.1, misbehave: nothing, checkpoint: false, log: {log}}}
factors:
  effect:
    none: {{effect: 0.0}}
    some: {{effect: 3.0}}
design: {{kind: full-factorial, baseline: {{effect: none}}}}
seeds: {{count: 2}}
report: {{primary: test/rsum}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(Path(__file__).with_name("toy.py"), tmp_path / "toy.py")
    (tmp_path / "toy.yaml").write_text(SWEEP.format(log=tmp_path / "log.txt"))
    return tmp_path


def run(folder: Path, *settings: str, storage: str = "results") -> tuple[int, str]:
    patches = [part for setting in settings for part in ("--set", setting)]
    return call(folder, "run", "toy.yaml", "--storage", storage, *patches)


def call(folder: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "crosscut", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        env={**os.environ, "COLUMNS": "200"},
    )
    return done.returncode, done.stdout


def records(folder: Path, storage: str = "results") -> dict[tuple[str, int], Record]:
    store = Store.at(str(folder / storage / "toy") if "://" not in storage else storage)
    found = [store.read(key) for key in store.recorded()]
    return {(record.work.arm, record.work.seed): record for record in found if record is not None}


def results(found: dict[tuple[str, int], Record]) -> dict[tuple[str, int], object]:
    return {
        name: (record.status, dict(record.metrics), record.history, record.ranks["test/t2i"].ranks.tolist())
        for name, record in found.items()
    }


def test_a_run_that_hangs_or_lacks_memory_once_is_tried_again_and_its_record_says_so(folder: Path) -> None:
    assert run(folder, storage="calm")[0] == 0
    calm = results(records(folder, "calm"))
    code, output = run(folder, "config.misbehave=memory", storage="memory")
    assert code == 0, output
    # once for each seed, in whichever arm came first
    tried = [record for record in records(folder, "memory").values() if record.attempts]
    assert len(tried) == 2
    for record in tried:
        (attempt,) = record.attempts
        assert attempt.kind == "memory" and "no room for the similarities" in attempt.reason
    for marker in folder.glob("died-*"):
        marker.unlink()
    code, output = run(folder, "config.misbehave=hang", "resources.stall_limit=10", storage="hung")
    assert code == 0, output
    tried = [record for record in records(folder, "hung").values() if record.attempts]
    assert len(tried) == 2
    for record in tried:
        (attempt,) = record.attempts
        assert attempt.kind == "stalled" and "reported nothing for 10 s" in attempt.reason
        assert "_stand_still" in attempt.reason and "toy.py" in attempt.reason
    assert "is tried again (stalled)" in output and "raylet" not in output
    for storage in ("memory", "hung"):
        assert results(records(folder, storage)) == calm


def test_a_sweep_goes_on_when_its_raylet_is_killed(folder: Path) -> None:
    assert run(folder, storage="calm")[0] == 0
    # Workers notice that their raylet is gone after a second or two, and may end a short run before that.
    settings = ("--set", "config.seconds=9", "--set", "config.checkpoint=true")
    with (folder / "output.txt").open("w") as output:
        driver = subprocess.Popen(
            [sys.executable, "-m", "crosscut", "run", "toy.yaml", *settings],
            cwd=folder,
            stdout=output,
            stderr=output,
        )
        try:
            end = time.monotonic() + 120
            while not list(folder.glob("results/toy/checkpoints/*/checkpoint.pt")):
                assert driver.poll() is None and time.monotonic() < end
                time.sleep(0.05)
            os.kill(raylet_of(driver.pid), signal.SIGKILL)
            assert driver.wait(timeout=240) == 0, (folder / "output.txt").read_text()
        finally:
            driver.kill()
    told = (folder / "output.txt").read_text()
    assert "is tried again (lost): the raylet of this machine has died" in told
    found = records(folder)
    assert results(found) == results(records(folder, "calm"))
    assert {attempt.kind for record in found.values() for attempt in record.attempts} == {"lost"}


def raylet_of(driver: int) -> int:
    """The process id of the raylet that a driver has started."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == driver and b"raylet/raylet" in (entry / "cmdline").read_bytes().split(b"\0")[0]:
                    return int(entry.name)
    raise AssertionError("no raylet")


def test_what_hangs_every_time_is_given_up_and_the_others_end(folder: Path) -> None:
    code, output = run(
        folder,
        *("factors.effect.some.misbehave='hang always'", "resources.stall_limit=4", "resources.retries=1"),
    )
    assert code == 1, output
    found = records(folder)
    assert {arm: record.status for (arm, _), record in found.items()} == {
        "none": "finished",
        "some": "failed",
    }
    for (arm, _), record in found.items():
        if arm == "some":
            assert record.failure is not None and record.failure.kind == "stalled"
            assert record.failure.reason.endswith("(the last of 2 tries)")
            assert [attempt.kind for attempt in record.attempts] == ["stalled"]


def test_a_run_over_its_time_limit_is_recorded_as_failed_at_once(folder: Path) -> None:
    code, output = run(folder, "factors.effect.some.seconds=60", "resources.time_limit=1.5")
    assert code == 1, output
    failed = [record for (arm, _), record in records(folder).items() if arm == "some"]
    assert len(failed) == 2
    for record in failed:
        assert record.failure is not None and record.failure.kind == "timeout" and not record.attempts
        assert "longer than resources.time_limit allows, 1.5 s" in record.failure.reason


def test_a_sweep_lives_in_an_s3_bucket(folder: Path, bucket: object) -> None:
    assert callable(bucket)
    uri = bucket()
    code, output = run(folder, "config.misbehave=die", storage=uri)
    assert code == 0, output
    store = Store.at(uri, "toy")
    assert store.place.path is None and len(store.recorded()) == 4
    found = {(r.work.arm, r.work.seed): r for key in store.recorded() if (r := store.read(key)) is not None}
    assert any(record.attempts for record in found.values())
    assert run(folder, storage="here")[0] == 0
    assert results(found) == results(records(folder, "here"))
    assert store.place.is_file("report/report.html") and store.place.is_file("logs/ray.log")
    assert any(name.startswith("none/seed-0000/events") for name in store.place.files("tensorboard"))
    assert any(name.startswith("0-arms/") for name in store.place.files("tensorboard"))
    # A worker that was killed holds its lease for a minute, which a driver would wait for; `plan` does not.
    planned = call(folder, "plan", "toy.yaml", "--storage", uri, "--set", "config.misbehave=die")[1]
    assert "runs: 4 (4 recorded and reused, 0 new)" in planned
    assert "ended" in call(folder, "status", store.place.name)[1]
    assert not store.place.files("driver.lock")
