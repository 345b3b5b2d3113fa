"""F tests of factors, over the cells of the other factors in which all levels occur."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from crosscut_reports import closed_form, seed_scope
from crosscut_reports.adjustment import holm
from crosscut_reports.contrast import cells
from crosscut_reports.estimate import Array
from crosscut_reports.measurement import FEWEST_SEEDS, Table
from crosscut_reports.question import Question
from crosscut_reports.result import FactorResult, Scope
from crosscut_reports.scores import Scores


def run(scores: Scores, table: Table, question: Question) -> tuple[list[FactorResult], dict[str, str]]:
    """F tests on the table's metric, adjusted by Holm among themselves, and for each factor without one the
    reason."""
    tests: list[tuple[str, Scope, closed_form.FactorTest]] = []
    counts: dict[str, tuple[int, int]] = {}
    reasons: dict[str, str] = {}
    for factor in question.all_factors(scores):
        names = scores.factors[factor]
        grouped = cells({arm: scores.levels[arm] for arm in scores.arms}, [factor])
        whole = [cell for cell in grouped if all((name,) in cell for name in names)]
        if not whole:
            reasons[factor] = "no combination of the other factors' levels occurs with all of its levels"
            continue
        arms = [[cell[(name,)] for cell in whole] for name in names]
        seeds = table.common_seeds(arm for level in arms for cell in level for arm in cell)
        scope = table.scope(len(seeds), question.scope)
        if scope == "queries" or len(seeds) < 2:
            needed = 2 if (table.clusters or 0) < 2 or question.scope == "seeds" else FEWEST_SEEDS
            why = f"it needs {needed} seeds common to all arms concerned, and there are {len(seeds)}"
            if question.scope == "queries" and len(seeds) >= FEWEST_SEEDS:
                why = "the scope asked for knows contrasts only"
            reasons[factor] = why
            continue
        counts[factor] = (len(whole), len(grouped))
        M = np.stack([_mean(table, level, [int(s) for s in seeds]) for level in arms])
        try:
            if scope == "seeds-and-queries":
                tests.append((factor, scope, closed_form.factor(M)))
            else:
                tests.append((factor, scope, seed_scope.factor(M.mean(axis=2))))
        except closed_form.NoVariationError as error:
            reasons[factor] = str(error)
    adjusted = holm([test.p for _, _, test in tests]).tolist()
    return [
        FactorResult(
            factor,
            table.metric.name,
            scope,
            test.F,
            test.df1,
            test.df2,
            test.p,
            p,
            scores.factors[factor],
            *counts[factor],
        )
        for (factor, scope, test), p in zip(tests, adjusted, strict=True)
    ], reasons


def _mean(table: Table, level: Iterable[Iterable[str]], seeds: Sequence[int]) -> Array:
    """(seeds, clusters) a level's linear scores, cells counting alike."""
    means: Array = np.mean(
        [np.mean([table.linear_of(arm, seeds) for arm in cell], axis=0) for cell in level], axis=0
    )
    return means
