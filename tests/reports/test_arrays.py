"""Scores from arrays and data frames are those of the table that holds the same."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from crosscut_reports.arrays import from_arrays
from crosscut_reports.scores import Scores
from crosscut_reports.table import TableError, from_frame, read

ARMS, CLUSTERS = ("a", "b"), ("x", "y", "x", "z", "x")


def values(seeds: int = 3) -> Any:
    return np.random.default_rng(0).normal(50, 10, (2, seeds, len(CLUSTERS)))


def columns(found: Any) -> dict[str, list[Any]]:
    rows = [
        (arm, seed, query, CLUSTERS[query], "r1", found[i, seed, query])
        for i, arm in enumerate(ARMS)
        for seed in range(found.shape[1])
        for query in range(found.shape[2])
    ]
    return dict(
        zip(
            ("config", "seed", "query", "cluster", "metric", "value"),
            map(list, zip(*rows, strict=True)),
            strict=True,
        )
    )


def same(one: Scores, other: Scores) -> None:
    assert (one.arms, one.seeds, list(one.metrics)) == (other.arms, other.seeds, list(other.metrics))
    for name, metric in one.metrics.items():
        again = other.metrics[name]
        assert (metric.clusters, metric.queries, metric.higher_is_better) == (
            again.clusters,
            again.queries,
            again.higher_is_better,
        )
        np.testing.assert_allclose(metric.values, again.values)
        assert (metric.linear is None) == (again.linear is None)
        if metric.linear is not None and again.linear is not None:
            np.testing.assert_allclose(metric.linear, again.linear)


@pytest.mark.parametrize("kind", [dict, pa.table, pytest.param(None, id="pandas")])
def test_arrays_and_frames_give_what_the_table_does(
    kind: Callable[[dict[str, list[Any]]], Any] | None, tmp_path: Path
) -> None:
    found = values()
    plain = columns(found)
    if kind is None:
        kind = pytest.importorskip("pandas").DataFrame
    path = tmp_path / "t.csv"
    lines = [
        ",".join(plain),
        *(",".join(map(repr, row)).replace("'", "") for row in zip(*plain.values(), strict=True)),
    ]
    path.write_text("\n".join(lines).replace("np.float64(", "").replace(")", "") + "\n")
    table = read(path)
    same(from_frame(kind(plain)), table)
    same(from_arrays({"r1": found}, ARMS, clusters=CLUSTERS), table)


def test_the_mean_over_clusters_is_that_over_queries() -> None:
    found = values()
    metric = from_arrays({"r1": found}, ARMS, clusters=CLUSTERS).metrics["r1"]
    np.testing.assert_allclose(metric.runs, found.mean(axis=2))
    assert metric.clusters == ("x", "y", "z") and metric.queries == 5 and metric.linear is not None
    alone = from_arrays({"r1": found}, ARMS).metrics["r1"]
    np.testing.assert_array_equal(alone.values, found)
    assert alone.clusters == ("0", "1", "2", "3", "4") and alone.linear is None


def test_runs_have_labels_levels_and_directions() -> None:
    runs = np.array([[1.0, 2], [3, np.nan]])
    levels = {"a": {"f": "off"}, "b": {"f": "on"}}
    scores = from_arrays({"m": runs, "loss": runs}, ARMS, seeds=[7, 9], levels=levels, lower_is_better=["m"])
    assert scores.seeds == ("7", "9") and scores.levels == levels and scores.factors == {"f": ("off", "on")}
    assert not scores.metrics["m"].higher_is_better and not scores.metrics["loss"].higher_is_better
    assert math.isnan(scores.metrics["m"].runs[1, 1]) and not scores.metrics["m"].per_cluster
    assert from_arrays({"m": runs}, ARMS).factors == {"arm": ("a", "b")}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metrics": {}}, "metrics: found none"),
        ({"arms": ("a", "a")}, "found a name twice"),
        ({"metrics": {"m": np.zeros(3)}}, r"m: found the shape \(3,\)"),
        ({"metrics": {"m": np.zeros((3, 2))}}, r"expected \(2, 2\) and queries"),
        ({"seeds": [1]}, r"expected \(2, 1\)"),
        ({"metrics": {"m": np.full((2, 2), np.inf)}}, "m: found an infinite value"),
        ({"clusters": ["x"]}, "found 3 queries, expected 1"),
        ({"metrics": {"m": np.zeros((2, 2, 0))}}, "found 0 queries, expected one or more"),
        ({"metrics": {"m": np.array([[[1.0, np.nan]]] * 2)}}, "a run with some of its queries"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"metrics": {"m": np.zeros((2, 2, 3))}, "arms": ARMS, **arguments}
    with pytest.raises(ValueError, match=message):
        from_arrays(**given)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (3, "frame: cannot be read as a table: found int, expected a data frame"),
        ({"seed": [1], "metric": ["m"]}, "frame: has no column 'value'"),
        (
            {"seed": [1], "metric": ["m"], "value": ["x"], "f": ["a"]},
            "row 1, column 'value': expected a number",
        ),
        ({"seed": [1, 2], "metric": ["m"]}, "frame: cannot be read as a table"),
    ],
)
def test_frames_that_are_no_tables_are_refused(frame: Any, message: str) -> None:
    with pytest.raises(TableError, match=message):
        from_frame(frame)


def test_a_frame_is_called_what_it_is_told_to() -> None:
    with pytest.raises(TableError, match=r"^mine: has no"):
        from_frame({"seed": [1]}, name="mine")
