"""The plan: what a sweep asks for, reconciled with what is recorded, and what is to be done next.

What is given out, and with which values, depends on records alone, never on which machine was faster.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from crosscut.arm_plan import RETRIED, ArmPlan, budget, share
from crosscut.arms.experiment import Experiment
from crosscut.records.catalogue import Catalogue
from crosscut.records.record import DamagedRecord, Failure, FailureKind, Record
from crosscut.records.store import Store
from crosscut.records.work import Work


@dataclass
class Plan:
    """All arms of a sweep, and the order in which work is given out."""

    experiment: Experiment
    arms: list[ArmPlan]

    def next(self) -> Work | None:
        """The next piece of work, None where all that may start now has been given out.

        Search trials come first, of the arm with the fewest, so that all arms' searches advance together: each
        waits for those before it, while seeds wait for none. So these fill the cores to the end.
        """
        for arm in sorted(self.arms, key=lambda a: len(a.running) + sum(r is not None for r in a.trials)):
            work = arm.next_trial()
            if work is not None:
                return self._give(arm, work)
        for arm in self.arms:
            work = arm.next_final()
            if work is not None:
                return self._give(arm, work)
        return None

    def company(self, work: Work, slots: int) -> list[Work]:
        """Further seeds of the arm of `work`, which was given out, to be trained in one process with it.

        Fewer and fewer towards the end, so that there is something to do for all of `slots` processes.
        """
        arm = self.arm_of(work)
        most = min(arm.arm.together, (1 + sum(each.waiting for each in self.arms)) // slots)
        found: list[Work] = []
        while work.phase == "final" and len(found) < most - 1:
            further = arm.next_final()
            if further is None:
                break
            found.append(self._give(arm, further))
        return found

    def ended(self, record: Record) -> None:
        """Take in the outcome of work that was given out."""
        self.arm_of(record.work).ended(record)
        self.ask_for_seeds()

    def ask_for_seeds(self) -> None:
        """Ask for further seeds of the arms that need them, where the sweep adds seeds until it is decided."""
        if self.experiment.sweep.seeds.until is None:
            return
        from crosscut.stopping import wanted

        while True:
            asked = wanted(self.experiment, self.arms)
            if all(asked[arm.arm.name] <= len(arm.finals) for arm in self.arms):
                return
            for arm in self.arms:
                arm.extend(asked[arm.arm.name])

    def arm_of(self, work: Work) -> ArmPlan:
        """The arm that a piece of work belongs to."""
        return next(arm for arm in self.arms if arm.arm.name == work.arm)

    @property
    def done(self) -> bool:
        """Whether nothing is left to give out and nothing runs."""
        return not any(arm.running for arm in self.arms) and all(
            arm.blocked or (arm.searched and all(arm.finals)) for arm in self.arms
        )

    @property
    def seeds(self) -> range:
        """The seeds that any arm is to have."""
        return max((arm.seeds for arm in self.arms), key=len, default=range(0))

    @property
    def running(self) -> list[Work]:
        """Work that was given out and has not ended."""
        return [work for arm in self.arms for work in arm.running.values()]

    @property
    def trials(self) -> tuple[int, int]:
        """Search trials recorded, and asked for."""
        return sum(r is not None for a in self.arms for r in a.trials), sum(len(a.trials) for a in self.arms)

    @property
    def runs(self) -> tuple[int, int]:
        """Runs recorded, and asked for."""
        return sum(r is not None for a in self.arms for r in a.finals), sum(len(a.finals) for a in self.arms)

    @property
    def failures(self) -> list[Record]:
        """Records of what failed."""
        return [record for arm in self.arms for record in arm.failures]

    def _give(self, arm: ArmPlan, work: Work) -> Work:
        arm.running[work.key] = work
        return work


def reconcile(experiment: Experiment, read: Callable[[str], Record | None]) -> Plan:
    """The plan of an experiment, with every record that `read` finds in its place."""
    sweep = experiment.sweep
    arms: list[ArmPlan] = []
    for arm in experiment.arms:
        trials = budget(experiment, arm)
        plan = ArmPlan(sweep, arm, [None] * trials, [None] * sweep.seeds.least, read)
        plan.trials = [plan.own(plan.trial_key(index)) for index in range(trials)]
        arms.append(plan)
    share(experiment, arms)
    for plan in arms:
        if plan.searched:
            plan.look_up_finals()
    found = Plan(experiment, arms)
    found.ask_for_seeds()
    return found


def reading(
    records: Catalogue, damaged: list[str], *, retry: Collection[FailureKind] = RETRIED, mend: bool = False
) -> Callable[[str], Record | None]:
    """A `read` for `reconcile`, to which records that are to be done again are missing.

    Args:
        records: those that there are.
        damaged: gets one sentence for each record that is damaged.
        retry: kinds of failure that are tried again.
        mend: set what is to be done again aside. Only for a driver, which holds the sweep.
    """

    def read(key: str) -> Record | None:
        try:
            record = records.read(key)
        except DamagedRecord as error:
            where = f"set aside in {records.set_aside(key)}" if mend else "the next run does it again"
            damaged.append(f"the record {key} is damaged ({error}): {where}")
            return None
        if record is not None and record.failure is not None and record.failure.kind in retry:
            if mend:
                records.set_aside(key)
            return None
        return record

    return read


def recorded(store: Store) -> Plan:
    """The plan of the sweep in a store, with the records that it has now."""
    from crosscut.records.snapshot import recall

    return reconcile(recall(store), reading(Catalogue(store), [], retry=()))


def lost(work: Work, reason: str) -> Record:
    """The record of work whose process died."""
    return Record(work, "failed", failure=Failure("lost", reason))
