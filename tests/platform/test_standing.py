"""Where a sweep stands, as it is shown."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from statistics import fmean

import pytest
from rich.console import Console
from rich.table import Table
from scipy import stats

from crosscut.arms.experiment import Experiment
from crosscut.plan import Plan, reconcile
from crosscut.records.record import Failure, Record
from crosscut.records.work import Work
from crosscut.standing import remarks, standing, summary, table

Complete = Callable[..., None]
Outcome = Callable[[Work], Record]


def shown(drawn: Table) -> list[list[str]]:
    """The cells of every line, the header first; cells stand two spaces apart at least."""
    console = Console(file=io.StringIO(), width=200)
    console.print(drawn)
    assert isinstance(console.file, io.StringIO)
    return [
        [cell.strip() for cell in line.split("  ") if cell.strip()]
        for line in console.file.getvalue().splitlines()
    ]


@pytest.fixture
def plan(make_experiment: Callable[..., Experiment]) -> Plan:
    return reconcile(make_experiment(), lambda _: None)


def test_an_empty_plan_stands_at_nothing(plan: Plan) -> None:
    assert shown(table(plan))[:3] == [
        ["arm", "search", "best dev", "seeds", "test/rsum", "running", "failed"],
        ["none (baseline)", "0/2", "0/3"],
        ["some", "0/2", "0/3"],
    ]
    assert summary(plan) == "search trials 0/4 · runs 0/6 · time left not known yet"


def test_an_arm_shows_the_mean_of_its_seeds_with_its_t_interval(plan: Plan, complete: Complete) -> None:
    complete(plan)
    values = [r.metrics["test/rsum"] for r in plan.arms[1].finals if r is not None]
    low, high = stats.t.interval(0.95, 2, loc=fmean(values), scale=stats.sem(values))
    some = standing(plan)[1]
    assert some.mean == pytest.approx(fmean(values))
    assert some.half_width == pytest.approx((high - low) / 2)
    assert (some.trials, some.runs, some.failed, some.running) == ((2, 2), (3, 3), 0, 0)
    assert f"{some.mean:.1f} ± {some.half_width:.1f}" in shown(table(plan))[2]
    assert summary(plan) == "search trials 4/4 · runs 6/6"


def test_one_seed_has_a_mean_and_no_interval(
    make_experiment: Callable[..., Experiment], complete: Complete
) -> None:
    plan = reconcile(make_experiment(seeds=1), lambda _: None)
    complete(plan)
    assert standing(plan)[0].mean is not None and standing(plan)[0].half_width is None


def test_the_best_dev_score_is_of_trials_that_did_not_fail(
    make_experiment: Callable[..., Experiment], complete: Complete, outcome: Outcome
) -> None:
    def failing(work: Work) -> Record:
        record = outcome(work)
        if work.phase == "search" and work.index == 0:
            lucky = tuple(replace(step, metrics={"dev/rsum": 1e6}) for step in record.history)
            return Record(work, "failed", history=lucky, failure=Failure("diverged", "nan"))
        return replace(record, status="pruned") if work.index == 1 else record

    plan = reconcile(make_experiment(trials=3), lambda _: None)
    complete(plan, failing, most=6)
    for arm, line in zip(plan.arms, standing(plan), strict=True):
        assert line.best == max(r.metrics["dev/rsum"] for r in arm.trials[1:] if r is not None)
        assert (line.pruned, line.failed) == (1, 1)
    assert "3/3 (1 pruned)" in shown(table(plan))[1]


def test_the_best_score_of_a_search_that_minimises_is_its_smallest(
    make_experiment: Callable[..., Experiment], complete: Complete
) -> None:
    plan = reconcile(make_experiment(trials=4, search={"mode": "min"}), lambda _: None)
    complete(plan)
    scores = [s.metrics["dev/rsum"] for r in plan.arms[0].trials if r is not None for s in r.history]
    assert standing(plan)[0].best == min(scores)


def test_failures_and_blocked_arms_are_shown(plan: Plan, complete: Complete, outcome: Outcome) -> None:
    def failing(work: Work) -> Record:
        if work.arm == "some":
            return Record(work, "failed", failure=Failure("raised", "no"))
        return outcome(work)

    complete(plan, failing)
    assert standing(plan)[1].blocked == "none of its 2 search trials finished"
    assert shown(table(plan))[2] == ["some", "2/2", "0/3", "blocked", "2"]
    assert summary(plan) == "search trials 4/4 · runs 3/6 · 2 failed"


def test_remarks_are_failures_then_blocked_arms_in_red(
    plan: Plan, complete: Complete, outcome: Outcome
) -> None:
    def failing(work: Work) -> Record:
        if work.arm == "some":
            return Record(work, "failed", failure=Failure("raised", "[red] no"))
        return outcome(work)

    complete(plan, failing)
    assert [(line.plain, line.style) for line in remarks(plan)] == [
        ("failed (raised): some trial 0: [red] no", "red"),
        ("failed (raised): some trial 1: [red] no", "red"),
        ("blocked: some: none of its 2 search trials finished", "red"),
    ]


def test_many_failures_are_counted_by_what_they_share(
    make_experiment: Callable[..., Experiment], complete: Complete
) -> None:
    def failing(work: Work) -> Record:
        reasons = {0: f"seed {work.seed} is odd", 1: "x" * 500}
        failure = Failure("raised", reasons.get(work.index, f"no {'abcdefghij'[work.index % 10]}"))
        if work.index >= 15:
            failure = Failure("lost", "its process died")
        return Record(work, "failed", failure=failure)

    plan = reconcile(make_experiment(seeds=20, trials=0), lambda _: None)
    complete(plan, failing)
    lines = [line.plain for line in remarks(plan)]
    assert lines[0] == "failed (lost): 10 like none seed 15: its process died"
    assert lines[1] == "failed (raised): 4 like none seed 2: no c"
    assert (
        len(lines) == 6 and lines[5].startswith("failed: ") and lines[5].endswith(" more, for other reasons")
    )
    told = sum(int(line.split(": ")[1].split()[0]) for line in lines)
    assert told == len(plan.failures) == 40


def test_failures_that_differ_in_numbers_are_alike_and_long_reasons_are_cut(
    make_experiment: Callable[..., Experiment], complete: Complete
) -> None:
    def failing(work: Work) -> Record:
        return Record(work, "failed", failure=Failure("raised", f"seed {work.seed}: {'x' * 500}"))

    plan = reconcile(make_experiment(seeds=6, trials=0), lambda _: None)
    complete(plan, failing)
    (line,) = remarks(plan)
    assert line.plain == f"failed (raised): 12 like none seed 0: seed 0: {'x' * 191}…"


def test_many_notes_and_blocked_arms_are_cut(
    make_experiment: Callable[..., Experiment], complete: Complete, outcome: Outcome
) -> None:
    def noted(work: Work) -> Record:
        return replace(outcome(work), notes=("slow",))

    plan = reconcile(make_experiment(seeds=10, trials=0), lambda _: None)
    complete(plan, noted)
    lines = [line.plain for line in remarks(plan)]
    assert lines[:2] == ["note: none seed 0: slow", "note: none seed 1: slow"]
    assert len(lines) == 11 and lines[10] == "and 10 more notes, in the report"


def test_notes_of_runs_have_a_line_each_and_those_of_search_trials_one_an_arm(
    plan: Plan, complete: Complete, outcome: Outcome
) -> None:
    def noted(work: Work) -> Record:
        said = {
            ("none", "search", 1): ["[/] slow"],
            ("some", "search", 0): ["collapsed in epoch 1", "zero"],
            ("some", "search", 1): ["collapsed in epoch 2"],
            ("some", "final", 1): ["collapsed in epoch 3", "its gradient was zero in epoch 4"],
            ("some", "final", 2): ["[red] no"],
        }
        return replace(outcome(work), notes=said.get((work.arm, work.phase, work.index), ()))

    complete(plan, noted)
    assert [(line.plain, line.style) for line in remarks(plan)] == [
        ("note: none: 1 search trial has notes, the first: [/] slow", "yellow"),
        ("note: some: 2 search trials have notes, the first: collapsed in epoch 1", "yellow"),
        ("note: some seed 1: collapsed in epoch 3; its gradient was zero in epoch 4", "yellow"),
        ("note: some seed 2: [red] no", "yellow"),
    ]


def test_where_all_went_well_there_is_nothing_to_remark(plan: Plan, complete: Complete) -> None:
    assert remarks(plan) == []
    complete(plan)
    assert remarks(plan) == []


def test_what_runs_is_counted_by_arm(plan: Plan) -> None:
    assert plan.next() is not None
    assert [line.running for line in standing(plan)] == [1, 0]


def test_what_runs_elsewhere_is_counted_for_arms_whose_names_begin_alike(
    make_experiment: Callable[..., Experiment],
) -> None:
    plan = reconcile(make_experiment(levels=("scan", "scan with ccr", "scan with")), lambda _: None)
    lines = shown(table(plan, ["scan with ccr seed 1", "scan with ccr trial 0", "scan seed 2"]))
    assert [line[-1] for line in lines[1:4]] == ["1", "2", "0/3"]


def test_a_metric_that_looks_like_markup_is_shown_as_it_is(
    make_experiment: Callable[..., Experiment],
) -> None:
    plan = reconcile(make_experiment(report={"primary": "[/]m"}), lambda _: None)
    assert "[/]m" in shown(table(plan))[0]


def test_without_a_search_there_are_no_columns_for_it(
    make_experiment: Callable[..., Experiment],
) -> None:
    plan = reconcile(make_experiment(trials=0), lambda _: None)
    assert shown(table(plan))[0] == ["arm", "seeds", "test/rsum", "running", "failed"]
    assert summary(plan).startswith("runs 0/6")
