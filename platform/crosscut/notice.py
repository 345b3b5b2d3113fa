"""Notices of a sweep to a webhook: that runs failed, that it ended, that it was interrupted.

Whoever has the address of a hook can write to it, so it is a secret: nothing that is told, logged or recorded has
more of it than its host.
"""

from __future__ import annotations

import http.client
import json
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

from crosscut.errors import InputError
from crosscut.plan import Plan
from crosscut.records.record import Record

Event = Literal["ended", "failed", "interrupted"]

TIMEOUT = 5.0
"""Seconds that a hook may be silent."""
GRACE = 10.0
"""Seconds that the end of a sweep waits for its hook at the most."""
QUIET = 600.0
"""Seconds after a notice of failures within which further ones are collected."""
SHOWN = 5
"""Failures that a notice tells one by one."""
LONG = 1900
"""Letters of the text at the most: some chats refuse more than 2,000."""


class Notices:
    """Tells a webhook of one call of `crosscut run`; used as a context around all that it does.

    The first failure is told at once, further ones together. Leaving the context tells how it ended: well, by an
    interruption, or by an error. Everything is sent by a thread of its own; a hook that does not answer is told of
    once, and holds nobody up for longer than `GRACE`.

    Args:
        url: the hook's address, None where nobody is to be told.
        plan: what is carried out.
        folder: where its records are.
        tell: takes a sentence for the user.

    Raises:
        InputError: the address is none of http or https.
    """

    def __init__(self, url: str | None, plan: Plan, folder: str, tell: Callable[[str], None]) -> None:
        self._hook = None if url is None else _Hook(url, tell)
        self._plan = plan
        self._folder = folder
        self._verdicts: list[str] = []
        self._new: list[str] = []
        self._next = 0.0

    def __enter__(self) -> Notices:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._hook is None:
            return
        if kind is None:
            self._send("ended", running=False)
        elif issubclass(kind, KeyboardInterrupt):
            self._send("interrupted", running=False)
        else:
            self._send("failed", running=False, why=" ".join(f"{kind.__name__}: {error}".split()))
        self._hook.close()

    def ended(self, record: Record) -> None:
        """A piece of work ended."""
        if record.failure is None or self._hook is None:
            return
        self._new.append(f"{record.work.label} ({record.failure.kind}): {record.failure.reason}")
        if time.monotonic() >= self._next:
            self._send("failed", running=True)
            self._next = time.monotonic() + QUIET

    def found(self, verdicts: Sequence[str]) -> None:
        """What the report says, a sentence each."""
        self._verdicts = list(verdicts)

    def _send(self, event: Event, *, running: bool, why: str | None = None) -> None:
        assert self._hook is not None
        trials, runs, failed = self._plan.trials, self._plan.runs, len(self._plan.failures)
        failures, self._new = self._new, []
        name = self._plan.experiment.sweep.name
        done = f"{runs[0]} of {runs[1]} runs"
        if event == "ended":
            lines = [f"{name} has ended: {done}"]
        elif event == "interrupted":
            lines = [f"{name} was interrupted at {done}; the same command goes on from there"]
        elif why is not None:
            lines = [f"{name} broke off at {done}: {why}"]
        else:
            many = "a run" if len(failures) == 1 else f"{len(failures)} runs"
            lines = [f"{name}: {many} failed, at {done}; the sweep goes on"]
        if not running and failed:
            lines[0] += f"; {failed} failed"
        lines += failures[:SHOWN]
        lines += [f"and {len(failures) - SHOWN} more"] if len(failures) > SHOWN else []
        verdicts = self._verdicts if event == "ended" else []
        text = "\n".join([*lines, *verdicts, self._folder])
        text = text if len(text) <= LONG else f"{text[: LONG - 1]}…"
        self._hook.post(
            {
                "sweep": name,
                "event": event,
                "running": running,
                "folder": self._folder,
                "counts": {
                    "trials": trials[0],
                    "trials_asked": trials[1],
                    "runs": runs[0],
                    "runs_asked": runs[1],
                    "failed": failed,
                },
                "failures": failures[:SHOWN],
                "verdicts": verdicts,
                # What Slack, Mattermost, Teams and Google Chat show, and what Discord does.
                "text": text,
                "content": text,
            }
        )


class _Hook:
    """The webhook, and the thread that posts to it."""

    def __init__(self, url: str, tell: Callable[[str], None]) -> None:
        self._url = url
        self._host = _checked(url).hostname
        self._tell = tell
        self._silent = False
        self._waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="crosscut-notice", daemon=True)
        self._thread.start()

    def post(self, document: dict[str, Any]) -> None:
        """Have a document posted after those before it."""
        self._waiting.put(json.dumps(document, ensure_ascii=False).encode())

    def close(self) -> None:
        """Wait until all is posted, for `GRACE` at the most."""
        self._waiting.put(None)
        self._thread.join(timeout=GRACE)
        if self._thread.is_alive():
            self._complain(f"no answer within {GRACE:g} seconds")

    def _work(self) -> None:
        opener = urllib.request.build_opener(_Stay)
        while (body := self._waiting.get()) is not None:
            request = urllib.request.Request(  # noqa: S310 - `_checked` allows http and https alone
                self._url,
                data=body,
                method="POST",
                headers={"Content-Type": "application/json", "User-Agent": "crosscut"},
            )
            try:
                opener.open(request, timeout=TIMEOUT).close()
            except (OSError, http.client.HTTPException, ValueError) as error:
                self._complain(_reason(error))

    def _complain(self, why: str) -> None:
        if not self._silent:
            self._silent = True
            self._tell(f"a notice to {self._host} was not delivered ({why}); the sweep is not affected")


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: what it sends is for the hook that the user named, and for nobody else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _checked(url: str) -> SplitResult:
    wanted = "expected the address of a webhook, https://… or http://…; it is a secret and not shown here"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise InputError(f"--notify: {wanted}") from None
    if parts.scheme not in ("http", "https"):
        found = f"the scheme {parts.scheme!r}" if parts.scheme and "://" in url else "no scheme"
        raise InputError(f"--notify: found {found}, {wanted}")
    if not parts.hostname or any(ord(letter) <= 32 or ord(letter) > 126 for letter in url):
        raise InputError(f"--notify: {wanted}")
    if "@" in parts.netloc:
        raise InputError(f"--notify: found a user name in it, {wanted}")
    return parts


def _reason(error: Exception) -> str:
    """Why a notice did not arrive, in words that have nothing of the address."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        moved = ", a redirect, which is not followed" if 300 <= error.code < 400 else ""
        return f"it answered {error.code}{moved}"
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return f"no answer within {TIMEOUT:g} seconds"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return type(cause).__name__
