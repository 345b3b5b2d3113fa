"""From records to what a report tells beside its statistics: the question, tuning, failures, provenance."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import fmean, stdev
from typing import Any

from crosscut.arm_plan import ArmPlan
from crosscut.plan import Plan
from crosscut.records.key import digest
from crosscut.records.record import Record
from crosscut.scores import common_metrics, finished
from crosscut_reports.context import Context, Failure, Note, Tuning
from crosscut_reports.question import Question


def question_of(plan: Plan) -> Question:
    """What the sweep declared before its runs."""
    sweep, baseline = plan.experiment.sweep, plan.experiment.baseline
    return Question(
        primary=sweep.report.primary,
        alpha=sweep.report.alpha,
        margin=sweep.report.margin,
        baseline=None if baseline is None else baseline.name,
        hypotheses=[hypothesis.to_json() for hypothesis in sweep.hypotheses],
        metrics=sweep.report.metrics,
    )


def context_of(plan: Plan) -> Context:
    """How the arms were tuned, what failed, what trainables note, and where the runs came from."""
    sweep = plan.experiment.sweep
    runs = [record for arm in plan.arms for record in arm.finals if record is not None]
    return Context(
        name=sweep.name,
        question=sweep.question,
        tuning=[_tuning(arm) for arm in plan.arms],
        failures=[_failure(record) for record in plan.failures if record.failure is not None],
        notes=[note for arm in plan.arms for note in _notes(arm)],
        attention={arm.arm.name: found for arm in plan.arms if (found := _attention(arm))},
        provenance=_provenance(plan, runs),
        planned=plan.runs[1],
        recorded=sum(record.status == "finished" for record in runs),
    )


def _tuning(arm: ArmPlan) -> Tuning:
    search = arm.sweep.search
    trials = [record for record in arm.trials if record is not None]
    values = arm.values
    if search is None:
        return Tuning(arm.arm.name, 0, 0, 0, "", None, {})
    maximize = search.mode == "max"
    ended = [r for r in trials if r.status != "failed"]
    scores = [score for r in ended if (score := r.best(search.metric, maximize)) is not None]
    return Tuning(
        arm=arm.arm.name,
        trials=len(trials),
        pruned=sum(r.status == "pruned" for r in trials),
        failed=sum(r.status == "failed" for r in trials),
        metric=search.metric,
        best=(max(scores) if maximize else min(scores)) if scores else None,
        values=values or {},
        scores=tuple(scores),
    )


def _failure(record: Record) -> Failure:
    assert record.failure is not None
    work = record.work
    return Failure(work.arm, work.phase, work.number, record.failure.kind, record.failure.reason)


def _notes(arm: ArmPlan) -> Iterator[Note]:
    for record in (*arm.trials, *arm.finals):
        if record is not None:
            work = record.work
            yield from (Note(work.arm, work.phase, work.number, text) for text in record.notes)


def _attention(arm: ArmPlan) -> dict[str, tuple[float, float]]:
    """Attention metric → mean and standard deviation over the arm's seeds, NaN with one seed."""
    present = [record for record in arm.finals if finished(record) is not None and record is not None]
    found: dict[str, tuple[float, float]] = {}
    for name in common_metrics(present):
        if "attention_" in name:
            values = [record.metrics[name] for record in present]
            found[name] = (fmean(values), stdev(values) if len(values) > 1 else math.nan)
    return found


def _provenance(plan: Plan, runs: Sequence[Record]) -> dict[str, str]:
    """Label → text; several values of one thing are all named, since a careful reader wants to know."""

    def distinct(values: Sequence[Any]) -> str:
        return ", ".join(sorted({str(value) for value in values if value is not None})) or "unknown"

    sweep = plan.experiment.sweep
    found = {
        "sweep": f"{sweep.name} (hash {digest(sweep.to_json())[:16]})",
        "trainable": sweep.trainable,
        "data fingerprint": distinct([arm.arm.data for arm in plan.arms]),
        "commit": distinct([record.provenance.get("commit") for record in runs]),
        "workers per run": distinct([record.provenance.get("workers") for record in runs]),
        "device": distinct([record.provenance.get("device") for record in runs]),
        "seeds": ", ".join(str(seed) for seed in plan.arms[0].seeds),
    }
    versions = [record.provenance.get("versions", {}) for record in runs]
    for package in dict.fromkeys(name for version in versions for name in version):
        found[package] = distinct([version.get(package) for version in versions])
    return found
