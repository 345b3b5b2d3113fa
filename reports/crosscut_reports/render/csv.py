"""The CSV tables: the figures at full precision. An empty cell is a figure that the analysis does not give.

`contrasts.csv` has a row a contrast, `arms.csv` a row an arm and metric; where splits are compared `shift.csv` has
a row an arm and other split, and `effects.csv` three rows a contrast and other split; where the lengths of queries
are known `lengths.csv` has a row a recall, arm and bin of lengths.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from crosscut_reports.render.json import EFFECT_PARTS, as_data
from crosscut_reports.result import Result

CONTRASTS = (
    "name", "metric", "scope", "declared", "estimate", "se", "df", "statistic", "p", "p_adjusted",
    "ci_low", "ci_high", "verdict", "wins", "ties", "losses", "sd_seed", "sd_query", "sd_residual",
    "seeds_to_decide", "seeds", "clusters", "family", "smallest_effect", "sentence", "family_name",
    "adjustment", "simultaneous_low", "simultaneous_high",
)  # fmt: skip
DROPS = ("arm", "split", "source", "paired", "mean", "mean_low", "mean_high")
EFFECTS = ("effect", "split", "source", "part")
LENGTHS = ("arm", "metric", "low", "high", "queries", "mean", "ci_low", "ci_high", "scope")
ARMS = ("arm", "metric", "mean", "ci_low", "ci_high", "seeds", "trials", "sd_seed", "scope")


def contrasts(result: Result) -> str:
    """The text of `contrasts.csv`."""
    return _table(CONTRASTS, [_bounds(row) for row in as_data(result)["contrasts"]])


def arms(result: Result) -> str:
    """The text of `arms.csv`: after the fixed columns, a column for the arm's level of every factor."""
    rows = [_bounds(row) for row in as_data(result)["arms"]]
    factors = list(dict.fromkeys(factor for row in rows for factor in row["levels"]))
    for row in rows:
        row |= {f"factor:{factor}": row["levels"].get(factor) for factor in factors}
    return _table((*ARMS, *(f"factor:{factor}" for factor in factors)), rows)


def shift(result: Result) -> str:
    """The text of `shift.csv`: the arm's mean on the other split, then the contrast with the source."""
    found = as_data(result)["shift"] or {"drops": []}
    rows = []
    for drop in found["drops"]:
        there = _bounds(drop["there"])
        place = {key: drop[key] for key in ("arm", "split", "paired")} | {"source": found["source"]}
        means = {"mean": there["mean"], "mean_low": there["ci_low"], "mean_high": there["ci_high"]}
        rows.append(_bounds(drop["contrast"]) | place | means)
    return _table((*DROPS, *CONTRASTS), rows)


def effects(result: Result) -> str:
    """The text of `effects.csv`: each contrast `here`, on the source, `there`, on the other split, and how much
    `more` it is there."""
    found = as_data(result)["shift"] or {"effects": []}
    rows = [
        _bounds(effect[part])
        | {"effect": effect["name"], "split": effect["split"], "source": found["source"], "part": part}
        for effect in found["effects"]
        for part in EFFECT_PARTS
    ]
    return _table((*EFFECTS, *CONTRASTS), rows)


def lengths(result: Result) -> str:
    """The text of `lengths.csv`."""
    return _table(LENGTHS, [_bounds(row) for row in as_data(result)["lengths"]])


def _bounds(row: dict[str, Any]) -> dict[str, Any]:
    """The row with the bounds of its intervals in columns of their own."""
    found = dict(row)
    for key in ("ci", "simultaneous"):
        if key in row:
            found[f"{key}_low"], found[f"{key}_high"] = row[key] or (None, None)
    return found


def _table(columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
