"""The job server of a Ray cluster: jobs are handed to it, listed, followed and stopped."""

from __future__ import annotations

import asyncio
import logging
import os
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
from crosscut.jobs.luggage import CODE, START

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient

PREFIX = "crosscut-"
ENDED = ("SUCCEEDED", "FAILED", "STOPPED")
OVERRULING = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")
"""Variables that Ray's client takes before the address that it is given."""
TALKATIVE = ("ray", "ray.dashboard.modules.dashboard_sdk", "ray.dashboard.modules.job.sdk")
"""Loggers that tell of every package that is sent and every socket that is closed."""


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
    """What the cluster says of it, without the log that it may repeat."""
    code: int | None = None
    """Exit code of the command, where it came to an end by itself."""

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
        with self._asked(), _unset(OVERRULING):
            from ray.job_submission import JobSubmissionClient

            for name in TALKATIVE:
                logging.getLogger(name).setLevel(logging.ERROR)
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
        except (OSError, RuntimeError, ValueError) as error:
            what = f"the job server at {self.address!r} refuses"
            if isinstance(error, OSError):
                what = f"no job server answers at {self.address!r}"
            raise InputError(f"--address: {what} ({_first_line(error)})") from error
        except Exception as error:
            # By name, since neither Ray nor its HTTP client is imported before it is needed.
            kind = type(error)
            if kind.__name__ == "AuthenticationError" and kind.__module__ == "ray.exceptions":
                raise InputError(
                    f"--address: the job server at {self.address!r} wants the cluster's token "
                    f"({_first_line(error)}); set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH"
                ) from error
            if kind.__module__.partition(".")[0] == "aiohttp":
                raise InputError(
                    f"--address: the job server at {self.address!r} hangs up ({_first_line(error)})"
                ) from error
            raise


def start(pythons: Sequence[str]) -> str:
    """The shell script that a job begins with: Crosscut, by the first Python there that has Ray.

    A shell of the job server knows nothing of the environment that Ray was started from, so the submitter's own
    interpreter is a good guess on the same machine, and `python3` in an image. What the script is called with is
    handed on to `crosscut`.
    """
    fit = (
        "import sys; from importlib.util import find_spec; "
        "sys.exit(sys.version_info < (3, 11) or not find_spec('ray'))"
    )
    no_python = (
        f"crosscut: none of {', '.join(pythons)} is a Python from 3.11 on with Ray on this node; "
        "name it with crosscut submit --python"
    )
    # Not from the folder of the user's code: nothing there is to hide a package that is installed.
    return f"""\
export PYTHONPATH="$PWD${{PYTHONPATH:+:$PYTHONPATH}}"
cd {CODE} || exit 2
for python in {shlex.join(pythons)}; do
    if "$python" -c {shlex.quote(fit)} 2>/dev/null; then exec "$python" -P -m crosscut "$@"; fi
done
echo {shlex.quote(no_python)} >&2
exit 2
"""


def command(arguments: Sequence[str]) -> str:
    """What the cluster runs in the job's folder; it is what people see of the job there."""
    return f"sh {START} {shlex.join(arguments)}"


def _job(details: Any) -> Job:
    told = details.metadata or {}
    return Job(
        id=details.submission_id,
        state=str(getattr(details.status, "value", details.status)),
        sweep=told.get("sweep", ""),
        storage=told.get("storage", ""),
        started=None if details.start_time is None else details.start_time / 1000,
        ended=None if details.end_time is None else details.end_time / 1000,
        message=" ".join((details.message or "").partition(", last available logs")[0].split()),
        code=getattr(details, "driver_exit_code", None),
    )


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


@contextmanager
def _unset(names: Sequence[str]) -> Iterator[None]:
    """Without these variables for a while."""
    before = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(before)
