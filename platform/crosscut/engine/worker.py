"""The worker: trains work where it stands, to its record."""

from __future__ import annotations

import contextlib
import math
import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import TypeVar

from crosscut.arms.loading import load
from crosscut.engine.seat import Seat
from crosscut.engine.site import Site
from crosscut.engine.task import Task, TryAgain
from crosscut.records.lock import working
from crosscut.records.record import DamagedRecord, Record
from crosscut.records.store import Store
from crosscut.records.work import Work
from crosscut.sweepfile.resources import Resources
from crosscut_trainables.trainable import Joint, Train, description_of

T = TypeVar("T")


def train_alone(work: Work, needs: Resources, site: Site) -> Record:
    """Train work in this process, as its one worker."""
    set_threads(needs)
    device = "cuda:0" if needs.gpus_per_worker > 0 else "cpu"
    with working(site.store.place):
        return train(work, needs, site, Seat(device=device))


def train_together(works: Sequence[Work], needs: Resources, site: Site) -> None:
    """Train several seeds of an arm in this process, each to a record of its own; one whose failure is not its own
    has none in the end, as if it had been alone."""
    set_threads(needs)
    with working(site.store.place):
        left = [work for work in works if standing(site.store, work.key) is None]
        if len(left) > 1:
            left = _train_jointly(left, needs, site)
        for work in left:
            with contextlib.suppress(TryAgain):
                train(work, needs, site)


def train(
    work: Work,
    needs: Resources,
    site: Site,
    seat: Seat = Seat(),  # noqa: B008  (it cannot change)
) -> Record:
    """Train work as the worker of a seat; rank 0 writes the record.

    A run that raises or yields NaN is recorded as failed, with its reason.

    Raises:
        TryAgain: it failed for a reason that is not its own, which is left for the driver.
        OSError: the record cannot be written.
    """
    earlier = standing(site.store, work.key)
    if earlier is not None:
        return earlier
    task = Task(work, needs, site, seat)
    # What a trainable imports may take long, and tells nothing of its runs.
    function = _loaded(work, site)
    with task.session.watched(needs, task.give_up):
        outcome = task.outcome(lambda: _kept(function)(work.config, task.session))
    return task.end(outcome)


def _train_jointly(works: Sequence[Work], needs: Resources, site: Site) -> list[Work]:
    """Have the trainable train these seeds together; those that are to be trained one by one all the same."""
    function = _loaded(works[0], site)
    if isinstance(function, BaseException) or not isinstance(joint := description_of(function), Joint):
        return list(works)
    tasks = [Task(work, needs, site, Seat(together=len(works))) for work in works]
    try:
        found = joint.train_together(works[0].config, [task.session for task in tasks])
    except (Exception, SystemExit):
        # Whose fault it is, is seen where each is alone.
        for task in tasks:
            task.session.drop()
        return list(works)
    for task, one in zip(tasks, found, strict=True):
        # One that is to be tried again leaves its reason for the driver.
        with contextlib.suppress(TryAgain):
            task.end(task.outcome(partial(_kept, one)))
    return []


def _kept(found: T | BaseException) -> T:
    """What was found, or raised where it is an error that was kept for now."""
    if isinstance(found, BaseException):
        raise found
    return found


def _loaded(work: Work, site: Site) -> Train | BaseException:
    try:
        return load(work.trainable, site.code)
    except (Exception, SystemExit) as error:
        return error


def standing(store: Store, key: str) -> Record | None:
    """The record that an earlier attempt, or another worker of the run, has written; None where there is none."""
    try:
        return store.read(key)
    except DamagedRecord:
        return None


def set_threads(needs: Resources) -> None:
    """Let this process use as many threads as its worker has cores. torch is told if it is loaded; if not, it
    reads the environment."""
    threads = max(1, math.floor(needs.cpus_per_worker))
    os.environ["OMP_NUM_THREADS"] = str(threads)
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
