"""A task: a piece of work under way in this process, from its session to its record."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace

from crosscut.engine.board import drawn
from crosscut.engine.ending import chain, is_storage, lacks_memory, words_of
from crosscut.engine.outcome import cleaned, failure_of, outcome_of
from crosscut.engine.run_session import RunSession
from crosscut.engine.seat import Seat
from crosscut.engine.site import Site
from crosscut.records.attempts import Attempts
from crosscut.records.provenance import provenance
from crosscut.records.record import Failure, FailureKind, Record
from crosscut.records.work import Work
from crosscut.sweepfile.resources import Resources
from crosscut_trainables.evaluation import Evaluation


class TryAgain(Exception):  # noqa: N818 - a state of the run, told in its own words
    """The run is to be tried again, not recorded as failed: a peer died, memory was short, or a disk was."""


class Task:
    """A piece of work under way in this process, from its session to its record.

    Args:
        work: what is trained.
        needs: what it gets.
        site: where and with what.
        seat: this worker's.
    """

    def __init__(
        self,
        work: Work,
        needs: Resources,
        site: Site,
        seat: Seat = Seat(),  # noqa: B008  (it cannot change)
    ) -> None:
        self._work, self._needs, self._store, self._seat = work, needs, site.store, seat
        self._attempts = Attempts(self._store, work.key)
        self.session = RunSession(
            work,
            self._store,
            seat,
            plots=seat.rank == 0 and drawn(work, site.tensorboard),
            traces=seat.rank == 0 and site.profile,
        )
        self._whence = {
            **provenance(site.commit),
            "workers": seat.world_size,
            "device": seat.device.partition(":")[0],
            "declaration": site.declaration,
            **({"profiled": True} if site.profile else {}),
            **({"together": seat.together} if seat.together > 1 else {}),
        }
        self._started = time.time()

    def outcome(self, do: Callable[[], Evaluation]) -> Record:
        """The record of what `do` returns, or raises. Raises TryAgain where that is not the run's own fault."""
        try:
            evaluation = do()
            return outcome_of(self._work, "pruned" if self.session.stopped else "finished", evaluation)
        except (Exception, SystemExit) as error:
            _leave_what_is_not_its_own(error, self._attempts, self._seat.world_size)
            return Record(self._work, "failed", failure=failure_of(error))

    def give_up(self, kind: FailureKind, reason: str) -> None:
        """Leave behind why the process ends before the run does."""
        if kind == "timeout":
            self._kept(Record(self._work, "failed", failure=Failure(kind, cleaned(reason, 500))))
        else:
            self._attempts.leave(kind, cleaned(reason, 500))

    def end(self, outcome: Record) -> Record:
        """The record as it is written, and an end of what was for the run alone."""
        record = self._kept(outcome)
        if self._seat.rank == 0:
            self._attempts.forget()
            keeps = self._needs.keep_checkpoints != "none"
            if self._work.phase == "search" or record.status != "finished" or not keeps:
                self._store.drop_checkpoint(self._work.key)
        self.session.close(record)
        return record

    def _kept(self, outcome: Record) -> Record:
        """The outcome with what is known beside it, written where it is this worker's to write."""
        session = self.session
        record = replace(
            outcome,
            history=tuple(session.history),
            attempts=self._attempts.read(),
            notes=(*outcome.notes, *session.notes),
            seconds=session.seconds,
            started=self._started,
            ended=time.time(),
            provenance=self._whence,
        )
        # A failure may be seen by one worker alone, so whoever sees it writes it; a result is rank 0's to write.
        if self._seat.rank == 0 or record.failure is not None:
            record = self._store.write(record)
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
        attempts.leave(kind, cleaned(reason, 500))
    raise TryAgain(reason) from error


def _is_broken_connection(error: BaseException) -> bool:
    """Whether an exception, or one it came from, is torch.distributed's word that a peer is gone."""
    return any(
        type(link).__name__ in ("DistBackendError", "DistNetworkError", "DistStoreError")
        or "gloo" in words_of(link).lower()
        or "nccl" in words_of(link).lower()
        for link in chain(error)
    )
