"""Places: the same on a disk, through any file system of pyarrow's, and in an S3 bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crosscut.errors import InputError
from crosscut.records.local_place import LocalPlace, whole
from crosscut.records.object_place import ObjectPlace
from crosscut.records.place import Place, joined, place_of

Bucket = Callable[[], str]


@pytest.fixture(params=["disk", "pyarrow-disk", "pyarrow-mock", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    from pyarrow.fs import LocalFileSystem, _MockFileSystem

    if request.param == "disk":
        yield LocalPlace(tmp_path / "storage")
    elif request.param == "pyarrow-disk":
        yield ObjectPlace("local:///storage", LocalFileSystem(), str(tmp_path / "storage"))
    elif request.param == "pyarrow-mock":
        yield ObjectPlace("mock:///storage", _MockFileSystem(), "storage")
    else:
        yield place_of(request.getfixturevalue("bucket")()).below("storage")


def test_what_is_written_is_read(place: Place) -> None:
    place.write("a/b.json", b"one")
    place.write("a/b.json", b"two")
    assert place.read("a/b.json") == b"two" and place.is_file("a/b.json")
    assert not place.is_file("a") and not place.is_file("a/c.json")
    with pytest.raises(FileNotFoundError):
        place.read("a/c.json")


def test_a_folder_of_files_is_put_once(place: Place) -> None:
    files = {"record.json": b"{}", "ranks.npz": b"12"}
    assert place.put("runs/k", files, "record.json")
    assert not place.put("runs/k", {"record.json": b"other"}, "record.json")
    assert place.read("runs/k/record.json") == b"{}"
    assert {name: mark.size for name, mark in place.marks("runs")["k"].items()} == {
        "record.json": 2,
        "ranks.npz": 2,
    }


def test_marks_tell_contents_apart_and_leave_out_what_is_hidden(place: Place) -> None:
    assert place.marks("runs") == {}
    place.write("runs/k/record.json", b"one")
    place.write("runs/.half/record.json", b"one")
    before = place.marks("runs")
    assert list(before) == ["k"]
    place.write("runs/k/record.json", b"three")
    assert place.marks("runs") != before


def test_a_folder_is_moved_unless_the_target_is_taken(place: Place) -> None:
    place.put("runs/k", {"record.json": b"1"}, "record.json")
    assert place.move("runs/k", "set-aside/k.1") and place.marks("runs").get("k", {}) == {}
    assert place.read("set-aside/k.1/record.json") == b"1"
    place.put("runs/k", {"record.json": b"2"}, "record.json")
    assert not place.move("runs/k", "set-aside/k.1")
    assert place.read("runs/k/record.json") == b"2" and place.read("set-aside/k.1/record.json") == b"1"
    assert not place.move("runs/nothing", "set-aside/nothing.1")


def test_what_is_removed_is_gone_and_removing_nothing_is_fine(place: Place) -> None:
    place.write("a/b/c", b"")
    place.write("a/d", b"")
    place.remove("a/d")
    assert sorted(place.files("a")) == ["b/c"]
    place.remove("a")
    place.remove("a")
    assert place.files("a") == {}


def test_files_go_to_the_place_and_come_back(place: Place, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(range(256)) * 50_000)
    place.upload("big/file", source)
    place.download("big/file", tmp_path / "back" / "file")
    assert (tmp_path / "back" / "file").read_bytes() == source.read_bytes()
    with pytest.raises(FileNotFoundError):
        place.download("big/other", tmp_path / "back" / "other")
    assert [path.name for path in (tmp_path / "back").iterdir()] == ["file"]


def test_a_writer_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), whole(path) as temporary:
        temporary.write_text("half of")
        raise ZeroDivisionError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_names_are_joined_before_what_a_uri_asks() -> None:
    assert joined("results", "toy") == "results/toy"
    assert joined("s3://bucket/a/?region=eu-west-1", "toy") == "s3://bucket/a/toy?region=eu-west-1"


def test_the_uri_of_a_folder_is_that_folder(tmp_path: Path) -> None:
    assert place_of(f"file://{tmp_path}").path == tmp_path
    with pytest.raises(InputError, match="expected the path of a folder"):
        place_of("x" * 300)
