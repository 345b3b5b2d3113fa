"""Guards on seeds: which scope they allow, which of them are used, and what few of them cost."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

from crosscut_reports.closed_form import FAMILYWISE_ERROR
from crosscut_reports.guards import listed
from crosscut_reports.measurement import FEWEST_SEEDS, Measurement, Table
from crosscut_reports.result import SCOPE_TEXT, ContrastResult, Guard, Scope
from crosscut_reports.scores import Scores

WARNED_SEEDS = 5
"""Below so many seeds their optimism is a warning, from here on a note."""


def few_seeds(table: Table, wanted: Scope | None, seeds: int) -> list[Guard]:
    """Why the default scope, or the one asked for, is refused; `seeds` is the most that an arm has."""
    name = table.metric.name
    if (table.clusters or 0) < 2:
        found = []
        if wanted in ("seeds-and-queries", "queries"):
            message = (
                f'The scope "{SCOPE_TEXT[wanted]}" needs scores per query, and {name} is known per run only: '
                f'the scope is "{SCOPE_TEXT["seeds"]}".'
            )
            found.append(Guard("scope-refused", "warning", message))
        if seeds < 2:
            message = f"{name} is known per run only and there is one seed: nothing can be tested."
            found.append(Guard("few-seeds", "error", message))
        elif seeds < FEWEST_SEEDS:
            message = f"With {seeds} seeds the spread between seeds is hardly known: intervals are very wide."
            found.append(Guard("few-seeds", "warning", message))
        return found
    if seeds >= FEWEST_SEEDS or wanted == "queries":
        return []
    if wanted == "seeds":
        message = (
            f"With {seeds} seed{'s' * (seeds != 1)} the spread between seeds is hardly known, if at all."
        )
        return [Guard("few-seeds", "warning", message)]
    message = (
        f'The scope "{SCOPE_TEXT["seeds-and-queries"]}" is refused: with {seeds} seed{"s" * (seeds != 1)} an '
        f"arm, the spread between seeds cannot be told from one run's luck. Results hold for "
        f'"{SCOPE_TEXT["queries"]}" and may not survive another seed; at least {FEWEST_SEEDS} are needed.'
    )
    return [Guard("few-seeds", "warning", message)]


def seeds_used(scores: Scores, measured: Sequence[Measurement]) -> list[Guard]:
    """Contrasts that could not use every seed, and those whose arms share too few to be paired."""
    found = []
    fewer: dict[tuple[int, ...], list[str]] = {}
    unpaired = []
    for one in measured:
        if not one.basis.paired:
            unpaired.append(one.contrast.name)
        elif one.basis.count < len(scores.seeds):
            fewer.setdefault(one.basis.seeds, []).append(one.contrast.name)
    for seeds, names in fewer.items():
        labels = ", ".join(scores.seeds[s] for s in seeds)
        message = f"Only seeds {labels} are common to all arms of: {listed(names)}. Other seeds are not used."
        found.append(Guard("common-seeds", "note", message))
    if unpaired:
        message = (
            f"Arms share fewer than {FEWEST_SEEDS} seeds, so each arm's seeds are taken as its own, which "
            f"costs precision: {listed(unpaired)}."
        )
        found.append(Guard("unpaired-seeds", "warning", message))
    return found


def other_scopes(measured: Sequence[Measurement], others: Sequence[Measurement], usual: Scope) -> list[Guard]:
    """Contrasts on the primary metric that are short of seeds for the scope of the rest, and other metrics
    with contrasts of another scope than `usual`, the primary metric's."""
    names: dict[Scope, list[str]] = {}
    for one in measured:
        names.setdefault(one.basis.scope, []).append(one.contrast.name)
    found = [
        Guard(
            "mixed-scopes",
            "warning",
            f'For want of seeds, the scope is "{SCOPE_TEXT[scope]}" for: {listed(contrasts)}.',
        )
        for scope, contrasts in list(names.items())
        if len(names) > 1 and scope == "queries"
    ]
    metrics: dict[Scope, dict[str, None]] = {}
    for one in others:
        if one.basis.scope != usual:
            metrics.setdefault(one.basis.scope, {})[one.metric] = None
    for scope, there in metrics.items():
        message = (
            f'The scope is "{SCOPE_TEXT[scope]}" for contrasts on {listed(list(there))}, and '
            f'"{SCOPE_TEXT[usual]}" on the primary metric.'
        )
        found.append(Guard("metric-scopes", "note", message))
    return found


def _worst(seeds: int, family: int) -> float:
    """Familywise error at a nominal 5%: of the next smaller number of seeds and the next larger family that
    were simulated, so that it is an upper figure; of the largest family where there is no larger one."""
    row = FAMILYWISE_ERROR[max(count for count in FAMILYWISE_ERROR if count <= seeds)]
    return row[min((size for size in row if size >= family), default=max(row))]


def _percent(share: float) -> str:
    return f"{floor(100 * share + 0.5 + 1e-9)}%"


def small_seed_error(results: Sequence[ContrastResult]) -> list[Guard]:
    """What the closed form's tests err with few seeds, alone and as families of the primary metric.

    `results` are those of the primary metric, on other splits too. Figures are those of `closed_form`.
    """
    concerned = [one for one in results if one.scope == "seeds-and-queries" and one.p is not None]
    most = max(FAMILYWISE_ERROR)
    seeds = min((one.seeds for one in concerned), default=most)
    families: dict[bool, int] = {}
    for one in concerned:
        families[one.declared] = max(one.family, families.get(one.declared, 0))
    large = {declared: size for declared, size in families.items() if size > 1}
    if seeds >= most or (seeds >= WARNED_SEEDS and not large):
        return []
    clauses = [f"one test errs in up to {_percent(_worst(seeds, 1))} of studies at a nominal 5%"]
    largest = max(FAMILYWISE_ERROR[most])
    for declared in (True, False):
        if declared in large:
            size = min(large[declared], largest)
            kind = "a family" if declared or len(large) == 1 else "an exploratory family"
            more = f", and one of {large[declared]} in more" if large[declared] > largest else ""
            clauses.append(
                f"{kind} of {size} adjusted by Holm in up to {_percent(_worst(seeds, size))}{more}"
            )
    kept = _percent(_worst(most, max([1, *large.values()])))
    what = {1: "it", 2: "both"}.get(len(clauses), "all")
    message = f"With {seeds} seeds {', '.join(clauses)}; ten seeds keep {what} near {kept}."
    return [Guard("small-seed-error", "warning" if seeds < WARNED_SEEDS else "note", message)]
