"""The checkpoints of runs that have ended: which stay, as `resources.keep_checkpoints` says."""

from __future__ import annotations

from crosscut.arm_plan import ArmPlan
from crosscut.plan import Plan
from crosscut.records.record import Record
from crosscut.records.store import Store
from crosscut_reports.directions import higher_is_better


class Checkpoints:
    """Looks after the checkpoints of finished runs. Those of runs that go on are not its own.

    With `best`, an arm keeps the one of its run with the best score on the dev split: by the search's metric, else
    by the primary metric there, never by a score on test. Where no run has such a score, the first one's stays.
    """

    def __init__(self, plan: Plan, store: Store) -> None:
        self._plan = plan
        self._store = store
        self._best: dict[str, tuple[float, str]] = {}
        there = {name.partition("/")[0] for name in store.place.files("checkpoints")}
        for arm in plan.arms if there else ():
            for record in arm.finals:
                if record is not None and record.key in there:
                    self._weigh(arm, record)

    def ended(self, record: Record) -> None:
        """A piece of work ended."""
        if record.work.phase == "final":
            self._weigh(self._plan.arm_of(record.work), record)

    def _weigh(self, arm: ArmPlan, record: Record) -> None:
        keep = arm.arm.resources.keep_checkpoints
        if keep == "all" and record.status == "finished":
            return
        if keep == "none" or record.status != "finished":
            self._store.drop_checkpoint(record.key)
            return
        score = _score(arm, record)
        best = self._best.get(arm.arm.name)
        if best is not None and best[0] >= score:
            self._store.drop_checkpoint(record.key)
            return
        if best is not None:
            self._store.drop_checkpoint(best[1])
        self._best[arm.arm.name] = (score, record.key)


def _score(arm: ArmPlan, record: Record) -> float:
    """The run's score on the dev split, higher for a better one."""
    search = arm.sweep.search
    dev = f"dev/{arm.sweep.report.primary.rpartition('/')[2]}"
    names = [dev] if search is None else [search.metric, dev]
    for name in names:
        if name in record.metrics:
            higher = search.mode == "max" if search and name == search.metric else higher_is_better(name)
            return record.metrics[name] if higher else -record.metrics[name]
    return float("-inf")
