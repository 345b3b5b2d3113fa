"""One driver at a time, and none while workers of an earlier one live."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from crosscut.errors import InputError
from crosscut.records.local_place import LocalPlace
from crosscut.records.lock import driving, held, working

HOLD = """
import sys, time
from pathlib import Path
from crosscut.records.local_place import LocalPlace
from crosscut.records.lock import driving, working
with {lock}(LocalPlace(Path(sys.argv[1]))):
    print("held", flush=True)
    time.sleep(60)
"""


def _hold(lock: str, folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD.format(lock=lock), str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def _end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_the_second_driver_is_told_who_holds_the_sweep(tmp_path: Path) -> None:
    process = _hold("driving", tmp_path)
    try:
        assert held(LocalPlace(tmp_path))
        with (
            pytest.raises(InputError, match=f"process {process.pid} on .* holds this sweep"),
            driving(LocalPlace(tmp_path)),
        ):
            pass
    finally:
        _end(process)


def test_a_killed_driver_holds_nothing(tmp_path: Path) -> None:
    _end(_hold("driving", tmp_path))
    assert not held(LocalPlace(tmp_path))
    with driving(LocalPlace(tmp_path)):
        assert str(os.getpid()) in (tmp_path / "driver.lock").read_text()


def test_a_driver_waits_for_workers_of_an_earlier_one(tmp_path: Path) -> None:
    process = _hold("working", tmp_path)
    try:
        with (
            pytest.raises(InputError, match="workers of an earlier driver"),
            driving(LocalPlace(tmp_path), patience=0.2),
        ):
            pass
    finally:
        _end(process)
    with driving(LocalPlace(tmp_path), patience=0.2):
        pass


def test_workers_do_not_keep_each_other_out(tmp_path: Path) -> None:
    with working(LocalPlace(tmp_path)), working(LocalPlace(tmp_path)):
        pass
