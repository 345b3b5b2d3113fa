"""The capacity of a cluster: which runs have room beside those that are going on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crosscut.sweepfile.resources import Resources

SLACK = 1e-6
"""Shares of a core or a GPU below this are rounding."""


@dataclass(frozen=True)
class Node:
    """What one machine of a cluster has."""

    cpus: float
    gpus: float = 0.0

    def workers(self, needs: Resources) -> int:
        """How many workers that need so much fit on it at once."""
        fit = int(self.cpus / needs.cpus_per_worker + SLACK)
        share = needs.gpus_per_worker
        if share >= 1:
            fit = min(fit, int(self.gpus / share + SLACK))
        elif share > 0:
            # A worker's share is on one GPU.
            fit = min(fit, int(self.gpus + SLACK) * int(1 / share + SLACK))
        return fit


class _Room:
    """What is free on one machine."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.cpus = node.cpus
        self.gpus = [1.0] * int(node.gpus + SLACK)

    def take(self, needs: Resources) -> list[int] | None:
        """Take what one worker needs; the GPUs that it is on, None where there is no room."""
        if self.cpus + SLACK < needs.cpus_per_worker:
            return None
        share = needs.gpus_per_worker
        if share == 0:
            chosen: list[int] = []
        elif share < 1:
            # The fullest GPU with room, so that whole ones stay whole.
            open_ = [(free, index) for index, free in enumerate(self.gpus) if free + SLACK >= share]
            if not open_:
                return None
            chosen = [min(open_)[1]]
        else:
            whole = [index for index, free in enumerate(self.gpus) if free > 1 - SLACK]
            if len(whole) < share - SLACK:
                return None
            chosen = whole[: round(share)]
        self.cpus -= needs.cpus_per_worker
        for index in chosen:
            self.gpus[index] -= min(share, 1.0)
        return chosen

    def give_back(self, needs: Resources, gpus: list[int]) -> None:
        self.cpus += needs.cpus_per_worker
        for index in gpus:
            self.gpus[index] += min(needs.gpus_per_worker, 1.0)


class Capacity:
    """A book of what runs hold, machine by machine.

    Ray places workers by itself, maybe on other machines than the book; but no more is ever started than the book
    has room for, so whatever is started will find its room as soon as what runs has ended.
    """

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self._rooms = {name: _Room(node) for name, node in nodes.items()}
        self._taken: dict[str, list[tuple[str, _Room, Resources, list[int]]]] = {}

    @property
    def nodes(self) -> dict[str, Node]:
        """The machines by name."""
        return {name: room.node for name, room in self._rooms.items()}

    def become(self, nodes: Mapping[str, Node]) -> None:
        """Learn which machines there are now. What ran on one that is gone is held by nothing until it ends."""
        for name in self._rooms.keys() - nodes.keys():
            del self._rooms[name]
        for name, node in nodes.items():
            if name not in self._rooms:
                self._rooms[name] = _Room(node)

    def most(self, needs: Resources) -> int:
        """How many runs that need so much would fit at once, if nothing else ran."""
        return sum(room.node.workers(needs) for room in self._rooms.values()) // needs.workers

    def take(self, key: str, needs: Resources) -> bool:
        """Take what a run needs for all its workers; False, and nothing taken, where there is no room."""
        held: list[tuple[str, _Room, Resources, list[int]]] = []
        for _ in range(needs.workers):
            for name, room in self._rooms.items():
                gpus = room.take(needs)
                if gpus is not None:
                    held.append((name, room, needs, gpus))
                    break
            else:
                self._free(held)
                return False
        self._taken[key] = held
        return True

    def has_room(self, needs: Resources) -> bool:
        """Whether there is room now for a run that needs so much."""
        if not self.take("", needs):
            return False
        self.give_back("")
        return True

    def stands(self, key: str) -> bool:
        """Whether all machines are still there on which `key` holds something."""
        return all(self._rooms.get(name) is room for name, room, _, _ in self._taken[key])

    def give_back(self, key: str) -> None:
        """Give back what a run held."""
        self._free(self._taken.pop(key, []))

    def _free(self, held: list[tuple[str, _Room, Resources, list[int]]]) -> None:
        for name, room, needs, gpus in held:
            # A machine that left and came back is another one.
            if self._rooms.get(name) is room:
                room.give_back(needs, gpus)
