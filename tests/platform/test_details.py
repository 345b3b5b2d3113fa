"""The details of a record come back, are read only when they are asked for, and are known to be damaged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crosscut.records.details import Details
from crosscut.records.record import DamagedRecord, Record
from crosscut.records.store import Store
from crosscut.shelf import RecordShelf
from crosscut_trainables.evaluation import QueryExample, QueryRanking


def example(query: int, weights: list[list[float]] | None, picture: bool = True) -> QueryExample:
    return QueryExample(
        query=query,
        words=("a", "seven"),
        boxes=np.array([[0, 0, 0.5, 1], [0.5, 0, 1, 1], [0, 0, 1, 1]], np.float32),
        attention=None if weights is None else np.array(weights, np.float32),
        picture=np.arange(18, dtype=np.uint8).reshape(2, 3, 3) if picture else None,
    )


ATTENDED = [[0.25, 0.5, 0.25], [0.0, 1.0, 0.0]]
DETAILS = Details(
    rankings={
        "test/i2t": QueryRanking(np.array([[3, 1], [0, 2]], np.int32), 4),
        "test/t2i": QueryRanking(np.array([[70_000]], np.int32), 70_001),
    },
    examples={"test/t2i": (example(4, ATTENDED), example(9, None, picture=False), example(11, ATTENDED))},
)


@pytest.fixture
def store(tmp_path: Path, record: Record) -> Store:
    store = Store.create(str(tmp_path), "sweep")
    store.write(replace(record, details=DETAILS))
    return store


def test_details_come_back_and_the_record_comes_without_them(store: Store, record: Record) -> None:
    read = store.read(record.key)
    assert read is not None and read.details is None and read.metrics == record.metrics
    found = store.details(record.key)
    for name, ranking in DETAILS.rankings.items():
        np.testing.assert_array_equal(found.rankings[name].items, ranking.items)
        assert found.rankings[name].items.dtype == np.int32
        assert found.rankings[name].gallery == ranking.gallery
    for back, told in zip(found.examples["test/t2i"], DETAILS.examples["test/t2i"], strict=True):
        assert (back.query, back.words) == (told.query, told.words)
        np.testing.assert_array_equal(back.boxes, told.boxes)
        for part in ("attention", "picture"):
            one, other = getattr(back, part), getattr(told, part)
            assert (one is None) == (other is None)
            if one is not None:
                np.testing.assert_array_equal(one, other)
                assert one.dtype == other.dtype


@pytest.mark.parametrize("name", ["rankings.npz", "examples.npz"])
def test_damaged_details_are_noticed_and_leave_the_record_sound(
    store: Store, record: Record, name: str
) -> None:
    path = store.runs / record.key / name
    path.write_bytes(path.read_bytes()[:-1])
    assert store.read(record.key) is not None
    with pytest.raises(DamagedRecord, match=f"{name} does not have its checksum"):
        store.details(record.key)
    path.unlink()
    with pytest.raises(DamagedRecord, match=f"{name} is missing"):
        store.details(record.key)


def test_a_record_of_old_has_no_details(tmp_path: Path, record: Record) -> None:
    store = Store.create(str(tmp_path), "sweep")
    store.write(record)
    assert store.details(record.key) == Details()
    with pytest.raises(DamagedRecord, match=r"record\.json is missing"):
        store.details("0" * 20)


def test_a_shelf_averages_attention_over_the_runs_of_an_arm() -> None:
    halves = [[0.75, 0.0, 0.25], [0.0, 0.5, 0.5]]
    records = {
        "a": Details(examples={"test/t2i": (example(4, ATTENDED),)}),
        "b": Details(examples={"test/t2i": (example(4, halves),)}),
        "c": Details(examples={"test/t2i": (example(4, None),)}),
    }
    asked: list[str] = []

    def read(key: str) -> Details:
        asked.append(key)
        if key == "damaged":
            raise DamagedRecord("gone")
        return records[key]

    shelf = RecordShelf("test/t2i", {"one": ["damaged", "a", "b"], "two": ["c"], "none": []}, read)
    assert shelf.queries == (4,)
    view = shelf.view(4, ["one", "two", "none"])
    assert view.words == ("a", "seven") and view.picture is not None
    assert set(view.attention) == {"one"}
    np.testing.assert_allclose(view.attention["one"], [[0.5, 0.25, 0.25], [0.0, 0.75, 0.25]])
    assert shelf.view(4, ["none"]).attention == {}
    assert sorted(asked) == ["a", "b", "c", "damaged"], "each is read once"


def test_a_shelf_without_examples_has_no_queries() -> None:
    assert RecordShelf("test/t2i", {"one": ["a"], "two": []}, lambda key: Details()).queries == ()
