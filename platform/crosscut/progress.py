"""The progress of a run of `crosscut run`: live on a terminal, a line for each outcome in a log."""

from __future__ import annotations

import json
import os
import time
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from crosscut.plan import Plan
from crosscut.records.record import Attempt, Record
from crosscut.records.store import Store
from crosscut.records.work import Work
from crosscut.standing import summary, table, time_left

FILE = "progress.json"


class Progress:
    """Shows how a plan advances, and keeps `progress.json` for `crosscut status` in another terminal.

    Args:
        plan: what is carried out.
        store: the sweep's store.
        slots: how many runs go on at once.
        console: where to show it.
    """

    def __init__(self, plan: Plan, store: Store, slots: int, console: Console) -> None:
        self._plan = plan
        self._store = store
        self._slots = slots
        self._console = console
        self._live = (
            Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        )

    def __enter__(self) -> Progress:
        if self._live is not None:
            self._live.start()
        self._show()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
        (self._store.folder / FILE).unlink(missing_ok=True)

    def given(self, work: Work) -> None:
        """A piece of work was given out."""
        self._show()

    def ended(self, record: Record) -> None:
        """A piece of work ended."""
        if self._live is None or record.status == "failed":
            self._console.print(Text(self._line(record)), soft_wrap=True)
        self._show()

    def again(self, work: Work, attempt: Attempt) -> None:
        """A try of a piece of work came to nothing, and is followed by another."""
        text = f"{work.label} is tried again ({attempt.kind}): {attempt.reason}"
        self._console.print(Text(text, style="yellow"), soft_wrap=True)

    def _show(self) -> None:
        if self._live is not None:
            self._live.update(
                Group(table(self._plan), Text(), Text(summary(self._plan, self._slots))), refresh=True
            )
        state = {
            "pid": os.getpid(),
            "slots": self._slots,
            "updated": time.time(),
            "running": [work.label for work in self._plan.running],
        }
        self._store.write_text(self._store.folder / FILE, json.dumps(state))

    def _line(self, record: Record) -> str:
        sweep = self._plan.experiment.sweep
        done = self._plan.trials[0] + self._plan.runs[0]
        total = self._plan.trials[1] + self._plan.runs[1]
        if record.failure is not None:
            outcome = f"failed ({record.failure.kind}): {record.failure.reason}"
        else:
            metric = sweep.report.primary
            if sweep.search is not None and record.work.phase == "search":
                metric = sweep.search.metric
            value = record.metrics.get(metric)
            shown = "" if value is None else f": {metric} {value:.1f}"
            outcome = f"{record.status} in {record.seconds:.1f} s{shown}"
        line = f"[{done:>{len(str(total))}}/{total}] {record.work.label} {outcome}"
        noted = [f"note: {note}" for note in record.notes[:1]]
        return " · ".join([line, *time_left(self._plan, self._slots), *noted])


def running_elsewhere(store: Store) -> tuple[list[str], int | None]:
    """Labels of what a driver in another process runs now, and how many runs it has going at once."""
    try:
        state = json.loads((store.folder / FILE).read_text())
        return [str(label) for label in state["running"]], int(state["slots"])
    except (OSError, ValueError, KeyError, TypeError):
        return [], None
