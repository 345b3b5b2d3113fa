"""`crosscut submit`, `jobs`, `logs` and `stop`: sweeps as jobs of a Ray cluster."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from crosscut.terminal import say, terminal

if TYPE_CHECKING:
    from crosscut.jobs.server import Server
    from crosscut.sweepfile.sweep import Sweep

VARIABLE = "RAY_API_SERVER_ADDRESS"
LOCAL = "http://127.0.0.1:8265"
INTERRUPTED = 130

AddressOption = Annotated[
    str,
    typer.Option(
        envvar=VARIABLE,
        help="The cluster's job server, which is Ray's dashboard.",
        show_default=True,
    ),
]
JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="Id of a job, as crosscut submit prints it.")]


def submit(
    sweep: Annotated[
        str,
        typer.Argument(metavar="SWEEP", help="A sweep file, or the name of a bundled sweep (crosscut list)."),
    ],
    storage: Annotated[
        str,
        typer.Option(
            help="Where the records go: an absolute folder that all nodes share, or a URI such as s3://bucket/results."
        ),
    ],
    address: AddressOption = LOCAL,
    patches: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Patch the sweep, such as --set seeds.count=3. Repeatable."
        ),
    ] = None,
    code: Annotated[
        str | None,
        typer.Option(
            help="Folder with your own trainable, whose files travel with the job; by default the working folder. "
            "A sweep of Crosscut's trainable needs none."
        ),
    ] = None,
    leave_out: Annotated[
        list[str] | None,
        typer.Option(
            "--leave-out",
            metavar="PATTERN",
            help="Files and folders of it that stay here, such as 'data/' or '*.bin'. Repeatable.",
        ),
    ] = None,
    python: Annotated[
        str | None,
        typer.Option(
            help="The cluster's Python, as its nodes call it; by default the first there that has Ray."
        ),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try runs again that raised or diverged.")
    ] = False,
    curves: Annotated[
        Literal["all", "final", "arms"],
        typer.Option("--tensorboard", help="Runs with curves of their own, as with `crosscut run`."),
    ] = "all",
    profile: Annotated[
        bool, typer.Option("--profile", help="Trace what runs do, as with `crosscut run`.")
    ] = False,
    together: Annotated[
        bool, typer.Option(help="Let seeds of an arm train together, as with `crosscut run`.")
    ] = True,
    check: Annotated[
        bool,
        typer.Option(
            help="Check every arm here first. With --no-check the job does, where the data may lie."
        ),
    ] = True,
    follow: Annotated[
        bool, typer.Option("--follow", help="Print what the job prints until it ends, and end as it does.")
    ] = False,
) -> None:
    """Send a sweep to a Ray cluster as a job, with the code that it needs; prints the job's id.

    A job does what `crosscut run` does, on the cluster, and goes on when this machine is switched off. What is
    recorded in the storage is not done again, so the same command goes on with a sweep whose job was stopped.
    """
    import tempfile

    from crosscut.arms.experiment import prepare
    from crosscut.jobs.luggage import pack
    from crosscut.jobs.server import Server, command, start
    from crosscut.records.place import joined
    from crosscut.records.provenance import COMMIT, commit
    from crosscut.sweepfile.sweep import file_of, read

    place = _shared(storage)
    asked = read(sweep, patches or [])
    if check:
        prepare(asked)
    server = Server(address)
    here = _code(asked, code)
    with tempfile.TemporaryDirectory(prefix="crosscut-job-") as folder:
        pythons = [python] if python else [sys.executable, "python3", "python"]
        packed = pack(file_of(sweep), start(pythons), here, Path(folder), leave_out or [])
        told = [*packed.notes]
        if here is not None:
            many = "1 file" if packed.files == 1 else f"{packed.files} files"
            told.append(f"{many} of {here} travel with it ({packed.bytes / 2**10:.0f} KiB)")
        arguments = ["run", f"../{packed.sweep}", "--storage", place, "--address", "auto"]
        arguments += [part for patch in patches or [] for part in ("--set", patch)]
        arguments += ["--retry-failed"] if retry_failed else []
        arguments += ["--tensorboard", curves] if curves != "all" else []
        arguments += ["--profile"] if profile else []
        arguments += [] if together else ["--no-together"]
        variables = {COMMIT: found} if (found := commit(here or Path.cwd())) else {}
        job = server.submit(Path(folder), command(arguments), asked.name, place, variables)
    errors = typer.get_text_stream("stderr")
    for line in told:
        typer.echo(line, file=errors)
    typer.echo(job)
    if follow:
        raise typer.Exit(_follow(server, job))
    typer.echo(f"follow it: crosscut logs {job} --follow{_there(address)}", file=errors)
    stands = shlex.quote(joined(place, asked.name))
    typer.echo(f"where it stands: crosscut status {stands} --watch", file=errors)


def jobs(address: AddressOption = LOCAL) -> None:
    """List the sweeps that were submitted to a cluster, the newest first."""
    import time

    from rich.table import Table
    from rich.text import Text

    from crosscut.forecast import words
    from crosscut.jobs.server import Server

    found = Server(address).jobs()
    console = terminal()
    if not found:
        say(console, f"no sweep was submitted to {address}")
        return
    table = Table(box=None, pad_edge=False, header_style="")
    for heading in ("job", "sweep", "state", "since", "took", "storage"):
        table.add_column(heading, no_wrap=True)
    for job in found:
        begun = "" if job.started is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(job.started))
        took = "" if job.started is None else words((job.ended or time.time()) - job.started)
        table.add_row(*map(Text, (job.id, job.sweep, job.state.lower(), begun, took, job.storage)))
    console.print(table)


def logs(
    job: JobArgument,
    address: AddressOption = LOCAL,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on until the job ends, and end as it does.")
    ] = False,
) -> None:
    """Print what a job has printed. With --follow it is safe to interrupt: the job goes on."""
    from crosscut.jobs.server import Server

    server = Server(address)
    server.job(job)
    if follow:
        raise typer.Exit(_follow(server, job))
    typer.echo(server.logs(job), nl=False)


def stop(job: JobArgument, address: AddressOption = LOCAL) -> None:
    """Stop a job. What it has recorded stays, and submitting the sweep again goes on from there."""
    from crosscut.jobs.server import Server

    server = Server(address)
    before = server.job(job)
    if before.over:
        typer.echo(f"{job} has ended already: {before.state.lower()}")
        return
    after = server.stop(job)
    if not after.over:
        typer.echo(f"crosscut: {job} still runs; the cluster was asked to stop it", err=True)
        raise typer.Exit(1)
    typer.echo(f"{job}: {after.state.lower()}; what is recorded is kept, submit goes on from there")


def _follow(server: Server, job: str) -> int:
    """Print a job's output until it ends; the exit code that says how."""
    try:
        for lines in server.follow(job):
            typer.echo(lines, nl=False)
    except KeyboardInterrupt:
        ending = f"crosscut stop {job}{_there(server.address)}"
        typer.echo(f"crosscut: {job} goes on without you; {ending} ends it", err=True)
        return INTERRUPTED
    ended = server.job(job)
    if ended.state == "SUCCEEDED":
        return 0
    if not ended.over:
        typer.echo(f"crosscut: the cluster tells no more, and {job} goes on; follow it again", err=True)
        return 1
    typer.echo(
        f"crosscut: {job} {ended.state.lower()}{f': {ended.message}' if ended.message else ''}", err=True
    )
    return ended.code if ended.code in (1, 2, INTERRUPTED) else 1


def _there(address: str) -> str:
    """What a further command needs to come to the same cluster; nothing where it comes there by itself."""
    return "" if address == os.environ.get(VARIABLE, LOCAL) else f" --address {address}"


def _shared(storage: str) -> str:
    """Where the job keeps its records, as every node names it. Raises InputError where nodes could not."""
    from crosscut.errors import InputError
    from crosscut.records.place import place_of

    if "://" in storage:
        return place_of(storage, "--storage: ").name
    if not Path(storage).is_absolute():
        raise InputError.unexpected(
            "--storage",
            "",
            storage,
            "an absolute path that all nodes of the cluster share, or a URI such as s3://bucket/results",
        )
    return storage.rstrip("/") or "/"


def _code(sweep: Sweep, folder: str | None) -> Path | None:
    """The folder of the user's code; None where the trainable is one of Crosscut's and none was named."""
    from crosscut.errors import InputError

    if folder is None:
        return None if sweep.trainable.startswith("crosscut_trainables.") else Path.cwd()
    path = Path(folder).absolute()
    if not path.is_dir():
        raise InputError(f"--code: found {folder!r}, expected a folder")
    return path
