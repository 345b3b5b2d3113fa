"""The watchdog ends a process that hangs, and says where it stood."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from crosscut.engine.watchdog import EXIT, Watchdog, stood

HANGS = """
import sys, time
from pathlib import Path
from crosscut.engine import watchdog
from crosscut.engine.watchdog import Watchdog

watchdog.GRACE = 0.5
folder = Path(sys.argv[1])

def tell(kind, reason):
    (folder / "told").write_text(kind + ": " + reason)

def stand_still():
    {hang}

dog = Watchdog({limits}, tell, folder / "stack.txt")
with dog.watching():
    for _ in range(3):
        time.sleep(0.2)
        dog.reported()
    stand_still()
"""


def ended(folder: Path, hang: str, limits: str) -> int:
    code = HANGS.format(hang=hang, limits=limits)
    done = subprocess.run([sys.executable, "-c", code, str(folder)], timeout=60, capture_output=True)
    return done.returncode


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        (
            "None, 0.5",
            "stalled: it reported nothing for 0.5 s (resources.stall_limit); it stood in stand_still",
        ),
        (
            "1.0, None",
            "timeout: it took longer than resources.time_limit allows, 1 s; it stood in stand_still",
        ),
        ("60.0, 0.5", "stalled: "),
    ],
)
def test_a_process_that_hangs_is_ended_with_a_reason(tmp_path: Path, limits: str, told: str) -> None:
    assert ended(tmp_path, "time.sleep(100)", limits) == EXIT
    assert (tmp_path / "told").read_text().startswith(told)


def test_one_that_keeps_the_interpreter_to_itself_is_ended_all_the_same(tmp_path: Path) -> None:
    hang = "import ctypes; ctypes.PyDLL(None).sleep(100)"  # a PyDLL call does not let go of the interpreter
    assert ended(tmp_path, hang, "None, 0.5") == 1
    assert not (tmp_path / "told").exists()
    reason = stood(tmp_path / "stack.txt")
    assert reason is not None and "stand_still" in reason


def test_a_run_within_its_limits_is_left_alone(tmp_path: Path) -> None:
    def never(kind: str, reason: str) -> None:
        raise AssertionError(reason)

    before = threading.active_count()
    dog = Watchdog(60.0, 60.0, never, tmp_path / "stack.txt")
    with dog.watching():
        dog.already(10.0)
        dog.reported()
        assert dog._left()[1] == "timeout" and dog._left()[0] < 50.5
    assert not list(tmp_path.iterdir()) and stood(tmp_path / "stack.txt") is None
    with Watchdog(None, None, never, tmp_path / "stack.txt").watching():
        assert threading.active_count() <= before + 1
