"""What a sweep asks for no longer: kept, told, and removed on demand alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crosscut.arms.experiment import Experiment
from crosscut.leftovers import Leftover, counted, others_left, records_left
from crosscut.plan import Plan, reading, reconcile
from crosscut.records.catalogue import Catalogue
from crosscut.records.lock import driving
from crosscut.records.snapshot import keep
from crosscut.records.store import Store

Make = Callable[..., Experiment]
Complete = Callable[..., None]


@pytest.fixture
def filled(store: Store, make_experiment: Make, complete: Complete) -> Store:
    """Three arms with three seeds and two trials each, all recorded."""
    experiment = make_experiment(levels=("none", "some", "more"), seeds=3)
    complete(planned(experiment, store), store=store)
    keep(store, experiment)
    return store


def planned(experiment: Experiment, store: Store) -> Plan:
    return reconcile(experiment, reading(Catalogue(store), []))


def left(experiment: Experiment, store: Store) -> list[Leftover]:
    return list(records_left(planned(experiment, store), Catalogue(store), store))


def test_all_that_is_asked_for_is_no_leftover(filled: Store, make_experiment: Make) -> None:
    assert left(make_experiment(levels=("none", "some", "more"), seeds=3), filled) == []
    assert left(make_experiment(levels=("none", "some", "more"), seeds=5), filled) == []


def test_fewer_seeds_and_arms_leave_their_records_over(filled: Store, make_experiment: Make) -> None:
    fewer = left(make_experiment(levels=("none", "some", "more"), seeds=1), filled)
    assert [one.kind for one in fewer] == ["run"] * 6
    assert {one.arm for one in fewer} == {"none", "some", "more"}
    assert all(one.size > 0 and (filled.folder / one.name).is_dir() for one in fewer)
    gone = left(make_experiment(seeds=3), filled)
    assert counted(gone) in ("3 runs and 2 search trials", "2 search trials and 3 runs")
    assert {one.arm for one in gone} == {"more"}


def test_while_a_search_is_open_none_of_its_runs_is_left_over(filled: Store, make_experiment: Make) -> None:
    assert left(make_experiment(levels=("none", "some", "more"), seeds=3, trials=4), filled) == []


def test_checkpoints_and_what_was_set_aside_are_left_over_and_artifacts_on_demand(
    filled: Store, make_experiment: Make
) -> None:
    plan = planned(make_experiment(seeds=3), filled)
    kept = plan.arms[0].final_key(0)
    assert kept is not None
    for name in (f"checkpoints/{kept}/checkpoint.pt", "checkpoints/stranger/checkpoint.pt"):
        filled.place.write(name, b"123")
    filled.place.write("set-aside/k.1/record.json", b"{}")
    filled.place.write("artifacts/stage-abc/artifact.pt", b"12345")
    found = {one.name: one.size for one in others_left(plan, filled, artifacts=False)}
    assert found == {"checkpoints/stranger": 3, "set-aside/k.1": 2}
    assert {one.name for one in others_left(plan, filled, artifacts=True)} - found.keys() == {
        "artifacts/stage-abc"
    }


def test_prune_lists_and_removes_on_yes_alone(
    filled: Store, make_experiment: Make, crosscut: Callable[..., Any], tmp_path: Path
) -> None:
    keep(filled, make_experiment(seeds=2))
    before = sorted(tmp_path.rglob("*"))
    answer = crosscut("prune", str(filled.folder))
    assert answer.code == 0 and "search trial of the arm 'more'" in answer.output
    assert "--yes removes this; nothing was changed" in answer.output
    assert sorted(tmp_path.rglob("*")) == before
    with driving(filled.place):
        refused = crosscut("prune", str(filled.folder), "--yes")
        assert refused.code == 2 and "holds this sweep" in refused.errors
    answer = crosscut("prune", str(filled.folder), "--yes")
    assert answer.code == 0 and "removed: " in answer.output
    assert len(filled.recorded()) == 4 + 4
    assert planned(make_experiment(seeds=2), filled).done
    assert "nothing is left over" in crosscut("prune", str(filled.folder)).output
