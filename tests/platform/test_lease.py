"""Leases: locks in a place without locks."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from crosscut.errors import InputError
from crosscut.records import lease
from crosscut.records.lease import Taken, entries, leased
from crosscut.records.lock import driving, held, holder, working
from crosscut.records.object_place import ObjectPlace


@pytest.fixture
def place(tmp_path: Path) -> ObjectPlace:
    from pyarrow.fs import LocalFileSystem

    return ObjectPlace("local:///storage", LocalFileSystem(), str(tmp_path))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LIFE", 1.0)
    monkeypatch.setattr(lease, "BEAT", 0.1)


def test_one_holds_it_and_another_is_told(place: ObjectPlace) -> None:
    with leased(place, "lock", {"pid": 7}):
        assert entries(place, "lock") == [{"pid": 7}]
        with pytest.raises(Taken), leased(place, "lock", {"pid": 8}, patience=0.1):
            pass
        assert entries(place, "lock") == [{"pid": 7}]
    assert entries(place, "lock") == []
    with leased(place, "lock", {"pid": 8}):
        pass


def test_of_many_that_come_at_once_never_two_hold(place: ObjectPlace) -> None:
    inside: list[int] = []
    most: list[int] = []

    def come(number: int) -> None:
        with leased(place, "lock", {}, patience=60.0):
            inside.append(number)
            most.append(len(inside))
            time.sleep(0.01)
            inside.remove(number)

    threads = [threading.Thread(target=come, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 5


@pytest.mark.usefixtures("quick")
def test_an_entry_lives_while_its_holder_beats_and_is_dead_soon_after(place: ObjectPlace) -> None:
    with leased(place, "lock", {}):
        time.sleep(1.5)
        with pytest.raises(Taken), leased(place, "lock", {}, patience=0.1):
            pass
    place.write("lock/of-one-that-was-killed", b"{}")
    with leased(place, "lock", {}, patience=10.0):
        assert not place.is_file("lock/of-one-that-was-killed")


@pytest.mark.usefixtures("quick")
def test_who_lost_it_is_told_once(place: ObjectPlace) -> None:
    told = threading.Event()
    with leased(place, "lock", {}, lost=told.set):
        for name in place.files("lock"):
            place.remove(f"lock/{name}")
        assert told.wait(10)


@pytest.mark.usefixtures("quick")
def test_a_sweep_in_an_object_store_has_one_driver_and_waits_for_workers(place: ObjectPlace) -> None:
    with driving(place, patience=0.1):
        assert held(place) and "process" in holder(place)
        with pytest.raises(InputError, match="holds this sweep"), driving(place):
            pass
    assert not held(place)
    with (
        working(place),
        working(place),
        pytest.raises(InputError, match="workers of an earlier driver still train"),
        driving(place, patience=0.1),
    ):
        pass
    with driving(place, patience=0.1):
        pass
