"""The driver: `crosscut run`, from a prepared experiment to its records and its report."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from rich.console import Console
from rich.text import Text

from crosscut.arm_plan import RETRIED
from crosscut.arms.experiment import Experiment
from crosscut.checkpoints import Checkpoints
from crosscut.engine.board import ARMS, Detail
from crosscut.engine.overview import Overview
from crosscut.engine.site import Site
from crosscut.notice import Notices
from crosscut.optuna_storage import FILE, Mirror
from crosscut.plan import Plan, reading, reconcile
from crosscut.progress import Progress
from crosscut.publication import of_sweep
from crosscut.records import declaration, provenance
from crosscut.records.catalogue import Catalogue
from crosscut.records.lock import driving
from crosscut.records.place import joined
from crosscut.records.record import FailureKind, Record
from crosscut.records.snapshot import keep
from crosscut.records.store import Store
from crosscut.records.work import Work
from crosscut.stamp import PAGE, Stamp
from crosscut.standing import remarks, summary, table


@dataclass(frozen=True)
class Order:
    """What the user asks of one call of `crosscut run`, beside the sweep."""

    storage: str
    address: str = "local"
    retry_failed: bool = False
    """Whether runs that raised or diverged are tried again; those that were lost are in any case."""
    report: bool = True
    tensorboard: Detail = "all"
    """Which runs have curves of their own."""
    profile: bool = False
    """Whether runs trace what they do, which takes time."""
    together: bool = True
    """Whether seeds of an arm may be trained together in one process, where that is faster."""
    notify: str | None = field(default=None, repr=False)
    """Address of a webhook that is told of failures and of the end. It is a secret."""


def run(experiment: Experiment, order: Order, console: Console) -> bool:
    """Do what is missing of an experiment; True where every run of every arm has ended well.

    The same call resumes after a crash, adds seeds or adds an arm: what is recorded is not done again.

    Raises:
        InputError: the storage cannot be written, another driver holds the sweep, or a run fits nowhere.
    """
    sweep = experiment.sweep
    store = Store.create(order.storage, sweep.name)
    with driving(store.place):
        store.sweep_up()
        retry = get_args(FailureKind) if order.retry_failed else RETRIED
        damaged: list[str] = []
        records = Catalogue(store)
        plan = reconcile(experiment, reading(records, damaged, retry=retry, mend=True))
        for sentence in damaged:
            console.print(Text(f"note: {sentence}", style="yellow"), soft_wrap=True)
        console.print(Text(f"{sweep.name}: {summary(plan)}"), soft_wrap=True)

        def tell(sentence: str) -> None:
            console.print(Text(f"note: {sentence}", style="yellow"), soft_wrap=True)

        with Notices(order.notify, plan, store.place.name, tell) as notices:
            try:
                if plan.done:
                    keep(store, experiment)
                    overview = Overview(store.tensorboard, experiment)
                    if not overview.folder.exists():
                        _draw(overview, plan, store, console)
                    # Optuna, which a mirror imports, is nothing for a run that has nothing to do.
                    if not (store.folder / FILE).exists():
                        Mirror(plan, store).update()
                else:
                    _carry_out(plan, store, records, order, console, notices)
            finally:
                records.save()
            console.print(table(plan))
            for line in remarks(plan):
                console.print(line, soft_wrap=True)
            if order.report:
                notices.found(_report(plan, store, records, console))
    return all(
        record is not None and record.status == "finished" for arm in plan.arms for record in arm.finals
    ) and not any(record.failure is not None and record.failure.kind == "raised" for record in plan.failures)


def _carry_out(
    plan: Plan, store: Store, records: Catalogue, order: Order, console: Console, notices: Notices
) -> None:
    from crosscut.engine import board
    from crosscut.engine.cluster import connected
    from crosscut.engine.engine import carry_out

    needs = {arm.arm.name: arm.arm.resources for arm in plan.arms}
    declared = declaration.declare(store, plan)
    site = Site(
        place=store.place.name,
        code=str(Path.cwd()),
        commit=provenance.commit(Path.cwd()),
        declaration=declared.hash,
        tensorboard=order.tensorboard,
        profile=order.profile,
    )
    console.print(
        Text(f"TensorBoard: crosscut tensorboard {store.place.name}    log of Ray: {store.logs / 'ray.log'}"),
        soft_wrap=True,
    )
    with connected(needs, order.address, store.logs / "ray.log") as cluster:
        # Only now is it certain that the sweep can run, and may take the place of what was asked for before.
        keep(store, plan.experiment)
        board.write_columns(store.tensorboard, plan.experiment)
        overview = Overview(store.tensorboard, plan.experiment)
        overview.update(plan)
        slots = min(max(1, cluster.capacity.most(one)) for one in needs.values())
        checkpoints, studies = Checkpoints(plan, store), Mirror(plan, store)
        with Progress(plan, store, slots, console, cluster.usage) as progress:

            def given(work: Work) -> None:
                nonlocal declared
                if work.phase == "final":
                    declared = declaration.seal(store, declared)
                progress.given(work)

            def ended(record: Record) -> None:
                records.add(record)
                records.save(every=30.0)
                checkpoints.ended(record)
                overview.update(plan)
                studies.update(every=10.0)
                notices.ended(record)
                progress.ended(record)

            try:
                carry_out(
                    plan,
                    store,
                    site,
                    cluster,
                    given=given,
                    ended=ended,
                    again=progress.again,
                    # A trace is of one run.
                    together=order.together and not order.profile,
                )
            finally:
                studies.update()
                store.push(store.logs / "ray.log")
        _draw(overview, plan, store, console)


def _draw(overview: Overview, plan: Plan, store: Store, console: Console) -> None:
    """Bring the overview up to date for good, and to where the sweep is."""
    overview.update(plan)
    if overview.problem is not None:
        console.print(Text(f"note: {overview.problem}", style="yellow"), soft_wrap=True)
    elif store.place.path is None:
        store.place.remove(f"{store.tensorboard.name}/{ARMS}")
        store.push(overview.folder)


def _report(plan: Plan, store: Store, records: Catalogue, console: Console) -> list[str]:
    """Write the report, unless the one that is there would come out the same; what it says, a sentence each."""
    finished = [r for arm in plan.arms for r in arm.finals if r is not None and r.status == "finished"]
    if not finished:
        console.print("no report: no run has ended well")
        return []
    declared = declaration.read(store)
    stamp = Stamp(plan, records, declared, store)
    sentences = stamp.standing()
    if sentences is None:
        publication = of_sweep(plan, store.report, details=store.details, declaration=declared)
        stamp.put(publication)
        store.push(store.report)
        sentences = publication.sentences
    for sentence in sentences:
        console.print(Text(sentence), soft_wrap=True)
    console.print(Text(f"report: {store.report / PAGE}", style="bold"), soft_wrap=True)
    if store.place.path is None:
        console.print(Text(f"the report is also in {joined(store.place.name, 'report')}"), soft_wrap=True)
    return sentences
