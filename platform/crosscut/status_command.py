"""`crosscut status`: where a sweep stands, once or again and again."""

from __future__ import annotations

from typing import Annotated

import typer

from crosscut.terminal import terminal


def status(
    folder: Annotated[
        str, typer.Argument(metavar="DIR", help="Folder of a sweep, such as results/quickstart, or its URI.")
    ],
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it again as it changes, until all is done.")
    ] = False,
    interval: Annotated[float, typer.Option(min=0.2, help="Seconds between looks with --watch.")] = 2.0,
) -> None:
    """Show where a sweep stands: arms, search, seeds, time left, the cluster, verdicts, failures."""
    import time

    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    from crosscut.plan import recorded
    from crosscut.progress import Elsewhere, elsewhere, in_use
    from crosscut.records import declaration
    from crosscut.records.lock import held, holder
    from crosscut.records.store import Store
    from crosscut.standing import remarks, summary, table
    from crosscut.verdicts import Verdicts

    console = terminal()
    store = Store.open(folder)
    verdicts = Verdicts()

    def look() -> tuple[Group, bool]:
        found = recorded(store)
        live = held(store.place)
        driver = elsewhere(store) if live else Elsewhere()
        if found.done:
            state = "ended"
        elif live:
            state = f"running: {holder(store.place)} holds it"
        else:
            state = "not running; `crosscut run` goes on with it"
        lines = [Text(summary(found, driver.slots))]
        lines += [Text(used)] if (used := in_use(driver.usage)) else []
        lines += [*verdicts.of(found, declaration.read(store)), *remarks(found)]
        head = Text(f"{found.experiment.sweep.name}: {state}")
        return Group(head, table(found, driver.running), *lines), live and not found.done

    view, going_on = look()
    if not watch:
        console.print(view)
        return
    with Live(view, console=console, auto_refresh=False) as live_view:
        while going_on:
            time.sleep(interval)
            view, going_on = look()
            live_view.update(view, refresh=True)
