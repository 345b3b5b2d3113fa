"""One arm of a plan: its search trials, its seeds, where they stand and what comes next.

Trials come one after the other (`search.parallel` at a time), each chosen from those before it; when the last has
ended, the seeds are given out with the best values found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from crosscut import study
from crosscut.arms.arm import Arm
from crosscut.arms.experiment import Experiment
from crosscut.records.key import run_key, trial_key
from crosscut.records.record import FailureKind, Record
from crosscut.records.work import Work
from crosscut.sweepfile.patch import get_path, set_path
from crosscut.sweepfile.seeds import SEARCH_SEEDS
from crosscut.sweepfile.sweep import Sweep

RETRIED: tuple[FailureKind, ...] = ("lost",)
"""Failures that were not the run's own, so that it is tried again by itself."""


@dataclass
class ArmPlan:
    """One arm: its trials, its seeds, and where they stand."""

    sweep: Sweep
    arm: Arm
    trials: list[Record | None]
    """The record of each search trial, None while it is missing. Empty where the arm has nothing to search."""
    finals: list[Record | None]
    """The record of each seed, None while it is missing."""
    read: Callable[[str], Record | None]
    """Gives the record of a key, None where there is none."""
    running: dict[str, Work] = field(default_factory=dict)
    """Work that was given out and has not ended, by key."""
    leader: ArmPlan | None = field(default=None, repr=False, compare=False)
    """The arm that is searched for this one; None where it is searched itself, or not at all."""
    followers: list[ArmPlan] = field(default_factory=list, repr=False, compare=False)
    """The arms that this one is searched for."""
    _best: tuple[list[Record | None], dict[str, Any] | None] | None = field(default=None, repr=False)
    """The trials that the best values were last worked out from, and these: they are asked for all the time."""

    @property
    def seeds(self) -> range:
        """The final seeds that the arm is to have, the first ones of those that every arm may have."""
        return self.sweep.final_seeds[: len(self.finals)]

    @property
    def searched(self) -> bool:
        """Whether every search trial has ended that its values come from."""
        if self.leader is not None:
            return self.leader.searched
        return all(record is not None for record in self.trials)

    @property
    def values(self) -> dict[str, Any] | None:
        """The searched parameters' best values, {} where nothing is searched, None while that is open or where
        no trial finished."""
        if self.leader is not None:
            found = self.leader.values
            return None if found is None else {path: found[path] for path in self.arm.space}
        if not self.trials:
            return {}
        if self.lost is not None:
            return None
        if not self.searched or self.sweep.search is None:
            return None
        if self._best is None or any(a is not b for a, b in zip(self._best[0], self.trials, strict=False)):
            history = self.history(len(self.trials))
            number = study.chosen(self.sweep.search, history)
            self._best = (list(self.trials), None if number is None else dict(history[number].values))
        return None if self._best[1] is None else dict(self._best[1])

    @property
    def blocked(self) -> str | None:
        """Why the arm's seeds cannot be given out however long one waits, None where they can."""
        if self.leader is not None:
            why = self.leader.blocked
            return None if why is None else f"its values come from {self.leader.arm.name!r}, and {why}"
        if self.lost is not None:
            return f"its search trial {self.lost} was lost; the same command tries it again and goes on from there"
        search = self.sweep.search
        if self.trials and self.searched and self.values is None and search is not None:
            if any(record is not None and record.status == "finished" for record in self.trials):
                metrics = " and ".join(repr(objective.metric) for objective in search.objectives)
                return f"none of its {len(self.trials)} search trials reported {metrics}"
            return f"none of its {len(self.trials)} search trials finished"
        return None

    @property
    def lost(self) -> int | None:
        """The first search trial whose process died. The search stops at it: what would come after it depends
        on how it ends when it is tried again."""
        if self.leader is not None:
            return self.leader.lost
        kinds = (None if r is None or r.failure is None else r.failure.kind for r in self.trials)
        return next((index for index, kind in enumerate(kinds) if kind in RETRIED), None)

    @property
    def failures(self) -> Iterator[Record]:
        """Records of what failed, trials first."""
        return (r for r in (*self.trials, *self.finals) if r is not None and r.status == "failed")

    @property
    def missing(self) -> int:
        """How many runs have no result and can still get one."""
        return 0 if self.blocked else sum(record is None for record in self.finals)

    @property
    def waiting(self) -> int:
        """How many trials and runs have not been given out, and can still be."""
        trials = 0 if self.blocked else sum(record is None for record in self.trials)
        return max(0, trials + self.missing - len(self.running))

    def history(self, end: int) -> list[study.Trial]:
        """The trials before number `end`, those without a record as running."""
        search = self.sweep.search
        assert search is not None
        trials: list[study.Trial] = []
        given_out = {work.index: work for work in self.running.values() if work.phase == "search"}
        for index, record in enumerate(self.trials[:end]):
            if record is not None:
                trials.append(study.trial_of(record, search.objectives))
            else:
                trials.append(study.Trial(given_out[index].values, "running", None, {}))
        return trials

    def trial_key(self, index: int) -> str:
        """Key of search trial `index`."""
        search = self.sweep.search
        assert search is not None
        return trial_key(
            trainable=self.sweep.trainable,
            config=self.arm.defining(self.arm.config),
            seed=SEARCH_SEEDS + index,
            data=self.arm.data,
            search=search.identity(),
            space={path: parameter.to_json() for path, parameter in self.arm.space.items()},
            index=index,
        )

    def final_config(self) -> dict[str, Any] | None:
        """The arm's configuration with the best values put in, None while they are not known."""
        values = self.values
        return None if values is None else _with(self.arm.config, values)

    def final_key(self, position: int) -> str | None:
        """Key of the run with the seed at `position`, None while the best values are not known."""
        config = self.final_config()
        if config is None:
            return None
        return run_key(
            trainable=self.sweep.trainable,
            config=self.arm.defining(config),
            seed=self.seeds[position],
            data=self.arm.data,
        )

    def next_trial(self) -> Work | None:
        """The next search trial, None where none may start yet."""
        search = self.sweep.search
        if search is None or self.lost is not None:
            return None
        running = {work.index for work in self.running.values()}
        index = next((i for i, record in enumerate(self.trials) if record is None and i not in running), None)
        # With p trials at a time, trial i is chosen from the trials up to i - p and the names of those after
        # them, whichever of these happened to be faster.
        if index is None or any(
            record is None for record in self.trials[: max(0, index - search.parallel + 1)]
        ):
            return None
        known = self.history(index)
        for late in range(max(0, index - search.parallel + 1), index):
            known[late] = study.Trial(known[late].values, "running", None, {})
        values = study.suggest(search, self.arm.space, _own(self.arm), known)
        return Work(
            key=self.trial_key(index),
            arm=self.arm.name,
            levels=self.arm.levels,
            phase="search",
            index=index,
            seed=SEARCH_SEEDS + index,
            trainable=self.sweep.trainable,
            config=_with(self.arm.config, values),
            values=values,
            data=self.arm.data,
            stop_rule=search.pruning.rule(known, search.objectives[0]),
        )

    def next_final(self) -> Work | None:
        """The next seed, None where the search has not ended or all are given out."""
        values = self.values
        if values is None:
            return None
        running = {work.index for work in self.running.values() if work.phase == "final"}
        for position, record in enumerate(self.finals):
            if record is not None or position in running:
                continue
            key = self.final_key(position)
            if key is not None:
                return Work(
                    key=key,
                    arm=self.arm.name,
                    levels=self.arm.levels,
                    phase="final",
                    index=position,
                    seed=self.seeds[position],
                    trainable=self.sweep.trainable,
                    config=_with(self.arm.config, values),
                    values=values,
                    data=self.arm.data,
                )
        return None

    def ended(self, record: Record) -> None:
        """Take in the outcome of work that was given out."""
        work = self.running.pop(record.key)
        (self.trials if work.phase == "search" else self.finals)[work.index] = record
        if work.phase == "search" and self.searched:
            for arm in (self, *self.followers):
                arm.look_up_finals()

    def look_up_finals(self) -> None:
        """Put the seeds' records in their place, which can be done as soon as the search has ended: only then
        are their keys known. An earlier search may have found the same values."""
        keys = [self.final_key(position) for position in range(len(self.finals))]
        self.finals = [None if key is None else self.own(key) for key in keys]

    def extend(self, seeds: int) -> None:
        """Ask for so many seeds, if that is more than were asked for; those that are recorded are taken in."""
        for position in range(len(self.finals), seeds):
            self.finals.append(None)
            key = self.final_key(position)
            self.finals[position] = None if key is None else self.own(key)

    def own(self, key: str) -> Record | None:
        """The record of a key, under the name that the arm has now: a renamed level repeats no run."""
        record = self.read(key)
        if record is None:
            return None
        return replace(record, work=replace(record.work, arm=self.arm.name, levels=self.arm.levels))


def budget(experiment: Experiment, arm: Arm) -> int:
    """Search trials that an arm is to have; none where another is searched for it."""
    search = experiment.sweep.search
    if search is None or arm.name in experiment.leaders:
        return 0
    return study.budget(search, arm.space, _own(arm))


def share(experiment: Experiment, arms: Sequence[ArmPlan]) -> None:
    """Let arms take their values from those that are searched for them."""
    plans = {arm.arm.name: arm for arm in arms}
    for name, leader in experiment.leaders.items():
        follower = plans[name]
        follower.leader = plans[leader]
        plans[leader].followers.append(follower)


def _own(arm: Arm) -> dict[str, Any]:
    """What the arm's own configuration has for its searched parameters."""
    return {path: get_path(arm.config, path) for path in arm.space}


def _with(config: Any, values: dict[str, Any]) -> dict[str, Any]:
    for path, value in values.items():
        config = set_path(config, path, value)
    return dict(config)
