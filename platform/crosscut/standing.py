"""Where a sweep stands: a line an arm, and what failed or is noted, for `plan`, `status` and `run`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from rich.table import Table
from rich.text import Text

from crosscut.arm_plan import ArmPlan
from crosscut.forecast import forecast, words
from crosscut.plan import Plan
from crosscut.records.record import Record

FEW = 5
"""Failures that are told one by one, and reasons of more that are told."""
LONG = 200
"""Letters of a reason that are told at the most; its record has all of them."""


@dataclass(frozen=True)
class ArmStanding:
    """One arm as it stands."""

    arm: str
    baseline: bool
    trials: tuple[int, int]
    """Search trials recorded, and asked for."""
    pruned: int
    best: float | None
    """Best dev score of the search, among trials that ended or were pruned."""
    runs: tuple[int, int]
    """Seeds recorded, and asked for."""
    mean: float | None
    """Mean of the primary metric over the seeds that ended well."""
    half_width: float | None
    """Half of its t interval over seeds, None with fewer than two."""
    failed: int
    running: int
    blocked: str | None
    shared_from: str | None = None
    """The arm whose search its values come from, None where it has its own or nothing to search."""


def standing(plan: Plan) -> list[ArmStanding]:
    """Where each arm of a plan stands."""
    return [_of(plan, arm) for arm in plan.arms]


def table(plan: Plan, running: Sequence[str] = ()) -> Table:
    """The standing of a plan as a table for the terminal.

    Args:
        plan: the plan.
        running: labels of what runs now, where another process runs it.
    """
    sweep = plan.experiment.sweep
    searched = sweep.search is not None
    drawn = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    drawn.add_column("arm", no_wrap=True)
    if searched:
        drawn.add_column("search", justify="right")
        drawn.add_column("best dev", justify="right")
    drawn.add_column("seeds", justify="right")
    drawn.add_column(Text(sweep.report.primary), justify="right")
    drawn.add_column("running", justify="right")
    drawn.add_column("failed", justify="right")
    for line in standing(plan):
        now = line.running or sum(label.rsplit(" ", 2)[0] == line.arm for label in running)
        cells = [Text(line.arm + (" (baseline)" if line.baseline else ""))]
        if searched:
            cells += [_search(line), Text("" if line.best is None else f"{line.best:.1f}")]
        cells += [
            Text(f"{line.runs[0]}/{line.runs[1]}"),
            Text(_mean(line)),
            Text(str(now) if now else ""),
            Text(str(line.failed) if line.failed else "", style="red"),
        ]
        drawn.add_row(*cells)
    return drawn


def summary(plan: Plan, slots: int | None = None) -> str:
    """One line: what is done, what failed, how much time is left."""
    trials, runs = plan.trials, plan.runs
    parts = []
    if trials[1]:
        parts.append(f"search trials {trials[0]}/{trials[1]}")
    parts.append(f"runs {runs[0]}/{runs[1]}")
    failed = len(plan.failures)
    if failed:
        parts.append(f"{failed} failed")
    return " · ".join([*parts, *time_left(plan, slots)])


def remarks(plan: Plan) -> list[Text]:
    """What is to be said beside the table, a line each: failures, arms that are blocked, notes of trainables.

    Of each the first ones; many failures are counted by their kind and reason.
    """
    blocked = [f"blocked: {a.arm.name}: {a.blocked}" for a in plan.arms if a.blocked]
    notes = [f"note: {text}" for arm in plan.arms for text in _notes(arm)]
    return [
        *(Text(line, style="red") for line in _failures(plan.failures)),
        *(Text(line, style="red") for line in _first(blocked, "blocked arms")),
        *(Text(line, style="yellow") for line in _first(notes, "notes, in the report")),
    ]


def time_left(plan: Plan, slots: int | None = None) -> list[str]:
    """How much time is left, in words; nothing where nothing is left to do."""
    left = forecast(plan)
    if left.seconds is None:
        return ["time left not known yet"]
    if left.seconds == 0:
        return []
    about = "about" if left.measured else "roughly"
    return [f"{about} {words(left.wall(slots or 1) or 0.0)} left"]


def _of(plan: Plan, arm: ArmPlan) -> ArmStanding:
    sweep = plan.experiment.sweep
    baseline = plan.experiment.baseline
    primary = sweep.report.primary
    values = [r.metrics[primary] for r in arm.finals if r and r.status == "finished" and primary in r.metrics]
    best = None
    if sweep.search is not None:
        maximize = sweep.search.mode == "max"
        ended = [r for r in arm.trials if r and r.status != "failed"]
        scores = [s for r in ended if (s := r.best(sweep.search.metric, maximize)) is not None]
        best = (max(scores) if maximize else min(scores)) if scores else None
    return ArmStanding(
        arm=arm.arm.name,
        baseline=baseline is not None and baseline.name == arm.arm.name,
        trials=(sum(r is not None for r in arm.trials), len(arm.trials)),
        pruned=sum(r is not None and r.status == "pruned" for r in arm.trials),
        best=best,
        runs=(sum(r is not None for r in arm.finals), len(arm.finals)),
        mean=fmean(values) if values else None,
        half_width=_half_width(values),
        failed=len(list(arm.failures)),
        running=len(arm.running),
        blocked=arm.blocked,
        shared_from=None if arm.leader is None else arm.leader.arm.name,
    )


def _failures(failures: Sequence[Record]) -> Iterator[str]:
    """A line for each failure; where there are many, for each kind and reason, those first that most share."""
    alike: dict[tuple[str, str], list[Record]] = {}
    for record in failures:
        assert record.failure is not None
        # Of many runs that fail alike no two may have the same numbers in their words.
        apart = record.key if len(failures) <= FEW else re.sub(r"\d+", "0", record.failure.reason)
        alike.setdefault((record.failure.kind, apart), []).append(record)
    shared = sorted(alike.values(), key=len, reverse=True)
    for records in shared[:FEW]:
        failure = records[0].failure
        assert failure is not None
        reason = failure.reason if len(failure.reason) <= LONG else f"{failure.reason[: LONG - 1]}…"
        many = "" if len(records) == 1 else f"{len(records)} like "
        yield f"failed ({failure.kind}): {many}{records[0].work.label}: {reason}"
    if rest := sum(map(len, shared[FEW:])):
        yield f"failed: {rest} more, for other reasons"


def _first(lines: Sequence[str], what: str) -> list[str]:
    """The lines, or the first ones and how many more there are."""
    if len(lines) <= 2 * FEW:
        return list(lines)
    return [*lines[: 2 * FEW], f"and {len(lines) - 2 * FEW} more {what}"]


def _notes(arm: ArmPlan) -> Iterator[str]:
    """The notes of an arm: those of its search in one sentence, those of its seeds in one a seed."""
    trials = [record for record in arm.trials if record is not None and record.notes]
    if trials:
        many = "1 search trial has" if len(trials) == 1 else f"{len(trials)} search trials have"
        yield f"{arm.arm.name}: {many} notes, the first: {trials[0].notes[0]}"
    for record in arm.finals:
        if record is not None and record.notes:
            yield f"{record.work.label}: {'; '.join(record.notes)}"


def _half_width(values: Sequence[float]) -> float | None:
    """Half of the 95% t interval of a mean."""
    if len(values) < 2:
        return None
    from scipy.special import stdtrit

    return float(stdtrit(len(values) - 1, 0.975) * stdev(values) / math.sqrt(len(values)))


def _search(line: ArmStanding) -> Text:
    if line.shared_from is not None:
        return Text(f"from {line.shared_from}")
    if line.trials[1] == 0:
        return Text("none", style="dim")
    pruned = f" ({line.pruned} pruned)" if line.pruned else ""
    return Text(f"{line.trials[0]}/{line.trials[1]}{pruned}")


def _mean(line: ArmStanding) -> str:
    if line.blocked:
        return "blocked"
    if line.mean is None:
        return ""
    return f"{line.mean:.1f}" + ("" if line.half_width is None else f" ± {line.half_width:.1f}")
