"""Seeds that were added by what results said: what may still be claimed of declared hypotheses then.

Figures for a fixed number of seeds are no longer what they say, so a declared contrast takes its verdict and
adjusted p-value from the sequential test; its closed-form interval stays beside it, for comparison.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from crosscut_reports import sequential
from crosscut_reports.measurement import Table
from crosscut_reports.question import Question
from crosscut_reports.result import SCOPE_TEXT, ContrastResult, Guard, SequentialResult, Verdict
from crosscut_reports.scores import Scores
from crosscut_reports.verdict import number, p_text

ADJUSTMENT = "Holm, valid at any number of seeds"

_WHY: Mapping[str | None, str] = {
    "better": "better",
    "worse": "worse",
    "equivalent": "equivalent, since the {inner} confidence sequence lies within the margin of ±{margin:g} points",
    "futile": "undecided; further seeds up to the maximum had little chance to settle it, and it got no more",
    "maximum": "undecided with the most seeds that it could get",
    None: "undecided, and open: it gets further seeds",
}


def follow(
    results: Sequence[ContrastResult], scores: Scores, tables: Mapping[str, Table], question: Question
) -> tuple[list[ContrastResult], tuple[SequentialResult, ...], list[Guard]]:
    """The results with the sequential verdicts in declared ones; those by themselves; and a guard that says so.

    The same as they were where the number of seeds was fixed, or nothing counts as declared.
    """
    declared = [one for one in results if one.declared]
    if question.rounds is None or not declared:
        return list(results), (), []
    families: dict[str, list[ContrastResult]] = {}
    for one in declared:
        families.setdefault(one.family_name, []).append(one)
    courses: dict[int, sequential.Course] = {}
    for members in families.values():
        values = {
            str(place): sequential.per_seed(one.weights, _runs(one, scores, tables[one.metric]))
            for place, one in enumerate(members)
        }
        margin = sequential.common_margin(
            (one.metric for one in members), question.primary_metric(scores), question.margin
        )
        fewest, most = question.rounds
        found = sequential.follow(values, alpha=question.alpha, margin=margin, minimum=fewest, maximum=most)
        courses |= {id(one): found[str(place)] for place, one in enumerate(members)}
    told = [_told(one, courses[id(one)], question) if one.declared else one for one in results]
    return told, tuple(_result(one, courses[id(one)]) for one in declared), [_guard(question.rounds)]


def _runs(one: ContrastResult, scores: Scores, table: Table) -> dict[str, list[float]]:
    """Arm → its runs, positive being better, up to the last seed that it was to have."""
    rows = {arm: table.rows[arm] for arm in one.weights}
    return {
        arm: (table.sign * table.runs[row, : scores.seeds_asked(row)]).tolist() for arm, row in rows.items()
    }


def _result(one: ContrastResult, course: sequential.Course) -> SequentialResult:
    last = course.looks[-1] if course.looks else None
    return SequentialResult(
        name=one.name,
        metric=one.metric,
        seeds=course.round,
        estimate=one.estimate if last is None else last.estimate,
        interval=None if last is None else last.interval,
        closed=one.ci,
        e=1.0 if last is None else last.e,
        p=course.p_adjusted,
        reason=course.reason,
    )


def _told(one: ContrastResult, course: sequential.Course, question: Question) -> ContrastResult:
    verdicts: Mapping[str | None, Verdict] = {
        "better": "better",
        "worse": "worse",
        "equivalent": "equivalent",
    }
    return replace(
        one,
        verdict=verdicts.get(course.reason, "undecided"),
        p_adjusted=course.p_adjusted,
        adjustment=ADJUSTMENT,
        simultaneous=None,
        seeds_to_decide=None,
        sentence=_sentence(one, course, question),
    )


def _sentence(one: ContrastResult, course: sequential.Course, question: Question) -> str:
    level, inner = f"{100 * (1 - question.alpha):g}%", f"{100 * (1 - 2 * question.alpha):g}%"
    last = course.looks[-1] if course.looks else None
    if last is None:
        return f"{one.name} — {one.metric} (seeds are added until it is decided; declared): no look yet."
    facts = [f"{level} confidence sequence without bounds yet"]
    if last.interval is not None:
        low, high = (number(bound, 1) for bound in last.interval)
        facts = [f"{level} confidence sequence {low} to {high}"]
    adjusted = f" adjusted for {one.family} contrasts" if one.family > 1 else ""
    facts += [f"E = {last.e:.3g}", p_text(course.p_adjusted, question.alpha) + adjusted, SCOPE_TEXT["seeds"]]
    size = f"{number(last.estimate, 1, signed=True)} points"
    why = _WHY[course.reason].format(inner=inner, margin=question.margin)
    return (
        f"{one.name} — {one.metric} {size} ({', '.join(facts)}; {last.seeds} seeds, added until it was decided; "
        f"declared): {why}."
    )


def _guard(rounds: tuple[int, int]) -> Guard:
    message = (
        f"Seeds were added by what results said, from {rounds[0]} up to {rounds[1]}: of declared hypotheses the "
        "confidence sequences and E-values hold, whatever made one stop, and their verdicts follow them. All "
        "other intervals and p-values are those of a fixed number of seeds, and are too sure."
    )
    return Guard("added-seeds", "note", message)
