"""Seeds until decided: which arms get another seed, from the records that there are and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from crosscut.arm_plan import ArmPlan
from crosscut.arms.experiment import Experiment
from crosscut.records.record import Record
from crosscut.scores import finished
from crosscut_reports import sequential
from crosscut_reports.asked import distinct
from crosscut_reports.between_splits import Span, resolved, spans
from crosscut_reports.contrast import Contrast
from crosscut_reports.directions import higher_is_better
from crosscut_reports.hypothesis import contrasts


@dataclass(frozen=True)
class _Asked:
    """A contrast on one metric."""

    contrast: Contrast
    metric: str
    span: Span | None
    """What the metric is the difference of, where it is one between splits."""


def wanted(experiment: Experiment, arms: Sequence[ArmPlan]) -> dict[str, int]:
    """Arm → seeds that it is to have now: more than it has where a declared hypothesis waits for another one.

    Families go from round to round each by itself, see `sequential.follow`. A hypothesis with an arm that can have
    no runs at all takes no part. One whose arm waits for its search, or for a lost trial to be tried again, holds
    its family.
    """
    sweep = experiment.sweep
    found = {arm.arm.name: len(arm.finals) for arm in arms}
    if sweep.seeds.until is None:
        return found
    plans = {arm.arm.name: arm for arm in arms}
    families = _families(experiment)
    if len(families) == 1 and _waits(next(iter(families.values())), plans):
        return found
    for members in families.values():
        answerable = {
            name: asked
            for name, asked in members.items()
            if all(
                plans[arm].blocked is None or plans[arm].lost is not None for arm in asked.contrast.weights
            )
        }
        courses = sequential.follow(
            {
                name: sequential.per_seed(asked.contrast.weights, _runs(asked, plans))
                for name, asked in answerable.items()
            },
            alpha=sweep.report.alpha,
            margin=sequential.common_margin(
                (asked.metric for asked in answerable.values()), sweep.report.primary, sweep.report.margin
            ),
            minimum=sweep.seeds.least,
            maximum=sweep.seeds.most,
        )
        weights = {name: asked.contrast.weights for name, asked in answerable.items()}
        still = sequential.open_arms(weights, courses)
        done = max((course.round for course in courses.values() if course.reason is None), default=0)
        for arm in still:
            found[arm] = max(found[arm], min(done + 1, sweep.seeds.most) if done else sweep.seeds.least)
    return found


def _waits(members: Mapping[str, _Asked], plans: Mapping[str, ArmPlan]) -> bool:
    """Whether the round that the only family is in still waits for a run, so that nothing can be asked for yet.

    What was asked for beyond the first seeds was so for open hypotheses, which go on together. To follow them
    takes long where there are many.
    """
    arms = {name for asked in members.values() for name in asked.contrast.weights}
    return any(None in plans[name].finals for name in arms if plans[name].blocked is None)


def _families(experiment: Experiment) -> dict[str | None, dict[str, _Asked]]:
    """Family → name → what is asked, of the declared hypotheses on every metric that they are about."""
    sweep = experiment.sweep
    levels = {arm.name: arm.levels for arm in experiment.arms}
    families: dict[str | None, dict[str, _Asked]] = {}
    # As in the report, what two hypotheses ask alike is asked once.
    primary = sweep.report.primary
    hypotheses = [resolved(one, primary) for one in sweep.hypotheses]
    between = spans(sweep.hypotheses, primary)
    for contrast in distinct(contrasts(hypotheses, levels), primary):
        for metric in contrast.metrics:
            families.setdefault(contrast.family, {})[f"{contrast.name} on {metric}"] = _Asked(
                contrast, metric, between.get(metric)
            )
    return families


def _runs(asked: _Asked, plans: Mapping[str, ArmPlan]) -> dict[str, list[float]]:
    """Arm → what its runs have of the metric, up to the first that has not ended; NaN for one without a result."""
    span = asked.span
    sign = 1.0 if higher_is_better(asked.metric if span is None else span.there) else -1.0

    def measured(record: Record) -> float:
        if span is None:
            return _value(record, asked.metric)
        return _value(record, span.there) - _value(record, span.here)

    return {
        arm: [sign * value for value in _values(plans[arm].finals, measured)]
        for arm in asked.contrast.weights
    }


def _values(finals: Sequence[Record | None], measured: Callable[[Record], float]) -> Iterator[float]:
    for record in finals:
        if record is None:
            return
        well = finished(record)
        yield float("nan") if well is None else measured(well)


def _value(record: Record, metric: str) -> float:
    return float(record.metrics.get(metric, float("nan")))
