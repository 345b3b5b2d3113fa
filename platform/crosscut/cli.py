"""The command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from crosscut.data_commands import data
from crosscut.export_command import export
from crosscut.job_commands import jobs, logs, stop, submit
from crosscut.power_command import power
from crosscut.report_command import report
from crosscut.tensorboard_command import tensorboard
from crosscut.terminal import say, terminal

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
FolderArgument = Annotated[
    str, typer.Argument(metavar="DIR", help="Folder of a sweep, such as results/quickstart.")
]


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
            help="Runs with curves of their own: all, those with a final seed, or none beside what arms come to."
        ),
    ] = "all",
) -> None:
    """Do what is missing of a sweep: search each arm, train it with every seed, write the report.

    What is recorded is not done again, so this is also how one resumes after a crash, adds seeds or adds an arm.
    """
    from crosscut import driver
    from crosscut.arms.experiment import prepare
    from crosscut.sweepfile.sweep import read

    experiment = prepare(read(sweep, patches or []))
    order = driver.Order(storage, address, retry_failed, report, curves)
    raise typer.Exit(DONE if driver.run(experiment, order, terminal()) else FAILED)


@app.command()
def plan(sweep: SweepArgument, patches: SetOption = None, storage: StorageOption = "results") -> None:
    """Show arms, search trials and runs, what is recorded already, and what the rest will cost. Starts nothing."""
    import os

    from rich.text import Text

    from crosscut.arms.experiment import prepare
    from crosscut.forecast import forecast, words
    from crosscut.plan import reading, reconcile
    from crosscut.records.catalogue import Catalogue
    from crosscut.records.store import Store
    from crosscut.standing import table
    from crosscut.sweepfile.sweep import read

    console = terminal()
    experiment = prepare(read(sweep, patches or []))
    store = Store.at(storage, experiment.sweep.name)
    damaged: list[str] = []
    records = Catalogue(store)
    found = reconcile(experiment, reading(records, damaged))
    say(console, f"{experiment.sweep.name}: {experiment.sweep.question or 'no question given'}")
    console.print(table(found))
    for line in experiment.sweep.layout.told:
        say(console, line)
    for name, (recorded, asked) in (("search trials", found.trials), ("runs", found.runs)):
        say(console, f"{name}: {asked} ({recorded} recorded, {asked - recorded} new)")
    known = {a.trial_key(i) for a in found.arms for i in range(len(a.trials))}
    known |= {key for a in found.arms for i in range(len(a.finals)) if (key := a.final_key(i))}
    strangers = len([key for key in records.keys if key not in known])
    if strangers:
        say(console, f"{strangers} records here belong to no arm, seed or trial of this sweep; they are kept")
    left = forecast(found)
    resources = experiment.sweep.resources
    cores = resources.workers * resources.cpus_per_worker
    if left.seconds is None:
        say(console, "cost: not known before the first run")
    else:
        slots = max(1, int((os.cpu_count() or 1) / cores))
        basis = "from recorded runs" if left.measured else "a rough guess until runs are recorded"
        say(
            console,
            f"cost: {words(left.seconds)} of runs, {words(left.wall(slots) or 0.0)} with {slots} at once on this "
            f"machine ({basis})",
        )
    for sentence in damaged:
        console.print(Text(f"note: {sentence}", style="yellow"), soft_wrap=True)


@app.command()
def status(
    folder: FolderArgument,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it again as it changes, until all is done.")
    ] = False,
    interval: Annotated[float, typer.Option(min=0.2, help="Seconds between looks with --watch.")] = 2.0,
) -> None:
    """Show where a sweep stands: arms, search, seeds, the mean so far with its interval, and the time left."""
    import time

    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    from crosscut.plan import recorded
    from crosscut.progress import running_elsewhere
    from crosscut.records.lock import held, holder
    from crosscut.records.store import Store
    from crosscut.standing import remarks, summary, table

    console = terminal()
    store = Store.open(folder)

    def look() -> tuple[Group, bool]:
        found = recorded(store)
        live = held(store.folder)
        running, slots = running_elsewhere(store) if live else ([], None)
        if found.done:
            state = "ended"
        elif live:
            state = f"running: {holder(store.folder)} holds it"
        else:
            state = "not running; `crosscut run` goes on with it"
        head, totals = Text(f"{found.experiment.sweep.name}: {state}"), Text(summary(found, slots))
        return Group(head, table(found, running), totals, *remarks(found)), live and not found.done

    view, going_on = look()
    if not watch:
        console.print(view)
        return
    with Live(view, console=console, auto_refresh=False) as live_view:
        while going_on:
            time.sleep(interval)
            view, going_on = look()
            live_view.update(view, refresh=True)


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
