"""The command `crosscut` of the interpreter that runs a benchmark, and what a call of it left behind."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crosscut.records.record import Record
from crosscut.records.store import Store


def crosscut() -> list[str]:
    """The console script beside the interpreter; `python -m crosscut` where it is not installed."""
    script = Path(sys.executable).with_name("crosscut")
    return [str(script)] if script.exists() else [sys.executable, "-m", "crosscut"]


def timed(command: Sequence[str], folder: Path | None = None) -> float:
    """Wall seconds of a command, from before its start to after its end.

    Raises SystemExit with the end of its output where it fails.
    """
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout[-4000:]}")
    return seconds


@dataclass(frozen=True)
class Span:
    """When the runs of a sweep took place."""

    inside: float
    """Seconds spent inside runs, all of them added up."""
    wall: float
    """Seconds from the start of the first to the end of the last."""

    def share(self, cores: int) -> float:
        """Share of the cores' time between first start and last end that was spent inside runs."""
        return self.inside / (cores * self.wall)


def span(records: Sequence[Record]) -> Span:
    """The span of what is recorded."""
    first, last = min(r.started for r in records), max(r.ended for r in records)
    return Span(sum(r.seconds for r in records), last - first)


def records(folder: Path) -> list[Record]:
    """All records in the folder of a sweep.

    Raises SystemExit where a run failed: its time says nothing.
    """
    store = Store.open(str(folder))
    found = [record for key in store.recorded() if (record := store.read(key)) is not None]
    for record in found:
        if record.failure is not None:
            sys.exit(f"{record.work.label} failed: {record.failure.reason}")
    return found
