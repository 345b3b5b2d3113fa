"""The worker: trains one piece of work where it stands, and writes its record."""

from __future__ import annotations

import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from crosscut.arms.loading import load
from crosscut.engine.board import Board
from crosscut.engine.run_session import NotANumber, RunSession, refuse_nan
from crosscut.records.details import Details
from crosscut.records.lock import working
from crosscut.records.provenance import provenance
from crosscut.records.record import DamagedRecord, Failure, Record, Status
from crosscut.records.store import Store
from crosscut.records.work import Work
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
    workers: int
    threads: int
    """Threads of each worker."""
    cpus: float
    """CPUs that each worker holds."""
    gpus: float
    max_failures: int
    commit: str | None
    declaration: str | None = None
    """Hash of what the sweep declared before its runs."""

    @property
    def store(self) -> Store:
        """The store in the sweep's place."""
        return Store.at(self.place)


class PeerLost(Exception):  # noqa: N818 - a state of the group, told in its own words
    """Another worker of the run died: the run is to be tried again, not recorded as failed."""


def train_alone(work: Work, site: Site) -> Record:
    """Train work in this process, as its one worker."""
    set_threads(site.threads)
    device = "cuda:0" if site.gpus > 0 else "cpu"
    with working(site.store.place):
        return train(work, site, device=device)


def train(
    work: Work,
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
        PeerLost: another worker of the run died, or its connection broke.
    """
    store = site.store
    earlier = standing(store, work.key)
    if earlier is not None:
        return earlier
    board = Board(store.tensorboard, work) if rank == 0 else None
    session = RunSession(
        work, store, rank=rank, world_size=world_size, device=device, agree=agree, board=board
    )
    started = time.time()
    try:
        function = load(work.trainable, site.code)
        evaluation = function(work.config, session)
        if not isinstance(evaluation, Evaluation):
            raise TypeError(f"{work.trainable} returned {type(evaluation).__name__}, expected an Evaluation")
        refuse_nan(evaluation.metrics, "in its evaluation")
        outcome = _outcome(work, "pruned" if session.stopped else "finished", evaluation)
    except (Exception, SystemExit) as error:
        if world_size > 1 and _is_broken_connection(error):
            raise PeerLost(_text(error)) from error
        outcome = Record(work, "failed", failure=_failure(error))
    record = replace(
        outcome,
        history=tuple(session.history),
        seconds=session.seconds,
        started=started,
        ended=time.time(),
        provenance={
            **provenance(site.commit),
            "workers": world_size,
            "device": device.partition(":")[0],
            "declaration": site.declaration,
        },
    )
    # A failure may be seen by one worker alone, so whoever sees it writes it; a result is rank 0's to write.
    if rank == 0 or record.failure is not None:
        record = store.write(record)
    if rank == 0:
        store.drop_checkpoint(work.key)
    if board is not None:
        board.complete(record.status, max((s.step for s in record.history), default=0), record.metrics)
    return record


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
    reason = _text(error) if diverged else f"{type(error).__name__}: {_text(error)}"
    trace = "".join(traceback.format_exception(error, limit=-12))
    return Failure(
        "diverged" if diverged else "raised", _clean(reason, 500), _clean(trace, 20_000, lines=True)
    )


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "it does not say why"


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


def set_threads(threads: int) -> None:
    """Let this process use so many threads. torch is told if it is loaded; if not, it reads the environment."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != threads:
        torch.set_num_threads(threads)


def _is_broken_connection(error: BaseException) -> bool:
    """Whether an exception, or one it came from, is torch.distributed's word that a peer is gone."""
    return any(
        type(link).__name__ in ("DistBackendError", "DistNetworkError", "DistStoreError")
        or "gloo" in str(link).lower()
        or "nccl" in str(link).lower()
        for link in _chain(error)
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__
