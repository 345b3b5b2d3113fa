"""The worker: trains one piece of work where it stands, and writes its record."""

from __future__ import annotations

import contextlib
import math
import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from crosscut.arms.loading import load
from crosscut.engine.board import Detail, drawn
from crosscut.engine.ending import chain, is_storage, lacks_memory, words_of
from crosscut.engine.run_session import NotANumber, RunSession, refuse_nan
from crosscut.records.attempts import Attempts
from crosscut.records.details import Details
from crosscut.records.lock import working
from crosscut.records.provenance import provenance
from crosscut.records.record import DamagedRecord, Failure, FailureKind, Record, Status
from crosscut.records.store import Store
from crosscut.records.work import Work
from crosscut.sweepfile.resources import Resources
from crosscut_trainables.diverged import Diverged
from crosscut_trainables.evaluation import Evaluation, QueryRanks, QueryValues

MOST_NOTES = 20
"""So many notes of a run are kept, the first ones."""


@dataclass(frozen=True)
class Site:
    """Where and with what work is done: the same for all of a sweep, and without effect on results."""

    place: str
    """The sweep's place: an absolute path, or a URI."""
    code: str
    """Where the sweep was started, absolute: the user's own trainable may lie there."""
    commit: str | None
    declaration: str | None = None
    """Hash of what the sweep declared before its runs."""
    tensorboard: Detail = "all"
    """Which runs have curves of their own."""
    profile: bool = False
    """Whether runs trace what they do."""

    @property
    def store(self) -> Store:
        """The store in the sweep's place."""
        return Store.at(self.place)


class TryAgain(Exception):  # noqa: N818 - a state of the run, told in its own words
    """The run is to be tried again, not recorded as failed: a peer died, memory was short, or a disk was."""


def train_alone(work: Work, needs: Resources, site: Site) -> Record:
    """Train work in this process, as its one worker."""
    set_threads(needs)
    device = "cuda:0" if needs.gpus_per_worker > 0 else "cpu"
    with working(site.store.place):
        return train(work, needs, site, device=device)


def train(
    work: Work,
    needs: Resources,
    site: Site,
    *,
    rank: int = 0,
    world_size: int = 1,
    device: str = "cpu",
    agree: Callable[[bool], bool] = lambda value: value,
) -> Record:
    """Train work as worker `rank` of `world_size`; rank 0 writes the record.

    A run that raises or yields NaN is recorded as failed, with its reason.

    Raises:
        TryAgain: it failed for a reason that is not its own, which is left for the driver.
        OSError: the record cannot be written.
    """
    store = site.store
    earlier = standing(store, work.key)
    if earlier is not None:
        return earlier
    attempts = Attempts(store, work.key)
    session = RunSession(
        work,
        store,
        rank=rank,
        world_size=world_size,
        device=device,
        agree=agree,
        plots=rank == 0 and drawn(work, site.tensorboard),
        traces=rank == 0 and site.profile,
    )
    whence = {
        **provenance(site.commit),
        "workers": world_size,
        "device": device.partition(":")[0],
        "declaration": site.declaration,
        **({"profiled": True} if site.profile else {}),
    }
    started = time.time()

    def kept(outcome: Record) -> Record:
        """The outcome with what is known beside it, written where it is this worker's to write."""
        record = replace(
            outcome,
            history=tuple(session.history),
            attempts=attempts.read(),
            notes=(*outcome.notes, *session.notes),
            seconds=session.seconds,
            started=started,
            ended=time.time(),
            provenance=whence,
        )
        # A failure may be seen by one worker alone, so whoever sees it writes it; a result is rank 0's to write.
        if rank == 0 or record.failure is not None:
            record = store.write(record)
        return record

    def give_up(kind: FailureKind, reason: str) -> None:
        if kind == "timeout":
            kept(Record(work, "failed", failure=Failure(kind, _clean(reason, 500))))
        else:
            attempts.leave(kind, _clean(reason, 500))

    try:
        # What a trainable imports may take long, and tells nothing of its runs.
        function, broken = load(work.trainable, site.code), None
    except (Exception, SystemExit) as error:
        function, broken = None, error
    with session.watched(needs, give_up):
        try:
            if function is None:
                assert broken is not None
                raise broken
            evaluation = function(work.config, session)
            if not isinstance(evaluation, Evaluation):
                raise TypeError(
                    f"{work.trainable} returned {type(evaluation).__name__}, expected an Evaluation"
                )
            refuse_nan(evaluation.metrics, "in its evaluation")
            refuse_nan(evaluation.spent, "among its seconds")
            outcome = _outcome(work, "pruned" if session.stopped else "finished", evaluation)
        except (Exception, SystemExit) as error:
            _leave_what_is_not_its_own(error, attempts, world_size)
            outcome = Record(work, "failed", failure=_failure(error))
    record = kept(outcome)
    if rank == 0:
        attempts.forget()
        if work.phase == "search" or record.status != "finished" or needs.keep_checkpoints == "none":
            store.drop_checkpoint(work.key)
    session.close(record)
    return record


def _leave_what_is_not_its_own(error: BaseException, attempts: Attempts, world_size: int) -> None:
    """Raise TryAgain for an error that another try may not meet, and leave the reason for the driver."""
    kind: FailureKind
    if lacks_memory(error):
        kind, reason = "memory", f"there was too little memory: {words_of(error)}"
    elif is_storage(error):
        kind, reason = "lost", f"the storage failed it: {words_of(error)}"
    elif world_size > 1 and _is_broken_connection(error):
        # The peer that died may have left a better reason; whoever comes first is kept.
        raise TryAgain(words_of(error)) from error
    else:
        return
    with contextlib.suppress(OSError):
        attempts.leave(kind, _clean(reason, 500))
    raise TryAgain(reason) from error


def _outcome(work: Work, status: Status, evaluation: Evaluation) -> Record:
    """The record of what a trainable returned, as plain numbers and arrays.

    Raises whatever shows that it is no evaluation: that is the trainable's fault, not the platform's.
    """
    named = (evaluation.metrics, evaluation.ranks, evaluation.values, evaluation.traits, evaluation.splits)
    for name in (name for part in (*named, evaluation.rankings, evaluation.examples) for name in part):
        if not isinstance(name, str):
            raise TypeError(f"the evaluation names a metric or ranks {name!r}, expected text")
    record = Record(
        work,
        status,
        metrics={name: float(value) for name, value in evaluation.metrics.items()},
        ranks={
            name: QueryRanks(np.asarray(queries.ranks), np.asarray(queries.clusters))
            for name, queries in evaluation.ranks.items()
        },
        values={
            name: QueryValues(np.asarray(queries.values), np.asarray(queries.clusters))
            for name, queries in evaluation.values.items()
        },
        traits={
            name: QueryValues(np.asarray(queries.values), np.asarray(queries.clusters))
            for name, queries in evaluation.traits.items()
        },
        splits=dict(evaluation.splits),
        details=Details(dict(evaluation.rankings), dict(evaluation.examples)),
        notes=_notes(evaluation.notes),
        spent={str(name): float(seconds) for name, seconds in evaluation.spent.items()},
    )
    record.to_files()
    return record


def _notes(notes: Sequence[str]) -> tuple[str, ...]:
    """A trainable's notes, short enough to be read and free of what a page or a terminal cannot show."""
    # Text is a sequence of texts as well, of its letters.
    if isinstance(notes, str):
        raise TypeError(f"the evaluation's notes are {notes!r}, expected a list of texts")
    found = list(notes)
    for note in found:
        if not isinstance(note, str):
            raise TypeError(f"the evaluation has the note {note!r}, expected text")
    cleaned = (_clean(note, 500) for note in found)
    return tuple(note for note in cleaned if note)[:MOST_NOTES]


def _failure(error: BaseException) -> Failure:
    """Why a run failed, short enough to be read and free of what a page or a terminal cannot show."""
    diverged = isinstance(error, NotANumber | Diverged)
    reason = words_of(error) if diverged else f"{type(error).__name__}: {words_of(error)}"
    trace = "".join(traceback.format_exception(error, limit=-12))
    return Failure(
        "diverged" if diverged else "raised", _clean(reason, 500), _clean(trace, 20_000, lines=True)
    )


def _clean(text: str, length: int, *, lines: bool = False) -> str:
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text.encode("utf-8", "replace").decode())
    text = text if lines else " ".join(text.split())
    text = "".join(letter for letter in text if letter.isprintable() or letter == "\n")
    return text if len(text) <= length else f"{text[: length - 1]}…"


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


def _is_broken_connection(error: BaseException) -> bool:
    """Whether an exception, or one it came from, is torch.distributed's word that a peer is gone."""
    return any(
        type(link).__name__ in ("DistBackendError", "DistNetworkError", "DistStoreError")
        or "gloo" in words_of(link).lower()
        or "nccl" in words_of(link).lower()
        for link in chain(error)
    )
