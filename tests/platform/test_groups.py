"""Worker groups that stay: what a host hands its workers, and which groups a driver keeps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import ray

from crosscut.engine import train_group
from crosscut.engine.capacity import Capacity, Node
from crosscut.engine.groups import Groups
from crosscut.engine.site import Site
from crosscut.engine.train_group import GroupHost
from crosscut.sweepfile.resources import Resources

SITE = Site("results", ".", None)
TWO = Resources(workers=2, cpus_per_worker=1)


class Train:
    """Stands in for Ray Train: members of a group that ask their host for runs, in threads."""

    def __init__(self) -> None:
        self.host: GroupHost | None = None
        self.groups: list[str] = []
        self.done: list[tuple[int, Any]] = []

    def fit(self, needs: Resources, site: Site, name: str) -> None:
        self.groups.append(name)
        broken: list[Exception] = []
        members = [
            threading.Thread(target=self._member, args=(name, r, broken)) for r in range(needs.workers)
        ]
        for member in members:
            member.start()
        for member in members:
            member.join()
        if broken:
            raise broken[0]

    def _member(self, name: str, rank: int, broken: list[Exception]) -> None:
        assert self.host is not None
        number = 0
        while (asked := self.host.take(name, rank, number)) is not None:
            time.sleep(0.02 * rank)
            self.done.append((rank, asked["work"]))
            if asked["work"] == "raises":
                broken.append(RuntimeError("no"))
                return
            number += 1


@pytest.fixture
def train(monkeypatch: pytest.MonkeyPatch) -> Iterator[Train]:
    stands_in = Train()
    monkeypatch.setattr(train_group, "_fit", stands_in.fit)
    stands_in.host = GroupHost(TWO, SITE)
    yield stands_in
    stands_in.host.close()


class TestHost:
    def test_one_group_trains_run_after_run_on_all_its_workers(self, train: Train) -> None:
        assert train.host is not None
        for number in range(3):
            train.host.train({"run": number}, {})
            assert [work for rank, work in train.done if rank == 1] == [{"run": n} for n in range(number + 1)]
        assert len(train.groups) == 1 and len(train.done) == 6

    def test_a_run_that_raises_ends_its_group_and_the_next_has_another(self, train: Train) -> None:
        assert train.host is not None
        train.host.train("raises", {})  # type: ignore[arg-type]
        train.host.train({"run": 1}, {})
        assert len(train.groups) == 2
        assert train.done[-2:] == [(0, {"run": 1}), (1, {"run": 1})]

    def test_members_of_a_group_that_is_gone_are_asked_for_nothing(self, train: Train) -> None:
        assert train.host is not None
        assert train.host.take("another", 0, 0) is None

    def test_closed_it_ends_its_group(self, train: Train) -> None:
        assert train.host is not None
        train.host.close()  # it has none yet
        train.host.train({"run": 0}, {})
        before = threading.active_count()
        train.host.close()
        assert train.host.take(train.groups[0], 0, 1) is None
        deadline = time.monotonic() + 10
        while threading.active_count() >= before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert threading.active_count() < before


class FakeHost:
    """A handle of a host, whose group ends when it is let."""

    def __init__(self) -> None:
        self.closing = self.ended = self.killed = False

    @property
    def close(self) -> FakeHost:
        return self

    def remote(self) -> FakeHost:
        self.closing = True
        return self


Make = Callable[[dict[str, Node]], Groups]


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> list[FakeHost]:
    made: list[FakeHost] = []

    def host(self: Groups, name: str, needs: Resources) -> FakeHost:
        made.append(FakeHost())
        return made[-1]

    def wait(refs: list[FakeHost], **_: Any) -> tuple[list[FakeHost], list[FakeHost]]:
        return [one for one in refs if one.ended], [one for one in refs if not one.ended]

    monkeypatch.setattr(Groups, "_host", host)
    monkeypatch.setattr(ray, "wait", wait)
    monkeypatch.setattr(ray, "kill", lambda host: setattr(host, "killed", True))
    return made


class TestGroups:
    def test_a_group_takes_the_next_run_of_its_shape_and_another_while_it_is_busy(
        self, hosts: list[FakeHost]
    ) -> None:
        groups = Groups(Capacity({"here": Node(4.0)}), SITE)
        first = groups.take("a", TWO)
        second = groups.take("b", TWO)
        assert first is not None and second is not None and first != second
        assert groups.take("c", TWO) is None and len(hosts) == 2
        groups.give_back("a", sound=True)
        assert groups.take("c", TWO.model_copy(update={"time_limit": 5.0})) == first

    def test_one_that_has_nothing_to_do_makes_room_once_it_has_ended(self, hosts: list[FakeHost]) -> None:
        capacity = Capacity({"here": Node(2.0)})
        groups = Groups(capacity, SITE)
        wide = Resources(workers=1, cpus_per_worker=2)
        groups.take("a", TWO)
        groups.make_room()
        assert not hosts[0].closing  # it has something to do
        groups.give_back("a", sound=True)
        assert not capacity.take("b", wide)
        groups.make_room()
        groups.make_room()
        assert hosts[0].closing and not capacity.take("b", wide)
        hosts[0].ended = True
        groups.make_room()
        assert hosts[0].killed and capacity.take("b", wide)

    def test_one_that_ends_takes_no_run(self, hosts: list[FakeHost]) -> None:
        groups = Groups(Capacity({"here": Node(4.0)}), SITE)
        first = groups.take("a", TWO)
        groups.give_back("a", sound=True)
        groups.make_room()
        assert groups.take("b", TWO) not in (None, first)
        hosts[0].ended = True
        assert groups.take("c", TWO) is not None and len(hosts) == 3

    def test_one_over_which_a_trial_was_lost_is_ended_at_once(self, hosts: list[FakeHost]) -> None:
        groups = Groups(Capacity({"here": Node(2.0)}), SITE)
        first = groups.take("a", TWO)
        groups.give_back("a", sound=False)
        assert hosts[0].killed
        assert groups.take("a", TWO) not in (None, first)

    def test_one_whose_machine_has_left_is_replaced(self, hosts: list[FakeHost]) -> None:
        capacity = Capacity({"one": Node(2.0), "two": Node(2.0)})
        groups = Groups(capacity, SITE)
        groups.take("a", TWO)
        groups.give_back("a", sound=True)
        capacity.become({"two": Node(2.0)})
        assert groups.take("b", TWO) is not None
        assert hosts[0].closing and len(hosts) == 2
        assert not capacity.take("c", Resources(workers=1, cpus_per_worker=1))

    def test_one_that_has_had_nothing_to_do_for_a_while_ends(
        self, hosts: list[FakeHost], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = [100.0]
        monkeypatch.setattr(time, "monotonic", lambda: now[0])
        groups = Groups(Capacity({"here": Node(4.0)}), SITE)
        groups.take("a", TWO)
        groups.take("b", TWO)
        now[0] += 60
        groups.give_back("b", sound=True)
        now[0] += 9
        groups.look()
        assert not hosts[1].closing
        now[0] += 2
        groups.look()
        assert hosts[1].closing and not hosts[0].closing

    def test_all_end_with_the_sweep_and_are_forgotten_with_a_cluster(self, hosts: list[FakeHost]) -> None:
        capacity = Capacity({"here": Node(4.0)})
        groups = Groups(capacity, SITE)
        for key in "ab":
            groups.take(key, TWO)
            groups.give_back(key, sound=True)
        groups.take("c", TWO)
        groups.close()
        assert all(host.closing and host.killed for host in hosts)
        groups.take("d", TWO)
        groups.forget()
        assert not hosts[-1].closing and not hosts[-1].killed
        assert capacity.take("e", Resources(workers=4, cpus_per_worker=1))
