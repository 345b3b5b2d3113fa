"""Seeds are added until hypotheses are settled: to the arms concerned, whichever run was faster."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crosscut.arms.experiment import Experiment
from crosscut.plan import Plan, lost, reconcile
from crosscut.publication import of_sweep
from crosscut.records.declaration import Declaration, said_by
from crosscut.records.record import Failure, Record
from crosscut.records.work import Work
from crosscut_reports import sequential
from crosscut_reports.sequential import e_value

Outcome = Callable[[Work], Record]
EFFECT = {"none": 0.0, "big": 40.0, "same": 0.0, "idle": 0.0}
SEEDS = {"min": 3, "max": 9, "until": "decided"}


def score(arm: str, seed: int) -> float:
    noise = np.random.default_rng([seed, list(EFFECT).index(arm)]).normal(0, 4)
    return 100 + EFFECT[arm] + float(noise)


@pytest.fixture
def scored(outcome: Outcome) -> Outcome:
    """The outcome of the other tests, with a known score."""

    def of(work: Work) -> Record:
        record = outcome(work)
        if work.phase == "search":
            return record
        return replace(record, metrics={**record.metrics, "test/rsum": score(work.arm, work.seed)}, ranks={})

    return of


@pytest.fixture
def experiment(make_experiment: Callable[..., Experiment]) -> Callable[..., Experiment]:
    def make(*hypotheses: dict[str, Any], **sections: Any) -> Experiment:
        asked = [{"effect": "big vs none"}, {"effect": "same vs none"}]
        return make_experiment(tuple(EFFECT), **{"hypotheses": list(hypotheses) or asked, **sections})

    return make


def carried_out(plan: Plan, outcome: Outcome, slots: int = 1, draw: int = 0) -> list[Work]:
    running: list[Work] = []
    given: list[Work] = []
    order = random.Random(draw)
    while not plan.done:
        while len(running) < slots and (work := plan.next()) is not None:
            running.append(work)
            given.append(work)
        assert running, "the plan neither gives out work nor is done"
        plan.ended(outcome(running.pop(order.randrange(len(running)))))
    return given


def asked(plan: Plan) -> dict[str, int]:
    return {arm.arm.name: len(arm.finals) for arm in plan.arms}


def rounds_of(left: str, right: str, family: int) -> int:
    """The first round at which the two-sided E-value is enough for one of `family`, by its definition."""
    for n in range(3, 10):
        r = np.array([score(left, s) - score(right, s) for s in range(n)])
        t = float(r.mean() / (r.std(ddof=1) / np.sqrt(n)))
        if max(e_value(t, n), 0) >= family / 0.05:
            return n
    return 9


def test_arms_get_seeds_for_as_long_as_a_hypothesis_of_theirs_is_open(
    experiment: Callable[..., Experiment], scored: Outcome
) -> None:
    plan = reconcile(experiment(seeds_section=SEEDS), lambda _: None)
    given = carried_out(plan, scored)
    found = asked(plan)
    assert found["idle"] == 3, "no hypothesis is about it"
    assert found["big"] == rounds_of("big", "none", 2) < 9
    assert found["none"] == max(found["big"], found["same"])
    finals = [work for work in given if work.phase == "final"]
    assert len({work.key for work in finals}) == len(finals) == sum(found.values())
    assert sorted(work.seed for work in finals if work.arm == "big") == list(range(found["big"]))


def test_hypotheses_are_followed_once_a_round_and_not_after_every_run(
    experiment: Callable[..., Experiment], scored: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    follow = sequential.follow

    def counting(differences: Any, **settings: Any) -> Any:
        calls.append(max(len(one) for one in differences.values()))
        return follow(differences, **settings)

    monkeypatch.setattr(sequential, "follow", counting)
    plan = reconcile(experiment(seeds_section=SEEDS), lambda _: None)
    carried_out(plan, scored)
    rounds = max(asked(plan).values()) - 3 + 1
    assert set(calls) - {0} == set(range(3, max(asked(plan).values()) + 1))
    # after each round of several runs: once for what it asks for, and once more to see that this is all
    assert len(calls) <= 2 * rounds < len(asked(plan)) * rounds


@pytest.mark.parametrize("draw", range(4))
def test_what_is_given_out_does_not_depend_on_who_is_faster(
    experiment: Callable[..., Experiment], scored: Outcome, draw: int
) -> None:
    first = reconcile(experiment(seeds_section=SEEDS), lambda _: None)
    again = reconcile(experiment(seeds_section=SEEDS), lambda _: None)
    keys = {work.key for work in carried_out(first, scored)}
    assert {work.key for work in carried_out(again, scored, slots=4, draw=draw)} == keys


def test_a_sweep_goes_on_from_its_records(experiment: Callable[..., Experiment], scored: Outcome) -> None:
    records: dict[str, Record] = {}

    def kept(work: Work) -> Record:
        records[work.key] = scored(work)
        return records[work.key]

    whole = reconcile(experiment(seeds_section=SEEDS), lambda _: None)
    carried_out(whole, kept)
    for share in (0.3, 0.6, 0.9, 1.0):
        known = dict(list(records.items())[: round(share * len(records))])
        resumed = reconcile(experiment(seeds_section=SEEDS), known.get)
        rest = carried_out(resumed, scored)
        assert asked(resumed) == asked(whole)
        assert {work.key for work in rest} == records.keys() - known.keys()


def test_a_run_that_failed_counts_as_given_out(
    experiment: Callable[..., Experiment], scored: Outcome
) -> None:
    def failing(work: Work) -> Record:
        if (work.arm, work.phase, work.seed) == ("big", "final", 1):
            return Record(work, "failed", failure=Failure("raised", "it cannot"))
        return scored(work)

    plan = reconcile(experiment({"effect": "big vs none"}, seeds_section=SEEDS), lambda _: None)
    carried_out(plan, failing)
    assert asked(plan)["big"] == rounds_of("big", "none", 1) + 1 == asked(plan)["none"]


def test_an_arm_that_can_have_no_runs_holds_up_no_other(
    experiment: Callable[..., Experiment], scored: Outcome
) -> None:
    def broken(work: Work) -> Record:
        if (work.arm, work.phase) == ("same", "search"):
            return Record(work, "failed", failure=Failure("raised", "it cannot"))
        return scored(work)

    plan = reconcile(experiment(seeds_section=SEEDS), lambda _: None)
    carried_out(plan, broken)
    assert asked(plan) == {
        "none": asked(plan)["big"],
        "big": rounds_of("big", "none", 1),
        "same": 3,
        "idle": 3,
    }


def test_a_lost_search_trial_holds_its_family_until_it_is_tried_again(
    experiment: Callable[..., Experiment], scored: Outcome
) -> None:
    def losing(work: Work) -> Record:
        lose = (work.arm, work.phase, work.index) == ("same", "search", 1)
        return lost(work, "died") if lose else scored(work)

    plan = reconcile(experiment(seeds_section=SEEDS), lambda _: None)
    carried_out(plan, losing)
    assert asked(plan) == dict.fromkeys(EFFECT, 3) and plan.done


def test_a_hypothesis_about_two_splits_follows_their_difference(
    experiment: Callable[..., Experiment], scored: Outcome
) -> None:
    def shifted(work: Work) -> Record:
        record = scored(work)
        if work.phase == "search":
            return record
        # Off test the gain of the arm is another one, without noise of its own.
        more = {"big": 11.0 + 0.1 * work.seed, "none": 5.0}.get(work.arm, 0.0)
        return replace(record, metrics={**record.metrics, "far/rsum": record.metrics["test/rsum"] + more})

    asked_of = {"compare": {"effect": "big vs none"}, "splits": "far vs test"}
    plan = reconcile(experiment(asked_of, seeds_section=SEEDS), lambda _: None)
    carried_out(plan, shifted)
    found = asked(plan)

    def e(n: int) -> float:
        r = 6.0 + 0.1 * np.arange(n)
        return float(e_value(float(r.mean() / (r.std(ddof=1) / np.sqrt(n))), n))

    first = next(n for n in range(3, 10) if e(n) >= 20)
    assert found["big"] == found["none"] == first
    assert found["same"] == 3


def test_what_two_hypotheses_ask_alike_counts_once(
    experiment: Callable[..., Experiment], scored: Outcome
) -> None:
    one = reconcile(experiment({"effect": "big vs same"}, seeds_section=SEEDS), lambda _: None)
    twice = reconcile(
        experiment({"effect": "big vs same"}, {"arm": "same vs big"}, seeds_section=SEEDS), lambda _: None
    )
    carried_out(one, scored)
    carried_out(twice, scored)
    assert rounds_of("big", "same", 1) < rounds_of("big", "same", 2), "a family of two would take longer"
    assert asked(twice) == asked(one)
    assert asked(one)["big"] == rounds_of("big", "same", 1)


def test_families_go_their_own_way(experiment: Callable[..., Experiment], scored: Outcome) -> None:
    second = {"compare": {"effect": "same vs idle"}, "family": "second"}
    plan = reconcile(experiment({"effect": "big vs none"}, second, seeds_section=SEEDS), lambda _: None)
    carried_out(plan, scored)
    found = asked(plan)
    assert found["big"] == found["none"] == rounds_of("big", "none", 1)
    assert found["same"] == found["idle"]


def test_the_report_gives_sequential_verdicts_and_says_which_interval_is_valid(
    experiment: Callable[..., Experiment], scored: Outcome, tmp_path: Path
) -> None:
    plan = reconcile(experiment(seeds_section=SEEDS), lambda _: None)
    carried_out(plan, scored)
    declaration = Declaration(said_by(plan.experiment.sweep), sealed=True)
    result = of_sweep(plan, tmp_path / "report", declaration=declaration).result
    big, same = result.sequential
    assert (big.name, big.reason, big.seeds) == ("effect: big vs none", "better", asked(plan)["big"])
    assert same.reason in ("futile", "maximum") and same.seeds == asked(plan)["same"]
    declared = {c.name: c for c in result.contrasts if c.declared}
    assert declared["effect: big vs none"].verdict == "better"
    assert declared["effect: same vs none"].verdict == "undecided"
    assert declared["effect: big vs none"].p_adjusted == big.p <= 0.05
    assert "confidence sequence" in declared["effect: big vs none"].sentence
    found = {guard.guard: guard for guard in result.guards}
    assert "are too sure" in found["added-seeds"].message
    # Arms that were to have fewer seeds lack none.
    assert "missing-runs" not in found and "unfinished" not in found
    for name in ("report.html", "report.md"):
        assert "confidence sequence" in (tmp_path / "report" / name).read_text()
