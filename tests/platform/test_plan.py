"""The plan gives out the same work whatever machine is faster, and nothing that is recorded."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crosscut.arms.arm import Arm
from crosscut.arms.experiment import Experiment
from crosscut.plan import Plan, lost, reading, reconcile
from crosscut.records.catalogue import Catalogue
from crosscut.records.record import Failure, Record, Step
from crosscut.records.store import Store
from crosscut.records.work import Work
from crosscut.samplers import SAMPLERS
from crosscut.sweepfile.seeds import SEARCH_SEEDS
from crosscut.sweepfile.space import Parameter
from crosscut.sweepfile.sweep import Sweep


def experiment(trials: int = 4, seeds: int = 3, parallel: int = 1, **search: Any) -> Experiment:
    sweep = Sweep.from_json(
        {
            "name": "s",
            "trainable": "m:f",
            "factors": {"effect": {"none": {"effect": 0}, "some": {"effect": 1}, "fixed": {"effect": 2}}},
            "design": {"kind": "full-factorial", "baseline": {"effect": "none"}},
            "search": {
                "metric": "dev/rsum",
                "trials": trials,
                "parallel": parallel,
                "space": {"x": {"uniform": [0, 1]}},
                **search,
            },
            "seeds": {"count": seeds},
        }
    )
    space = {"x": Parameter.parse({"uniform": [0, 1]})}
    arms = tuple(
        Arm(name, {"effect": name}, {"effect": i, "x": 0.5}, {} if name == "fixed" else space, "d", 10.0)
        for i, name in enumerate(("none", "some", "fixed"))
    )
    return Experiment(sweep, arms, arms[0])


def outcome(work: Work) -> Record:
    """What training would give: a function of the work alone."""
    score = work.config["effect"] - (work.config["x"] - 0.7) ** 2
    history = tuple(Step(i, {"dev/rsum": score - 1 / i}) for i in (1, 2, 3))
    return Record(
        work, "finished", metrics={"dev/rsum": score, "test/rsum": score}, history=history, seconds=2.0
    )


def carry_out(
    plan: Plan,
    slots: int,
    seed: int = 0,
    keep: Callable[[Record], object] = id,
    ends: Callable[[Work], Record] = outcome,
) -> list[Work]:
    """Carry a plan out with so many slots; which running work ends next is drawn."""
    draw = random.Random(seed)
    given: list[Work] = []
    running: list[Work] = []
    while not plan.done:
        while len(running) < slots and (work := plan.next()) is not None:
            running.append(work)
            given.append(work)
        assert running, "the plan neither gives out work nor is done"
        record = ends(running.pop(draw.randrange(len(running))))
        keep(record)
        plan.ended(record)
    return given


def by_key(given: list[Work]) -> dict[str, Work]:
    assert len({work.key for work in given}) == len(given)
    return {work.key: work for work in given}


@pytest.mark.parametrize("parallel", [1, 2, 3])
def test_what_is_given_out_does_not_depend_on_who_is_faster(parallel: int) -> None:
    made = experiment(trials=7, parallel=parallel)
    reference = by_key(carry_out(reconcile(made, lambda _: None), slots=1))
    for seed in range(5):
        again = by_key(carry_out(reconcile(made, lambda _: None), slots=2 + seed, seed=seed))
        assert again == reference


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_no_sampler_asks_who_is_faster(sampler: str) -> None:
    made = experiment(
        trials=7,
        parallel=3,
        sampler=sampler,
        points=[{"x": 0.2}],
        pruning={"kind": "halving", "reduction": 2},
    )
    reference = by_key(carry_out(reconcile(made, lambda _: None), slots=1))
    assert by_key(carry_out(reconcile(made, lambda _: None), slots=5, seed=3)) == reference


@pytest.mark.parametrize("sampler", [name for name, one in SAMPLERS.items() if one.several])
def test_several_metrics_ask_neither_and_a_longer_search_goes_on(sampler: str, store: Store) -> None:
    several = {"metrics": {"dev/rsum": "max", "cost": "min"}, "sampler": sampler, "choose": {"rule": "knee"}}
    short, long = (experiment(trials=trials, seeds=1, parallel=2, **several) for trials in (3, 5))

    def priced(work: Work) -> Record:
        record = outcome(work)
        return replace(record, metrics={**record.metrics, "cost": work.config["x"]})

    reference = by_key(carry_out(reconcile(long, lambda _: None), slots=1, ends=priced))
    carry_out(reconcile(short, reading(Catalogue(store), [])), slots=3, keep=store.write, ends=priced)
    longer = reconcile(long, reading(Catalogue(store), []))
    rest = by_key(carry_out(longer, slots=4, seed=1, keep=store.write, ends=priced))
    searched = {key: work for key, work in rest.items() if work.phase == "search"}
    assert {work.index for work in searched.values()} == {3, 4}
    assert all(reference[key] == work for key, work in searched.items())


def test_a_grid_that_is_smaller_than_the_budget_caps_it() -> None:
    plan = reconcile(experiment(trials=20, sampler="grid", grid_points=3), lambda _: None)
    given = carry_out(plan, slots=2)
    assert [len(arm.trials) for arm in plan.arms] == [3, 3, 0]
    assert {w.config["x"] for w in given if w.phase == "search"} == {0.0, 0.5, 1.0}


def test_points_are_tried_after_the_arms_own_values() -> None:
    given = carry_out(reconcile(experiment(points=[{"x": 0.71}, {"x": 0.2}]), lambda _: None), slots=2)
    for arm in ("none", "some"):
        tried = [w.values["x"] for w in given if w.arm == arm and w.phase == "search"]
        assert tried[:3] == [0.5, 0.71, 0.2] and tried[3] not in tried[:3]
        assert {w.config["x"] for w in given if w.arm == arm and w.phase == "final"} == {0.71}


def test_every_arm_has_the_same_budget_and_the_same_seeds() -> None:
    given = carry_out(reconcile(experiment(), lambda _: None), slots=2)
    for arm in ("none", "some"):
        assert [w.index for w in given if w.arm == arm and w.phase == "search"] == [0, 1, 2, 3]
    for arm in ("none", "some", "fixed"):
        assert sorted(w.seed for w in given if w.arm == arm and w.phase == "final") == [0, 1, 2]


def test_search_seeds_are_disjoint_from_final_seeds_and_paired_over_arms() -> None:
    given = carry_out(reconcile(experiment(), lambda _: None), slots=2)
    assert {w.seed for w in given if w.phase == "search"} == {SEARCH_SEEDS + i for i in range(4)}
    assert all(w.seed < SEARCH_SEEDS for w in given if w.phase == "final")


def test_searches_come_first_and_seeds_fill_what_they_leave() -> None:
    plan = reconcile(experiment(trials=2, seeds=2), lambda _: None)
    first, second = plan.next(), plan.next()
    assert first is not None and (first.arm, first.phase) == ("none", "search")
    assert second is not None and (second.arm, second.phase) == ("some", "search")
    # Both searches wait for their first trial: an arm with nothing to search is trained.
    third = plan.next()
    assert third is not None and (third.arm, third.phase, third.values) == ("fixed", "final", {})
    plan.ended(outcome(first))
    fourth = plan.next()
    assert fourth is not None and (fourth.arm, fourth.phase, fourth.index) == ("none", "search", 1)


def test_seeds_are_given_out_where_searches_of_other_arms_are_held_up() -> None:
    plan = reconcile(experiment(trials=2, seeds=2), lambda _: None)
    given = []
    while (work := plan.next()) is not None:
        given.append(work)
        if work.arm == "none":
            plan.ended(outcome(work))
    assert [(w.arm, w.phase) for w in given] == [
        ("none", "search"),
        ("some", "search"),
        ("none", "search"),
        ("none", "final"),
        ("none", "final"),
        ("fixed", "final"),
        ("fixed", "final"),
    ]


def test_final_runs_use_the_best_values_of_their_own_search() -> None:
    given = carry_out(reconcile(experiment(trials=6), lambda _: None), slots=1)
    for arm in ("none", "some"):
        tried = [w.values["x"] for w in given if w.arm == arm and w.phase == "search"]
        best = min(tried, key=lambda x: abs(x - 0.7))
        assert {w.config["x"] for w in given if w.arm == arm and w.phase == "final"} == {best}


def test_stopped_at_any_moment_the_rest_is_done_and_nothing_twice(tmp_path: Path) -> None:
    made = experiment()
    reference = by_key(carry_out(reconcile(made, lambda _: None), slots=2))
    for stop in range(len(reference)):
        store = Store.create(str(tmp_path / str(stop)), "s")
        plan = reconcile(made, reading(Catalogue(store), []))
        done: list[str] = []
        while len(done) < stop and (work := plan.next()) is not None:
            plan.ended(store.write(outcome(work)))
            done.append(work.key)
        resumed = reconcile(made, reading(Catalogue(store), []))
        rest = by_key(carry_out(resumed, slots=2, seed=stop, keep=store.write))
        assert not set(rest) & set(done)
        assert {**rest, **{k: reference[k] for k in done}} == reference


def test_a_damaged_record_is_set_aside_and_done_again(store: Store) -> None:
    made = experiment()
    carry_out(reconcile(made, reading(Catalogue(store), [])), slots=2, keep=store.write)
    victim = store.recorded()[3]
    (store.runs / victim / "record.json").write_text("{}")
    damaged: list[str] = []
    again = carry_out(
        reconcile(made, reading(Catalogue(store), damaged, mend=True)), slots=2, keep=store.write
    )
    assert [w.key for w in again] == [victim]
    assert len(damaged) == 1 and victim in damaged[0] and "set aside" in damaged[0]
    assert (store.set_aside_folder / f"{victim}.1").is_dir()


def test_looking_at_a_damaged_record_leaves_it_where_it_is(store: Store) -> None:
    made = experiment()
    carry_out(reconcile(made, reading(Catalogue(store), [])), slots=2, keep=store.write)
    victim = store.recorded()[0]
    (store.runs / victim / "record.json").write_text("{}")
    damaged: list[str] = []
    assert not reconcile(made, reading(Catalogue(store), damaged)).done
    assert len(damaged) == 1 and victim in store.recorded()


def test_lost_runs_are_tried_again_and_raised_ones_only_when_asked(store: Store) -> None:
    made = experiment(trials=1, seeds=1)
    plan = reconcile(made, reading(Catalogue(store), []))
    kinds = iter(["raised", "lost", "diverged"])
    while (work := plan.next()) is not None:
        if work.phase == "final":
            record = Record(work, "failed", failure=Failure(next(kinds), "no"))  # type: ignore[arg-type]
        else:
            record = outcome(work)
        plan.ended(store.write(record))
    assert plan.done and len(plan.failures) == 3
    assert reconcile(made, reading(Catalogue(store), [], mend=True)).runs == (2, 3)
    assert reconcile(
        made, reading(Catalogue(store), [], retry=("lost", "raised", "diverged"), mend=True)
    ).runs == (0, 3)
    assert len(list(store.set_aside_folder.iterdir())) == 3


def test_an_arm_whose_trials_all_failed_is_blocked_and_the_others_go_on() -> None:
    plan = reconcile(experiment(), lambda _: None)
    while not plan.done:
        work = plan.next()
        assert work is not None
        broken = work.arm == "some"
        plan.ended(Record(work, "failed", failure=Failure("raised", "no")) if broken else outcome(work))
    assert [arm.blocked for arm in plan.arms] == [None, "none of its 4 search trials finished", None]
    assert plan.runs == (6, 9)


def test_a_longer_search_goes_on_with_the_same_trials(store: Store) -> None:
    carry_out(reconcile(experiment(trials=3), reading(Catalogue(store), [])), slots=2, keep=store.write)
    longer = carry_out(
        reconcile(experiment(trials=5), reading(Catalogue(store), [])), slots=2, keep=store.write
    )
    assert {(w.arm, w.index) for w in longer if w.phase == "search"} == {
        (arm, i) for arm in ("none", "some") for i in (3, 4)
    }


def test_added_seeds_leave_recorded_runs_alone(store: Store) -> None:
    carry_out(reconcile(experiment(seeds=2), reading(Catalogue(store), [])), slots=2, keep=store.write)
    more = carry_out(reconcile(experiment(seeds=4), reading(Catalogue(store), [])), slots=2, keep=store.write)
    assert sorted((w.arm, w.seed) for w in more) == [
        (a, s) for a in ("fixed", "none", "some") for s in (2, 3)
    ]


def test_a_lost_trial_stops_its_arm_until_it_is_tried_again(store: Store) -> None:
    made = experiment()
    reference = by_key(carry_out(reconcile(made, lambda _: None), slots=1))
    plan = reconcile(made, reading(Catalogue(store), []))
    while (work := plan.next()) is not None:
        gone = work.arm == "some" and work.phase == "search" and work.index == 1
        plan.ended(store.write(lost(work, "gone") if gone else outcome(work)))
    assert plan.done and plan.runs == (6, 9)
    # nothing that depends on the lost trial was tried, let alone trained
    assert [r is not None for r in plan.arms[1].trials] == [True, True, False, False]
    assert "trial 1 was lost" in str(plan.arms[1].blocked)
    # a look sees the failure; the next run tries it again and ends as an undisturbed sweep does
    assert len(reconcile(made, reading(Catalogue(store), [], retry=())).failures) == 1
    rest = carry_out(reconcile(made, reading(Catalogue(store), [], mend=True)), slots=2, keep=store.write)
    assert {**by_key(rest), **{k: reference[k] for k in reference if k not in by_key(rest)}} == reference
    assert {work.arm for work in rest} == {"some"}


def test_a_renamed_arm_has_its_records_under_its_new_name(store: Store) -> None:
    made = experiment()
    carry_out(reconcile(made, reading(Catalogue(store), [])), slots=2, keep=store.write)
    arms = tuple(replace(arm, name=f"new {arm.name}") for arm in made.arms)
    renamed = reconcile(Experiment(made.sweep, arms, arms[0]), reading(Catalogue(store), []))
    assert renamed.done
    assert {r.work.arm for a in renamed.arms for r in a.finals if r is not None} == {arm.name for arm in arms}


def test_an_arm_whose_trials_lack_the_metric_is_blocked_in_these_words() -> None:
    plan = reconcile(experiment(trials=1), lambda _: None)
    while (work := plan.next()) is not None:
        plan.ended(Record(work, "finished", metrics={"other": 1.0}))
    assert plan.done
    assert plan.arms[0].blocked == "none of its 1 search trials reported 'dev/rsum'"
