"""A tally: what the seeds of an arm that have ended come to, as curves of TensorBoard's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from crosscut.engine.moments import Moments, growing
from crosscut.records.record import Record

MOST_STEPS = 500
"""Points of a curve at the most. TensorBoard keeps 1,000 of a tag and chooses them at random, so that a mean and
its bounds would not have the same steps, without which it draws no band."""

RESULT, DIFFERENCE = "result by seeds", "difference by seeds"
"""Groups of curves whose steps are numbers of seeds."""

Curves = dict[str, dict[int, float]]
"""Tag → step → value."""


def band(name: str) -> tuple[str, str, str]:
    """The tags of a mean and of the bounds of its interval. Single runs have none of them."""
    return f"t-interval/{name}/mean", f"t-interval/{name}/lower", f"t-interval/{name}/upper"


class Tally:
    """The seeds of an arm that ended well. What one more costs depends on its steps, not on how many there are."""

    def __init__(self) -> None:
        self.keys: dict[int, str] = {}
        """Seed → key of its record."""
        self._finals: dict[int, Mapping[str, float]] = {}
        self._steps: dict[str, dict[int, Moments]] = {}
        self._reached: dict[int, int] = {}

    def add(self, record: Record) -> None:
        """Take in the record of one more seed."""
        self.keys[record.work.seed] = record.key
        self._finals[record.work.seed] = record.metrics
        for step in record.history:
            self._reached[step.step] = self._reached.get(step.step, 0) + 1
            for metric, value in step.metrics.items():
                self._steps.setdefault(metric, {}).setdefault(step.step, Moments()).add(value)

    def curves(self, metrics: Sequence[str]) -> Curves:
        """Means over seeds: of all metrics by step and at the end, of final `metrics` by number of seeds too."""
        found: Curves = {}
        for metric, moments in self._steps.items():
            for step in _thinned(moments):
                _put(found, metric, step, moments[step])
        if self._reached:
            found["t-interval/seeds"] = {step: self._reached[step] for step in _thinned(self._reached)}
        last = max(self._reached, default=0)
        for metric in dict.fromkeys(name for final in self._finals.values() for name in final):
            found.setdefault(f"result/{metric}", {})[last] = fmean(self._of(metric).values())
        for metric in metrics:
            for so_far in growing(self._of(metric).values()):
                _put(found, f"{RESULT}/{metric}", so_far.count, so_far)
        return found

    def differences(self, baseline: Tally, metrics: Sequence[str]) -> Curves:
        """Mean differences to the baseline of runs with the same seed, by the number of seeds that both have."""
        found: Curves = {}
        for metric in metrics:
            other = baseline._of(metric)
            paired = (value - other[seed] for seed, value in self._of(metric).items() if seed in other)
            for so_far in growing(paired):
                _put(found, f"{DIFFERENCE}/{metric}", so_far.count, so_far)
        return found

    def _of(self, metric: str) -> dict[int, float]:
        """Seed → final value of a metric, in the order of the seeds."""
        return {
            seed: self._finals[seed][metric] for seed in sorted(self._finals) if metric in self._finals[seed]
        }


def _put(curves: Curves, name: str, step: int, moments: Moments) -> None:
    """Put a mean at a step, with its interval where there is one."""
    curves.setdefault(name, {})[step] = moments.mean
    half = moments.half_width
    if half is not None:
        for tag, value in zip(
            band(name), (moments.mean, moments.mean - half, moments.mean + half), strict=True
        ):
            curves.setdefault(tag, {})[step] = value


def _thinned(steps: Mapping[int, object]) -> list[int]:
    """Steps in their order, evenly taken where there are many; first and last are kept."""
    every = sorted(steps)
    if len(every) <= MOST_STEPS:
        return every
    return [every[place * (len(every) - 1) // (MOST_STEPS - 1)] for place in range(MOST_STEPS)]
