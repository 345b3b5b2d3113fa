"""The overview: what the arms of a sweep come to over their seeds, in TensorBoard, while the sweep runs."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from crosscut.arms.experiment import Experiment
from crosscut.engine.board import ARMS, arm_folder
from crosscut.engine.layout import layout
from crosscut.engine.sheet import Sheet
from crosscut.engine.tally import Tally, band
from crosscut.plan import Plan
from crosscut.records.record import Record


class Overview:
    """A run of TensorBoard's for every arm, `0-arms/<arm>`, over the seeds of the arm that ended well.

    ```
    <metric>                                  the mean at each step, over the seeds that have the step
    result/<metric>                           the mean of a final metric, at the last step
    result by seeds/<metric>                  the same after one seed, two seeds, …
    difference by seeds/<metric>              arm minus baseline, the mean of runs with the same seed, likewise
    t-interval/<any>/mean, /lower, /upper     each of these with its 95% t interval, from two seeds on
    t-interval/seeds                          how many seeds have the step
    ```
    By seeds there are the primary metric and that of the search. The run `0-arms` itself has the layout of
    CUSTOM SCALARS, where the intervals are drawn as bands.

    Args:
        root: the TensorBoard folder.
        experiment: the sweep.
    """

    def __init__(self, root: Path, experiment: Experiment) -> None:
        sweep = experiment.sweep
        asked = [sweep.report.primary, *([] if sweep.search is None else [sweep.search.metric])]
        self.folder = root / ARMS
        self.problem: str | None = None
        """Why the newest state could not be written, None where it was."""
        self._metrics = list(dict.fromkeys(asked))
        self._layout = Sheet(self.folder, 1)
        self._arms = {
            arm.name: _Arm(Sheet(self.folder / arm_folder(arm.name), place))
            for place, arm in enumerate(experiment.arms, 2)
        }
        self._baseline = None if experiment.baseline is None else experiment.baseline.name
        self._banded: set[str] = set()
        self._laid_out = False
        self._cleared = False

    def update(self, plan: Plan) -> bool:
        """Draw the arms that have another seed, or whose baseline has one of theirs; whether there were any.

        A disk that is full or gone ends no sweep: what could not be drawn is drawn by a later call.
        """
        for line in plan.arms:
            self._arms[line.arm.name].look(line.finals)
        states = {name: self._state(name) for name in self._arms}
        stale = [name for name, arm in self._arms.items() if arm.drawn != states[name]]
        try:
            self._clear()
            for name in stale:
                self._draw(name)
                self._arms[name].drawn = states[name]
            if self._banded and not self._laid_out:
                self._layout.draw({}, [layout(self._banded, self._metrics, self._baseline)])
                self._laid_out = True
        except OSError as error:
            self.problem = f"the overview in TensorBoard could not be written ({error.strerror or error})"
        else:
            self.problem = None
        return bool(stale)

    def _state(self, name: str) -> list[tuple[int, str, str | None]]:
        """The seeds that a drawing of an arm is made of: their keys, and those of the baseline's same seeds."""
        own, other = self._arms[name].tally, self._compared(name)
        return [
            (seed, key, None if other is None else other.keys.get(seed)) for seed, key in own.keys.items()
        ]

    def _compared(self, name: str) -> Tally | None:
        """What an arm is compared with."""
        return None if self._baseline in (None, name) else self._arms[self._baseline].tally

    def _draw(self, name: str) -> None:
        """Draw an arm, and remember which curves have a band; an arm without a seed is taken away."""
        arm, other = self._arms[name], self._compared(name)
        if not arm.tally.keys:
            arm.sheet.remove()
            return
        curves = arm.tally.curves(self._metrics)
        if other is not None:
            curves |= arm.tally.differences(other, self._metrics)
        arm.sheet.draw(curves)
        banded = {tag for tag in curves if band(tag)[0] in curves}
        self._laid_out = self._laid_out and banded <= self._banded
        self._banded |= banded

    def _clear(self) -> None:
        """Once, take away what an earlier driver drew of arms that are no longer in the sweep."""
        if not self._cleared and self.folder.is_dir():
            known = {arm.sheet.folder for arm in self._arms.values()}
            for folder in self.folder.iterdir():
                if folder.is_dir() and folder not in known:
                    shutil.rmtree(folder, ignore_errors=True)
        self._cleared = True


@dataclass
class _Arm:
    """One arm of the overview."""

    sheet: Sheet
    tally: Tally = field(default_factory=Tally)
    drawn: list[tuple[int, str, str | None]] | None = None
    """The seeds that the newest drawing is made of, None before the first."""

    def look(self, finals: Iterable[Record | None]) -> None:
        """Take in the seeds that have ended."""
        ended = {r.work.seed: r for r in finals if r is not None and r.status == "finished"}
        if any(seed not in ended or ended[seed].key != key for seed, key in self.tally.keys.items()):
            # Other values were searched, so the seeds before are no part of the arm.
            self.tally = Tally()
        if len(ended) > len(self.tally.keys):
            for record in [record for seed, record in ended.items() if seed not in self.tally.keys]:
                self.tally.add(record)
