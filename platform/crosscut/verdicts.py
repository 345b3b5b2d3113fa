"""The verdicts of a sweep's declared hypotheses as they settle, for whoever looks while it runs.

A fixed number of seeds is looked at once, at the end: a hypothesis has its verdict when all runs of its family
have ended, the very one that the report gives, and before that an estimate alone. Seeds that are added until it is
decided may be looked at after every one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from rich.text import Text

from crosscut.arm_plan import ArmPlan
from crosscut.context import question_of
from crosscut.plan import Plan
from crosscut.records.declaration import Declaration
from crosscut.records.record import Record
from crosscut.scores import finished, scores_of
from crosscut_reports import added_seeds
from crosscut_reports.asked import distinct
from crosscut_reports.between_splits import laid_out, margin_holds, spans
from crosscut_reports.contrast import Contrast
from crosscut_reports.directions import higher_is_better
from crosscut_reports.family import DECLARED, family
from crosscut_reports.hypothesis import contrasts as declared_by
from crosscut_reports.measurement import Table, measure
from crosscut_reports.question import Question, QuestionError
from crosscut_reports.result import ContrastResult, SequentialResult
from crosscut_reports.scores import MetricScores, Scores
from crosscut_reports.verdict import number

MOST = 100
"""Runs whose ranks a look reads at the most; of a larger family the report tells the verdicts."""

BEFORE = (
    "a look before the end: no verdict is final until all runs of these have ended; whoever stops, or adds seeds, "
    "by what stands here spoils it"
)
OPEN = "seeds are added until it is decided, and what is settled stays so"


class Verdicts:
    """What may be said of the declared hypotheses, worked out anew only where a run has ended since a look."""

    def __init__(self) -> None:
        self._seen: object = None
        self._lines: list[Text] = []

    def of(self, plan: Plan, declaration: Declaration | None) -> list[Text]:
        """A line for each hypothesis, below one that says what they are; none where nothing was declared."""
        ended = [[None if r is None else (r.key, r.status) for r in arm.finals] for arm in plan.arms]
        seen = (ended, None if declaration is None else (declaration.hash, declaration.recorded))
        if seen != self._seen:
            self._seen, self._lines = seen, list(_lines(plan, declaration))
        return self._lines


@dataclass(frozen=True)
class _Answer:
    """A hypothesis on one metric, as far as it is known."""

    name: str
    metric: str
    result: ContrastResult | None
    """None where an arm has no run that ended well."""
    course: SequentialResult | None
    """Where seeds are added until it is decided."""
    state: Literal["open", "over", "final"]
    """`over`: no further run has a part in it, and the report tells its verdict; `final`: it is the report's."""
    higher_is_better: bool


def _lines(plan: Plan, declaration: Declaration | None) -> Iterator[Text]:
    question = question_of(plan, declaration)
    if not plan.experiment.sweep.hypotheses and not question.hypotheses:
        return
    if not question.hypotheses or not question.keeps_declarations:
        yield Text("verdicts: nothing counts as declared before the runs, the report tells why", style="dim")
        return
    try:
        answers = _answers(plan, question)
    except QuestionError as error:
        yield Text(f"verdicts: {error}", style="dim")
        return
    if all(answer.result is None and answer.state == "open" for answer in answers):
        return
    before = question.rounds is None and any(answer.state == "open" for answer in answers)
    of = "intervals" if question.rounds is None else "confidence sequences"
    over = " over seeds alone" if before else ""
    yield Text(f"declared hypotheses, with {100 * (1 - question.alpha):g}% {of}{over}:", style="dim")
    if before or question.rounds is not None:
        yield Text(f"  {BEFORE if before else OPEN}", style="yellow" if before else "dim")
    for answer in answers:
        about = "" if answer.metric == plan.experiment.sweep.report.primary else f" on {answer.metric}"
        yield Text(f"  {answer.name}{about}: {_finding(answer, question)}")


def _answers(plan: Plan, question: Question) -> list[_Answer]:
    levels = {arm.arm.name: arm.arm.levels for arm in plan.arms}
    primary = plan.experiment.sweep.report.primary
    scores, asked, _ = laid_out(_without_arrays(plan, question), question)
    contrasts = distinct(declared_by(asked.hypotheses, levels), primary)
    families: dict[str, list[Contrast]] = {}
    for contrast in contrasts:
        families.setdefault(contrast.family or DECLARED, []).append(contrast)
    arms = {arm.arm.name: arm for arm in plan.arms}
    answers: dict[tuple[str, str], _Answer] = {}
    for name, members in families.items():
        own = [arms[arm] for arm in dict.fromkeys(arm for one in members for arm in one.weights)]
        results, courses = _judged(scores, asked, members, name)
        state: Literal["open", "over", "final"] = "over" if all(map(_over, own)) else "open"
        if any(not any(arm.finals) and not _hopeless(arm) for arm in own):
            # A family goes from round to round as a whole, and some of it waits for its first seed.
            courses = {}
        if question.rounds is None and state == "over":
            reported = _reported(plan, question, own, members, name)
            if reported is not None:
                results, state = reported, "final"
        for one in members:
            for metric in one.metrics:
                key = (one.name, metric)
                higher = scores.metrics[metric].higher_is_better
                answers[key] = _Answer(*key, results.get(key), courses.get(key), state, higher)
    return [answers[one.name, metric] for one in contrasts for metric in one.metrics]


def _over(arm: ArmPlan) -> bool:
    """Whether the arm gets no further run, however long one waits."""
    return all(arm.finals) or _hopeless(arm)


def _hopeless(arm: ArmPlan) -> bool:
    """Whether the arm has no seeds, nor gets any."""
    return arm.blocked is not None and arm.lost is None


_Results = dict[tuple[str, str], ContrastResult]
_Courses = dict[tuple[str, str], SequentialResult]


def _judged(
    scores: Scores, question: Question, members: Sequence[Contrast], name: str
) -> tuple[_Results, _Courses]:
    """The results of one family by name and metric, as `analyse` makes them, without all else that it makes."""
    primary = question.primary_metric(scores)
    metrics = dict.fromkeys(metric for one in members for metric in one.metrics)
    measured = [
        one
        for metric in metrics
        for one in measure(scores, metric, [c for c in members if metric in c.metrics], question.scope)
        if one is not None
    ]
    if not measured:
        return {}, {}
    margins = {metric: question.margin for metric in metrics if margin_holds(metric, primary)}
    results = family(measured, question, margins, name, declared=True)
    tables = {metric: Table(scores, metric) for metric in metrics}
    results, courses, _ = added_seeds.follow(results, scores, tables, question)
    return {(one.name, one.metric): one for one in results}, {(one.name, one.metric): one for one in courses}


def _reported(
    plan: Plan, question: Question, arms: Sequence[ArmPlan], members: Sequence[Contrast], name: str
) -> _Results | None:
    """The results with all that records have of queries; None where that is too much for a look, or no metric of
    them is common to all runs."""
    if sum(record is not None for arm in arms for record in arm.finals) > MOST:
        return None
    full = scores_of(replace(plan, arms=list(arms)), None, None, question.every_hypothesis)
    wanted = {metric for one in members for metric in one.metrics}
    try:
        scores, asked, _ = laid_out(full, question)
    except QuestionError:
        return None
    return _judged(scores, asked, members, name)[0] if wanted <= scores.metrics.keys() else None


def _without_arrays(plan: Plan, question: Question) -> Scores:
    """The scores of all runs that have ended, per run: what a catalogue knows without reading records."""
    primary = plan.experiment.sweep.report.primary
    hypotheses = question.every_hypothesis
    names = dict.fromkeys([primary, *(metric for one in hypotheses for metric in one.metrics)])
    for span in spans(hypotheses, primary).values():
        names |= dict.fromkeys([span.there, span.here])
    seeds = plan.seeds
    shape = (len(plan.arms), len(seeds), 1)
    values = {name: np.full(shape, np.nan) for name in names}
    for row, arm in enumerate(plan.arms):
        for place, record in enumerate(arm.finals):
            if (well := finished(record)) is not None:
                for name in names:
                    values[name][row, place, 0] = well.metrics.get(name, np.nan)
    return Scores(
        arms=tuple(arm.arm.name for arm in plan.arms),
        levels={arm.arm.name: arm.arm.levels for arm in plan.arms},
        seeds=tuple(str(seed) for seed in seeds),
        metrics={
            name: MetricScores(name, found, higher_is_better=higher_is_better(name))
            for name, found in values.items()
        },
        asked=tuple(_ended(arm.finals) for arm in plan.arms),
    )


def _ended(finals: Sequence[Record | None]) -> int:
    """Runs before the first that has not ended."""
    return next((place for place, record in enumerate(finals) if record is None), len(finals))


def _finding(answer: _Answer, question: Question) -> str:
    """What is known of a hypothesis: `+4.1 [1.0, 7.2] better`."""
    result, course = answer.result, answer.course
    if result is None:
        return (
            "no seed yet" if answer.state == "open" else "no result, since an arm has no run that ended well"
        )
    if course is not None:
        if not course.seeds:
            return f"open, first looked at after {_seeds(question.rounds[0] if question.rounds else 1)}"
        after = f"after {_seeds(course.seeds)}"
        words = {
            "futile": f"undecided {after}, further ones had little chance to settle it",
            "maximum": f"undecided {after}, the most that it gets",
            None: f"open, {_seeds(course.seeds)}",
        }
        figures = _figures(course.estimate, course.interval, answer.higher_is_better)
        return f"{figures} {words.get(course.reason, f'{course.reason} {after}')}"
    figures = _figures(result.estimate, result.ci, answer.higher_is_better)
    if answer.state == "open":
        return f"{figures} so far, {_seeds(result.seeds)}"
    if answer.state == "over":
        return f"{figures} over seeds alone, {_seeds(result.seeds)}; crosscut report has its verdict"
    if result.verdict == "undecided":
        return f"{figures} undecided, {_seeds(result.seeds)}"
    return f"{figures} {result.verdict}"


def _figures(estimate: float, interval: tuple[float, float] | None, higher_is_better: bool) -> str:
    """`+4.1 [1.0, 7.2]`; positive favours the left side, which is called a gain where less is better."""
    half = abs(estimate) if interval is None else (interval[1] - interval[0]) / 2
    decimals = min(6, max(1, 1 - math.floor(math.log10(half)))) if 0 < half < math.inf else 1
    found = f"{'' if higher_is_better else 'gain '}{number(estimate, decimals, signed=True)}"
    if interval is None:
        return found
    low, high = (number(end, decimals) for end in interval)
    return f"{found} [{low}, {high}]"


def _seeds(count: int) -> str:
    return "1 seed" if count == 1 else f"{count} seeds"
