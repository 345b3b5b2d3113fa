"""Tries that came to nothing: why, how often, and what becomes of the run."""

from __future__ import annotations

import contextlib
import errno
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from crosscut.arms.experiment import Experiment
from crosscut.checkpoints import Checkpoints
from crosscut.engine import engine
from crosscut.engine import searcher as searchers
from crosscut.engine.capacity import Capacity, Node
from crosscut.engine.cluster import Cluster, ClusterLost
from crosscut.engine.ending import ending_of, is_storage, lacks_memory
from crosscut.engine.groups import Groups
from crosscut.engine.searcher import PlanSearcher
from crosscut.engine.site import Site
from crosscut.plan import Plan, reconcile
from crosscut.records.attempts import Attempts
from crosscut.records.record import Attempt, Record
from crosscut.records.store import Store
from crosscut.records.work import Work

Make = Callable[..., Experiment]

DIED = "The actor died unexpectedly before finishing this task.\n\tclass_name: ImplicitFunc"


@pytest.mark.parametrize(
    ("told", "kind", "reason"),
    [
        (DIED, "lost", "its process died"),
        ("The actor is dead because its node has died. Node Id: ab", "lost", "its machine left the cluster"),
        ("The node was running low on memory; the worker was killed", "memory", "ran short of memory"),
        (
            "RayTaskError\nOSError: [Errno 5] Input/output error",
            "lost",
            "OSError: [Errno 5] Input/output error",
        ),
        ("", "lost", "Ray does not say why"),
        (None, "lost", "its workers ended without a result"),
    ],
)
def test_what_ray_says_becomes_a_kind_and_a_sentence(
    store: Store, told: str | None, kind: str, reason: str
) -> None:
    found = ending_of(store, "k", told)
    assert found.kind == kind and reason in found.reason and "\n" not in found.reason


def test_what_a_worker_left_is_better_than_what_ray_says_and_is_told_once(store: Store) -> None:
    Attempts(store, "k").leave("stalled", "it reported nothing")
    Attempts(store, "k").leave("memory", "a later word")
    assert ending_of(store, "k", DIED).reason == "it reported nothing"
    assert ending_of(store, "k", DIED).reason == "its process died"


def test_tries_are_counted_until_they_are_forgotten(store: Store) -> None:
    attempts = Attempts(store, "k")
    attempts.add(Attempt("lost", "one"))
    assert [one.reason for one in attempts.add(Attempt("memory", "two"))] == ["one", "two"]
    store.place.write("checkpoints/k/attempts.json", b"[3")
    assert attempts.read() == ()
    attempts.add(Attempt("lost", "three"))
    attempts.forget()
    assert attempts.read() == () and not store.place.files("checkpoints/k")


def test_errors_of_disks_and_of_memory_are_told_from_the_codes_own() -> None:
    assert is_storage(OSError(errno.ENOSPC, "full")) and not is_storage(FileNotFoundError(2, "no"))
    wrapped = RuntimeError("cannot save")
    wrapped.__cause__ = OSError(errno.EROFS, "read-only")
    assert is_storage(wrapped) and not is_storage(RuntimeError("cannot save"))
    assert lacks_memory(MemoryError()) and not lacks_memory(ValueError("memory of an elephant"))
    assert lacks_memory(RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"))


class Told:
    """What a searcher tells."""

    def __init__(self) -> None:
        self.given: list[Work] = []
        self.ended: list[Record] = []
        self.again: list[tuple[Work, Attempt]] = []


@pytest.fixture
def make_searcher(store: Store) -> Callable[..., tuple[PlanSearcher, Plan, Told]]:
    def make(
        experiment: Experiment, cpus: float = 8.0, together: bool = True
    ) -> tuple[PlanSearcher, Plan, Told]:
        plan, told = reconcile(experiment, lambda key: None), Told()
        cluster = Cluster(Capacity({"here": Node(cpus)}), own=True, start=lambda: None)
        made = PlanSearcher(
            plan,
            store,
            cluster,
            told.given.append,
            told.ended.append,
            lambda work, attempt: told.again.append((work, attempt)),
            Groups(cluster.capacity, Site("results", ".", None)),
            together,
        )
        return made, plan, told

    return make


def test_a_lost_run_is_given_out_again_after_growing_waits_and_then_given_up(
    make_searcher: Callable[..., Any],
    make_experiment: Make,
    outcome: Callable[[Work], Record],
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(searchers, "FIRST_WAIT", 0.05)
    searcher, plan, told = make_searcher(make_experiment(trials=0, seeds=1, resources={"retries": 2}))
    config = searcher.suggest("trial-0")
    other = searcher.suggest("other")
    waits = []
    for number in range(3):
        begun = time.monotonic()
        while config is None:
            config = searcher.suggest(f"trial-{number}")
            time.sleep(0.001)
        waits.append(time.monotonic() - begun)
        work = Work.from_json(config["works"][0])
        searcher.outcome(f"trial-{number}", DIED)
        config = None
    assert waits[1] >= 0.045 and waits[2] >= 0.09
    (record,) = told.ended
    store.write(outcome(Work.from_json(other["works"][0])))
    searcher.on_trial_complete("other", {})
    assert plan.done and searcher.suggest("none") == searchers.Searcher.FINISHED
    assert len(told.given) == 2 and [attempt.kind for _, attempt in told.again] == ["lost", "lost"]
    assert record.key == work.key and record.failure is not None
    assert record.failure.reason == "its process died (the last of 3 tries)"
    assert [attempt.reason for attempt in record.attempts] == ["its process died"] * 2
    kept = store.read(work.key)
    assert kept is not None and kept.attempts == record.attempts
    assert not store.place.files(f"checkpoints/{work.key}")
    assert plan.runs == (2, 2)


def test_no_more_is_given_out_than_there_is_room_for(
    make_searcher: Callable[..., Any], make_experiment: Make, store: Store, outcome: Callable[[Work], Record]
) -> None:
    searcher, _, told = make_searcher(make_experiment(trials=0, seeds=3), cpus=2.0)
    first = searcher.suggest("a")
    assert first is not None and searcher.suggest("b") is not None and searcher.suggest("c") is None
    assert len(told.given) == 2
    store.write(outcome(Work.from_json(first["works"][0])))
    searcher.on_trial_complete("a", {})
    assert len(told.ended) == 1 and searcher.suggest("c") is not None and searcher.suggest("d") is None


def test_what_comes_next_is_thought_of_when_what_was_given_out_has_started(
    make_searcher: Callable[..., Any],
    make_experiment: Make,
    store: Store,
    outcome: Callable[[Work], Record],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    searcher, plan, _ = make_searcher(make_experiment(trials=0, seeds=3), cpus=1.0)
    thought: list[str] = []
    think = plan.next
    monkeypatch.setattr(plan, "next", lambda: thought.append("of") or think())
    first = searcher.suggest("a")
    # Tune asks for more before it starts the first: no core is free, so it is told at once that there is none.
    assert searcher.suggest("b") is None and len(thought) == 1
    assert searcher.suggest("b") is None and len(thought) == 2
    store.write(outcome(Work.from_json(first["works"][0])))
    searcher.on_trial_complete("a", {})
    assert searcher.suggest("b") is not None and len(thought) == 2


def test_of_seeds_that_go_together_each_ends_by_itself(
    make_searcher: Callable[..., Any],
    make_experiment: Make,
    store: Store,
    outcome: Callable[[Work], Record],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(searchers, "FIRST_WAIT", 0.0)
    made = make_experiment(trials=0, seeds=3)
    experiment = replace(made, arms=tuple(replace(arm, together=3) for arm in made.arms))
    searcher, _, told = make_searcher(experiment, cpus=1.0)
    works = [Work.from_json(plain) for plain in searcher.suggest("a")["works"]]
    assert [work.seed for work in works] == [0, 1, 2] and told.given == works
    assert searcher.suggest("b") is None
    for work in works[1:]:
        store.write(outcome(work))
    searcher.on_trial_complete("a", {})
    assert [record.key for record in told.ended] == [work.key for work in works[1:]]
    assert [work for work, _ in told.again] == works[:1]
    # It is tried again alone, in the room that all of them had.
    assert [Work.from_json(plain) for plain in searcher.suggest("b")["works"]] == works[:1]
    alone, _, _ = make_searcher(make_experiment(trials=0, seeds=3), cpus=1.0)
    assert len(alone.suggest("a")["works"]) == 1


def test_limits_and_the_flag_keep_seeds_apart(
    make_searcher: Callable[..., Any], make_experiment: Make
) -> None:
    for resources, together in (({"time_limit": 60}, True), ({}, False)):
        made = make_experiment(trials=0, seeds=3, resources=resources)
        experiment = replace(made, arms=tuple(replace(arm, together=3) for arm in made.arms))
        searcher, _, _ = make_searcher(experiment, cpus=1.0, together=together)
        assert len(searcher.suggest("a")["works"]) == 1


def test_what_ran_on_a_lost_cluster_is_tried_again_unless_it_has_a_record(
    make_searcher: Callable[..., Any],
    make_experiment: Make,
    store: Store,
    outcome: Callable[[Work], Record],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(searchers, "FIRST_WAIT", 0.0)
    searcher, _, told = make_searcher(make_experiment(trials=0, seeds=3), cpus=2.0)
    first, second = searcher.suggest("a"), searcher.suggest("b")
    searcher.error = ClusterLost("the raylet of this machine has died")
    store.write(outcome(Work.from_json(first["works"][0])))
    searcher.lost(str(searcher.error))
    assert searcher.error is None
    assert [record.key for record in told.ended] == [Work.from_json(first["works"][0]).key]
    ((work, attempt),) = told.again
    assert work == Work.from_json(second["works"][0])
    assert (attempt.kind, attempt.reason) == ("lost", "the raylet of this machine has died")
    # There is room for it and for one more.
    assert searcher.suggest("c") == second
    assert searcher.suggest("d") is not None and searcher.suggest("e") is None


@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize("own", [True, False])
def test_a_cluster_of_ones_own_is_started_anew_unless_nothing_ends_on_it(
    store: Store,
    make_experiment: Make,
    outcome: Callable[[Work], Record],
    own: bool,
    ends: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    starts: list[None] = []
    cluster = Cluster(Capacity({"here": Node(1.0)}), own=True, start=lambda: starts.append(None))
    cluster.own = own
    plan = reconcile(make_experiment(trials=0, seeds=3), lambda key: None)
    runs = plan.runs[1]

    def dies(searcher: PlanSearcher, *_: Any) -> None:
        if ends:
            config = searcher.suggest("trial")
            assert config is not None
            store.write(outcome(Work.from_json(config["works"][0])))
        raise ClusterLost("the raylet of this machine has died")

    monkeypatch.setattr(engine, "_experiment", dies)
    ended: list[Record] = []
    lost = contextlib.nullcontext() if own and ends else pytest.raises(ClusterLost)
    with lost:
        engine.carry_out(
            plan,
            store,
            Site(store.place.name, "", None),
            cluster,
            given=lambda work: None,
            ended=ended.append,
            again=lambda work, attempt: None,
        )
    assert (len(starts), len(ended)) == (
        (runs, runs) if own and ends else (engine.REVIVALS, 0) if own else (0, 0)
    )


def test_what_a_store_cannot_take_ends_the_sweep_with_its_own_error(
    make_searcher: Callable[..., Any], make_experiment: Make, monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    searcher, _, _ = make_searcher(make_experiment(trials=0, seeds=1))
    monkeypatch.setattr(store, "_patience", 0.0)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    assert searcher.suggest("a") is not None
    monkeypatch.setattr(type(store.place), "write", full)
    with pytest.raises(OSError, match="No space left"):
        searcher.outcome("a", DIED)
    assert isinstance(searcher.error, OSError)


def test_a_record_that_cannot_be_written_for_a_while_is_written_then(
    store: Store, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, failures = type(store.place).put, iter([OSError(errno.ENOSPC, "full"), OSError(errno.EIO, "gone")])

    def sometimes(*arguments: Any) -> bool:
        for failure in failures:
            raise failure
        return put(*arguments)

    monkeypatch.setattr(type(store.place), "put", sometimes)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    assert store.write(record) == record and store.read(record.key) is not None


@pytest.mark.parametrize(("keep", "kept"), [("none", 0), ("best", 2), ("all", 6)])
def test_checkpoints_of_finished_runs_stay_as_is_asked(
    store: Store, make_experiment: Make, outcome: Callable[[Work], Record], keep: str, kept: int
) -> None:
    plan = reconcile(
        make_experiment(trials=0, seeds=3, resources={"keep_checkpoints": keep}), lambda key: None
    )
    checkpoints = Checkpoints(plan, store)
    best: dict[str, tuple[float, str]] = {}
    while (work := plan.next()) is not None:
        store.place.write(f"checkpoints/{work.key}/checkpoint.pt", b"")
        record = outcome(work)
        score = (len(best) + work.seed * 7 % 3) * 1.0
        record.metrics["dev/rsum"] = score  # type: ignore[index]
        best[work.arm] = max(best.get(work.arm, (-1.0, "")), (score, work.key))
        plan.ended(store.write(record))
        checkpoints.ended(record)
    left = {name.partition("/")[0] for name in store.place.files("checkpoints")}
    assert len(left) == kept
    if keep == "best":
        assert left == {key for _, key in best.values()}
        # a driver that starts later finds the same best ones
        Checkpoints(plan, store)
        assert {name.partition("/")[0] for name in store.place.files("checkpoints")} == left
