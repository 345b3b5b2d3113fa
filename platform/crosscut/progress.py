"""The progress of a run of `crosscut run`: live on a terminal, a line for each outcome in a log."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from crosscut.plan import Plan
from crosscut.records.record import Attempt, Record
from crosscut.records.store import PATIENCE, Store
from crosscut.records.work import Work
from crosscut.standing import summary, table, time_left

FILE = "progress.json"

PAUSE = 0.25
"""Seconds between two showings at the least: each takes time for every arm."""
LONG_PAUSE = 2.0
"""The same where the file goes to an object store, which counts requests."""
BEAT = 10.0
"""Seconds after which it is shown again though nothing began or ended: the cluster may be another."""
LARGE = 500
"""Of a sweep of so many runs and trials the time left is worked out after every outcome, of one of ten times as
many after every tenth."""

Usage = Callable[[], Mapping[str, float]]
"""What the cluster has, and what is in use by whomever: `nodes`, `cpus`, `cpus_used`, `gpus`, `gpus_used`."""


class Progress:
    """Shows how a plan advances, and keeps `progress.json` for `crosscut status` in another terminal.

    Both are done by a thread of its own, a few times a second at the most, so that neither many small runs nor a
    slow storage wait for it.

    Args:
        plan: what is carried out.
        store: the sweep's store.
        slots: how many runs go on at once.
        console: where to show it.
        usage: tells how much of the cluster is in use. What it raises ends nothing.
    """

    def __init__(
        self, plan: Plan, store: Store, slots: int, console: Console, usage: Usage | None = None
    ) -> None:
        self._plan = plan
        self._store = store
        self._slots = slots
        self._console = console
        self._usage = usage
        self._live = (
            Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        )
        self._running = {work.key: work.label for work in plan.running}
        self._trouble: str | None = None
        self._outcomes = 0
        self._done = 0
        self._left: list[str] = []
        self._pause = PAUSE if store.place.path is not None else LONG_PAUSE
        self._news, self._end = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._follow, name="crosscut-progress", daemon=True)

    def __enter__(self) -> Progress:
        if self._live is not None:
            self._live.start()
        self._show()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._news.set()
        self._thread.join(timeout=BEAT)
        if self._live is not None:
            self._draw({})
            self._live.stop()
        with contextlib.suppress(OSError):
            self._store.place.remove(FILE)

    def given(self, work: Work) -> None:
        """A piece of work was given out."""
        self._running[work.key] = work.label
        self._news.set()

    def ended(self, record: Record) -> None:
        """A piece of work ended."""
        self._running.pop(record.key, None)
        if self._live is None or record.status == "failed":
            self._console.print(Text(self._line(record)), soft_wrap=True)
        self._news.set()

    def again(self, work: Work, attempt: Attempt) -> None:
        """A try of a piece of work came to nothing, and is followed by another."""
        text = f"{work.label} is tried again ({attempt.kind}): {attempt.reason}"
        self._console.print(Text(text, style="yellow"), soft_wrap=True)

    def _follow(self) -> None:
        """Show what is new until the end."""
        while True:
            self._news.wait(BEAT)
            if self._end.is_set():
                return
            self._news.clear()
            self._show()
            self._end.wait(self._pause)

    def _show(self) -> None:
        used = self._used()
        if self._live is not None:
            self._draw(used)
        state: dict[str, Any] = {
            "pid": os.getpid(),
            "slots": self._slots,
            "updated": time.time(),
            "running": list(self._running.values()),
            "usage": dict(used),
        }
        # Who looks from elsewhere sees an older state where it cannot be written; the sweep goes on.
        trouble = None
        try:
            self._store.place.write(FILE, json.dumps(state).encode())
        except OSError as error:
            trouble = error.strerror or " ".join(str(error).split())
        if trouble != self._trouble:
            self._trouble = trouble
            words = (
                "the storage can be written again"
                if trouble is None
                else f"the storage cannot be written ({trouble}); what runs tries again for {PATIENCE:.0f} s"
            )
            self._console.print(Text(f"note: {words}", style="yellow"), soft_wrap=True)

    def _draw(self, used: Mapping[str, float]) -> None:
        assert self._live is not None
        lines = [Text(), Text(summary(self._plan, self._slots))]
        lines += [Text(told)] if (told := in_use(used)) else []
        self._live.update(Group(table(self._plan), *lines), refresh=True)

    def _used(self) -> Mapping[str, float]:
        if self._usage is None:
            return {}
        try:
            return self._usage()
        except Exception:
            return {}

    def _line(self, record: Record) -> str:
        sweep = self._plan.experiment.sweep
        total = sum(len(arm.trials) + len(arm.finals) for arm in self._plan.arms)
        self._done += 1
        if self._outcomes % (1 + total // LARGE) == 0 or self._done >= total:
            # Both go through every record.
            self._done = self._plan.trials[0] + self._plan.runs[0]
            self._left = time_left(self._plan, self._slots)
        self._outcomes += 1
        if record.failure is not None:
            outcome = f"failed ({record.failure.kind}): {record.failure.reason}"
        else:
            metric = sweep.report.primary
            if sweep.search is not None and record.work.phase == "search":
                metric = sweep.search.metric
            value = record.metrics.get(metric)
            shown = "" if value is None else f": {metric} {value:.1f}"
            outcome = f"{record.status} in {record.seconds:.1f} s{shown}"
        line = f"[{self._done:>{len(str(total))}}/{total}] {record.work.label} {outcome}"
        noted = [f"note: {note}" for note in record.notes[:1]]
        return " · ".join([line, *self._left, *noted])


@dataclass(frozen=True)
class Elsewhere:
    """What a driver in another process says of itself; nothing where there is none, or none that can be heard."""

    running: tuple[str, ...] = ()
    """Labels of what runs."""
    slots: int | None = None
    """How many runs go on at once."""
    usage: Mapping[str, float] = field(default_factory=dict)
    """How much of the cluster is in use, as `Usage` gives it; empty where that is not known."""


def elsewhere(store: Store) -> Elsewhere:
    """What the driver of a sweep says in another process."""
    try:
        state = json.loads(store.place.read(FILE))
        usage = {str(name): float(value) for name, value in state.get("usage", {}).items()}
        return Elsewhere(tuple(map(str, state["running"])), int(state["slots"]), usage)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Elsewhere()


def in_use(usage: Mapping[str, float]) -> str:
    """How much of the cluster is in use, in words; empty where that is not known.

    >>> in_use({"nodes": 2, "cpus": 4.0, "cpus_used": 3.0, "gpus": 2.0, "gpus_used": 0.5})
    'cluster: 2 nodes · 3/4 CPUs and 0.5/2 GPUs in use'
    """
    used = [
        f"{usage.get(f'{name}_used', 0.0):.4g}/{usage[name]:g} {called}"
        for name, called in (("cpus", "CPUs"), ("gpus", "GPUs"))
        if usage.get(name)
    ]
    parts = [f"{' and '.join(used)} in use"] if used else []
    if nodes := usage.get("nodes"):
        parts.insert(0, f"{nodes:g} {'node' if nodes == 1 else 'nodes'}")
    return f"cluster: {' · '.join(parts)}" if parts else ""
