"""Progress: a line for each outcome in a log, and a file for whoever looks from elsewhere."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from crosscut import progress as module
from crosscut.arms.experiment import Experiment
from crosscut.plan import Plan, reconcile
from crosscut.progress import FILE, Elsewhere, Progress, elsewhere, in_use
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
    assert lines[4].startswith("[5/6] none seed 0 failed (raised): ValueError: [red] no · ")
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


def until(holds: Callable[[], bool]) -> None:
    """Wait for what a thread does, a minute at the most."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_whoever_looks_from_elsewhere_learns_what_runs(plan: Plan, store: Store, outcome: Outcome) -> None:
    where, _ = console()
    assert elsewhere(store) == Elsewhere()
    with Progress(plan, store, 3, where) as progress:
        assert elsewhere(store) == Elsewhere((), 3)
        first, second = plan.next(), plan.next()
        assert first is not None and second is not None
        progress.given(first)
        progress.given(second)
        until(lambda: elsewhere(store).running == ("none trial 0", "[/] some trial 0"))
        assert json.loads((store.folder / FILE).read_text())["pid"] == os.getpid()
        plan.ended(outcome(first))
        progress.ended(outcome(first))
        until(lambda: elsewhere(store).running == ("[/] some trial 0",))
    assert not (store.folder / FILE).exists()
    assert elsewhere(store) == Elsewhere()


def test_whoever_looks_from_elsewhere_learns_what_of_the_cluster_is_in_use(
    plan: Plan, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BEAT", 0.01)
    monkeypatch.setattr(module, "PAUSE", 0.01)
    used = {"nodes": 1.0, "cpus": 4.0, "cpus_used": 0.0}
    where, text = console(terminal=True)
    with Progress(plan, store, 3, where, lambda: used):
        assert elsewhere(store).usage == used
        used = {"nodes": 2.0, "cpus": 8.0, "cpus_used": 3.0}
        until(lambda: elsewhere(store).usage == used)  # though nothing began or ended
    assert "cluster: 1 node · 0/4 CPUs in use" in text.getvalue()
    assert "cluster: 2 nodes · 3/8 CPUs in use" in text.getvalue()


def test_a_cluster_that_does_not_answer_ends_nothing(plan: Plan, store: Store, outcome: Outcome) -> None:
    def gone() -> dict[str, float]:
        raise ConnectionError("no cluster")

    where, text = console()
    with Progress(plan, store, 3, where, gone) as progress:
        assert elsewhere(store) == Elsewhere((), 3)
        follow(plan, progress, outcome)
    assert len(text.getvalue().splitlines()) == 6


def test_what_is_in_use_is_told_as_far_as_it_is_known() -> None:
    assert in_use({}) == ""
    assert (
        in_use({"nodes": 1, "cpus": 2, "cpus_used": 0.5, "gpus": 0}) == "cluster: 1 node · 0.5/2 CPUs in use"
    )
    everything = {"nodes": 3, "cpus": 24, "cpus_used": 24, "gpus": 3, "gpus_used": 2.25}
    assert in_use(everything) == "cluster: 3 nodes · 24/24 CPUs and 2.25/3 GPUs in use"


def counted(monkeypatch: pytest.MonkeyPatch, where: object, name: str) -> list[tuple[Any, ...]]:
    """The arguments of the calls of a function, from now on."""
    calls: list[tuple[Any, ...]] = []
    called = getattr(where, name)

    def call(*arguments: Any) -> Any:
        calls.append(arguments)
        return called(*arguments)

    monkeypatch.setattr(where, name, call)
    return calls


def test_many_small_runs_are_not_shown_one_by_one(
    make_experiment: Callable[..., Experiment],
    store: Store,
    outcome: Outcome,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "PAUSE", 3600.0)
    written = counted(monkeypatch, store.place, "write")
    drawn = counted(monkeypatch, module, "table")
    plan = reconcile(make_experiment(seeds=100, trials=0), lambda _: None)
    where, text = console(terminal=True)
    with Progress(plan, store, 1, where) as progress:
        follow(plan, progress, outcome)
        until(lambda: len(written) == 2)
    assert len(written) == 2, "at the beginning, and once that it has news"
    assert len(drawn) == 3 and "runs 200/200" in text.getvalue(), "and drawn a last time at the end"


def test_a_storage_that_cannot_be_written_ends_nothing(
    plan: Plan, store: Store, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(store.place, "write", full)
    monkeypatch.setattr(store.place, "remove", full)
    where, text = console()
    with Progress(plan, store, 1, where) as progress:
        progress._show()
        follow(plan, progress, outcome)
        progress._show()
    lines = text.getvalue().splitlines()
    told = "note: the storage cannot be written (no space left); what runs tries again for 120 s"
    assert [line for line in lines if line.startswith("note")] == [told] and len(lines) == 7


def test_the_last_line_of_a_large_sweep_is_exact(
    make_experiment: Callable[..., Experiment],
    store: Store,
    outcome: Outcome,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LARGE", 3)
    asked = counted(monkeypatch, module, "time_left")
    plan = reconcile(make_experiment(seeds=10, trials=0), lambda _: None)
    where, text = console()
    with Progress(plan, store, 1, where) as progress:
        follow(plan, progress, outcome)
    lines = text.getvalue().splitlines()
    assert [line.partition("]")[0] for line in lines] == [f"[{done:>2}/20" for done in range(1, 21)]
    assert " left" in lines[-2] and " left" not in lines[-1]
    assert len(asked) == 4, "of every seventh outcome and the last"


def test_the_file_goes_also_when_the_run_is_broken_off(plan: Plan, store: Store) -> None:
    where, _ = console(terminal=True)
    with pytest.raises(KeyboardInterrupt), Progress(plan, store, 1, where):
        assert (store.folder / FILE).exists()
        raise KeyboardInterrupt
    assert not (store.folder / FILE).exists()


def test_a_file_that_cannot_be_read_says_that_nothing_is_known(store: Store) -> None:
    for text in ('{"pid": 1', "[]", '{"running": [], "slots": 2, "usage": 3}'):
        (store.folder / FILE).write_text(text)
        assert elsewhere(store) == Elsewhere()
    (store.folder / FILE).write_text('{"running": ["a"], "slots": 2}')
    assert elsewhere(store) == Elsewhere(("a",), 2), "as it was written before it told of the cluster"
