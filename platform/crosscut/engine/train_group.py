"""Runs of several workers: one Ray Train worker group a run."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import uuid
from typing import Any

from crosscut.engine import worker
from crosscut.engine.worker import Site
from crosscut.records.lock import working
from crosscut.records.object_place import ObjectPlace
from crosscut.records.record import DamagedRecord, Record
from crosscut.records.store import Store
from crosscut.records.work import Work
from crosscut.sweepfile.resources import Resources


def train_together(work: Work, needs: Resources, site: Site) -> Record | None:
    """Train work with several workers under Ray Train; None where the group ended without a record.

    Called inside a Tune trial, which holds no CPU of its own: the workers' placement group does. A worker that
    dies takes its group with it; whether another is started is for the driver to say, who counts tries.
    """
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    each: dict[str, float] = {"CPU": needs.cpus_per_worker}
    if needs.gpus_per_worker > 0:
        each["GPU"] = needs.gpus_per_worker
    # Ray Train resumes from what it finds under its run's name; ours resume from the store alone, so each
    # group gets a folder of its own.
    store = site.store
    folder, system = _scratch(store)
    trainer = TorchTrainer(
        _train_as_member,
        train_loop_config={"work": work.to_json(), "resources": needs.model_dump(), "site": site},
        scaling_config=ScalingConfig(
            num_workers=needs.workers, use_gpu=needs.gpus_per_worker > 0, resources_per_worker=each
        ),
        run_config=RunConfig(
            name=work.key,
            storage_path=folder,
            storage_filesystem=system,
            failure_config=FailureConfig(max_failures=0),
        ),
    )
    try:
        trainer.fit()
    except Exception:
        # The reason, if it is the trainable's, is in the record; what is left is a group that died.
        try:
            return store.read(work.key)
        except DamagedRecord:
            return None
    finally:
        _remove(folder, system)
    return store.read(work.key)


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


def _train_as_member(config: dict[str, Any]) -> None:
    """What each worker of the group runs."""
    import ray.train
    import ray.train.torch
    import torch
    import torch.distributed

    work, site = Work.from_json(config["work"]), config["site"]
    needs = Resources.model_validate(config["resources"])
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
            rank=context.get_world_rank(),
            world_size=context.get_world_size(),
            device=str(device),
            agree=agree,
        )
    if record.failure is not None:
        # The others may wait for this worker in a collective; an error ends the whole group. The driver
        # finds the record.
        raise RuntimeError(record.failure.reason)
