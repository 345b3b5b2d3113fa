"""Endings: why a try of a run came to nothing, from what its worker left and from what Ray says."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator

from crosscut.engine.watchdog import stood
from crosscut.records.attempts import Attempts
from crosscut.records.record import Attempt, FailureKind
from crosscut.records.store import Store

STORAGE = (errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EIO, errno.ESTALE, errno.EREMOTEIO, errno.ENOTCONN)
"""Errors of a disk, which are no fault of the code that meets them."""

MEMORY = ("out of memory", "running low on memory", "can't allocate memory", "cannot allocate memory")


def ending_of(store: Store, key: str, told: str | None) -> Attempt:
    """How a try ended that has no record: what its worker left, else `told`, what Ray says."""
    left = Attempts(store, key).left()
    if left is not None:
        return left
    where = stood(store.checkpoints / key / "stack.txt")
    if where is not None:
        (store.checkpoints / key / "stack.txt").unlink(missing_ok=True)
        return Attempt("stalled", where, time.time())
    return Attempt(*_from_ray(told), time.time())


def lacks_memory(error: BaseException) -> bool:
    """Whether an exception, or one that it came from, says that there is too little memory."""
    return any(
        isinstance(link, MemoryError)
        or type(link).__name__ == "OutOfMemoryError"
        or any(words in words_of(link) for words in MEMORY)
        for link in chain(error)
    )


def is_storage(error: BaseException) -> bool:
    """Whether an exception, or one that it came from, is a disk's."""
    return any(isinstance(link, OSError) and link.errno in STORAGE for link in chain(error))


def chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and those that it came from."""
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def words_of(error: BaseException) -> str:
    """What an exception says."""
    try:
        return str(error)
    except Exception:
        return "it does not say why"


def _from_ray(told: str | None) -> tuple[FailureKind, str]:
    """What Ray says, as a kind and a sentence."""
    if told is None:
        return "lost", "its workers ended without a result"
    if any(words in told for words in MEMORY):
        return "memory", "its process was ended because its machine ran short of memory"
    if any(words in told for words in ("node has died", "node died", "node was terminated", "node failure")):
        return "lost", "its machine left the cluster"
    if "actor died" in told or "actor is dead" in told or "worker died" in told:
        return "lost", "its process died"
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    return "lost", lines[-1][:300] if lines else "its process ended, and Ray does not say why"
