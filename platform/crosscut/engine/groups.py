"""The worker groups of a sweep, as its driver keeps them: which there are, and which run each of them trains."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from itertools import count
from typing import Any

from crosscut.engine.capacity import Capacity
from crosscut.engine.site import Site
from crosscut.sweepfile.resources import Resources

IDLE = 10.0
"""Seconds for which a group stays that has nothing to do: about what it takes to start one."""
SPARE = 4
"""Calls of a host's that may go on beside those of its workers."""


@dataclass
class _Kept:
    """One group."""

    name: str
    shape: tuple[int, float, float]
    host: Any
    """Handle of its host, a Ray actor."""
    work: str | None = None
    """Key of what it trains, None while it has nothing to do."""
    since: float = 0.0
    """When it last had something to do, on the monotonic clock."""
    closing: Any = None
    """What is ready once it has ended; None while it stays."""


class Groups:
    """Groups that stay for the next run of their shape. What a group holds is held until it has ended.

    Args:
        capacity: the book in which they hold what they need.
        site: what workers need to know.
    """

    def __init__(self, capacity: Capacity, site: Site) -> None:
        self._capacity, self._site = capacity, site
        self._kept: list[_Kept] = []
        self._numbers = count(1)

    def take(self, key: str, needs: Resources) -> str | None:
        """The name of the host that is to train `key`; None where there is no room for its group."""
        self._reap()
        shape = _shape(needs)
        for group in self._kept:
            if group.work is None and group.closing is None and group.shape == shape:
                if self._capacity.stands(group.name):
                    group.work = key
                    return group.name
                self._close(group)
        name = f"crosscut-group-{next(self._numbers)}"
        if not self._capacity.take(name, needs):
            return None
        self._kept.append(_Kept(name, shape, self._host(name, needs), key))
        return name

    @property
    def idle(self) -> bool:
        """Whether some group has nothing to do."""
        return any(group.work is None for group in self._kept)

    def give_back(self, key: str, sound: bool) -> None:
        """Take in that a run has come to an end, whose group stays if it is `sound`."""
        for group in self._kept:
            if group.work == key:
                group.work, group.since = None, time.monotonic()
                if not sound:
                    self._end(group)
                return

    def look(self) -> None:
        """End groups that have had nothing to do for a while. To be called now and then.

        What they hold may be missing elsewhere without the book's knowing: to a run that starts anew because its
        machine has died, or where others use the cluster.
        """
        self._reap()
        for group in self._kept:
            if group.work is None and group.closing is None and time.monotonic() - group.since > IDLE:
                self._close(group)

    def make_room(self) -> None:
        """End a group that has nothing to do: something else is waiting for what it holds."""
        self._reap()
        if any(group.closing is not None for group in self._kept):
            return
        for group in self._kept:
            if group.work is None:
                self._close(group)
                return

    def close(self) -> None:
        """End all groups, which have nothing to do any more."""
        import ray

        for group in self._kept:
            if group.closing is None:
                self._close(group)
        with contextlib.suppress(Exception):
            ray.wait([group.closing for group in self._kept], num_returns=len(self._kept), timeout=10.0)
        for group in list(self._kept):
            self._end(group)

    def forget(self) -> None:
        """Take in that all of them are gone with the cluster."""
        for group in self._kept:
            self._capacity.give_back(group.name)
        self._kept.clear()

    def _host(self, name: str, needs: Resources) -> Any:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        from crosscut.engine.train_group import GroupHost

        # Beside the driver, without which it is worth nothing: Ray Train leaks what a group holds whose host dies.
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        actor: Any = ray.remote(GroupHost)
        return actor.options(
            name=name, num_cpus=0, max_concurrency=needs.workers + SPARE, scheduling_strategy=here
        ).remote(needs, self._site)

    def _close(self, group: _Kept) -> None:
        group.closing = group.host.close.remote()

    def _reap(self) -> None:
        """Give back what groups held that have ended."""
        import ray

        for group in list(self._kept):
            if group.closing is not None and ray.wait([group.closing], timeout=0)[0]:
                self._end(group)

    def _end(self, group: _Kept) -> None:
        import ray

        with contextlib.suppress(Exception):
            ray.kill(group.host)
        self._kept.remove(group)
        self._capacity.give_back(group.name)


def _shape(needs: Resources) -> tuple[int, float, float]:
    """What makes a group fit a run."""
    return needs.workers, needs.cpus_per_worker, needs.gpus_per_worker
