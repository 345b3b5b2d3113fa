"""The job server of a Ray cluster: jobs are handed to it, listed, followed and stopped."""

from __future__ import annotations

import asyncio
import logging
import shlex
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crosscut.errors import InputError, near
from crosscut.jobs.luggage import CODE

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient

PREFIX = "crosscut-"
ENDED = ("SUCCEEDED", "FAILED", "STOPPED")


@dataclass(frozen=True)
class Job:
    """A sweep that was handed to a cluster."""

    id: str
    state: str
    """`PENDING`, `RUNNING`, `SUCCEEDED`, `FAILED` or `STOPPED`."""
    sweep: str
    storage: str
    started: float | None
    """Seconds since 1970."""
    ended: float | None
    message: str
    """What the cluster says of it."""

    @property
    def over(self) -> bool:
        """Whether it has ended, one way or the other."""
        return self.state in ENDED


class Server:
    """The job server at an address.

    Raises:
        InputError: the address is none of a job server, or nothing that is one answers there.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(
                f"--address: found {address!r}, expected the address of a cluster's job server, such as "
                "http://127.0.0.1:8265"
            )
        self.address = address
        with self._asked():
            from ray.job_submission import JobSubmissionClient

            # It tells of every package that it sends and every socket that it closes.
            logging.getLogger("ray").setLevel(logging.ERROR)
            self._client: JobSubmissionClient = JobSubmissionClient(address)

    def submit(
        self, luggage: Path, command: str, sweep: str, storage: str, variables: Mapping[str, str]
    ) -> str:
        """Hand a job over; its id is returned as soon as the cluster has it.

        Args:
            luggage: the folder that travels, as `luggage.pack` fills it.
            command: what its shell is to do there.
            sweep, storage: what the job is about, for whoever lists jobs.
            variables: environment of the job. All who can reach the job server can read it.
        """
        name = f"{PREFIX}{sweep}-{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:4]}"
        with self._asked():
            return self._client.submit_job(
                entrypoint=command,
                submission_id=name,
                runtime_env={"working_dir": str(luggage), "env_vars": dict(variables)},
                metadata={"sweep": sweep, "storage": storage},
            )

    def jobs(self) -> list[Job]:
        """Jobs of Crosscut that the cluster remembers, the newest first."""
        with self._asked():
            found = [_job(one) for one in self._client.list_jobs() if one.submission_id]
        return sorted((j for j in found if j.id.startswith(PREFIX)), key=lambda j: -(j.started or 0.0))

    def job(self, name: str) -> Job:
        """One job. Raises InputError where the cluster knows none of this id."""
        known = {one.id: one for one in self.jobs()}
        if name not in known:
            raise InputError(
                f"job: found {name!r}, expected one that {self.address} knows (crosscut jobs){near(name, known)}"
            )
        return known[name]

    def logs(self, name: str) -> str:
        """All that a job has printed so far."""
        with self._asked():
            return str(self._client.get_job_logs(name))

    def follow(self, name: str) -> Iterator[str]:
        """What a job prints, from its beginning until it ends."""
        with self._asked(), asyncio.Runner() as runner:
            lines = self._client.tail_job_logs(name)

            async def more() -> str | None:
                return await anext(lines, None)

            while (found := runner.run(more())) is not None:
                yield found

    def stop(self, name: str, patience: float = 60.0) -> Job:
        """Ask a job to end and wait until it has; so many seconds at the most."""
        with self._asked():
            self._client.stop_job(name)
        until = time.monotonic() + patience
        while not (job := self.job(name)).over and time.monotonic() < until:
            time.sleep(0.2)
        return job

    @contextmanager
    def _asked(self) -> Iterator[None]:
        try:
            yield
        except InputError:
            raise
        except (ConnectionError, RuntimeError, OSError, ValueError) as error:
            raise InputError(f"--address: {self.address!r} does not do it ({_first_line(error)})") from error


def command(pythons: Sequence[str], arguments: Sequence[str]) -> str:
    """What the job's shell does: Crosscut, by the first Python there that has Ray.

    A shell of the job server knows nothing of the environment that Ray was started from, so the submitter's own
    interpreter is a good guess on the same machine, and `python3` in an image.
    """
    fit = (
        "import sys; from importlib.util import find_spec; "
        "sys.exit(sys.version_info < (3, 11) or not find_spec('ray'))"
    )
    return (
        f'export PYTHONPATH="$PWD${{PYTHONPATH:+:$PYTHONPATH}}"; cd {CODE} || exit 2; '
        f"for python in {shlex.join(pythons)}; do "
        f'if "$python" -c {shlex.quote(fit)} 2>/dev/null; then '
        # Not from the folder of the user's code: nothing there is to hide a package that is installed.
        f'exec "$python" -P -m crosscut {shlex.join(arguments)}; fi; done; '
        f"echo {shlex.quote(_no_python(pythons))} >&2; exit 2"
    )


def _no_python(pythons: Sequence[str]) -> str:
    return (
        f"crosscut: none of {', '.join(pythons)} is a Python from 3.11 on with Ray on this node; "
        "name it with crosscut submit --python"
    )


def _job(details: Any) -> Job:
    told = details.metadata or {}
    return Job(
        id=details.submission_id,
        state=str(getattr(details.status, "value", details.status)),
        sweep=told.get("sweep", ""),
        storage=told.get("storage", ""),
        started=None if details.start_time is None else details.start_time / 1000,
        ended=None if details.end_time is None else details.end_time / 1000,
        message=details.message or "",
    )


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
