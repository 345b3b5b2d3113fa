"""Arms that take their searched values from the search of another arm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from crosscut.arms.arm import Arm
from crosscut.arms.experiment import Experiment
from crosscut.arms.sharing import leaders
from crosscut.context import context_of
from crosscut.plan import Plan, lost, reading, reconcile
from crosscut.records.catalogue import Catalogue
from crosscut.records.record import Failure, Record, Step
from crosscut.records.snapshot import keep, recall
from crosscut.records.store import Store
from crosscut.records.work import Work
from crosscut.standing import standing
from crosscut.sweepfile.space import Parameter
from crosscut.sweepfile.sweep import Sweep

X, Y = (Parameter.parse({"uniform": [0, 1]}) for _ in range(2))


def experiment(
    share: tuple[str, ...] = ("loss",), trials: int = 3, baseline: str = "late", **search: Any
) -> Experiment:
    """Two backbones, of each an arm a loss, of which `late` is not the first. Only arms with `late` have `y`."""
    losses = {"early": {"effect": 0}, "late": {"effect": 1}, "bare": {"effect": 2}}
    sweep = Sweep.from_json(
        {
            "name": "s",
            "trainable": "m:f",
            "factors": {"backbone": {"scan": {"b": 0}, "vse": {"b": 5}}, "loss": losses},
            "design": {"kind": "full-factorial", "baseline": {"backbone": "scan", "loss": baseline}},
            "search": {
                "metric": "dev/rsum",
                "trials": trials,
                "space": {"x": {"uniform": [0, 1]}, "y": {"uniform": [0, 1]}},
                "share": list(share),
                **search,
            },
            "seeds": {"count": 2},
        }
    )
    arms = tuple(
        Arm(
            f"{backbone}, {loss}",
            {"backbone": backbone, "loss": loss},
            {"b": b, "effect": effect, "x": 0.5, "y": 0.5},
            {"x": X, "y": Y} if loss == "late" else {} if loss == "bare" else {"x": X},
            "d",
            10.0,
        )
        for backbone, b in (("scan", 0), ("vse", 5))
        for effect, loss in enumerate(("early", "late", "bare"))
    )
    # of the other group the first is searched, which must have what the others have
    arms = tuple(replace(arm, space={"x": X, "y": Y}) if arm.name == "vse, early" else arm for arm in arms)
    return Experiment(sweep, arms, next(arm for arm in arms if arm.name == f"scan, {baseline}"))


def outcome(work: Work) -> Record:
    score = work.config["effect"] + work.config["b"] - (work.config["x"] - 0.7) ** 2
    history = tuple(Step(i, {"dev/rsum": score - 1 / i}) for i in (1, 2, 3))
    metrics = {"dev/rsum": score, "test/rsum": score}
    return Record(work, "finished", metrics, history, seconds=2.0)


def complete(plan: Plan, ends: Callable[[Work], Record] = outcome) -> list[Work]:
    given = []
    while (work := plan.next()) is not None:
        given.append(work)
        plan.ended(ends(work))
    return given


def test_the_baseline_is_searched_for_its_group_and_else_the_first_arm() -> None:
    assert experiment().leaders == {"scan, early": "scan, late", "vse, late": "vse, early"}
    assert experiment(share=()).leaders == {}
    assert experiment(share=("loss", "backbone")).leaders == dict.fromkeys(
        ("scan, early", "vse, early", "vse, late"), "scan, late"
    )


def test_an_arm_without_anything_to_search_needs_no_other() -> None:
    plan = reconcile(experiment(), lambda _: None)
    bare = [arm for arm in plan.arms if arm.arm.levels["loss"] == "bare"]
    assert [(arm.values, arm.leader, len(arm.trials)) for arm in bare] == [({}, None, 0)] * 2


def test_only_leaders_have_trials_and_the_others_take_their_values() -> None:
    plan = reconcile(experiment(), lambda _: None)
    given = complete(plan)
    assert plan.done and plan.trials == (6, 6) and plan.runs == (12, 12)
    assert {work.arm for work in given if work.phase == "search"} == {"scan, late", "vse, early"}
    values = {work.arm: dict(work.values) for work in given if work.phase == "final"}
    # a follower has no value of what it does not have
    assert values["scan, early"] == {"x": values["scan, late"]["x"]}
    assert values["vse, late"] == values["vse, early"]
    assert set(values["vse, early"]) == {"x", "y"}


def test_a_followers_seeds_wait_for_the_search_of_its_leader() -> None:
    plan = reconcile(experiment(trials=2), lambda _: None)
    first = next(arm for arm in plan.arms if arm.arm.name == "scan, early")
    assert first.values is None and first.blocked is None and not first.searched
    assert first.next_final() is None and first.next_trial() is None
    while not first.searched:
        work = plan.next()
        assert work is not None and work.arm != "scan, early"
        plan.ended(outcome(work))
    assert first.next_final() is not None


def test_a_leaders_trials_are_those_it_has_without_followers() -> None:
    def trials(**changes: Any) -> list[Work]:
        given = complete(reconcile(experiment(**changes), lambda _: None))
        return [work for work in given if work.phase == "search" and work.arm == "scan, late"]

    assert trials() == trials(share=())


def test_records_of_followers_are_found_again(store: Store) -> None:
    made = experiment()
    keep(store, made)
    plan = reconcile(made, reading(Catalogue(store), []))
    complete(plan, lambda work: store.write(outcome(work)))
    again = reconcile(recall(store), reading(Catalogue(store), []))
    assert again.done and again.next() is None
    # a longer search may find other values, and old ones are there if it does not
    longer = reconcile(experiment(trials=4), reading(Catalogue(store), []))
    follower = next(arm for arm in longer.arms if arm.arm.name == "scan, early")
    assert follower.finals == [None, None] and follower.values is None


def test_what_blocks_the_leader_blocks_its_followers_in_these_words() -> None:
    def broken(work: Work) -> Record:
        if work.phase == "search" and work.arm == "scan, late":
            return Record(work, "failed", failure=Failure("raised", "no"))
        return outcome(work)

    plan = reconcile(experiment(), lambda _: None)
    complete(plan, broken)
    told = {arm.arm.name: arm.blocked for arm in plan.arms}
    assert told["scan, early"] == (
        "its values come from 'scan, late', and none of its 3 search trials finished"
    )
    assert plan.done and plan.runs == (8, 12) and told["vse, late"] is None


def test_a_lost_trial_of_the_leader_holds_its_followers() -> None:
    plan = reconcile(experiment(), lambda _: None)
    complete(plan, lambda work: lost(work, "gone") if work.phase == "search" else outcome(work))
    follower = next(arm for arm in plan.arms if arm.arm.name == "scan, early")
    assert plan.done and follower.lost == 0 and "trial 0 was lost" in str(follower.blocked)


def test_status_says_from_which_arm_values_come() -> None:
    plan = reconcile(experiment(), lambda _: None)
    complete(plan)
    lines = {line.arm: line for line in standing(plan)}
    assert lines["scan, early"].shared_from == "scan, late" and lines["scan, early"].trials == (0, 0)
    assert lines["scan, late"].shared_from is None and lines["scan, late"].trials == (3, 3)
    assert lines["scan, bare"].shared_from is None


def test_the_report_counts_the_leaders_trials_once() -> None:
    plan = reconcile(experiment(), lambda _: None)
    complete(plan)
    tuning = {one.arm: one for one in context_of(plan).tuning}
    follower, leader = tuning["scan, early"], tuning["scan, late"]
    assert (follower.trials, follower.pruned, follower.failed, follower.best) == (0, 0, 0, None)
    assert follower.shared_from == "scan, late" and leader.shared_from is None
    assert follower.values == {"x": leader.values["x"]}
    assert follower.scores == () and follower.edges == () and leader.trials == 3


@pytest.mark.parametrize(
    ("share", "expected"),
    [((), [0, 1, 2, 3]), (("b",), [1, 1, 2, 2]), (("a",), [0, 1, 0, 1]), (("a", "b"), [1, 1, 1, 1])],
)
def test_arms_that_differ_in_shared_factors_alone_are_a_group(
    share: tuple[str, ...], expected: list[int]
) -> None:
    cells = [{"a": a, "b": b} for a in "xy" for b in "12"]
    assert leaders(cells, {"a": "x", "b": "2"}, share) == expected
    assert leaders(cells, None, ("a", "b")) == [0, 0, 0, 0]
