"""A sweep in a notebook or a script: it is planned, run, read and reported on as the command line does it."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crosscut.arm_plan import RETRIED
from crosscut.arms.experiment import Experiment, prepare
from crosscut.errors import InputError
from crosscut.plan import Plan, reading, reconcile
from crosscut.records.catalogue import Catalogue
from crosscut.records.record import FailureKind
from crosscut.records.store import Store
from crosscut.sweepfile import sweep as sweepfile

if TYPE_CHECKING:
    from pandas import DataFrame

    from crosscut.notebook.report import Report

MAPPING = "the mapping"
"""What errors name in place of the file where a sweep is given as a mapping."""


class Sweep:
    """A sweep with the storage of its records.

    ```python
    sweep = crosscut.Sweep.load("quickstart", set={"seeds.count": 3}, storage="results")
    sweep.plan()  # a data frame, a line an arm
    sweep.run()
    sweep.records()
    sweep.report()
    ```
    Nothing is held here but what the sweep says: every call reads the records as they are then, so another process
    may run the sweep meanwhile.
    """

    def __init__(self, experiment: Experiment, store: Store, storage: str | None) -> None:
        """`storage` is where `store` lies; None where the sweep was opened and cannot be run."""
        self.experiment = experiment
        """The arms of the sweep, each with its whole configuration."""
        self._store = store
        self._storage = storage

    @classmethod
    def load(
        cls,
        source: str | os.PathLike[str] | Mapping[str, Any],
        *,
        set: Mapping[str, Any] | None = None,  # noqa: A002 - `--set` of the command line
        storage: str | os.PathLike[str] = "results",
    ) -> Sweep:
        """Read a sweep and check all of its arms, without training anything.

        Args:
            source: the path of a sweep file, the name of a bundled sweep, or what such a file says as a mapping. A
                function in a mapping stands for its name.
            set: values by their keys, such as `{"seeds.count": 3}`, in the place of what the sweep says.
            storage: folder or URI that holds the sweeps' records.

        Raises:
            InputError: something in the sweep is wrong.
        """
        patches = [f"{key}={_json(value, f'set: {key}')}" for key, value in (set or {}).items()]
        if isinstance(source, Mapping):
            read = sweepfile.parse(_json(source, MAPPING), MAPPING, patches)
        else:
            read = sweepfile.read(os.fspath(source), patches)
        return cls(prepare(read), Store.at(os.fspath(storage), read.name), os.fspath(storage))

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Sweep:
        """The sweep in a folder of records, as it was last run; neither its file nor its trainable is needed.

        Raises:
            InputError: there is no sweep in it.
        """
        from crosscut.records.snapshot import recall

        store = Store.open(os.fspath(folder))
        return cls(recall(store), store, None)

    @property
    def name(self) -> str:
        """Name of the sweep and of its folder."""
        return self.experiment.sweep.name

    def plan(self) -> DataFrame:
        """A line an arm: search trials and runs that are asked for and that are recorded, the best dev score of
        the search, the mean of the primary metric so far with half of its 95% interval. Starts nothing."""
        from crosscut.notebook import frames

        return frames.of_arms(self._plan(RETRIED))

    def run(
        self,
        *,
        address: str = "local",
        retry_failed: bool = False,
        report: bool = True,
        profile: bool = False,
        together: bool = True,
        quiet: bool = False,
    ) -> bool:
        """Do what is missing of the sweep: search each arm, train it with every seed, write the report.

        What is recorded is not done again. An interruption loses nothing but what is running.

        Args:
            address: Ray cluster to use; `local` starts one on this machine.
            retry_failed: try runs again that raised or diverged.
            report: write the report at the end.
            profile: trace some steps and the first evaluation of every run that is done.
            together: let seeds of an arm train together in one process, where that is faster.
            quiet: print nothing.

        Returns:
            Whether every run of every arm has ended well; `records()` says what has not, and why.

        Raises:
            InputError: the storage cannot be written, another driver holds the sweep, or a run fits nowhere.
        """
        from crosscut import driver
        from crosscut.terminal import terminal

        if self._storage is None:
            raise InputError(
                f"{self.name}: this sweep was opened from its records, expected one that was loaded to be run"
            )
        console = terminal()
        console.quiet = quiet
        order = driver.Order(self._storage, address, retry_failed, report, profile=profile, together=together)
        return driver.run(self.experiment, order, console)

    def records(self) -> DataFrame:
        """A line for each recorded search trial and run, whether it ended well or not: arm, factors, phase,
        trial or seed, status, seconds, metrics, searched values, and why it failed."""
        from crosscut.notebook import frames

        return frames.of_records(self._plan(()))

    def queries(self, name: str) -> DataFrame:
        """A line a query of every run that ended well, with its rank (`test/t2i`), or with its value for a metric
        that is known by query (`test/accuracy`).

        Raises:
            InputError: no run has such ranks or values.
        """
        from crosscut.notebook import frames

        return frames.of_queries(self._plan(()), name)

    def report(
        self,
        out: str | os.PathLike[str] | None = None,
        *,
        baseline: str | None = None,
        metric: str | None = None,
        factors: Sequence[str] | None = None,
        alpha: float | None = None,
        margin: float | None = None,
        hypotheses: Sequence[str] = (),
    ) -> Report:
        """Write the statistical report, into `out` or the sweep's own folder.

        What is given takes the place of what the sweep says. `hypotheses`, such as `arm: all pairs`, are asked
        beside those of the sweep and are exploratory.

        Raises:
            InputError: no run has ended well, or what is asked for is not there.
        """
        from crosscut import publication
        from crosscut.notebook.report import Report
        from crosscut.records import declaration

        wishes = publication.Wishes(
            baseline=baseline,
            metric=metric,
            factors=None if factors is None else tuple(factors),
            alpha=alpha,
            margin=margin,
            hypotheses=tuple(map(publication.asked, hypotheses)),
        )
        written = publication.of_sweep(
            self._plan(()),
            self._store.report if out is None else Path(out),
            wishes,
            details=self._store.details,
            declaration=declaration.read(self._store),
        )
        return Report(written)

    def __repr__(self) -> str:
        return f"<Sweep {self.name}: {len(self.experiment.arms)} arms, records in {self._store.place.name}>"

    def _plan(self, retry: Collection[FailureKind]) -> Plan:
        """What is asked for, with the records that there are now but for those that a run would do again."""
        damaged: list[str] = []
        found = reconcile(self.experiment, reading(Catalogue(self._store), damaged, retry=retry))
        for sentence in damaged:
            warnings.warn(sentence, stacklevel=3)
        return found


def _json(value: Any, where: str) -> str:
    """A value as a sweep file would have it; JSON is YAML. Raises InputError where no file could."""

    def plain(found: Any) -> Any:
        if callable(found) and hasattr(found, "__qualname__"):
            return f"{found.__module__}:{found.__qualname__}"
        if isinstance(found, os.PathLike):
            return os.fspath(found)
        if isinstance(found, Mapping):
            return dict(found)
        if hasattr(found, "tolist"):  # of NumPy
            return found.tolist()
        raise InputError.unexpected(where, "", found, "text, a number, true, false, a list or a mapping")

    try:
        return json.dumps(value, default=plain, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError.at(where, "", f"this could not stand in a sweep file: {error}") from error
