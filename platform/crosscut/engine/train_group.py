"""Runs of several workers: one Ray Train worker group a run."""

from __future__ import annotations

import shutil
import tempfile
from typing import Any

from crosscut.engine import worker
from crosscut.engine.worker import Site
from crosscut.records.lock import working
from crosscut.records.record import DamagedRecord, Record
from crosscut.records.work import Work


def train_together(work: Work, site: Site) -> Record | None:
    """Train work with `site.workers` workers under Ray Train; None where the group died too often.

    Called inside a Tune trial, which holds no CPU of its own: the workers' placement group does. A worker that
    dies takes its group with it; Ray Train starts another, which resumes from the newest checkpoint.
    """
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    needs: dict[str, float] = {"CPU": site.cpus}
    if site.gpus > 0:
        needs["GPU"] = site.gpus
    # Ray Train resumes from what it finds under its run's name; ours resume from the store alone, so each
    # group gets a folder of its own.
    folder = tempfile.mkdtemp(prefix="crosscut-train-", dir=site.store.logs)
    trainer = TorchTrainer(
        _train_as_member,
        train_loop_config={"work": work.to_json(), "site": site},
        scaling_config=ScalingConfig(
            num_workers=site.workers, use_gpu=site.gpus > 0, resources_per_worker=needs
        ),
        run_config=RunConfig(
            name=work.key, storage_path=folder, failure_config=FailureConfig(max_failures=site.max_failures)
        ),
    )
    try:
        trainer.fit()
    except Exception:
        # The reason, if it is the trainable's, is in the record; what is left is a group that died too often.
        try:
            return site.store.read(work.key)
        except DamagedRecord:
            return None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return site.store.read(work.key)


def _train_as_member(config: dict[str, Any]) -> None:
    """What each worker of the group runs."""
    import ray.train
    import ray.train.torch
    import torch
    import torch.distributed

    work, site = Work.from_json(config["work"]), config["site"]
    context = ray.train.get_context()
    device = ray.train.torch.get_device()
    assert isinstance(device, torch.device)
    worker.set_threads(site.threads)

    def agree(value: bool) -> bool:
        told = torch.tensor([int(value)], device=device)
        torch.distributed.broadcast(told, src=0)
        return bool(told.item())

    with working(site.store.place):
        if worker.standing(site.store, work.key) is not None:
            return
        record = worker.train(
            work,
            site,
            rank=context.get_world_rank(),
            world_size=context.get_world_size(),
            device=str(device),
            agree=agree,
        )
    if record.failure is not None:
        # The others may wait for this worker in a collective; an error ends the whole group. The group that
        # Ray Train starts next finds the record.
        raise RuntimeError(record.failure.reason)
