"""The command `prune`: lists what a sweep asks for no longer, and removes it on demand."""

from __future__ import annotations

from typing import Annotated

import typer

from crosscut.terminal import say, terminal

SHOWN = 20
"""So many leftovers are named."""


def prune(
    folder: Annotated[
        str, typer.Argument(metavar="DIR", help="Folder or URI of a sweep, such as results/quickstart.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Remove what is listed.")] = False,
    artifacts: Annotated[
        bool,
        typer.Option("--artifacts", help="Also what runs share, which is made again where it is needed."),
    ] = False,
) -> None:
    """List runs, trials and checkpoints that the sweep, as it was last run, no longer asks for, or remove them."""
    from crosscut.leftovers import Leftover, counted, others_left, records_left
    from crosscut.plan import reading, reconcile
    from crosscut.records.catalogue import Catalogue
    from crosscut.records.lock import driving
    from crosscut.records.snapshot import recall
    from crosscut.records.store import Store

    console = terminal()
    store = Store.open(folder)

    def look() -> list[Leftover]:
        records = Catalogue(store)
        plan = reconcile(recall(store), reading(records, [], retry=()))
        return [*records_left(plan, records, store), *others_left(plan, store, artifacts=artifacts)]

    def tell(found: list[Leftover], verb: str) -> None:
        size = sum(one.size for one in found) / 2**20
        say(console, f"{verb}: {counted(found)}, {size:.1f} MiB")

    if not yes:
        found = look()
        if not found:
            say(console, "nothing is left over")
            return
        for one in found[:SHOWN]:
            whose = f" of the arm {one.arm!r}" if one.arm else ""
            say(console, f"{one.name}: {one.kind}{whose}, {one.size / 2**20:.2f} MiB")
        if len(found) > SHOWN:
            say(console, f"and {len(found) - SHOWN} more")
        tell(found, "left over")
        say(console, "--yes removes this; nothing was changed")
        return
    with driving(store.place):
        found = look()
        for one in found:
            store.place.remove(one.name)
        if found:
            tell(found, "removed")
        else:
            say(console, "nothing is left over")
