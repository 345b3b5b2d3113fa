"""The command `plan`: what a sweep asks for, what of it is there, and what the rest will cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from crosscut.terminal import say, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crosscut.plan import Plan
    from crosscut.records.catalogue import Catalogue
    from crosscut.records.store import Store

NAMED = 5
"""So many arms are named."""


def plan(
    sweep: Annotated[
        str,
        typer.Argument(metavar="SWEEP", help="A sweep file, or the name of a bundled sweep (crosscut list)."),
    ],
    patches: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Patch the sweep, such as --set seeds.count=3. Repeatable."
        ),
    ] = None,
    storage: Annotated[str, typer.Option(help="Folder or URI that holds the sweeps' records.")] = "results",
) -> None:
    """Show arms, search trials and runs, what is recorded already, and what the rest will cost. Starts nothing."""
    from rich.text import Text

    from crosscut.arms.experiment import prepare
    from crosscut.engine.capacity import Capacity
    from crosscut.engine.cluster import refuse_what_never_fits, this_machine
    from crosscut.errors import InputError
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
    for line in _changes(found, records, store):
        say(console, line)
    left = forecast(found)
    needs = {arm.arm.name: arm.arm.resources for arm in found.arms}
    here = Capacity({"here": this_machine(gpus=any(one.gpus_per_worker for one in needs.values()))})
    slots = min(here.most(one) for one in needs.values())
    basis = "from recorded runs" if left.measured else "a rough guess until runs are recorded"
    if left.seconds is None:
        say(console, "cost: not known before the first run")
    elif slots:
        wall = words(left.wall(slots) or 0.0)
        say(
            console,
            f"cost: {words(left.seconds)} of runs, {wall} with {slots} at once on this machine ({basis})",
        )
    else:
        say(console, f"cost: {words(left.seconds)} of runs ({basis})")
    try:
        refuse_what_never_fits(needs, here, "this machine")
    except InputError as error:
        damaged.append(f"{error}; a cluster that has them is named with `run --address` or `submit`")
    for sentence in damaged:
        console.print(Text(f"note: {sentence}", style="yellow"), soft_wrap=True)


def _changes(plan: Plan, records: Catalogue, store: Store) -> Iterator[str]:
    """What is asked for, how much of it is there, what is new since the last run, and what is left over."""
    from crosscut.errors import InputError
    from crosscut.leftovers import counted, records_left
    from crosscut.records.snapshot import recall

    for name, (recorded, asked) in (("search trials", plan.trials), ("runs", plan.runs)):
        yield f"{name}: {asked} ({recorded} recorded and reused, {asked - recorded} new)"
    try:
        before = [arm.name for arm in recall(store).arms]
    except InputError:
        before = []
    now = [arm.arm.name for arm in plan.arms]
    for names, verb in (
        ([name for name in now if before and name not in before], "added"),
        ([name for name in before if name not in now], "no longer asked for"),
    ):
        if names:
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            yield f"arms {verb} since the last run: {'; '.join(map(repr, names[:NAMED]))}{more}"
    left = list(records_left(plan, records, store))
    if left:
        arms = dict.fromkeys(one.arm for one in left)
        whose = f"of {len(arms)} arms" if len(arms) > NAMED else f"of {'; '.join(map(repr, arms))}"
        yield (
            f"no longer asked for: {counted(left)} {whose}; they are kept and left out of the report "
            "(`crosscut prune` lists them)"
        )
