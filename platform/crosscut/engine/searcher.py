"""The searcher: hands the plan's work to Ray Tune, and the outcomes back to the plan."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ray.tune import Callback
from ray.tune.search import Searcher

from crosscut.engine.cluster import Cluster
from crosscut.engine.ending import ending_of
from crosscut.engine.groups import Groups
from crosscut.engine.worker import standing
from crosscut.plan import Plan
from crosscut.records.attempts import Attempts
from crosscut.records.record import Attempt, Failure, Record
from crosscut.records.store import Store
from crosscut.records.work import Work

if TYPE_CHECKING:
    from ray.tune.experiment import Trial

FIRST_WAIT = 1.0
"""Seconds before a run's second try; before each further one twice as many, up to `LONGEST_WAIT`."""
LONGEST_WAIT = 300.0
LOOK = 2.0
"""Seconds between two looks at which machines the cluster has."""


class PlanSearcher(Searcher):
    """Tune asks it for configurations; it gives out the plan's work, or says wait, or says there is no more.

    Work is given out in the plan's order as soon as the cluster has room for all its workers; what is next waits
    for its room and is not overtaken, or a run that needs the whole cluster would never start beside small ones.

    Args:
        plan: what to give out.
        store: where outcomes are read from: Tune's word that a trial ended is a hint, the record is the truth.
        cluster: what there is room on.
        given, ended: told of every piece of work.
        again: told of a try that came to nothing and is followed by another.
        groups: the worker groups on it.
        together: whether seeds may be trained together.
    """

    def __init__(
        self,
        plan: Plan,
        store: Store,
        cluster: Cluster,
        given: Callable[[Work], None],
        ended: Callable[[Record], None],
        again: Callable[[Work, Attempt], None],
        groups: Groups,
        together: bool = True,
    ) -> None:
        super().__init__(metric=None, mode=None)
        self.error: Exception | None = None
        """What ends the sweep, such as a storage that can no longer be written."""
        self._plan = plan
        self._store = store
        self._cluster = cluster
        self._given, self._ended, self._again = given, ended, again
        self._groups, self._together = groups, together
        self._hosts: dict[str, str] = {}
        """Key of what a group trains → the name of its host."""
        self._works: dict[str, list[Work]] = {}
        """Trial → what it trains: seeds of one arm where it is more than one."""
        self._next: list[Work] = []
        self._due: list[tuple[float, Work]] = []
        self._looked = time.monotonic()
        self._gave = False
        """Whether something was given out at the last call, which Tune starts as soon as there is no more."""

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its searcher for a restore that is never asked for; there is nothing to keep."""
        return {}

    def suggest(self, trial_id: str) -> dict[str, Any] | None:
        # Ray's own type leaves out that a searcher says it has finished by a text.
        finished = cast("dict[str, Any]", Searcher.FINISHED)
        with self._fatal():
            works = self._take()
        if not works:
            return finished if self._plan.done else None
        self._works[trial_id] = works
        needs = self._plan.arm_of(works[0]).arm.resources
        host = self._hosts.get(works[0].key)
        plain = [work.to_json() for work in works]
        return {"works": plain, "resources": needs.model_dump(), "host": host}

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        # Of an error, Tune's callback says more.
        if not error:
            self.outcome(trial_id, None)

    def outcome(self, trial_id: str, error: str | None) -> None:
        """Take in how a trial ended. `error` is what Ray says where it did not end by itself."""
        works = self._works.pop(trial_id, None)
        if works is None:
            return
        holder = works[0].key
        if self._hosts.pop(holder, None) is None:
            self._cluster.capacity.give_back(holder)
        else:
            self._groups.give_back(holder, sound=error is None)
        with self._fatal():
            for work in works:
                self._take_in(work, error)

    def lost(self, reason: str) -> None:
        """Take in that the cluster was lost with all that ran on it, and be ready for the next."""
        self.error = None
        self._groups.forget()
        for trial_id in list(self._works):
            self.outcome(trial_id, reason)

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: records are the memory."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore: `crosscut run` starts from the records."""

    @contextlib.contextmanager
    def _fatal(self) -> Iterator[None]:
        """Remember what is raised: it ends the experiment, and Tune tells it in words of its own."""
        try:
            yield
        except Exception as error:
            self.error = error
            raise

    def _take(self) -> list[Work]:
        """The next work that there is room for, which is then given out; nothing where there is none."""
        now = time.monotonic()
        if now - self._looked > LOOK:
            self._looked = now
            self._cluster.look()
            self._groups.look()
        due = next((entry for entry in self._due if entry[0] <= now), None)
        gave, self._gave = self._gave, False
        if due is None and not self._next:
            if gave and not self._may_start_more():
                # What comes next is thought of while what was given out runs: a freed core does not wait for it.
                return []
            self._next = self._thought_of()
        works = self._next if due is None else [due[1]]
        if not works or not self._has_room(works[0]):
            return []
        if due is None:
            self._next = []
            for work in works:
                self._given(work)
        else:
            self._due.remove(due)
        self._gave = True
        return works

    def _thought_of(self) -> list[Work]:
        """What the plan has next: one piece of work, or several seeds that one process trains together."""
        work = self._plan.next()
        if work is None:
            return []
        needs = self._plan.arm_of(work).arm.resources
        if not self._together or not needs.sharable:
            return [work]
        return [work, *self._plan.company(work, max(1, self._cluster.capacity.most(needs)))]

    def _may_start_more(self) -> bool:
        """Whether there is room for some piece of work, or a group to end so that there is."""
        every = {arm.arm.resources for arm in self._plan.arms}
        return self._groups.idle or any(self._cluster.capacity.has_room(needs) for needs in every)

    def _has_room(self, work: Work) -> bool:
        """Take what work needs, or a group that has nothing to do; False, and nothing taken, where there is no
        room yet."""
        needs = self._plan.arm_of(work).arm.resources
        if needs.workers == 1:
            found = self._cluster.capacity.take(work.key, needs)
        else:
            host = self._groups.take(work.key, needs)
            if found := host is not None:
                self._hosts[work.key] = host
        if not found:
            self._groups.make_room()
        return found

    def _take_in(self, work: Work, error: str | None) -> None:
        record = standing(self._store, work.key)
        if record is None:
            attempts = Attempts(self._store, work.key)
            attempt = ending_of(self._store, work.key, error)
            every = attempts.add(attempt)
            if len(every) <= self._plan.arm_of(work).arm.resources.retries:
                wait = min(FIRST_WAIT * 2.0 ** (len(every) - 1), LONGEST_WAIT)
                self._due.append((time.monotonic() + wait, work))
                self._again(work, attempt)
                return
            times = "" if len(every) == 1 else f" (the last of {len(every)} tries)"
            failure = Failure(attempt.kind, f"{attempt.reason}{times}")
            record = self._store.write(Record(work, "failed", failure=failure, attempts=every[:-1]))
            attempts.forget()
        self._plan.ended(record)
        self._ended(record)


class Failures(Callback):
    """Tells the searcher why a trial ended that did not end by itself."""

    def __init__(self, searcher: PlanSearcher) -> None:
        self._searcher = searcher

    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Called by Tune after the searcher was told that it ended."""
        try:
            # The file on this machine; Tune's own accessor looks where it has not been brought yet.
            told = Path(trial.error_file).read_text(errors="replace")
        except (OSError, TypeError):
            told = ""
        self._searcher.outcome(trial.trial_id, told)
