"""The store keeps records whole or not at all, and never throws one away."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from crosscut.errors import InputError
from crosscut.records.record import DamagedRecord, Failure, Record
from crosscut.records.store import Store


def test_a_record_is_found_by_its_key(store: Store, record: Record) -> None:
    assert store.read(record.key) is None
    store.write(record)
    found = store.read(record.key)
    assert found is not None and found.metrics == record.metrics
    assert store.recorded() == [record.key]


def test_a_finished_record_is_immutable(store: Store, record: Record) -> None:
    store.write(record)
    kept = store.write(replace(record, metrics={"test/rsum": 1.0}))
    assert kept.metrics == record.metrics
    found = store.read(record.key)
    assert found is not None and found.metrics == record.metrics


def test_a_failed_record_gives_way_and_is_kept_aside(store: Store, record: Record) -> None:
    failed = Record(record.work, "failed", failure=Failure("lost", "gone"))
    store.write(failed)
    store.write(record)
    found = store.read(record.key)
    assert found is not None and found.status == "finished"
    assert [p.name for p in store.set_aside_folder.iterdir()] == [f"{record.key}.1"]


def test_a_damaged_record_is_noticed_and_gives_way(store: Store, record: Record) -> None:
    store.write(record)
    path = store.runs / record.key / "ranks.npz"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DamagedRecord):
        store.read(record.key)
    store.write(record)
    assert store.read(record.key) is not None
    assert (store.set_aside_folder / f"{record.key}.1" / "ranks.npz").exists()


def test_a_record_under_another_key_is_damaged(store: Store, record: Record) -> None:
    store.write(record)
    (store.runs / record.key).rename(store.runs / "other")
    with pytest.raises(DamagedRecord, match=record.key):
        store.read("other")


def test_a_writer_that_dies_leaves_no_record(
    store: Store, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", die)
    with pytest.raises(KeyboardInterrupt):
        store.write(record)
    assert store.read(record.key) is None and store.recorded() == []


def test_what_killed_writers_left_is_swept_up(store: Store, record: Record) -> None:
    half = store.runs / f".{record.key}.abc"
    half.mkdir()
    (half / "record.json").write_text("{")
    stale = store.checkpoint("k").with_name(".checkpoint.pt")
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"")
    store.write(record)
    store.sweep_up()
    assert not half.exists() and not stale.exists()
    assert store.recorded() == [record.key]


def test_a_storage_that_cannot_be_written_is_refused_by_name(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(InputError, match=r"--storage: .*file.* cannot be written"):
        Store.create(str(blocker), "sweep")


@pytest.mark.parametrize(
    ("storage", "reason"),
    [
        (
            "nowhere://bucket/folder",
            r"--storage: found 'nowhere://bucket/folder', expected a folder or a URI",
        ),
        ("s3:///folder", r"--storage: found 's3:///folder', expected"),
        ("s3://key:secret@bucket/folder", r"--storage: found credentials in the URI"),
    ],
)
def test_a_uri_that_names_no_place_is_refused(storage: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as refused:
        Store.create(storage, "sweep")
    assert "secret@" not in str(refused.value)


def test_opening_a_folder_without_a_sweep_names_those_below_it(
    make_store: Callable[[], Store], tmp_path: Path
) -> None:
    make_store().write_sweep({})
    with pytest.raises(InputError, match=r"no sweep\.json here.*results/sweep"):
        Store.open(str(tmp_path / "results"))
    with pytest.raises(InputError, match="no such folder"):
        Store.open(str(tmp_path / "elsewhere"))
    assert Store.open(str(tmp_path / "results" / "sweep")).read_sweep() == {}


def test_of_several_failures_the_first_stays(store: Store, record: Record) -> None:
    first = store.write(Record(record.work, "failed", failure=Failure("raised", "the cause")))
    kept = store.write(Record(record.work, "failed", failure=Failure("raised", "what it led to")))
    assert kept.failure == first.failure
    assert not store.set_aside_folder.exists()


@pytest.mark.parametrize("content", [b"[]", b"NaN", b'{"checksum": 1e999}', b"[" * 100_000])
def test_whatever_stands_in_a_record_it_is_damaged_and_no_more(
    store: Store, record: Record, content: bytes
) -> None:
    store.write(record)
    (store.runs / record.key / "record.json").write_bytes(content)
    with pytest.raises(DamagedRecord):
        store.read(record.key)


def test_a_file_in_the_place_of_a_record_is_a_damaged_record(store: Store) -> None:
    (store.runs / "key").write_text("")
    with pytest.raises(DamagedRecord, match="cannot be read"):
        store.read("key")


def test_a_storage_that_is_no_path_is_refused(tmp_path: Path) -> None:
    for storage in ("~nobody-of-this-name/results", "x" * 300):
        with pytest.raises(InputError, match=r"--storage: found .*expected the path of a folder"):
            Store.at(storage, "sweep")
    with pytest.raises(InputError, match="expected the path of a folder"):
        Store.open("x" * 300)


def test_scratch_folders_of_a_killed_driver_are_swept_up(store: Store) -> None:
    (store.logs / "crosscut-tune-abc" / "deep").mkdir(parents=True)
    (store.folder / ".sweep.json.abc").write_text("")
    (store.folder / "progress.json").write_text("{}")
    store.sweep_up()
    assert [p.name for p in store.logs.iterdir()] == []
    assert not (store.folder / ".sweep.json.abc").exists() and not (store.folder / "progress.json").exists()
