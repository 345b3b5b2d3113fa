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


def ending_of(store: Store, key: str, error: Exception | None) -> Attempt:
    """How a try ended that has no record: what its worker left, else what Ray says."""
    left = Attempts(store, key).left()
    if left is not None:
        return left
    where = stood(store.checkpoints / key / "stack.txt")
    if where is not None:
        (store.checkpoints / key / "stack.txt").unlink(missing_ok=True)
        return Attempt("stalled", where, time.time())
    kind: FailureKind = "memory" if error is not None and lacks_memory(error) else "lost"
    return Attempt(kind, _sentence(error), time.time())


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


def _sentence(error: Exception | None) -> str:
    """What Ray says, in one sentence."""
    if error is None:
        return "its workers ended without a result"
    text = words_of(error)
    for told, words in (
        ("node", "its machine left the cluster"),
        ("memory", "its process was ended because its machine ran out of memory"),
    ):
        if (told == "node" and ("node has died" in text or "node died" in text or "node was" in text)) or (
            told == "memory" and any(one in text for one in MEMORY)
        ):
            return words
    if type(error).__name__ in ("ActorDiedError", "RayActorError", "ActorUnavailableError"):
        return "its process died"
    last = [line.strip() for line in text.splitlines() if line.strip()]
    return (last[-1] if last else type(error).__name__)[:300]
