"""F tests of factors, over the cells of the other factors in which all levels occur."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from crosscut_reports import closed_form, seed_scope
from crosscut_reports.adjustment import holm
from crosscut_reports.contrast import Levels, cells, whole_cells
from crosscut_reports.estimate import Array
from crosscut_reports.measurement import FEWEST_SEEDS, Table
from crosscut_reports.question import Question
from crosscut_reports.result import FactorResult, Scope
from crosscut_reports.scores import Scores


def run(scores: Scores, table: Table, question: Question) -> tuple[list[FactorResult], dict[str, str]]:
    """F tests on the table's metric, adjusted by Holm among themselves, and for each factor without one the
    reason."""
    tests: list[Tested] = []
    reasons: dict[str, str] = {}
    for factor in question.all_factors(scores):
        names = scores.factors[factor]
        levels = {arm: scores.levels[arm] for arm in scores.arms}
        whole = whole_cells(levels, [factor], [(name,) for name in names])
        if not whole:
            reasons[factor] = "no combination of the other factors' levels occurs with all of its levels"
            continue
        arms = [[cell[(name,)] for cell in whole] for name in names]
        seeds = table.common_seeds(arm for level in arms for cell in level for arm in cell)
        scope = table.level_scope(len(seeds), question.scope)
        if scope == "queries" or len(seeds) < 2:
            needed = 2 if (table.clusters or 0) < 2 or question.scope == "seeds" else FEWEST_SEEDS
            why = f"it needs {needed} seeds common to all arms concerned, and there are {len(seeds)}"
            if question.scope == "queries" and len(seeds) >= FEWEST_SEEDS:
                why = "the scope asked for knows contrasts only"
            reasons[factor] = why
            continue
        M = np.stack([level_mean(table, level, seeds.tolist()) for level in arms])
        try:
            whole_scope = scope == "seeds-and-queries"
            test = closed_form.factor(M) if whole_scope else seed_scope.factor(M.mean(axis=2))
        except closed_form.NoVariationError as error:
            reasons[factor] = str(error)
        else:
            tests.append(Tested(factor, names, scope, test, *counted(levels, [factor], whole)))
    return adjusted(tests, table.metric.name), reasons


def counted(levels: Levels, factors: Sequence[str], whole: Sequence[object]) -> tuple[int, int]:
    """How many combinations of the other factors' levels were tested over, of how many; twice 0 in a fraction of a
    factorial, whose arms are taken together."""
    grouped = cells(levels, factors)
    return (len(whole), len(grouped)) if all(cell in grouped for cell in whole) else (0, 0)


@dataclass(frozen=True)
class Tested:
    """A test before it is adjusted."""

    name: str
    levels: tuple[str, ...]
    scope: Scope
    test: closed_form.FactorTest
    cells: int
    combinations: int


def adjusted(tests: Sequence[Tested], metric: str) -> list[FactorResult]:
    """The results of one family of tests, adjusted by Holm."""
    p_adjusted = holm([one.test.p for one in tests]).tolist()
    return [
        FactorResult(
            one.name,
            metric,
            one.scope,
            one.test.F,
            one.test.df1,
            one.test.df2,
            one.test.p,
            p,
            one.levels,
            one.cells,
            one.combinations,
        )
        for one, p in zip(tests, p_adjusted, strict=True)
    ]


def level_mean(table: Table, level: Iterable[Iterable[str]], seeds: Sequence[int]) -> Array:
    """(seeds, clusters) linear scores of a level, given as its arms in each cell; cells count alike."""
    means: Array = np.mean(
        [np.mean([table.linear_of(arm, seeds) for arm in cell], axis=0) for cell in level], axis=0
    )
    return means
