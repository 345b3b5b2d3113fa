"""`crosscut data`: what is in a folder of data, and its preparation, before a sweep is run on it."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

    from crosscut_trainables.data.inspection import Inspection
    from crosscut_trainables.data.prepared import Contents

INTERRUPTED = 130
BETWEEN = 10.0
"""Seconds between two lines of a log that tell of one piece of work."""

data = typer.Typer(
    help="Look at data, or prepare them, before a sweep is run on them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

FolderArgument = Annotated[str, typer.Argument(metavar="DIR", help="Folder of a data set.")]
NameOption = Annotated[
    str | None, typer.Option("--name", help="The data set that it is; by default as its files say.")
]


@data.callback()
def _data() -> None:
    """Commands on data."""


@data.command()
def check(folder: FolderArgument, name: NameOption = None) -> None:
    """Say what a folder of data has, and what is wrong with it."""
    from crosscut.errors import InputError
    from crosscut_trainables.data.inspection import inspect

    _refuse_unknown(name)
    try:
        found = inspect(Path(folder).expanduser(), name)
    except ValueError as error:
        raise InputError(str(error)) from error
    _print(_console(), found, folder)
    raise typer.Exit(1 if found.problems else 0)


@data.command()
def prepare(
    folder: FolderArgument,
    out: Annotated[
        str,
        typer.Option("--out", metavar="OUT", help="Folder that it is prepared in: a new or an empty one."),
    ],
    name: NameOption = None,
    side: Annotated[
        int, typer.Option("--side", help="Side in pixels that whole images are brought to, 1 to 4096.")
    ] = 224,
    half: Annotated[
        bool, typer.Option("--half", help="Keep region features in half precision: half the size.")
    ] = False,
    min_count: Annotated[
        int,
        typer.Option(
            "--min-count", help="How often training captions must have a word of the vocabulary, 1 to 1000."
        ),
    ] = 4,
    force: Annotated[
        bool, typer.Option("--force", help="Replace OUT where it is a prepared folder already.")
    ] = False,
) -> None:
    """Read a data set of files once, all of it, and write what runs then read fast: data.name prepared."""
    from crosscut.errors import InputError
    from crosscut_trainables.data import preparation
    from crosscut_trainables.data.inspection import data_of
    from crosscut_trainables.data.split_files import Making

    _refuse_unknown(name)
    console = _console()
    try:
        making = Making(side, half, min_count)
        source = data_of(Path(folder).expanduser(), name)
        with Advance(console) as told:
            contents = preparation.prepare(source, Path(out), making, force=force, told=told)
    except ValueError as error:
        raise InputError(" ".join(str(error).split())) from error
    except OSError as error:
        raise InputError(
            f"{error.filename or out}: {error.strerror or error}; nothing was prepared"
        ) from error
    except KeyboardInterrupt:
        typer.echo("crosscut: interrupted; nothing was prepared", err=True)
        raise typer.Exit(INTERRUPTED) from None
    _print_prepared(console, contents, out)


class Advance:
    """Shows how a preparation advances: bars on a terminal, lines in a log."""

    def __init__(self, console: Console) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = console
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bars = Progress(*columns, console=console, transient=True) if console.is_terminal else None
        self._tasks: dict[str, TaskID] = {}
        self._last = time.monotonic()

    def __enter__(self) -> Advance:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Some of a piece of work is done; 0 of 0 where it has begun and nobody knows how much it is."""
        from rich.text import Text

        if self._bars is not None:
            if what not in self._tasks:
                self._tasks[what] = self._bars.add_task(what, total=None)
            self._bars.update(self._tasks[what], completed=done, total=total or None)
        elif total and (done == total or time.monotonic() >= self._last + BETWEEN):
            self._last = time.monotonic()
            self._console.print(Text(f"{what}: {done:,} of {total:,}"))


def _refuse_unknown(name: str | None) -> None:
    from crosscut.errors import InputError, unexpected
    from crosscut_trainables.data.inspection import of_files

    if name is not None and name not in of_files():
        raise InputError(f"--name: {unexpected(name, 'a data set of files', of_files())}")


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


def _print_prepared(console: Console, contents: Contents, out: str) -> None:
    from rich.text import Text

    source = contents.source.options["name"]
    for name, split in contents.splits.each():
        kept = []
        if split.regions is not None:
            places, features = split.regions
            kept.append(f"{places} regions × {features} in {'half' if contents.half else 'single'} precision")
        if split.boxes:
            kept.append("boxes")
        if split.pictures is not None:
            kept.append(f"pictures of {split.pictures[1]} × {split.pictures[0]}")
        line = f"{name}: {split.images:,} images, {split.captions:,} captions, {', '.join(kept)}"
        console.print(Text(line))
    console.print(
        Text(
            f"vocabulary: {contents.vocabulary:,} words that training captions have {contents.min_count} times "
            "or more"
        )
    )
    console.print(Text(f"{source} is prepared; in a sweep: data: {{name: prepared, folder: {out}}}"))


def _print(console: Console, found: Inspection, folder: str) -> None:
    from rich.table import Table
    from rich.text import Text

    console.print(Text(f"{found.name} in {folder}"))
    table = Table(box=None, pad_edge=False)
    for column in ("split", "images", "captions", "of an image", "words, most", "unknown", "content"):
        table.add_column(column, justify="left" if column in ("split", "content") else "right", no_wrap=True)
    for split, summary in found.splits.items():
        low, high = summary.each
        table.add_row(
            split,
            f"{summary.images:,}",
            f"{summary.captions:,}",
            str(low) if low == high else f"{low} to {high}",
            f"{summary.words[0]:.1f}, {summary.words[1]}",
            f"{summary.unknown:.2%}",
            summary.content,
        )
    console.print(table)
    console.print(
        Text(f"vocabulary: {found.vocabulary:,} words that training captions have four times or more")
    )
    for remark in found.remarks:
        console.print(Text(f"note: {remark}", style="yellow"))
    for problem in found.problems:
        console.print(Text(f"wrong: {problem}", style="red"))
    if not found.problems:
        console.print(Text("nothing is wrong", style="green"))
