"""Guards on runs: what failed and where, what trainables note, and whether all runs are of one kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from scipy.special import comb

from crosscut_reports.context import Context
from crosscut_reports.guards import listed
from crosscut_reports.measurement import Table
from crosscut_reports.result import Guard, Severity

CONCENTRATED = 0.05
"""Failures as uneven as these, or more so, are this likely where all arms are as likely to fail."""
COLLAPSED = 0.2
"""A run below this share of its arm's median has collapsed."""
MIXED: Mapping[str, tuple[Severity, str]] = {
    "declaration": (
        "warning",
        "Runs were trained under different declarations, so some hypotheses may be younger than runs",
    ),
    "commit": ("warning", "Runs are of different commits of the code"),
    "versions": ("warning", "Runs were trained with different versions"),
    "device": ("warning", "Runs were trained on different kinds of device"),
    "workers": ("note", "Runs had different numbers of workers"),
    "data": ("note", "Arms were trained or evaluated on different data"),
}
"""What runs may differ in → severity and words."""
_LISTED = 6


def failures(context: Context) -> list[Guard]:
    """Runs and trials that ended without a result, and runs that are still to come."""
    found = []
    final = [failure for failure in context.failures if failure.phase == "final"]
    if final:
        texts = [f"{f.arm} seed {f.number} ({f.kind}: {f.reason})" for f in final]
        message = (
            f"{len(final)} run{'s' * (len(final) != 1)} ended without a result: {'; '.join(texts[:_LISTED])}"
            f"{f' and {len(texts) - _LISTED} more' if len(texts) > _LISTED else ''}. "
            f"An arm's figures are those of its survivors."
        )
        found.append(Guard("failed-runs", "warning", message))
    searches = Counter(failure.arm for failure in context.failures if failure.phase == "search")
    if searches:
        texts = [f"{arm} {count}" for arm, count in searches.items()]
        message = f"Search trials ended without a result: {listed(texts)}."
        found.append(Guard("failed-trials", "note", message))
    if context.planned is not None and context.recorded is not None and context.recorded < context.planned:
        message = (
            f"{context.recorded} of {context.planned} planned runs are recorded: the report is not final."
        )
        found.append(Guard("unfinished", "warning", message))
    return found


def run_notes(context: Context) -> list[Guard]:
    """What the trainable itself says of its runs, and how many search trials of each arm it has notes on."""
    found = []
    final = [note for note in context.notes if note.phase == "final"]
    if final:
        runs = {(note.arm, note.number) for note in final}
        seeds: dict[str, dict[str, list[int]]] = {}
        for note in final:
            seeds.setdefault(note.text, {}).setdefault(note.arm, []).append(note.number)
        texts = [f"{text} ({'; '.join(map(_seeds, arms.items()))})" for text, arms in seeds.items()]
        message = (
            f"{len(runs)} run{'s have notes' if len(runs) > 1 else ' has notes'} from the trainable: "
            f"{'; '.join(texts[:_LISTED])}"
            f"{f' and {len(texts) - _LISTED} more' if len(texts) > _LISTED else ''}. "
            f"The scores count as all others do."
        )
        found.append(Guard("run-notes", "warning", message))
    trials = dict.fromkeys((note.arm, note.number) for note in context.notes if note.phase == "search")
    searches = Counter(arm for arm, _ in trials)
    if searches:
        texts = [f"{arm} {count}" for arm, count in searches.items()]
        message = f"Search trials have notes from the trainable: {listed(texts)}."
        found.append(Guard("trial-notes", "note", message))
    return found


def _seeds(arm: tuple[str, list[int]]) -> str:
    name, seeds = arm
    return f"{name} seed{'s' if len(seeds) > 1 else ''} {listed([str(seed) for seed in seeds])}"


def concentrated_failures(context: Context, planned: int) -> list[Guard]:
    """Arms that lost more runs than chance would take from one of them; `planned` is how many an arm was to have.

    P(at least as many of all failures in this arm) is hypergeometric, F failures being spread over all runs; the
    arms' probabilities are adjusted by Bonferroni.
    """
    final = Counter(failure.arm for failure in context.failures if failure.phase == "final")
    total, runs = sum(final.values()), context.planned or 0
    arms = runs // planned if planned else 0
    found = []
    for arm, count in final.items():
        if arms < 2 or count > planned:
            continue
        ways = sum(
            comb(planned, k) * comb(runs - planned, total - k) for k in range(count, min(planned, total) + 1)
        )
        if arms * float(ways / comb(runs, total)) < CONCENTRATED:
            found.append(f"{arm} ({count} of {planned})")
    if not found:
        return []
    message = (
        f"Failures are concentrated in {listed(found)}: what is left of such an arm are the seeds that it did not "
        "fail on, which flatters it."
    )
    return [Guard("concentrated-failures", "warning", message)]


def collapsed(table: Table, seeds: Sequence[str]) -> list[Guard]:
    """Runs that are far below the median of their arm, where more is better."""
    if not table.metric.higher_is_better:
        return []
    found = []
    for arm, row in table.rows.items():
        runs = [(seeds[s], float(table.runs[row, s])) for s in table.seeds_of(arm)]
        ordered = sorted(value for _, value in runs)
        middle = ordered[len(ordered) // 2] if ordered else 0.0
        low = [seed for seed, value in runs if len(runs) > 2 and 0 <= value < COLLAPSED * middle]
        if low:
            found.append(f"{arm} seed{'s' if len(low) > 1 else ''} {listed(low)}")
    if not found:
        return []
    message = (
        f"Below {100 * COLLAPSED:g}% of their arm's median on {table.metric.name}, so they may have collapsed: "
        f"{listed(found)}. Their scores count as all others do."
    )
    return [Guard("collapsed-runs", "warning", message)]


def mixtures(context: Context) -> list[Guard]:
    """Versions, commits, devices and data that are not the same for all runs."""
    found = []
    for label, (severity, words) in MIXED.items():
        counts = context.mixtures.get(label, {})
        if len(counts) > 1:
            texts = [f"{value} ({count})" for value, count in counts.items()]
            found.append(Guard(f"mixed-{label}", severity, f"{words}: {listed(texts)}."))
    uncommitted = [value for value in context.mixtures.get("commit", {}) if value.endswith("+changes")]
    if uncommitted:
        message = (
            "Runs were trained with changes to the code that no commit has, so it cannot be found again."
        )
        found.append(Guard("uncommitted-code", "note", message))
    return found


def seen_in_search(context: Context) -> list[Guard]:
    """Metrics of final splits that search trials reported, so that values may have been chosen by them."""
    if not context.seen_in_search:
        return []
    message = (
        f"Search trials measured {listed(list(context.seen_in_search))}, which the report judges by: whoever saw "
        "that may have chosen by it, and the scores flatter."
    )
    return [Guard("test-in-search", "error", message)]


def same_training(context: Context) -> list[Guard]:
    """Arms that reported the very losses of their baseline at every step of every seed."""
    if not context.same_training:
        return []
    message = (
        f"{listed(list(context.same_training))} reported the baseline's very figures at every step of every seed: "
        "does the level change anything?"
    )
    return [Guard("same-training", "warning", message)]
