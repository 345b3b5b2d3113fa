"""Runs of several workers: a Ray Train worker group that stays, and trains run after run."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
import uuid
from typing import Any

from crosscut.engine import worker
from crosscut.engine.seat import Seat
from crosscut.engine.site import Site
from crosscut.records.lock import working
from crosscut.records.object_place import ObjectPlace
from crosscut.records.store import Store
from crosscut.records.work import Work
from crosscut.sweepfile.resources import Resources

CLOSING = 30.0
"""Seconds within which a group that has nothing to do ends; after that it is ended."""


class GroupHost:
    """Keeps one worker group, which takes seconds to start. It is a Ray actor that runs several calls at once.

    A group ends with the first run that fails in it, since its other workers may wait for the one that raised, and
    with the first worker that dies. The next run starts another.

    Args:
        needs: workers, and what each of them needs.
        site: what workers need to know.
    """

    def __init__(self, needs: Resources, site: Site) -> None:
        self._needs, self._site = needs, site
        self._changed = threading.Condition()
        self._group: _Group | None = None

    def train(self, work: dict[str, Any], resources: dict[str, Any]) -> None:
        """Have the group train work; returns when it has, or has ended. What came of it is in the store."""
        with self._changed:
            if self._group is None or self._group.ended:
                self._group = self._started()
            group = self._group
            group.asked.append({"work": work, "resources": resources})
            self._changed.notify_all()
            self._changed.wait_for(lambda: group.ended or group.done >= len(group.asked))

    def take(self, group: str, rank: int, number: int) -> dict[str, Any] | None:
        """What the group is asked for as its run `number`, as soon as that is known; None where there is no more.

        A worker calls it, which says that it is done with the run before.
        """
        with self._changed:
            own = self._group
            if own is None or own.name != group:
                return None
            own.reached[rank] = number
            self._changed.notify_all()
            self._changed.wait_for(lambda: own.ended or own.closing or len(own.asked) > number)
            return own.asked[number] if len(own.asked) > number else None

    def close(self) -> None:
        """End the group, which has nothing to do."""
        with self._changed:
            group = self._group
            if group is not None:
                group.closing = True
                self._changed.notify_all()
                self._changed.wait_for(lambda: group.ended, timeout=CLOSING)

    def _started(self) -> _Group:
        group = _Group(self._needs.workers)
        threading.Thread(target=self._fit, args=(group,), daemon=True).start()
        return group

    def _fit(self, group: _Group) -> None:
        """What the group's thread does: it waits for Ray Train."""
        # The reason why it ends, if it is a run's, is in its record; what is left is a group that died.
        with contextlib.suppress(Exception):
            _fit(self._needs, self._site, group.name)
        with self._changed:
            group.ended = True
            self._changed.notify_all()


class _Group:
    """A group under its host."""

    def __init__(self, workers: int) -> None:
        self.name = uuid.uuid4().hex
        self.asked: list[dict[str, Any]] = []
        """Its runs, in their order."""
        self.reached = [0] * workers
        """The run that each worker has come to."""
        self.closing = False
        self.ended = False

    @property
    def done(self) -> int:
        """How many runs all of its workers are done with."""
        return min(self.reached)


def _fit(needs: Resources, site: Site, name: str) -> None:
    """Have Ray Train run a group until it ends."""
    import ray
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    each: dict[str, float] = {"CPU": needs.cpus_per_worker}
    if needs.gpus_per_worker > 0:
        each["GPU"] = needs.gpus_per_worker
    # Ray Train resumes from what it finds under its run's name; ours resume from the store alone, so each
    # group gets a folder of its own.
    folder, system = _scratch(site.store)
    trainer = TorchTrainer(
        _be_a_member,
        train_loop_config={
            "host": ray.get_runtime_context().current_actor,
            "group": name,
            "site": site,
        },
        scaling_config=ScalingConfig(
            num_workers=needs.workers, use_gpu=needs.gpus_per_worker > 0, resources_per_worker=each
        ),
        run_config=RunConfig(
            name=name,
            storage_path=folder,
            storage_filesystem=system,
            # Whether a run is tried again is for the driver to say, who counts.
            failure_config=FailureConfig(max_failures=0),
        ),
    )
    try:
        trainer.fit()
    finally:
        _remove(folder, system)


def _scratch(store: Store) -> tuple[str, Any]:
    """A folder that all workers reach, for files of Ray Train's own, and its file system; None for a disk."""
    if not isinstance(store.place, ObjectPlace):
        return tempfile.mkdtemp(prefix="crosscut-train-", dir=store.logs), None
    return f"{store.place.base}/logs/crosscut-train-{uuid.uuid4().hex}", store.place.system


def _remove(folder: str, system: Any) -> None:
    if system is None:
        shutil.rmtree(folder, ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        system.delete_dir(folder)


def _be_a_member(config: dict[str, Any]) -> None:
    """What each worker of a group does: run after run, until there is no more."""
    import ray
    import ray.train

    host, rank = config["host"], ray.train.get_context().get_world_rank()
    number = 0
    while (asked := ray.get(host.take.remote(config["group"], rank, number))) is not None:
        _train(Work.from_json(asked["work"]), Resources.model_validate(asked["resources"]), config["site"])
        number += 1


def _train(work: Work, needs: Resources, site: Site) -> None:
    """Train work as one worker of the group that this process is in."""
    import ray.train
    import ray.train.torch
    import torch
    import torch.distributed

    context = ray.train.get_context()
    device = ray.train.torch.get_device()
    assert isinstance(device, torch.device)
    worker.set_threads(needs)

    def agree(value: bool) -> bool:
        told = torch.tensor([int(value)], device=device)
        torch.distributed.broadcast(told, src=0)
        return bool(told.item())

    with working(site.store.place):
        if worker.standing(site.store, work.key) is not None:
            return
        record = worker.train(
            work,
            needs,
            site,
            Seat(context.get_world_rank(), context.get_world_size(), str(device), agree),
        )
    if record.failure is not None:
        # The others may wait for this worker in a collective; an error ends the whole group. The driver
        # finds the record.
        raise RuntimeError(record.failure.reason)
