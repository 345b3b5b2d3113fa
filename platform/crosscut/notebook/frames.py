"""Data frames of a plan and of a result.

Factors, metrics and searched values have columns of their names. A name that is taken already has its kind before
it: a factor called `seed` is the column `factor:seed`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crosscut.errors import InputError
from crosscut.plan import Plan
from crosscut.records.record import Record
from crosscut.scores import finished
from crosscut.standing import standing
from crosscut_reports.result import Result

if TYPE_CHECKING:
    from pandas import DataFrame

ARMS = ("arm", "baseline", "trials", "trials_recorded", "best", "runs", "runs_recorded", "mean", "half_width",
        "failed", "blocked")  # fmt: skip
RECORDS = ("arm", "phase", "number", "seed", "status", "seconds", "failure", "notes", "key")
QUERIES = ("arm", "seed", "query", "cluster", "rank", "value")


def of_arms(plan: Plan) -> DataFrame:
    """A line an arm: what is asked for and what of it is recorded, the best dev score of its search, the mean of
    the primary metric over its seeds with half of its 95% interval, how many failed, and why it is blocked."""
    from pandas import DataFrame

    factors = _columns(plan.experiment.sweep.levels, "factor", set(ARMS))
    rows = []
    for arm, line in zip(plan.arms, standing(plan), strict=True):
        row: dict[str, Any] = {"arm": line.arm, "baseline": line.baseline, "blocked": line.blocked}
        row |= {"trials_recorded": line.trials[0], "trials": line.trials[1], "best": line.best}
        row |= {"runs_recorded": line.runs[0], "runs": line.runs[1], "failed": line.failed}
        row |= {"mean": line.mean, "half_width": line.half_width}
        rows.append(row | {factors[factor]: level for factor, level in arm.arm.levels.items()})
    frame = DataFrame(rows, columns=["arm", *factors.values(), *ARMS[1:]])
    return frame.astype(dict.fromkeys(("best", "mean", "half_width"), float))


def of_records(plan: Plan) -> DataFrame:
    """A line a record: of each arm its search trials, then its seeds. What a record does not have is missing."""
    from pandas import DataFrame

    records = [record for arm in plan.arms for record in (*arm.trials, *arm.finals) if record is not None]
    taken = set(RECORDS)
    factors = _columns(plan.experiment.sweep.levels, "factor", taken)
    metrics = _columns((name for record in records for name in record.metrics), "metric", taken)
    values = _columns((path for record in records for path in record.work.values), "value", taken)
    spent = {phase: f"seconds:{phase}" for record in records for phase in record.spent}
    rows = []
    for record in records:
        row = _identity(record)
        row |= {spent[phase]: seconds for phase, seconds in record.spent.items()}
        row |= {factors[factor]: level for factor, level in record.work.levels.items()}
        row |= {metrics[name]: value for name, value in record.metrics.items()}
        row |= {values[path]: value for path, value in record.work.values.items()}
        rows.append(row)
    order = ["arm", *factors.values(), *RECORDS[1:6], *spent.values()]
    order += [*metrics.values(), *values.values(), *RECORDS[6:]]
    return DataFrame(rows, columns=order)


def of_queries(plan: Plan, name: str) -> DataFrame:
    """A line a query of every run that ended well: its `rank`, of ranks such as `test/t2i`, or its `value`, of a
    metric that is known by query.

    Raises:
        InputError: no run has such ranks or values.
    """
    from pandas import Categorical, DataFrame, concat

    levels = plan.experiment.sweep.levels
    arms = [arm.arm.name for arm in plan.arms]
    factors = _columns(levels, "factor", set(QUERIES))
    runs = [record for arm in plan.arms for one in arm.finals if (record := finished(one)) is not None]
    pieces = []
    for record in runs:
        found = _measured(record, name)
        if found is None:
            continue
        column, measured, clusters = found
        texts: dict[str, tuple[str, Sequence[str]]] = {"arm": (record.work.arm, arms)}
        texts |= {factors[factor]: (level, levels[factor]) for factor, level in record.work.levels.items()}
        columns: dict[str, Any] = {
            key: Categorical.from_codes(np.full(len(measured), list(all_of).index(one)), all_of)
            for key, (one, all_of) in texts.items()
        }
        columns |= {"seed": record.work.seed, "query": np.arange(len(measured)), "cluster": clusters}
        pieces.append(DataFrame({**columns, column: measured}))
    if not pieces:
        known = sorted({one for record in runs for one in (*record.ranks, *record.values)})
        expected = f"one of {', '.join(known)}" if known else "a run that keeps ranks or values by query"
        raise InputError.unexpected(plan.experiment.sweep.name, "queries", name, expected, known)
    return concat(pieces, ignore_index=True)


def of_contrasts(result: Result) -> DataFrame:
    """The lines and columns of `contrasts.csv`."""
    from pandas import DataFrame

    from crosscut_reports.render.csv import CONTRASTS
    from crosscut_reports.render.json import as_data

    return DataFrame([_bounds(row) for row in as_data(result)["contrasts"]], columns=list(CONTRASTS))


def of_means(result: Result) -> DataFrame:
    """The lines and columns of `arms.csv`: each arm on each metric."""
    from pandas import DataFrame

    from crosscut_reports.render.csv import ARMS as COLUMNS
    from crosscut_reports.render.json import as_data

    rows = [_bounds(row) for row in as_data(result)["arms"]]
    factors = list(dict.fromkeys(f"factor:{factor}" for row in rows for factor in row["levels"]))
    rows = [row | {f"factor:{factor}": level for factor, level in row["levels"].items()} for row in rows]
    return DataFrame(rows, columns=[*COLUMNS, *factors])


def _columns(names: Iterable[str], kind: str, taken: set[str]) -> dict[str, str]:
    """Name → its column, for each name once; `taken` grows by them."""
    found: dict[str, str] = {}
    for name in names:
        if name not in found:
            found[name] = f"{kind}:{name}" if name in taken else name
            taken.add(found[name])
    return found


def _identity(record: Record) -> dict[str, Any]:
    """What each record has, whatever was trained."""
    work, failure = record.work, record.failure
    return {
        "arm": work.arm,
        "phase": work.phase,
        "number": work.number,
        "seed": work.seed,
        "status": record.status,
        "seconds": record.seconds,
        "failure": None if failure is None else f"{failure.kind}: {failure.reason}",
        "notes": "; ".join(record.notes) or None,
        "key": record.key,
    }


def _measured(record: Record, name: str) -> tuple[str, NDArray[Any], NDArray[np.int32]] | None:
    """The column, the figures and the clusters of a run's queries; None where it has none of that name."""
    if name in record.ranks:
        return "rank", record.ranks[name].ranks, record.ranks[name].clusters
    if name in record.values:
        return "value", record.values[name].values, record.values[name].clusters
    return None


def _bounds(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the report with the bounds of its intervals in columns of their own."""
    pairs = {key: row[key] or (None, None) for key in ("ci", "simultaneous") if key in row}
    ends = {f"{key}_{end}": pair[i] for key, pair in pairs.items() for i, end in enumerate(("low", "high"))}
    return {**row, **ends}
