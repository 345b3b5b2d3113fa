"""Whole reports of scores that are hard: every output is written, and says what it must."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from crosscut_reports.analysis import analyse
from crosscut_reports.arrays import from_arrays
from crosscut_reports.context import Context
from crosscut_reports.question import Question
from crosscut_reports.render import write
from crosscut_reports.result import Result
from crosscut_reports.table import TableError, from_frame, read

DRAW = np.random.default_rng(0)
NASTY = r'<b>\textbf{x}</b> & $\frac{1}{2}$ % #1 ~^_ "q" | `c` *m*'


def reported(result: Result, folder: Path) -> dict[str, Path]:
    """All outputs, none of which is empty."""
    paths = write(result, folder)
    assert all(path.stat().st_size for path in paths.values())
    json.loads(paths["report.json"].read_text())
    return paths


def guards(result: Result) -> set[tuple[str, str]]:
    return {(one.guard, one.severity) for one in result.guards}


@pytest.mark.parametrize("primary", ["rsum", "words"])
def test_a_constant_metric(tmp_path: Path, primary: str) -> None:
    metrics = {"rsum": DRAW.normal(50, 1, (3, 4, 20)), "words": np.full((3, 4), 7.0)}
    result = analyse(from_arrays(metrics, ("a", "b", "c")), Question(primary=primary), Context(name="x"))
    reported(result, tmp_path)
    assert ("constant-metric", "note" if primary == "rsum" else "error") in guards(result)
    assert {one.metric for one in result.contrasts} == ({"rsum"} if primary == "rsum" else {"rsum", "words"})
    assert all(one.verdict == "undecided" for one in result.contrasts if one.metric == "words")
    asked = analyse(
        from_arrays(metrics, ("a", "b", "c")), Question(metrics=("rsum", "words")), Context(name="x")
    )
    assert {one.metric for one in asked.contrasts} == {"rsum", "words"}, "where it is named"


def test_the_same_value_in_every_run_but_not_in_every_query_is_not_constant() -> None:
    hits = np.zeros((2, 3, 4))
    hits[0, :, :2] = hits[1, :, 2:] = 100
    result = analyse(from_arrays({"r1": hits}, ("a", "b")), Question(), Context(name="x"))
    assert "constant-metric" not in {name for name, _ in guards(result)}


@pytest.mark.parametrize("shape", [(3, 1, 30), (3, 1, 1), (3, 5, 1), (3, 1), (2, 2, 2)])
def test_one_seed_and_one_query(tmp_path: Path, shape: tuple[int, ...]) -> None:
    arms = tuple("abc"[: shape[0]])
    result = analyse(from_arrays({"r1": DRAW.normal(50, 9, shape)}, arms), Question(), Context(name="x"))
    reported(result, tmp_path)
    seeds, queries = shape[1], shape[2] if len(shape) > 2 else 1
    tested = any(one.p is not None for one in result.contrasts)
    assert tested == (seeds > 1 or queries > 1)
    if seeds < 3:
        assert "few-seeds" in {name for name, _ in guards(result)}


@pytest.mark.parametrize("count", [27, 200])
def test_many_arms(tmp_path: Path, count: int) -> None:
    names = tuple(f"{NASTY} {place}" for place in range(count))
    values = DRAW.normal(50, 1, (count, 4, 12)) + np.arange(count)[:, None, None]
    result = analyse(from_arrays({"rsum": values}, names), Question(), Context(name=NASTY, question=NASTY))
    paths = reported(result, tmp_path)
    assert len([one for one in result.contrasts if one.metric == "rsum"]) == count - 1
    assert ("baseline-chosen", "warning") in guards(result)
    page = paths["report.html"].read_text()
    assert "<b>\\textbf" not in page
    assert "&lt;b&gt;\\textbf{x}&lt;/b&gt; &amp; $\\frac{1}{2}$" in page


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_an_infinite_value_is_refused_by_its_place(tmp_path: Path, value: float) -> None:
    values = DRAW.normal(50, 1, (2, 3))
    values[1, 2] = value
    with pytest.raises(ValueError, match="r1: found an infinite value"):
        from_arrays({"r1": values}, ("a", "b"))
    table = tmp_path / "t.csv"
    table.write_text(f"config,seed,metric,value\na,0,r1,1\nb,0,r1,{value}\n")
    with pytest.raises(TableError, match=r"t\.csv.*row 3.*'value'"):
        read(table)


def test_a_million_rows() -> None:
    arms, seeds, queries = 10, 5, 20_000
    index = np.indices((arms, seeds, queries)).reshape(3, -1)
    hits = (DRAW.random((arms, seeds, queries)) < 0.5 + 0.01 * np.arange(arms)[:, None, None]).astype(float)
    frame = {
        "config": np.array([f"arm {place}" for place in range(arms)])[index[0]],
        "seed": index[1],
        "query": index[2],
        "metric": np.full(index.shape[1], "r1"),
        "value": 100 * hits.ravel(),
    }
    scores = from_frame(frame)
    assert scores.metrics["r1"].values.shape == (arms, seeds, queries)
    result = analyse(scores, Question(baseline="arm 0"), Context(name="x"))
    found = {one.name: one for one in result.contrasts}
    best = next(one for name, one in found.items() if "arm 9" in name)
    assert best.estimate == pytest.approx(100 * (hits[9] - hits[0]).mean())
    assert best.verdict == "better"
