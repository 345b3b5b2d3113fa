"""The mirror of a sweep's searches: what Optuna finds in it, how it grows, and when it is made anew."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection
from optuna.trial import TrialState

from crosscut import optuna_storage
from crosscut.arms.experiment import Experiment
from crosscut.optuna_storage import FILE, Mirror
from crosscut.plan import Plan, reconcile
from crosscut.records.record import Failure, Record
from crosscut.records.store import Store
from crosscut.records.work import Work

Complete = Callable[..., None]
Outcome = Callable[[Work], Record]


@pytest.fixture
def plan(make_experiment: Callable[..., Experiment]) -> Plan:
    return reconcile(make_experiment(trials=4, seeds=1), lambda _: None)


def studies(path: Path) -> dict[str, optuna.Study]:
    """What Optuna itself finds in the file."""
    storage = JournalStorage(JournalFileBackend(str(path)))
    names = optuna.get_all_study_names(storage)
    return {name: optuna.load_study(study_name=name, storage=storage) for name in names}


def mixed(outcome: Outcome) -> Outcome:
    """Trial 1 is pruned, and trial 2 raises."""

    def of(work: Work) -> Record:
        record = outcome(work)
        if work.phase == "search" and work.index == 1:
            return replace(record, status="pruned")
        if work.phase == "search" and work.index == 2:
            return Record(work, "failed", failure=Failure("raised", "ValueError: no"), started=1.0, ended=2.0)
        return record

    return of


def test_nothing_is_imported_once_runs_end_for_an_interruption_would_leave_half_of_it(
    plan: Plan, store: Store, complete: Complete, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(plan)
    for name in [name for name in sys.modules if name.partition(".")[0] == "optuna"]:
        monkeypatch.delitem(sys.modules, name)

    class Closed:
        def find_spec(self, name: str, *_: object) -> None:
            if name.partition(".")[0] == "optuna":
                raise ImportError(name)

    mirror = Mirror(plan, store)
    monkeypatch.setattr(sys, "meta_path", [Closed(), *sys.meta_path])
    assert mirror.update()
    assert len(studies(mirror.path)) == 2


def test_optuna_finds_a_study_for_every_arm_with_all_that_is_known_of_its_trials(
    plan: Plan, store: Store, complete: Complete, outcome: Outcome
) -> None:
    complete(plan, mixed(outcome))
    assert Mirror(plan, store).update()
    found = studies(store.folder / FILE)
    assert list(found) == sorted(found) == ["1 none", "2 some"]
    for arm, study in zip(plan.arms, found.values(), strict=True):
        assert study.directions == [StudyDirection.MAXIMIZE] and study.metric_names == ["dev/rsum"]
        assert study.user_attrs["arm"] == study.user_attrs["effect"] == arm.arm.name
        states = [TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL, TrialState.COMPLETE]
        for number, (trial, record, state) in enumerate(zip(study.trials, arm.trials, states, strict=True)):
            assert record is not None
            assert (trial.number, trial.state) == (number, state)
            assert trial.params == dict(record.work.values)
            assert trial.distributions == {"x": optuna.distributions.FloatDistribution(0, 1)}
            assert trial.user_attrs["record"] == record.key
            assert (trial.user_attrs["arm"], trial.user_attrs["seed"]) == (arm.arm.name, record.work.seed)
            if state == TrialState.FAIL:
                assert trial.values is None and trial.user_attrs["failure"] == "raised: ValueError: no"
                continue
            best = max(step.metrics["dev/rsum"] for step in record.history)
            assert trial.value == max(best, record.metrics["dev/rsum"])
            assert trial.intermediate_values == {s.step: s.metrics["dev/rsum"] for s in record.history}
            assert (
                trial.duration is not None and trial.duration.total_seconds() == record.ended - record.started
            )
        finished = [t for t in study.trials if t.state == TrialState.COMPLETE]
        assert study.best_trial.value == max(t.value for t in finished if t.value is not None)


def test_it_grows_by_what_is_new_alone(plan: Plan, store: Store, complete: Complete) -> None:
    mirror, path = Mirror(plan, store), store.folder / FILE
    assert not mirror.update() and not path.exists(), "nothing has ended"
    complete(plan, most=3)
    assert mirror.update()
    first = path.read_bytes()
    complete(plan, most=2)
    assert Mirror(plan, store).update(), "another driver goes on with it"
    second = path.read_bytes()
    assert second.startswith(first) and len(second) > len(first)
    assert second.count(b'"op_code":4') == 5
    complete(plan)
    assert mirror.update() and not mirror.update()
    assert path.read_bytes().startswith(second)
    assert [len(study.trials) for study in studies(path).values()] == [4, 4]


def test_trials_have_the_numbers_that_they_have_in_the_sweep(
    make_experiment: Callable[..., Experiment], store: Store, outcome: Outcome
) -> None:
    plan = reconcile(make_experiment(trials=3, search={"parallel": 2}), lambda _: None)
    mirror = Mirror(plan, store)
    given = [work for _ in range(4) if (work := plan.next()) is not None and work.arm == "none"]
    first, second = given
    assert (first.index, second.index) == (0, 1)
    plan.ended(outcome(second))
    assert not mirror.update(), "the first one still runs"
    plan.ended(outcome(first))
    assert mirror.update()
    (study,) = studies(mirror.path).values()
    assert [trial.user_attrs["record"] for trial in study.trials] == [first.key, second.key]


def test_what_somebody_notes_in_it_stays(plan: Plan, store: Store, complete: Complete) -> None:
    complete(plan, most=4)
    mirror = Mirror(plan, store)
    mirror.update()
    studies(mirror.path)["1 none"].set_user_attr("note", "mine")
    complete(plan)
    assert mirror.update()
    assert studies(mirror.path)["1 none"].user_attrs["note"] == "mine"
    assert [len(study.trials) for study in studies(mirror.path).values()] == [4, 4]


def _torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def _foreign(path: Path) -> None:
    optuna.create_study(study_name="mine", storage=JournalStorage(JournalFileBackend(str(path))))


def _further(path: Path) -> None:
    study = studies(path)["1 none"]
    study.add_trial(optuna.trial.create_trial(state=TrialState.COMPLETE, value=1e9))


def _other(path: Path) -> None:
    path.write_text('{"op_code": 4, "study_id": 7}\n[]\n')


def _altered(path: Path) -> None:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    next(line for line in lines if line["op_code"] == 4)["params"]["x"] = 0.123
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def _nonsense(path: Path) -> None:
    path.write_text('{"op_code": 4, "worker_id": "w", "study_id": "seven"}\n{}\n')


@pytest.mark.parametrize("spoil", [_torn, _foreign, _further, _other, _altered, _nonsense, Path.unlink])
def test_it_is_made_anew_where_it_says_something_else(
    plan: Plan, store: Store, complete: Complete, spoil: Callable[[Path], None]
) -> None:
    complete(plan)
    mirror = Mirror(plan, store)
    mirror.update()
    spoil(mirror.path)
    assert mirror.update() and not mirror.update()
    found = studies(mirror.path)
    assert list(found) == ["1 none", "2 some"]
    for arm, study in zip(plan.arms, found.values(), strict=True):
        assert [t.user_attrs["record"] for t in study.trials] == [r.key for r in arm.trials if r is not None]
        assert [t.params for t in study.trials] == [dict(r.work.values) for r in arm.trials if r is not None]


def test_a_trial_that_was_tried_again_takes_the_place_of_its_failure(
    make_experiment: Callable[..., Experiment], store: Store, complete: Complete, outcome: Outcome
) -> None:
    experiment = make_experiment(trials=4, seeds=1)
    plan = reconcile(experiment, lambda _: None)
    complete(plan, mixed(outcome))
    Mirror(plan, store).update()
    again = reconcile(experiment, lambda _: None)
    complete(again)
    mirror = Mirror(again, store)
    assert mirror.update()
    assert {t.state for study in studies(mirror.path).values() for t in study.trials} == {TrialState.COMPLETE}


def test_several_metrics_are_several_directions(
    make_experiment: Callable[..., Experiment], store: Store, complete: Complete, outcome: Outcome
) -> None:
    experiment = make_experiment(
        trials=3,
        seeds=1,
        search={"metric": "dev/rsum", "metrics": {"dev/rsum": "max", "seconds": "min"}, "sampler": "nsga2"},
    )

    def pruned(work: Work) -> Record:
        record = outcome(work)
        return replace(record, status="pruned") if work.phase == "search" and work.index == 1 else record

    plan = reconcile(experiment, lambda _: None)
    complete(plan, pruned)
    mirror = Mirror(plan, store)
    assert mirror.update() and not mirror.update()
    for arm, study in zip(plan.arms, studies(mirror.path).values(), strict=True):
        assert study.directions == [StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE]
        assert study.metric_names == ["dev/rsum", "seconds"]
        first, second, third = study.trials
        assert (second.state, second.values) == (TrialState.PRUNED, None)
        for trial, record in ((first, arm.trials[0]), (third, arm.trials[2])):
            assert record is not None and trial.values == [record.metrics["dev/rsum"], record.seconds]


def test_a_sweep_without_a_search_has_none(
    make_experiment: Callable[..., Experiment], store: Store, complete: Complete
) -> None:
    plan = reconcile(make_experiment(trials=0), lambda _: None)
    complete(plan)
    assert not Mirror(plan, store).update() and not (store.folder / FILE).exists()


def test_it_is_not_brought_up_to_date_more_often_than_asked(
    plan: Plan, store: Store, complete: Complete
) -> None:
    complete(plan, most=3)
    mirror = Mirror(plan, store)
    assert mirror.update(every=3600)
    complete(plan)
    assert not mirror.update(every=3600)
    assert mirror.update(), "but at the end"


def test_a_disk_that_is_full_ends_no_sweep(
    plan: Plan, store: Store, complete: Complete, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> Any:
        raise OSError(28, "No space left on device")

    complete(plan, most=3)
    with monkeypatch.context() as patch:
        patch.setattr(optuna_storage, "whole", full)
        mirror = Mirror(plan, store)
        assert not mirror.update() and not mirror.path.exists()
    assert mirror.update() and mirror.path.exists()


def test_a_sweep_in_a_bucket_has_it_there(
    plan: Plan,
    bucket: Callable[[], str],
    complete: Complete,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    uri = bucket()
    monkeypatch.setenv("CROSSCUT_SCRATCH", str(tmp_path / "here"))
    complete(plan, most=3)
    store = Store.create(uri, "sweep")
    assert Mirror(plan, store).update()
    first = store.place.read(FILE)
    monkeypatch.setenv("CROSSCUT_SCRATCH", str(tmp_path / "on another machine"))
    complete(plan)
    again = Store.create(uri, "sweep")
    assert Mirror(plan, again).update()
    assert again.place.read(FILE).startswith(first) and len(again.place.read(FILE)) > len(first)
