"""The cluster that a sweep runs on, as far as it can be said without starting one."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from crosscut.engine.capacity import Capacity, Node
from crosscut.engine.cluster import connected
from crosscut.errors import InputError
from crosscut.sweepfile.resources import Resources


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ({}, 8),
        ({"cpus_per_worker": 3}, 2),
        ({"workers": 2, "cpus_per_worker": 2}, 2),
        ({"cpus_per_worker": 0.1}, 80),
        ({"gpus_per_worker": 0.5}, 4),
        ({"gpus_per_worker": 1, "workers": 2}, 1),
        ({"workers": 9}, 0),
    ],
)
def test_as_many_runs_fit_as_have_room_for_all_their_workers(asked: dict[str, float], fits: int) -> None:
    assert Capacity({"here": Node(8, 2)}).most(Resources.model_validate(asked)) == fits


def test_an_address_where_nothing_listens_is_refused_at_once(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with (
        pytest.raises(InputError, match=f"--address: no Ray cluster answers at '{address}'"),
        connected({"arm": Resources()}, address, tmp_path / "ray.log"),
    ):
        pass
