"""F tests of the interaction of factors, over all of its degrees of freedom at once."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from crosscut_reports import closed_form
from crosscut_reports.closed_form import FactorTest, NoVariationError, f_tail
from crosscut_reports.contrast import whole_cells
from crosscut_reports.estimate import ROUNDING, Array
from crosscut_reports.factor_tests import Tested, adjusted, counted, level_mean
from crosscut_reports.measurement import Table
from crosscut_reports.question import Question
from crosscut_reports.result import FactorResult
from crosscut_reports.scores import Scores


def helmert(levels: int) -> Array:
    """(levels − 1, levels) orthonormal contrasts: each level against the mean of those before it."""
    rows = np.tril(-np.ones((levels - 1, levels)), 0)
    rows[np.arange(levels - 1), np.arange(1, levels)] = np.arange(1, levels)
    found: Array = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return found


def interaction(M: Array, factors: int, *, queries: bool) -> FactorTest:
    """F test of the interaction of the first `factors` axes of M.

    Args:
        M: (levels of the first factor, levels of the second, …, seeds, clusters), or without clusters; a value per
            combination of levels.
        factors: how many axes are factors. With one it is the test of that factor, `closed_form.factor`.
        queries: whether the last axis is of clusters, so that queries are drawn anew too.

    With q orthonormal contrasts c of the interaction, D = Σ c·M and r its means over clusters, the mean squares
    are S/q Σ r̄² and 1/q Σ var(r), and den adds S·max(C, 0), C being the mean covariance of two seeds of D, divided
    by the number of clusters (Hillis 2014, for one factor). So q = 1 is the squared t of that contrast. As always
    for several degrees of freedom, all contrasts are taken to vary alike over seeds.

    Raises:
        NoVariationError: nothing varies from seed to seed.
    """
    basis: Array = np.ones((1, 1))
    for size in M.shape[:factors]:
        basis = np.asarray(np.kron(basis, helmert(size)))
    D = np.tensordot(basis, M.reshape(basis.shape[1], *M.shape[factors:]), axes=1)
    seeds = D.shape[1]
    r = D.mean(axis=2) if queries else D
    ms_effect = seeds * float((r.mean(axis=1) ** 2).mean())
    ms_seeds = float(r.var(axis=1, ddof=1).mean())
    if ms_seeds <= (ROUNDING * float(np.abs(M).max())) ** 2:
        raise NoVariationError("its differences are the same under every seed")
    covariance = float(closed_form.moments(D).query_covariance.mean()) / D.shape[2] if queries else 0.0
    denominator = ms_seeds + seeds * max(covariance, 0.0)
    df1 = float(basis.shape[0])
    df2 = denominator**2 / (ms_seeds**2 / (df1 * (seeds - 1)))
    F = ms_effect / denominator
    # Of one arm under two seeds, and of two arms: their difference is what the contrasts have.
    own = float(closed_form.moments(M).query_covariance.mean()) / M.shape[-1] if queries else 0.0
    p = f_tail(F, df1, df2)
    return FactorTest(F, df1, df2, p, ms_effect, ms_seeds, own, own - covariance, denominator)


def find(scores: Scores, table: Table, question: Question) -> tuple[FactorResult, ...]:
    """The interaction of every two factors, over the cells of the others in which all combinations of their levels
    occur; adjusted by Holm among themselves. Those that no cell or too few seeds allow are left out."""
    levels = {arm: scores.levels[arm] for arm in scores.arms}
    found: list[Tested] = []
    for pair in combinations(question.all_factors(scores), 2):
        names = [scores.factors[factor] for factor in pair]
        corners = [(a, b) for a in names[0] for b in names[1]]
        whole = whole_cells(levels, pair, corners)
        seeds = table.common_seeds(arm for cell in whole for arms in cell.values() for arm in arms)
        scope = table.level_scope(len(seeds), question.scope)
        if not whole or scope == "queries" or len(seeds) < 2:
            continue
        M = np.stack(
            [level_mean(table, [cell[corner] for cell in whole], seeds.tolist()) for corner in corners]
        )
        shaped = M.reshape(len(names[0]), len(names[1]), *M.shape[1:])
        queries = scope == "seeds-and-queries"
        try:
            test = interaction(shaped if queries else shaped.mean(axis=-1), 2, queries=queries)
        except NoVariationError:
            continue
        levels_of_both = tuple(f"{a}, {b}" for a, b in corners)
        found.append(Tested(" × ".join(pair), levels_of_both, scope, test, *counted(levels, pair, whole)))
    return tuple(adjusted(found, table.metric.name))
