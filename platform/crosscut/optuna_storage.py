"""The searches of a sweep as studies in a storage of Optuna's, for tools that open one, such as optuna-dashboard.

A mirror: it is made from records alone and nothing is read back from it. It may be lost, and where it says
something else than the records it is made anew. It is a journal, which works on shared folders where SQLite does
not.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crosscut.arm_plan import ArmPlan
from crosscut.plan import Plan
from crosscut.records.local_place import whole
from crosscut.records.record import Record
from crosscut.records.store import Store
from crosscut.samplers.asking import distribution, quiet
from crosscut.study import trial_of
from crosscut.sweepfile.search import Search

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

FILE = "optuna.log"

_Line = dict[str, Any]
"""A line of the journal."""


class Mirror:
    """The journal of a sweep, `optuna.log`, kept up to date.

    One study an arm that is searched, in the order of the arms and so named that names sort likewise, with the
    directions of all metrics of the search. Its trials have the numbers that they have in the sweep, parameters
    with their distributions, the best score up to each step as intermediate values, and as attributes `record`
    (the key), `arm`, `seed`, `status`, `seconds`, the metrics that were recorded, and `failure`. A trial is there
    as soon as it and all before it have ended.

    Args:
        plan: what is carried out.
        store: the sweep's store.
    """

    def __init__(self, plan: Plan, store: Store) -> None:
        self._plan = plan
        self._store = store
        self.path = store.folder / FILE
        self._updated: float | None = None
        self._took = 0.0
        if any(arm.trials for arm in plan.arms):
            # Now, since an interruption in the middle of the import would leave half of it to the last update.
            import optuna.storages.journal  # noqa: F401

    def update(self, every: float = 0.0) -> bool:
        """Bring it up to date, unless that was done less than `every` seconds ago; whether anything was new.

        Trials that are there already are not written again. But they are read, so with `every` a long journal
        waits until that takes a hundredth of the time. A disk that is full or gone ends no sweep: what could not
        be written is by a later call.
        """
        now = time.monotonic()
        if every and self._updated is not None and now - self._updated < max(every, 100 * self._took):
            return False
        arms = [(name, arm) for name, arm in _names(self._plan.arms) if _ended(arm)]
        if not arms:
            return False
        with contextlib.suppress(OSError), quiet():
            if self._updated is None:
                self._store.pull(self.path)
            changed = self._write(arms)
            self._updated = time.monotonic()
            self._took = self._updated - now
            return changed
        self._updated = now
        return False

    def _write(self, arms: list[tuple[str, ArmPlan]]) -> bool:
        known = _read(self.path)
        lines = None if known is None else self._further(known, arms)
        if lines is None:
            with whole(self.path) as temporary:
                temporary.write_bytes(_written(self._further([], arms) or []))
        elif lines:
            from optuna.storages.journal import JournalFileBackend

            JournalFileBackend(str(self.path)).append_logs(lines)
        else:
            return False
        self._store.push(self.path)
        return True

    def _further(self, known: list[_Line], arms: list[tuple[str, ArmPlan]]) -> list[_Line] | None:
        """What the journal lacks, None where it says something else than the records."""
        from optuna.storages import JournalStorage

        journal = _journal(known)
        try:
            storage = JournalStorage(journal)
            studies = {one.study_name: one._study_id for one in storage.get_all_studies()}
            if not studies.keys() <= {name for name, _ in arms}:
                return None
            for name, arm in arms:
                if name not in studies:
                    studies[name] = self._begin(storage, name, arm)
                found = storage.get_all_trials(studies[name], deepcopy=False)
                ended = _ended(arm)
                if len(found) > len(ended) or not all(map(_same, found, ended)):
                    return None
                for record in ended[len(found) :]:
                    storage.create_new_trial(studies[name], _trial(arm, record))
        except (KeyError, TypeError, AttributeError, ValueError, IndexError):
            if known:
                return None  # lines that no journal of Optuna's has
            raise
        return list(journal.lines[len(known) :])

    def _begin(self, storage: BaseStorage, name: str, arm: ArmPlan) -> int:
        """Make the study of an arm; its id."""
        from optuna.study import StudyDirection

        objectives = _search(arm).objectives
        directions = [StudyDirection.MAXIMIZE if o.maximize else StudyDirection.MINIMIZE for o in objectives]
        study = storage.create_new_study(directions, name)
        # As Study.set_metric_names does, of which Optuna warns that it may change.
        storage.set_study_system_attr(study, "study:metric_names", [o.metric for o in objectives])
        sweep = self._plan.experiment.sweep
        facts = {"sweep": sweep.name, "question": sweep.question or "", "arm": arm.arm.name, **arm.arm.levels}
        for key, value in facts.items():
            storage.set_study_user_attr(study, key, value)
        return study


def _names(arms: Iterable[ArmPlan]) -> Iterator[tuple[str, ArmPlan]]:
    """The arms that are searched, each with the name of its study."""
    searched = [arm for arm in arms if arm.trials]
    width = len(str(len(searched)))
    for place, arm in enumerate(searched, 1):
        yield f"{place:0{width}d} {arm.arm.name}", arm


def _ended(arm: ArmPlan) -> list[Record]:
    """The trials before the first that has not ended."""
    found = []
    for record in arm.trials:
        if record is None:
            break
        found.append(record)
    return found


def _same(found: FrozenTrial, record: Record) -> bool:
    """Whether a trial of the journal is of this record, told without reading the record's history."""
    attributes = found.user_attrs
    return (
        attributes.get("record") == record.key
        and attributes.get("arm") == record.work.arm
        and attributes.get("status") == record.status
        and found.params == dict(record.work.values)
    )


def _trial(arm: ArmPlan, record: Record) -> FrozenTrial:
    from optuna.trial import FrozenTrial, TrialState

    objectives = _search(arm).objectives
    trial = trial_of(record, objectives)
    values: list[float] | None = None
    if trial.state == "finished":
        state, values = TrialState.COMPLETE, list(trial.point)
    elif trial.state == "pruned":
        # What it would have had of further metrics is not known.
        state, values = TrialState.PRUNED, list(trial.point) if len(objectives) == 1 else None
    else:
        state = TrialState.FAIL
    attributes: dict[str, Any] = {
        **record.metrics,
        "record": record.key,
        "arm": record.work.arm,
        "seed": record.work.seed,
        "status": record.status,
        "seconds": record.seconds,
    }
    if record.failure is not None:
        attributes["failure"] = f"{record.failure.kind}: {record.failure.reason}"
    return FrozenTrial(
        number=record.work.index,
        trial_id=-1,  # the storage gives it one
        state=state,
        value=None,
        values=values,
        datetime_start=datetime.fromtimestamp(record.started),
        datetime_complete=datetime.fromtimestamp(record.ended),
        params=dict(record.work.values),
        distributions={path: distribution(arm.arm.space[path]) for path in record.work.values},
        user_attrs=attributes,
        system_attrs={},
        intermediate_values=dict(trial.steps),
    )


def _search(arm: ArmPlan) -> Search:
    assert arm.sweep.search is not None, "an arm with trials has a search"
    return arm.sweep.search


def _journal(lines: list[_Line]) -> Any:
    """A journal in memory that begins with these lines."""
    from optuna.storages.journal import BaseJournalBackend

    class Journal(BaseJournalBackend):
        def __init__(self) -> None:
            self.lines = list(lines)

        def read_logs(self, log_number_from: int) -> Iterable[_Line]:
            return self.lines[log_number_from:]

        def append_logs(self, logs: list[_Line]) -> None:
            # Read as from a file, where keys are texts and enumerations numbers.
            self.lines += json.loads(json.dumps(logs))

    return Journal()


def _read(path: Path) -> list[_Line] | None:
    """The lines of a journal, None where there is none, or one that was not written to its end."""
    try:
        content = path.read_bytes()
        if not content.endswith(b"\n"):
            return None
        lines = [json.loads(line) for line in content.splitlines()]
    except (FileNotFoundError, ValueError):
        return None
    return lines if all(isinstance(line, Mapping) for line in lines) else None


def _written(lines: Iterable[_Line]) -> bytes:
    return "".join(f"{json.dumps(line, separators=(',', ':'))}\n" for line in lines).encode()
