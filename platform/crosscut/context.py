"""From records to what a report tells beside its statistics: the question, tuning, failures, provenance."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

from crosscut import study
from crosscut.arm_plan import ArmPlan
from crosscut.choosing import front
from crosscut.consistency import edges, mixtures, same_training, seen_in_search
from crosscut.importance import importances
from crosscut.plan import Plan
from crosscut.records.declaration import FILE, Declaration, said_by
from crosscut.records.key import digest
from crosscut.records.record import Record
from crosscut.scores import common_metrics, finished
from crosscut.sweepfile.sweep import Search
from crosscut_reports.context import Context, Failure, Note, Outcome, Tuning
from crosscut_reports.contrast import ContrastError, Levels
from crosscut_reports.hypothesis import Hypothesis
from crosscut_reports.question import Question


def question_of(plan: Plan, declaration: Declaration | None) -> Question:
    """What the sweep asks now, and what of it was declared before its runs.

    A hypothesis that was declared and is no longer in the sweep file is still declared, as far as its arms are
    there: to leave it out once its result is known would be a choice by the result.
    """
    sweep, baseline = plan.experiment.sweep, plan.experiment.baseline
    declared = () if declaration is None else declaration.hypotheses
    levels = {arm.name: arm.levels for arm in plan.experiment.arms}
    kept = [one for one in declared if _answerable(one, levels)]
    return Question(
        primary=sweep.report.primary,
        alpha=sweep.report.alpha,
        margin=sweep.report.margin,
        baseline=None if baseline is None else baseline.name,
        hypotheses=kept,
        late=[one for one in sweep.hypotheses if one not in kept],
        metrics=sweep.report.metrics,
        screen=sweep.report.screen,
        rounds=None if sweep.seeds.until is None else (sweep.seeds.least, sweep.seeds.most),
        changed=_changed(declaration, said_by(sweep)),
    )


def _answerable(hypothesis: Hypothesis, levels: Levels) -> bool:
    try:
        return bool(hypothesis.contrasts(levels))
    except ContrastError:
        return False


def _changed(declaration: Declaration | None, now: Mapping[str, Any]) -> dict[str, str]:
    """What the sweep says otherwise than was declared: what → how."""
    if declaration is None:
        return {"declaration": f"there is no {FILE} beside the records"} if now["hypotheses"] else {}
    if not declaration.intact:
        return {"declaration": f"{FILE} is not what was written before the runs, so it shows nothing"}
    if declaration.recorded:
        return {"declaration": f"it was made when {declaration.recorded} runs were recorded"}
    found = {
        key: f"declared as {_text(declaration.said[key])}, the sweep now says {_text(now[key])}"
        for key in ("primary", "alpha", "margin", "seeds")
        if declaration.said[key] != now[key]
    }
    gone = [one for one in declaration.said["hypotheses"] if one not in now["hypotheses"]]
    if gone:
        found["hypotheses"] = f"the sweep no longer has {'; '.join(map(_text, gone))}"
    return found


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_text(inner)}" for key, inner in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def context_of(plan: Plan, declaration: Declaration | None = None) -> Context:
    """How the arms were tuned, what failed, what trainables note, and where the runs came from."""
    sweep = plan.experiment.sweep
    runs = [record for arm in plan.arms for record in arm.finals if record is not None]
    tuning = [_tuning(arm) for arm in plan.arms]
    return Context(
        name=sweep.name,
        question=sweep.question,
        tuning=tuning,
        failures=[_failure(record) for record in plan.failures if record.failure is not None],
        notes=[note for arm in plan.arms for note in _notes(arm)],
        attention={arm.arm.name: found for arm in plan.arms if (found := _attention(arm))},
        provenance=_provenance(plan, runs, declaration),
        planned=plan.runs[1],
        recorded=sum(record.status == "finished" for record in runs),
        importance=[
            row
            for arm, one in zip(plan.arms, tuning, strict=True)
            for row in importances(one.arm, arm.arm.space, one.points, one.scores, one.maximize)
        ],
        mixtures=mixtures(plan, runs),
        seen_in_search=seen_in_search(plan),
        same_training=same_training(plan),
    )


def _tuning(arm: ArmPlan) -> Tuning:
    search = arm.sweep.search
    trials = [record for record in arm.trials if record is not None]
    values = arm.values
    if search is None:
        return Tuning(arm.arm.name, 0, 0, 0, "", None, {})
    maximize = search.mode == "max"
    ended = [r for r in trials if r.status != "failed"]
    known = [(r, score) for r in ended if (score := r.best(search.metric, maximize)) is not None]
    scores = [score for _, score in known]
    return Tuning(
        arm=arm.arm.name,
        trials=len(trials),
        pruned=sum(r.status == "pruned" for r in trials),
        failed=sum(r.status == "failed" for r in trials),
        metric=search.metric,
        best=(max(scores) if maximize else min(scores)) if scores else None,
        values=values or {},
        scores=tuple(scores),
        points=tuple(record.work.values for record, _ in known),
        edges=tuple(edges(arm)),
        maximize=maximize,
        shared_from=None if arm.leader is None else arm.leader.arm.name,
        directions=search.metrics or {},
        rule=search.choose.words(search.objectives) if search.metrics else "",
        outcomes=tuple(_outcomes(arm, search)) if search.metrics else (),
    )


def _outcomes(arm: ArmPlan, search: Search) -> Iterator[Outcome]:
    """What the trials that finished came to, each metric by itself."""
    history = [
        study.Trial({}, "running", None, {}) if record is None else study.trial_of(record, search.objectives)
        for record in arm.trials
    ]
    found = front(history, search.objectives)
    chosen = study.chosen(search, history) if arm.values is not None else None
    names = [objective.metric for objective in search.objectives]
    for number, trial in enumerate(history):
        if trial.state == "finished":
            yield Outcome(
                trial=number,
                scores=dict(zip(names, trial.point, strict=True)),
                values=trial.values,
                front=found is not None and number in found.numbers,
                chosen=number == chosen,
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


def _provenance(plan: Plan, runs: Sequence[Record], declaration: Declaration | None) -> dict[str, str]:
    """Label → text; several values of one thing are all named, since a careful reader wants to know."""

    def distinct(values: Sequence[Any]) -> str:
        return ", ".join(sorted({str(value) for value in values if value is not None})) or "unknown"

    sweep = plan.experiment.sweep
    found = {
        "sweep": f"{sweep.name} (hash {digest(sweep.to_json())[:16]})",
        "declared before the first run": _declared(declaration),
        "trainable": sweep.trainable,
        "data fingerprint": distinct([arm.arm.data for arm in plan.arms]),
        "commit": distinct([record.provenance.get("commit") for record in runs]),
        "workers per run": distinct([record.provenance.get("workers") for record in runs]),
        "device": distinct([record.provenance.get("device") for record in runs]),
        "seeds": ", ".join(str(seed) for seed in plan.seeds),
    }
    versions = [record.provenance.get("versions", {}) for record in runs]
    for package in dict.fromkeys(name for version in versions for name in version):
        found[package] = distinct([version.get(package) for version in versions])
    return found


def _declared(declaration: Declaration | None) -> str:
    if declaration is None or declaration.recorded or not declaration.intact:
        return "nothing"
    count = len(declaration.hypotheses)
    return f"{count} hypothes{'is' if count == 1 else 'es'} (sha256 {declaration.hash})"
