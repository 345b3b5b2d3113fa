"""The arms' own means with their intervals."""

from __future__ import annotations

from collections.abc import Mapping

from crosscut_reports import closed_form, crossed_bootstrap, query_scope, seed_scope
from crosscut_reports.estimate import Estimate
from crosscut_reports.measurement import Table
from crosscut_reports.question import Question
from crosscut_reports.result import ArmResult
from crosscut_reports.scores import Scores


def arm_mean(
    scores: Scores, table: Table, arm: str, question: Question, trials: Mapping[str, int]
) -> ArmResult | None:
    """An arm's own mean, in the scope that its seeds allow; None where it has no run."""
    seeds = table.seeds_of(arm)
    if not seeds.size:
        return None
    values = table.metric.values[table.rows[arm]][seeds]
    linear = values if table.metric.linear is None else table.metric.linear[table.rows[arm]][seeds]
    scope = table.scope(int(seeds.size), question.scope)
    estimate: Estimate
    statistic = table.metric.statistic
    if statistic is not None and scope != "seeds":
        resample = crossed_bootstrap.contrast if scope == "seeds-and-queries" else crossed_bootstrap.queries
        estimate = resample(statistic, {table.rows[arm]: 1.0}, seeds.tolist())
    elif scope == "seeds-and-queries":
        estimate = closed_form.contrast(linear)
    elif scope == "seeds":
        estimate = seed_scope.paired(values.mean(axis=1))
    else:
        # Whether an arm's mean is zero is no question, so only the interval is made.
        estimate = query_scope.contrast(linear, p=1.0)
    runs = values.mean(axis=1)
    return ArmResult(
        arm=arm,
        metric=table.metric.name,
        mean=float(runs.mean()),
        # Where nothing varies, as where all queries are missed, an interval of no width would look certain.
        ci=estimate.interval(1 - question.alpha) if estimate.se else None,
        seeds=int(seeds.size),
        trials=trials.get(arm),
        sd_seed=float(runs.std(ddof=1)) if seeds.size > 1 else None,
        values=tuple(runs.tolist()),
        levels=scores.levels[arm],
        scope=scope,
    )
