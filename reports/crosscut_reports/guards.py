"""Guards: what a careful reader should know before believing the rest.

Each function looks at one thing and returns what it found, in whole sentences.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import prod

import numpy as np

from crosscut_reports.aliases import aliased
from crosscut_reports.hypothesis import name_of
from crosscut_reports.measurement import Measurement, Table
from crosscut_reports.question import Question
from crosscut_reports.result import Guard
from crosscut_reports.scores import Scores

CEILING = 0.995
"""Share of a metric's maximum from which on an arm can hardly get better."""
_LISTED = 6
_SEVERITIES = ("error", "warning", "note")


def ordered(guards: Iterable[Guard]) -> tuple[Guard, ...]:
    """Errors first, then warnings, then notes; otherwise in the order they were found. Each one once."""
    return tuple(sorted(dict.fromkeys(guards), key=lambda guard: _SEVERITIES.index(guard.severity)))


def listed(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def missing_runs(scores: Scores, table: Table) -> list[Guard]:
    """Runs without a score of the metric, arm by arm."""
    found = []
    empty = [arm for arm in scores.arms if not table.seeds_of(arm).size]
    if empty:
        message = f"No run of {listed(empty)} has a score of {table.metric.name}: left out of everything."
        found.append(Guard("missing-arms", "error", message))
    gaps = []
    for arm, row in table.rows.items():
        asked = scores.seeds_asked(row)
        here = zip(scores.seeds[:asked], table.present[row, :asked], strict=True)
        lacking = [seed for seed, there in here if not there]
        if lacking and arm not in empty:
            gaps.append(f"{arm} lacks seed{'s' if len(lacking) > 1 else ''} {', '.join(lacking)}")
    if gaps:
        message = f"Runs are missing, so the design is not balanced: {'; '.join(gaps)}."
        found.append(Guard("missing-runs", "warning", message))
    return found


def incomplete_factorial(scores: Scores) -> list[Guard]:
    """Combinations of levels that no arm has."""
    factors = scores.factors
    cells = {tuple(scores.levels[arm].get(factor) for factor in factors) for arm in scores.arms}
    whole = prod(len(levels) for levels in factors.values())
    if len(factors) < 2 or len(cells) >= whole:
        return []
    message = (
        f"The design holds {len(cells)} of {whole} combinations of levels. An effect of a factor is averaged "
        f"over the combinations in which both of its levels occur, which differ from effect to effect."
    )
    return [Guard("unbalanced-design", "note", message)]


def fraction(scores: Scores) -> list[Guard]:
    """What effects in a fraction of a factorial are, and what they are one with."""
    found = aliased({arm: scores.levels[arm] for arm in scores.arms})
    if not found:
        return []
    told = [f"{factor} with {listed(others)}" for factor, others in found.items() if others]
    message = (
        f"No two arms differ in one factor alone, so effects of {listed(list(found))} are differences of means "
        "over arms that are balanced in all other factors."
    )
    if not told:
        return [Guard("fraction", "note", message)]
    message += (
        f" An effect cannot be told from interactions that it is one with: {'; '.join(told[:_LISTED])}."
    )
    return [Guard("fraction", "warning", message)]


def same_as_baseline(scores: Scores, baseline: str | None) -> list[Guard]:
    """Arms whose every score equals the baseline's, which suggests that their patch does nothing."""
    if baseline is None:
        return []
    here = scores.arms.index(baseline)
    same = []
    for row, arm in enumerate(scores.arms):
        shared = 0
        equal = row != here
        for metric in scores.metrics.values():
            a, b = metric.values[row], metric.values[here]
            both = np.isfinite(a).all(axis=1) & np.isfinite(b).all(axis=1)
            shared += int(both.sum())
            equal = equal and bool(np.array_equal(a[both], b[both]))
        if equal and shared:
            same.append(arm)
    if not same:
        return []
    verb = "has" if len(same) == 1 else "have"
    message = (
        f"{listed(same)} {verb} the baseline's very scores in every run: does the level change anything?"
    )
    return [Guard("same-as-baseline", "warning", message)]


def _maximum(table: Table) -> float | None:
    """The best value a metric can have, None where that is not known."""
    if not table.metric.higher_is_better:
        return None
    name = table.metric.name.lower().rsplit("/", 1)[-1]
    if name == "rsum":
        return 600.0
    if re.search(r"(^|[^a-z])(r|recall)@?_?\d+$", name):
        return 100.0
    return None


def ceiling_and_floor(table: Table) -> list[Guard]:
    """Metrics on which all runs are at the top or at zero, so that arms cannot differ."""
    runs = table.runs[table.present]
    name = table.metric.name
    best = _maximum(table)
    if not runs.size or not table.metric.higher_is_better:
        return []
    # A recall given as a share cannot be told from a bad one in percent, so it has no known ceiling.
    if best is not None and float(runs.min()) >= CEILING * best:
        message = (
            f"Every run reaches {100 * CEILING:g}% of the most that {name} can be: arms can hardly differ."
        )
        return [Guard("ceiling", "warning", message)]
    if not np.any(runs):
        message = f"Every run has 0 on {name}: nothing was learned, or the metric is broken."
        return [Guard("floor", "error", message)]
    return []


def constant(table: Table) -> bool:
    """Whether the metric is the same in every run, query by query."""
    values = table.metric.values[table.present]
    spread = float(np.ptp(values, axis=0).max(initial=0.0)) if len(values) else 0.0
    return len(values) > 1 and spread <= table.rounding


def constant_metrics(names: Sequence[str], primary: str) -> list[Guard]:
    """Metrics that are the same in every run."""
    if primary in names:
        message = f"{primary} is the same in every run, query by query: nothing can be learned from it."
        return [Guard("constant-metric", "error", message)]
    if not names:
        return []
    verb = "is" if len(names) == 1 else "are"
    message = f"{listed(names)} {verb} the same in every run, and compared only where the question names it."
    return [Guard("constant-metric", "note", message)]


def untested(measured: Sequence[Measurement]) -> list[Guard]:
    """Contrasts without a p-value, which leave their family."""
    reasons: dict[tuple[str, str], dict[str, None]] = {}
    for one in measured:
        if one.estimate.reason is not None:
            reasons.setdefault((one.metric, one.estimate.reason), {})[one.contrast.name] = None
    return [
        Guard(
            "no-test",
            "warning",
            f"No test on {metric}, and no place in the family, for {listed(list(names))}: {why}.",
        )
        for (metric, why), names in reasons.items()
    ]


def changed_question(question: Question) -> list[Guard]:
    """What was asked otherwise than it was declared."""
    found = []
    changed = dict(question.changed)
    unproven = changed.pop("declaration", None)
    if unproven is not None:
        message = f"No contrast counts as declared before the runs: {unproven}."
        found.append(Guard("no-declaration", "warning", message))
    if changed:
        texts = [f"{what}: {text}" for what, text in changed.items()]
        message = f"The question was changed after it was declared ({'; '.join(texts)})."
        if question.hypotheses and not question.keeps_declarations:
            message += " So no contrast counts as declared: all are exploratory."
        if "seeds" in changed:
            message += (
                " p-values are nominal for seeds that were fixed before the runs, or added whatever the results "
                "said."
            )
        found.append(Guard("changed-question", "warning", message))
    if question.late and unproven is None:
        names = [name_of(one) for one in question.late]
        message = f"Asked once there were runs, and so exploratory: {listed(names)}."
        found.append(Guard("late-hypotheses", "warning", message))
    return found


def repeated_hypotheses(pairs: Sequence[tuple[str, str]]) -> list[Guard]:
    """Declared contrasts (left out, kept) that weigh the same arms alike on a metric, in either direction."""
    if not pairs:
        return []
    texts = [f"{left_out} is {kept}" for left_out, kept in pairs]
    message = (
        f"Declared hypotheses that ask the same of these arms and a metric, in either direction, count once: "
        f"{listed(texts)}."
    )
    return [Guard("repeated-hypotheses", "note", message)]


def declarations(
    question: Question, metrics: Sequence[str], table: Table, *, shifted: bool = False
) -> list[Guard]:
    """What the question leaves open, and what inference is conditional on; the primary metric comes first.
    `shifted`: it is compared with the same metric of other splits."""
    found = []
    if question.margin == 0:
        message = (
            "No margin is set, so no contrast can be called equivalent: a component can be shown to matter, "
            "never to be dispensable."
        )
        found.append(Guard("no-margin", "note", message))
    elif len(metrics) > 1:
        message = (
            f"The margin of {question.margin:g} points holds for {metrics[0]} alone"
            f"{', on other splits too' if shifted else ''}; other metrics have none."
        )
        found.append(Guard("margin-metric", "note", message))
    if not question.hypotheses:
        message = "No hypothesis was declared before the runs: every contrast is exploratory."
        found.append(Guard("no-hypotheses", "note", message))
    if table.clusters is not None:
        message = "Queries are taken as drawn anew, the gallery as given: results hold for this gallery."
        found.append(Guard("gallery", "note", message))
    return found


def untested_factors(reasons: Mapping[str, str]) -> list[Guard]:
    """Factors without an F test, with the reason of each."""
    return [
        Guard("no-factor-test", "note", f"Factor {factor} has no F test: {why}.")
        for factor, why in reasons.items()
    ]
