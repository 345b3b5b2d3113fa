"""The book of a cluster's machines: nothing is started that has no room, and whatever can fit gets its turn."""

from __future__ import annotations

import random
from typing import Any

import pytest

from crosscut.engine.capacity import Capacity, Node
from crosscut.engine.cluster import refuse_what_never_fits
from crosscut.errors import InputError
from crosscut.sweepfile.resources import Resources


def needs(**asked: Any) -> Resources:
    return Resources.model_validate(asked)


@pytest.mark.parametrize(
    ("nodes", "asked", "most"),
    [
        ([Node(8, 2)], {}, 8),
        ([Node(8, 2)], {"cpus_per_worker": 3}, 2),
        ([Node(8, 2)], {"workers": 2, "cpus_per_worker": 2}, 2),
        ([Node(8, 2)], {"cpus_per_worker": 0.1}, 80),
        ([Node(8, 2)], {"gpus_per_worker": 0.5}, 4),
        # a worker's share is on one GPU: two of 0.6 are on two
        ([Node(8, 2)], {"gpus_per_worker": 0.6}, 2),
        ([Node(8, 2)], {"gpus_per_worker": 1, "workers": 2}, 1),
        ([Node(8, 2)], {"workers": 9}, 0),
        # a worker is on one machine: two machines of three cores have no room for two workers of two and one more
        ([Node(3), Node(3)], {"cpus_per_worker": 2}, 2),
        ([Node(1), Node(1)], {"cpus_per_worker": 2}, 0),
        ([Node(1), Node(1)], {"workers": 2}, 1),
    ],
)
def test_as_many_runs_fit_as_have_room_for_all_their_workers(
    nodes: list[Node], asked: dict[str, Any], most: int
) -> None:
    capacity = Capacity({str(index): node for index, node in enumerate(nodes)})
    assert capacity.most(needs(**asked)) == most
    taken = 0
    while capacity.has_room(needs(**asked)):
        assert capacity.take(str(taken), needs(**asked))
        taken += 1
    assert taken == most and not capacity.take("more", needs(**asked))


def test_what_is_taken_never_exceeds_what_there_is_and_all_of_it_comes_back() -> None:
    draw = random.Random(0)
    kinds = [
        needs(cpus_per_worker=1),
        needs(cpus_per_worker=2, workers=2),
        needs(gpus_per_worker=0.25, cpus_per_worker=0.5),
        needs(gpus_per_worker=1, workers=3),
        needs(gpus_per_worker=2, cpus_per_worker=4),
    ]
    nodes = {"a": Node(4, 2), "b": Node(8, 4), "c": Node(2)}
    capacity = Capacity(nodes)
    running: dict[str, Resources] = {}
    for step in range(2000):
        kind = draw.choice(kinds)
        if draw.random() < 0.6 and capacity.take(str(step), kind):
            running[str(step)] = kind
        elif running:
            key = draw.choice(list(running))
            capacity.give_back(key)
            del running[key]
        for free in capacity._rooms.values():
            assert free.cpus > -1e-6 and all(-1e-6 < gpu < 1 + 1e-6 for gpu in free.gpus)
        held = sum(one.workers * one.cpus_per_worker for one in running.values())
        assert held <= 14 + 1e-6
        assert held + sum(room.cpus for room in capacity._rooms.values()) == pytest.approx(14)
    for key in list(running):
        capacity.give_back(key)
    assert [room.cpus for room in capacity._rooms.values()] == pytest.approx([4, 8, 2])


def test_a_share_is_put_where_it_leaves_whole_gpus_whole() -> None:
    capacity = Capacity({"a": Node(16, 2)})
    assert capacity.take("one", needs(gpus_per_worker=0.5))
    assert capacity.take("two", needs(gpus_per_worker=0.5))
    assert capacity.take("whole", needs(gpus_per_worker=1))
    assert not capacity.take("more", needs(gpus_per_worker=0.1))


def test_a_run_that_does_not_fit_takes_nothing() -> None:
    capacity = Capacity({"a": Node(3)})
    assert capacity.take("small", needs())
    assert not capacity.take("large", needs(workers=2, cpus_per_worker=1.5))
    assert capacity.take("other", needs(cpus_per_worker=2))


def test_machines_that_come_are_used_and_those_that_go_hold_nothing() -> None:
    capacity = Capacity({"a": Node(1)})
    assert capacity.take("one", needs()) and not capacity.take("two", needs())
    capacity.become({"a": Node(1), "b": Node(1)})
    assert capacity.take("two", needs())
    capacity.become({"b": Node(1)})
    assert not capacity.take("three", needs())
    capacity.give_back("one")
    assert not capacity.take("three", needs())
    capacity.become({"a": Node(1), "b": Node(1)})
    assert capacity.take("three", needs())
    capacity.give_back("two")
    assert capacity.take("four", needs()) and not capacity.take("five", needs())


def test_what_never_fits_is_refused_in_one_sentence_that_names_the_arm() -> None:
    capacity = Capacity({"here": Node(4, 1)})
    refuse_what_never_fits({"small": needs(), "large": needs(gpus_per_worker=1)}, capacity, "this machine")
    with pytest.raises(InputError) as refused:
        refuse_what_never_fits(
            {"small": needs(), "large": needs(workers=2, gpus_per_worker=1)}, capacity, "this machine"
        )
    assert str(refused.value) == (
        "resources: one run of the arm 'large' needs 2 x 1 CPUs and 2 x 1 GPUs, but this machine has "
        "4 CPUs and 1 GPUs"
    )
