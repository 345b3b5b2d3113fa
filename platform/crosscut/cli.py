"""The command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from crosscut.data_commands import data
from crosscut.export_command import export
from crosscut.job_commands import jobs, logs, stop, submit
from crosscut.plan_command import plan
from crosscut.power_command import power
from crosscut.prune_command import prune
from crosscut.report_command import report
from crosscut.status_command import status
from crosscut.tensorboard_command import tensorboard
from crosscut.terminal import terminal

DONE, FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130


class Commands(TyperGroup):
    """The commands, which end with a sentence when they are interrupted."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("crosscut: interrupted; the same command goes on from here", err=True)
            raise typer.Exit(INTERRUPTED) from None


app = typer.Typer(
    name="crosscut",
    cls=Commands,
    help="Search, train and compare the arms of an ablation on Ray, and report which components matter.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # a third of the time that --help takes
    pretty_exceptions_enable=False,
)

app.add_typer(data, name="data")

SweepArgument = Annotated[
    str, typer.Argument(metavar="SWEEP", help="A sweep file, or the name of a bundled sweep (crosscut list).")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Patch the sweep, such as --set seeds.count=3. Repeatable."
    ),
]
StorageOption = Annotated[str, typer.Option(help="Folder that holds the sweeps' records.")]


@app.command()
def run(
    sweep: SweepArgument,
    patches: SetOption = None,
    storage: StorageOption = "results",
    address: Annotated[
        str, typer.Option(help="Ray cluster to use; `local` starts one on this machine.")
    ] = "local",
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try runs again that raised or diverged.")
    ] = False,
    report: Annotated[bool, typer.Option(help="Write the report at the end.")] = True,
    curves: Annotated[
        Literal["all", "final", "arms"],
        typer.Option(
            "--tensorboard",
            help="Runs with curves of their own: all, those with a final seed, or none beside what arms come to.",
        ),
    ] = "all",
    profile: Annotated[
        bool,
        typer.Option(
            "--profile", help="Trace some steps and the first evaluation of every run that is done."
        ),
    ] = False,
    together: Annotated[
        bool,
        typer.Option(help="Let seeds of an arm train together in one process, where that is faster."),
    ] = True,
    notify: Annotated[
        str | None,
        typer.Option(
            metavar="URL", envvar="CROSSCUT_NOTIFY", help="Webhook that is told of failures and of the end."
        ),
    ] = None,
) -> None:
    """Do what is missing of a sweep: search each arm, train it with every seed, write the report.

    What is recorded is not done again, so this is also how one resumes after a crash, adds seeds or adds an arm.
    """
    from crosscut import driver
    from crosscut.arms.experiment import prepare
    from crosscut.sweepfile.sweep import read

    experiment = prepare(read(sweep, patches or []))
    order = driver.Order(storage, address, retry_failed, report, curves, profile, together, notify)
    raise typer.Exit(DONE if driver.run(experiment, order, terminal()) else FAILED)


app.command()(plan)
app.command()(prune)


app.command()(status)
app.command()(tensorboard)
app.command()(submit)
app.command()(jobs)
app.command()(logs)
app.command()(stop)
app.command()(report)
app.command()(power)
app.command()(export)


@app.command("list")
def list_(
    components: Annotated[
        bool,
        typer.Option("--components", help="List what sweeps are made of instead, with every option."),
    ] = False,
) -> None:
    """List the bundled sweeps with the question each one answers."""
    if components:
        from crosscut.components import lines

        typer.echo("\n".join(lines()))
        return
    from crosscut.sweepfile import bundled

    for name, asked in bundled.questions().items():
        question = asked or "no question given"
        typer.echo(f"{name}\t{question}" if not sys.stdout.isatty() else f"{name:<20} {question}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of sweep files, for editors."""
    import json

    from crosscut.sweepfile.schema import schema as of_sweep

    typer.echo(json.dumps(of_sweep(), indent=2))


@app.command()
def doctor(storage: StorageOption = "results") -> None:
    """Look at everything a sweep needs on this machine, and say what to do where something is amiss."""
    from rich.text import Text

    from crosscut.doctor import examine

    console = terminal()
    well = True
    for finding in examine(storage):
        well = well and finding.ok
        mark = Text("ok    ", style="green") if finding.ok else Text("FIX   ", style="bold red")
        console.print(mark + Text(f"{finding.subject:<18}") + Text(finding.text), soft_wrap=True)
    raise typer.Exit(DONE if well else FAILED)


def main() -> None:
    """Entry point: wrong input ends with one clear sentence and exit code 2, never with a traceback."""
    from crosscut.errors import InputError

    try:
        app()
    except InputError as error:
        typer.echo(f"crosscut: {error}", err=True)
        sys.exit(WRONG_INPUT)
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        reason = f"{error.strerror or error}{where}"
        typer.echo(
            f"crosscut: {reason}; what is recorded is kept, the same command goes on from here", err=True
        )
        sys.exit(FAILED)
