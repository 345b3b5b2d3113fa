"""`crosscut data`: what is in a folder of data, before a sweep is run on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from crosscut_trainables.data.inspection import Inspection

data = typer.Typer(
    help="Look at data before a sweep is run on them.", no_args_is_help=True, rich_markup_mode=None
)


@data.callback()
def _data() -> None:
    """Commands on data."""


@data.command()
def check(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Folder of a data set.")],
    name: Annotated[
        str | None, typer.Option("--name", help="The data set that it is; by default as its files say.")
    ] = None,
) -> None:
    """Say what a folder of data has, and what is wrong with it."""
    from rich.console import Console

    from crosscut.errors import InputError, unexpected
    from crosscut_trainables.data.inspection import inspect, of_files

    if name is not None and name not in of_files():
        raise InputError(f"--name: {unexpected(name, 'a data set of files', of_files())}")
    try:
        found = inspect(Path(folder).expanduser(), name)
    except ValueError as error:
        raise InputError(str(error)) from error
    _print(Console(highlight=False, soft_wrap=True), found, folder)
    raise typer.Exit(1 if found.problems else 0)


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
