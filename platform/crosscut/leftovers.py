"""Leftovers: what lies in a store and is asked for no longer. It is kept until somebody prunes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from crosscut.plan import Plan
from crosscut.records.catalogue import Catalogue
from crosscut.records.place import Mark
from crosscut.records.record import DamagedRecord
from crosscut.records.store import Store

Kind = Literal["run", "search trial", "record set aside", "checkpoint", "artifact"]


@dataclass(frozen=True)
class Leftover:
    """One folder that nothing asks for."""

    kind: Kind
    name: str
    """The folder, from the store's own."""
    arm: str
    """The arm that it was made for; empty where that is not known."""
    size: int
    """Bytes."""


def records_left(plan: Plan, records: Catalogue, store: Store) -> Iterator[Leftover]:
    """Runs and search trials that the plan does not ask for.

    While an arm's search is open it is not known which values its seeds will have; none of its runs is left over.
    """
    asked = {arm.trial_key(index) for arm in plan.arms for index in range(len(arm.trials))}
    asked |= {
        key for arm in plan.arms for position in range(len(arm.finals)) if (key := arm.final_key(position))
    }
    open_ = [dict(arm.arm.levels) for arm in plan.arms if arm.values is None]
    for key in records.keys:
        if key in asked:
            continue
        try:
            record = records.read(key)
        except DamagedRecord:
            continue  # the next run sets it aside
        if record is None or (record.work.phase == "final" and dict(record.work.levels) in open_):
            continue
        kind: Kind = "run" if record.work.phase == "final" else "search trial"
        yield Leftover(kind, f"runs/{key}", record.work.arm, records.size(key))


def others_left(plan: Plan, store: Store, *, artifacts: bool) -> Iterator[Leftover]:
    """Records that were set aside, and checkpoints of runs that are neither going on nor kept for their result.

    `artifacts`: also what runs share, which is made again where it is needed again.
    """
    for name, size in _sizes(store.place.files("set-aside")).items():
        yield Leftover("record set aside", f"set-aside/{name}", "", size)
    wanted = {arm.trial_key(i): arm.arm.name for arm in plan.arms for i in range(len(arm.trials))}
    wanted |= {
        key: arm.arm.name for arm in plan.arms for i in range(len(arm.finals)) if (key := arm.final_key(i))
    }
    undecided = any(arm.values is None for arm in plan.arms)
    for name, size in _sizes(store.place.files("checkpoints")).items():
        if name not in wanted and not undecided:
            yield Leftover("checkpoint", f"checkpoints/{name}", "", size)
    if artifacts:
        for name, size in _sizes(store.place.files("artifacts")).items():
            yield Leftover("artifact", f"artifacts/{name}", "", size)


def counted(found: list[Leftover]) -> str:
    """Leftovers in words: `12 runs and 3 search trials`."""
    counts = Counter(one.kind for one in found)
    words = [f"{count} {_plural(kind, count)}" for kind, count in counts.items()]
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _plural(kind: Kind, count: int) -> str:
    if count == 1:
        return kind
    return "records set aside" if kind == "record set aside" else f"{kind}s"


def _sizes(files: dict[str, Mark]) -> dict[str, int]:
    """Top folder → bytes of all files below it."""
    found: dict[str, int] = {}
    for name, mark in files.items():
        top, slash, _ = name.partition("/")
        if slash:
            found[top] = found.get(top, 0) + mark.size
    return found
