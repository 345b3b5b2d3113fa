"""Verdicts while a sweep runs: none before its end where seeds are fixed, and those of the report at it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from crosscut import verdicts
from crosscut.arms.experiment import Experiment
from crosscut.plan import Plan, reconcile
from crosscut.publication import of_sweep
from crosscut.records.declaration import Declaration, said_by
from crosscut.records.record import Failure, Record
from crosscut.records.work import Work
from crosscut.verdicts import Verdicts
from crosscut_reports.result import Result

Outcome = Callable[[Work], Record]
LEVELS = ("none", "some", "more")
HYPOTHESES = [{"effect": "some vs none"}, {"effect": "more vs none"}]


@pytest.fixture
def scored(outcome: Outcome) -> Outcome:
    """Outcomes with ranks, whose arms lie far apart and nearly so over seeds."""

    def of(work: Work) -> Record:
        record = outcome(work)
        if work.phase == "search":
            return record
        ranks = {
            name: replace(found, ranks=np.maximum(found.ranks - round(6 * work.config["effect"]), 1))
            for name, found in record.ranks.items()
        }
        rsum = sum(100.0 * float((found.ranks <= k).mean()) for found in ranks.values() for k in (1, 5, 10))
        return replace(record, ranks=ranks, metrics={**record.metrics, "test/rsum": rsum})

    return of


@pytest.fixture
def make_plan(make_experiment: Callable[..., Experiment]) -> Callable[..., Plan]:
    def make(hypotheses: list[Any] | None = None, **sections: Any) -> Plan:
        asked = HYPOTHESES if hypotheses is None else hypotheses
        options = {"trials": 0, "seeds": 4, **sections}
        return reconcile(make_experiment(LEVELS, hypotheses=asked, **options), lambda _: None)

    return make


def declared(plan: Plan) -> Declaration:
    return Declaration(said_by(plan.experiment.sweep), sealed=True)


def told(plan: Plan) -> list[str]:
    return [line.plain.strip() for line in Verdicts().of(plan, declared(plan))]


def carry_out(plan: Plan, outcome: Outcome, wanted: Callable[[Work], bool] = lambda _: True) -> None:
    """Carry out all work that is wanted; the rest goes on running."""
    while (work := plan.next()) is not None:
        if wanted(work):
            plan.ended(outcome(work))


def reported(plan: Plan, folder: Path) -> Result:
    return of_sweep(plan, folder, declaration=declared(plan)).result


def values(plan: Plan, arm: str, metric: str = "test/rsum") -> list[float]:
    finals = next(one for one in plan.arms if one.arm.name == arm).finals
    return [record.metrics[metric] for record in finals if record is not None]


def test_before_the_end_there_are_estimates_and_no_verdicts(
    make_plan: Callable[..., Plan], scored: Outcome
) -> None:
    plan = make_plan()
    carry_out(plan, scored, lambda work: work.seed < 3)
    head, warning, first, second = told(plan)
    assert head == "declared hypotheses, with 95% intervals over seeds alone:"
    assert warning.startswith("a look before the end: no verdict is final until all runs of these have ended")
    differences = np.array(values(plan, "some")) - np.array(values(plan, "none"))
    low, high = stats.t.interval(0.95, 2, loc=differences.mean(), scale=stats.sem(differences))
    assert first.startswith("effect: some vs none: ") and first.endswith(" so far, 3 seeds")
    assert _numbers(first) == pytest.approx([differences.mean(), low, high], abs=0.5)
    assert not any(word in first + second for word in ("better", "worse", "equivalent", "undecided"))


def _numbers(line: str) -> list[float]:
    """The estimate in a line, and its interval where it has one."""
    found = re.match(r"(?:gain )?(\S+)(?: \[(\S+), (\S+)\])?", line.rpartition(": ")[2])
    assert found is not None, line
    return [float(text.replace("−", "-")) for text in found.groups() if text is not None]


def test_at_the_end_they_are_those_of_the_report(
    make_plan: Callable[..., Plan], scored: Outcome, tmp_path: Path
) -> None:
    hypotheses = [
        *HYPOTHESES,
        {"compare": {"effect": "more vs some"}, "metrics": ["test/rsum", "test/t2i_medr"], "family": "apart"},
    ]
    plan = make_plan(hypotheses)
    carry_out(plan, scored)
    lines = told(plan)
    assert lines[0] == "declared hypotheses, with 95% intervals:"
    results = [one for one in reported(plan, tmp_path).contrasts if one.declared]
    assert len(lines) - 1 == len(results) == 4
    for one in results:
        about = "" if one.metric == "test/rsum" else f" on {one.metric}"
        (line,) = [found for found in lines if found.startswith(f"{one.name}{about}: ")]
        assert one.ci is not None
        found = _numbers(line)
        # Each shows two significant digits of the interval's half-width.
        assert found == pytest.approx([one.estimate, *one.ci], abs=0.06 * (one.ci[1] - one.ci[0]) + 0.05)
        ending = f" {one.verdict}" if one.verdict != "undecided" else f" undecided, {one.seeds} seeds"
        assert line.endswith(ending)
    assert any(line.endswith(" better") for line in lines)
    (lower,) = [line for line in lines if "medr" in line]
    assert " gain " in lower


def test_a_family_whose_runs_have_ended_has_its_verdicts_while_others_run(
    make_plan: Callable[..., Plan], scored: Outcome
) -> None:
    plan = make_plan([HYPOTHESES[0], {"compare": {"effect": "more vs none"}, "family": "later"}])
    carry_out(plan, scored, lambda work: work.arm != "more")
    lines = told(plan)
    assert lines[2].startswith("effect: some vs none: +") and lines[2].endswith(" better")
    assert lines[3] == "effect: more vs none: no seed yet"


def test_an_arm_that_can_have_no_runs_keeps_nobody_waiting(
    make_plan: Callable[..., Plan], scored: Outcome
) -> None:
    def failing(work: Work) -> Record:
        if work.arm == "more":
            return Record(work, "failed", failure=Failure("raised", "no"))
        return scored(work)

    plan = make_plan(trials=2)
    carry_out(plan, failing)
    assert plan.arms[2].blocked is not None
    _, first, second = told(plan)
    assert first.endswith(" better")
    assert second == "effect: more vs none: no result, since an arm has no run that ended well"


def test_where_seeds_are_added_what_is_settled_is_told_as_the_report_tells_it(
    make_plan: Callable[..., Plan], scored: Outcome, tmp_path: Path
) -> None:
    plan = make_plan([{"effect": "more vs none"}, {"effect": "some vs none"}], seeds_section=UNTIL)

    def alike(work: Work) -> Record:
        """`some` is `none` with other noise."""
        record = scored(work)
        noise = float(np.random.default_rng([work.seed, LEVELS.index(work.arm)]).normal(0, 4))
        value = 100 + noise + (40 if work.arm == "more" else 0)
        return replace(record, metrics={**record.metrics, "test/rsum": value}, ranks={})

    carry_out(plan, alike)
    lines = told(plan)
    assert lines[0] == "declared hypotheses, with 95% confidence sequences:"
    result = reported(plan, tmp_path)
    for course in result.sequential:
        (line,) = [found for found in lines if found.startswith(f"{course.name}: ")]
        why = {"maximum": "the most that it gets", "futile": "little chance", "better": "better after"}
        assert f"after {course.seeds} seeds" in line and why[str(course.reason)] in line
        assert _numbers(line) == pytest.approx([course.estimate, *(course.interval or ())], abs=0.5)


UNTIL = {"min": 3, "max": 6, "until": "decided"}


def test_no_member_of_a_family_is_settled_before_all_have_their_first_seeds(
    make_plan: Callable[..., Plan], scored: Outcome
) -> None:
    plan = make_plan([{"effect": "more vs none"}, {"effect": "some vs none"}], seeds_section=UNTIL)
    carry_out(plan, scored, lambda work: work.arm != "some")
    lines = told(plan)
    assert lines[2].startswith("effect: more vs none: +") and lines[2].endswith(" so far, 3 seeds")
    assert lines[3] == "effect: some vs none: no seed yet"


def test_they_are_worked_out_where_a_run_has_ended_and_not_otherwise(
    make_plan: Callable[..., Plan], scored: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan()
    carry_out(plan, scored, lambda work: work.seed < 2)
    calls = []
    worked_out = verdicts._answers

    def counted(*arguments: Any) -> Any:
        calls.append(arguments)
        return worked_out(*arguments)

    monkeypatch.setattr(verdicts, "_answers", counted)
    looks = Verdicts()
    first = looks.of(plan, declared(plan))
    assert looks.of(plan, declared(plan)) == first and len(calls) == 1
    for work in [work for work in plan.running if work.seed == 2]:
        plan.ended(scored(work))
    assert looks.of(plan, declared(plan)) != first and len(calls) == 2


class Unread(dict[str, Any]):
    """Ranks that must not be read."""

    def _refuse(self, *_: object) -> Any:
        raise AssertionError("ranks were read")

    __getitem__ = __iter__ = __len__ = __contains__ = _refuse


@pytest.mark.parametrize("most", [verdicts.MOST, 3])
def test_ranks_are_read_for_a_verdict_alone_and_not_for_many_runs(
    make_plan: Callable[..., Plan], scored: Outcome, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    def unread(work: Work) -> Record:
        return replace(scored(work), ranks=Unread())

    monkeypatch.setattr(verdicts, "MOST", most)
    plan = make_plan(HYPOTHESES[:1])
    carry_out(plan, unread, lambda work: most == 3 or work.seed < 3)
    line = told(plan)[-1]
    assert line.endswith("so far, 3 seeds" if most != 3 else "4 seeds; crosscut report has its verdict")


def test_what_was_not_declared_before_the_runs_has_no_verdict(
    make_plan: Callable[..., Plan], scored: Outcome
) -> None:
    none = make_plan([])
    carry_out(none, scored)
    assert told(none) == []
    plan = make_plan()
    assert told(plan) == [], "and where nothing has ended there is nothing to tell"
    carry_out(plan, scored)
    late = "verdicts: nothing counts as declared before the runs, the report tells why"
    assert [line.plain for line in Verdicts().of(plan, None)] == [late]
    other: Mapping[str, Any] = {**said_by(plan.experiment.sweep), "primary": "test/t2i_r1"}
    assert [line.plain for line in Verdicts().of(plan, Declaration(other, sealed=True))] == [late]
