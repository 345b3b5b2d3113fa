"""`crosscut status`: what it shows of a sweep that runs, and of one that has ended."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from crosscut import verdicts
from crosscut.arms.experiment import Experiment
from crosscut.plan import Plan, reading, reconcile
from crosscut.progress import Progress
from crosscut.records import declaration
from crosscut.records.catalogue import Catalogue
from crosscut.records.lock import driving
from crosscut.records.snapshot import keep
from crosscut.records.store import Store

Complete = Callable[..., None]
Status = Callable[..., str]


@pytest.fixture
def experiment(make_experiment: Callable[..., Experiment]) -> Experiment:
    return make_experiment(trials=0, seeds=4, hypotheses=[{"effect": "some vs none"}])


@pytest.fixture
def status(crosscut: Callable[..., Any]) -> Status:
    def call(*arguments: str) -> str:
        answer = crosscut("status", *arguments)
        assert (answer.code, answer.errors) == (0, "")
        return str(answer.output)

    return call


def started(store: Store, experiment: Experiment) -> Plan:
    """The plan of a driver that has begun."""
    plan = reconcile(experiment, reading(Catalogue(store), []))
    keep(store, experiment)
    declaration.seal(store, declaration.declare(store, plan))
    return plan


def test_a_sweep_that_runs_tells_of_the_cluster_and_gives_no_verdict(
    status: Status, store: Store, experiment: Experiment, complete: Complete
) -> None:
    plan = started(store, experiment)
    complete(plan, store=store, most=6)
    used = {"nodes": 2.0, "cpus": 4.0, "cpus_used": 3.0, "gpus": 1.0, "gpus_used": 0.5}
    with driving(store.place), Progress(plan, store, 2, Console(file=io.StringIO()), lambda: used):
        lines = status("results/sweep").splitlines()
    assert lines[0].startswith("toy: running: process ")
    assert "cluster: 2 nodes · 3/4 CPUs and 0.5/1 GPUs in use" in lines
    assert "declared hypotheses, with 95% intervals over seeds alone:" in lines
    assert lines[-1].startswith("  effect: some vs none: ") and lines[-1].endswith(" so far, 2 seeds")
    assert not any(line.startswith("cluster:") for line in status("results/sweep").splitlines())


def test_a_sweep_that_has_ended_gives_its_verdicts(
    status: Status, store: Store, experiment: Experiment, complete: Complete
) -> None:
    complete(started(store, experiment), store=store)
    lines = status("results/sweep").splitlines()
    assert lines[0] == "toy: ended" and lines[-2] == "declared hypotheses, with 95% intervals:"
    assert lines[-1].startswith("  effect: some vs none: ") and lines[-1].endswith("undecided, 4 seeds")


def test_watching_goes_on_until_the_driver_ends_and_works_out_what_is_new(
    status: Status,
    store: Store,
    experiment: Experiment,
    complete: Complete,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = started(store, experiment)
    driver = driving(store.place)
    driver.__enter__()
    worked_out: list[Plan] = []
    answers = verdicts._answers

    def counted(found: Plan, *rest: Any) -> Any:
        worked_out.append(found)
        return answers(found, *rest)

    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 2:
            complete(plan, store=store, most=4)
        if len(naps) == 4:
            complete(plan, store=store)
            driver.__exit__(None, None, None)

    monkeypatch.setattr(verdicts, "_answers", counted)
    monkeypatch.setattr(time, "sleep", nap)
    shown = status("results/sweep", "--watch", "--interval", "7")
    assert naps == [7.0] * 4
    assert len(worked_out) == 3, "at first, and each time that runs have ended"
    assert "toy: ended" in shown and "undecided, 4 seeds" in shown


def test_a_sweep_in_a_bucket_is_looked_at_there(
    status: Status,
    bucket: Callable[[], str],
    experiment: Experiment,
    complete: Complete,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("CROSSCUT_SCRATCH", str(tmp_path / "scratch"))
    store = Store.create(bucket(), "sweep")
    plan = started(store, experiment)
    complete(plan, store=store, most=2)
    used = {"nodes": 1.0, "cpus": 4.0, "cpus_used": 1.0}
    with driving(store.place), Progress(plan, store, 2, Console(file=io.StringIO()), lambda: used):
        lines = status(store.place.name).splitlines()
    assert lines[0].startswith("toy: running: process ")
    assert "cluster: 1 node · 1/4 CPUs in use" in lines
    assert status(store.place.name).startswith("toy: not running")
