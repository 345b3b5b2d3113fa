"""The cluster that a sweep runs on, as far as it can be said without starting one."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

import pytest

from crosscut.engine import cluster as clusters
from crosscut.engine.capacity import Capacity, Node
from crosscut.engine.cluster import ClusterLost, connected
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


@pytest.mark.parametrize("failures", [2, 3])
def test_a_ray_that_does_not_start_is_tried_again_and_then_told(
    failures: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    tries: list[str] = []

    def init(address: str, **_: object) -> None:
        tries.append(address)
        if len(tries) <= failures:
            raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(ray, "init", init)
    told = (
        pytest.raises(ClusterLost, match=r"does not start on this machine \(The current node timed out")
        if failures == clusters.STARTS
        else contextlib.nullcontext()
    )
    with told, connected({"arm": Resources()}, "local", tmp_path / "ray.log") as cluster:
        assert cluster.own
    assert tries == ["local"] * 3


def test_a_driver_whose_machine_leaves_the_cluster_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = {"here": Node(2.0), "there": Node(4.0)}
    monkeypatch.setattr(clusters, "_here", lambda: "here")
    monkeypatch.setattr(clusters, "_raylet_is_dead", lambda: False)
    monkeypatch.setattr(clusters, "_nodes", lambda: nodes)
    cluster = clusters.Cluster(Capacity({"there": Node(4.0)}), own=False, start=lambda: None)
    cluster.look()
    assert cluster.capacity.nodes == nodes
    del nodes["here"]
    with pytest.raises(ClusterLost, match="the machine that this driver runs on has left the cluster"):
        cluster.look()
