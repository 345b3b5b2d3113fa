"""`crosscut export`: a sweep's runs in the formats of other tools, so that they can check ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export(
    folder: Annotated[
        str, typer.Argument(metavar="DIR", help="Folder of a sweep, such as results/quickstart.")
    ],
    out: Annotated[str | None, typer.Option(help="Folder for the files; by default DIR/export.")] = None,
    arm: Annotated[list[str] | None, typer.Option(help="Export this arm only. Repeatable.")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Export this seed only. Repeatable.")] = None,
    split: Annotated[list[str] | None, typer.Option(help="Export this split only. Repeatable.")] = None,
    depth: Annotated[
        int | None, typer.Option(min=1, help="Items of a query in a TREC run; by default all that are kept.")
    ] = None,
    trec: Annotated[bool, typer.Option(help="Write TREC runs and qrels beside the table of ranks.")] = True,
) -> None:
    """Write the ranks of all runs as one Parquet table, and what they retrieve as TREC runs with their qrels."""
    from rich.console import Console
    from rich.text import Text

    from crosscut.export import Selection
    from crosscut.export import export as write
    from crosscut.plan import recorded
    from crosscut.records.store import Store

    console = Console(highlight=False, soft_wrap=True)
    store = Store.open(folder)
    place = store.folder / "export" if out is None else Path(out)
    with console.status("ranks") as status:
        made = write(
            recorded(store), store.details, place, Selection(arm, seed, split, depth, trec), status.update
        )
    for note in made.notes:
        console.print(Text(f"note: {note}", style="yellow"))
    console.print(Text(f"ranks: {made.table}"))
    if made.runs:
        console.print(Text(f"TREC: {len(made.runs)} runs and {len(made.qrels)} qrels in {place / 'trec'}"))
