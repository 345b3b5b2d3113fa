"""The searcher: hands the plan's work to Ray Tune, and the outcomes back to the plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from ray.tune.search import Searcher

from crosscut.plan import Plan, lost
from crosscut.records.record import DamagedRecord, Record
from crosscut.records.store import Store
from crosscut.records.work import Work


class PlanSearcher(Searcher):
    """Tune asks it for configurations; it gives out the plan's work, or says wait, or says there is no more.

    Args:
        plan: what to give out.
        store: where outcomes are read from: Tune's word that a trial ended is a hint, the record is the truth.
        given, ended: told of every piece of work.
    """

    def __init__(
        self,
        plan: Plan,
        store: Store,
        given: Callable[[Work], None],
        ended: Callable[[Record], None],
    ) -> None:
        super().__init__(metric=None, mode=None)
        self._plan = plan
        self._store = store
        self._given = given
        self._ended = ended
        self._work: dict[str, Work] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its searcher for a restore that is never asked for; there is nothing to keep."""
        return {}

    def suggest(self, trial_id: str) -> dict[str, Any] | None:
        work = self._plan.next()
        if work is None:
            # Ray's own type leaves out that a searcher says it has finished by a text.
            return cast("dict[str, Any]", Searcher.FINISHED) if self._plan.done else None
        self._work[trial_id] = work
        self._given(work)
        return {"work": work.to_json()}

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        work = self._work.pop(trial_id, None)
        if work is None:
            return
        record: Record | None
        try:
            record = self._store.read(work.key)
        except DamagedRecord:
            record = None
        if record is None:
            record = self._store.write(
                lost(work, "its process died, and so did those that were to resume it")
            )
        self._plan.ended(record)
        self._ended(record)

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: records are the memory."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore: `crosscut run` starts from the records."""
