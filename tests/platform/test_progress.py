"""Progress: a line for each outcome in a log, and a file for whoever looks from elsewhere."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console

from crosscut.arms.experiment import Experiment
from crosscut.plan import Plan, reconcile
from crosscut.progress import FILE, Progress, running_elsewhere
from crosscut.records.record import Failure, Record
from crosscut.records.store import Store
from crosscut.records.work import Work

Outcome = Callable[[Work], Record]


@pytest.fixture
def plan(make_experiment: Callable[..., Experiment]) -> Plan:
    return reconcile(make_experiment(levels=("none", "[/] some"), seeds=1), lambda _: None)


def console(*, terminal: bool = False) -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, width=200, force_terminal=terminal, highlight=False), text


def follow(plan: Plan, progress: Progress, outcome: Outcome) -> None:
    while (work := plan.next()) is not None:
        progress.given(work)
        record = outcome(work)
        plan.ended(record)
        progress.ended(record)


def test_a_log_has_a_line_for_each_outcome(plan: Plan, store: Store, outcome: Outcome) -> None:
    def mixed(work: Work) -> Record:
        record = outcome(work)
        if work.index == 1:
            return replace(record, status="pruned")
        if work.phase == "final" and work.arm == "none":
            return Record(work, "failed", failure=Failure("raised", "ValueError: [red] no"))
        return record

    where, text = console()
    with Progress(plan, store, 1, where) as progress:
        assert text.getvalue() == ""
        follow(plan, progress, mixed)
    lines = text.getvalue().splitlines()
    assert len(lines) == 6
    dev = plan.arms[0].trials[0]
    assert dev is not None
    first = f"[1/6] none trial 0 finished in 2.0 s: dev/rsum {dev.metrics['dev/rsum']:.1f} · "
    assert lines[0] == f"{first}time left not known yet"
    assert lines[2].startswith("[3/6] none trial 1 pruned in 2.0 s: dev/rsum ")
    assert lines[2].endswith(" · about 6 s left")
    assert lines[3].startswith("[4/6] none seed 0 failed (raised): ValueError: [red] no · ")
    final = plan.arms[1].finals[0]
    assert final is not None
    assert lines[5] == (
        f"[6/6] [/] some seed 0 finished in 2.0 s: test/rsum {final.metrics['test/rsum']:.1f}"
    )


def test_a_line_of_a_log_ends_with_the_first_note(plan: Plan, store: Store, outcome: Outcome) -> None:
    where, text = console()
    with Progress(plan, store, 1, where) as progress:
        follow(plan, progress, lambda work: replace(outcome(work), notes=("[red] collapsed", "zero")))
    lines = text.getvalue().splitlines()
    assert len(lines) == 6 and all(line.endswith(" · note: [red] collapsed") for line in lines)


def test_a_terminal_shows_the_table_and_keeps_lines_of_failures_alone(
    plan: Plan, store: Store, outcome: Outcome
) -> None:
    def failing(work: Work) -> Record:
        if work.phase == "final" and work.arm == "none":
            return Record(work, "failed", failure=Failure("diverged", "dev/rsum is nan"))
        return outcome(work)

    where, text = console(terminal=True)
    with Progress(plan, store, 1, where) as progress:
        follow(plan, progress, failing)
    assert "none seed 0 failed (diverged): dev/rsum is nan" in text.getvalue()
    assert "trial 0 finished in" not in text.getvalue()
    assert "search trials 4/4 · runs 2/2 · 1 failed" in text.getvalue()


def test_whoever_looks_from_elsewhere_learns_what_runs(plan: Plan, store: Store, outcome: Outcome) -> None:
    where, _ = console()
    assert running_elsewhere(store) == ([], None)
    with Progress(plan, store, 3, where) as progress:
        assert running_elsewhere(store) == ([], 3)
        first, second = plan.next(), plan.next()
        assert first is not None and second is not None
        progress.given(second)
        assert running_elsewhere(store) == (["none trial 0", "[/] some trial 0"], 3)
        assert json.loads((store.folder / FILE).read_text())["pid"] == os.getpid()
        plan.ended(outcome(first))
        progress.ended(outcome(first))
        assert running_elsewhere(store) == (["[/] some trial 0"], 3)
    assert not (store.folder / FILE).exists()
    assert running_elsewhere(store) == ([], None)


def test_the_file_goes_also_when_the_run_is_broken_off(plan: Plan, store: Store) -> None:
    where, _ = console(terminal=True)
    with pytest.raises(KeyboardInterrupt), Progress(plan, store, 1, where):
        assert (store.folder / FILE).exists()
        raise KeyboardInterrupt
    assert not (store.folder / FILE).exists()


def test_a_file_that_cannot_be_read_says_that_nothing_is_known(store: Store) -> None:
    (store.folder / FILE).write_text('{"pid": 1')
    assert running_elsewhere(store) == ([], None)
