"""The catalogue: what is known is not read again, and whatever has changed is."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from crosscut.arms.experiment import Experiment
from crosscut.plan import Plan, reading, reconcile
from crosscut.records.catalogue import FILE, Catalogue
from crosscut.records.record import Attempt, DamagedRecord, Failure, Record
from crosscut.records.store import Store


class Counting(Store):
    """Counts the records that are read from their files."""

    reads = 0

    def read(self, key: str) -> Record | None:
        self.reads += 1
        return super().read(key)


@pytest.fixture
def counting(store: Store) -> Counting:
    return Counting(store.place)


def known(store: Store, *records: Record) -> None:
    """Write records and keep an index that knows them."""
    catalogue = Catalogue(store)
    for record in records:
        store.write(record)
        catalogue.add(record)
    catalogue.save()


def test_a_known_record_is_as_good_as_the_one_that_was_written(counting: Counting, record: Record) -> None:
    full = replace(record, notes=("a note",), attempts=(Attempt("lost", "its process died", 3.0),))
    known(counting, full)
    counting.reads = 0
    found = Catalogue(counting).read(record.key)
    assert found is not None and counting.reads == 0
    assert (found.status, found.metrics, found.notes, found.attempts) == (
        full.status,
        full.metrics,
        full.notes,
        full.attempts,
    )
    assert replace(found.work, config={}) == replace(record.work, config={}) and counting.reads == 0
    assert found.work.config == record.work.config
    assert found.history == record.history and counting.reads == 1
    np.testing.assert_array_equal(found.ranks["test/t2i"].ranks, record.ranks["test/t2i"].ranks)
    assert list(found.values) == [] and counting.reads == 1


def test_of_a_search_trial_the_history_is_known(counting: Counting, record: Record) -> None:
    trial = replace(record, work=replace(record.work, phase="search"), ranks={})
    known(counting, trial)
    counting.reads = 0
    found = Catalogue(counting).read(record.key)
    assert found is not None and tuple(found.history) == tuple(record.history) and counting.reads == 0


@pytest.mark.parametrize("name", ["record.json", "ranks.npz"])
def test_what_was_changed_is_read_and_found_damaged(counting: Counting, record: Record, name: str) -> None:
    known(counting, record)
    path = counting.runs / record.key / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DamagedRecord):
        Catalogue(counting).read(record.key)


def test_a_record_that_is_gone_or_new_is_noticed(counting: Counting, record: Record) -> None:
    known(counting, record)
    other = replace(record, work=replace(record.work, key="f" * 20))
    counting.write(other)
    catalogue = Catalogue(counting)
    assert catalogue.keys == sorted([record.key, other.key])
    assert catalogue.read(other.key) is not None
    catalogue.set_aside(record.key)
    assert catalogue.read(record.key) is None and catalogue.keys == [other.key]
    catalogue.save()
    assert list(json.loads((counting.folder / FILE).read_text())["records"]) == [other.key]
    assert Catalogue(counting).read(record.key) is None


@pytest.mark.parametrize("content", ["", "[]", '{"format": 99}', '{"format": 1, "records": 3}'])
def test_an_index_that_is_none_costs_time_and_no_record(
    counting: Counting, record: Record, content: str
) -> None:
    known(counting, record)
    (counting.folder / FILE).write_text(content)
    found = Catalogue(counting).read(record.key)
    assert found is not None and found.metrics == record.metrics


def test_a_failure_is_known_as_one(counting: Counting, record: Record) -> None:
    failed = Record(record.work, "failed", failure=Failure("raised", "no", "Traceback"), seconds=2.0)
    known(counting, failed)
    found = Catalogue(counting).read(record.key)
    assert found is not None and found.failure == failed.failure and found.seconds == 2.0


def test_an_index_that_cannot_be_written_is_no_loss(
    counting: Counting, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    catalogue = Catalogue(counting)
    counting.write(record)
    catalogue.add(record)
    monkeypatch.setattr(type(counting.place), "write", full)
    catalogue.save()
    assert not (counting.folder / FILE).exists()


def test_a_plan_from_the_index_is_the_plan_from_the_files(
    counting: Counting, make_experiment: Callable[..., Experiment], complete: Callable[..., None]
) -> None:
    experiment = make_experiment(seeds=2)

    def planned() -> Plan:
        return reconcile(experiment, reading(Catalogue(counting), []))

    plan = planned()
    complete(plan, store=counting)
    fresh = planned()
    catalogue = Catalogue(counting)
    for arm in plan.arms:
        for record in (*arm.trials, *arm.finals):
            assert record is not None
            catalogue.add(record)
    catalogue.save()
    counting.reads = 0
    again = planned()
    assert again.done and counting.reads == 0
    for one, other in zip(fresh.arms, again.arms, strict=True):
        assert one.values == other.values
        assert [r.metrics for r in one.finals if r] == [r.metrics for r in other.finals if r]
