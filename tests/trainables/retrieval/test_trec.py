"""Files of TREC: their lines, their order under ties, their ids."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import pytrec_eval

from crosscut_trainables.positive_ranks import by_lists, positive_ranks
from crosscut_trainables.rankings import first_items, pessimistic_order
from crosscut_trainables.trec import (
    read_qrels,
    read_run,
    safe_id,
    write_qrels,
    write_run,
)

SCORES = np.array([[0.5, 0.9, 0.5], [0.1, np.nan, 0.3]], np.float32)
ROWS = by_lists([[0], [2]])


def test_a_run_has_its_lines_in_order_with_ties_against_the_model(tmp_path: Path) -> None:
    write_run(tmp_path / "run", first_items(SCORES, ROWS), 3, ["a", "b"], ["x", "y", "z"], tag="scan 1")
    assert (tmp_path / "run").read_bytes().decode() == (
        "a Q0 y 1 3 scan%201\na Q0 z 2 2 scan%201\na Q0 x 3 1 scan%201\n"
        "b Q0 y 1 3 scan%201\nb Q0 z 2 2 scan%201\nb Q0 x 3 1 scan%201\n"
    )


def test_qrels_have_a_line_for_each_relevant_item(tmp_path: Path) -> None:
    write_qrels(tmp_path / "qrels", by_lists([[2, 0], [], [1]]), 3, item_ids=["x", "y", "z"])
    assert (tmp_path / "qrels").read_text() == "0 0 x 1\n0 0 z 1\n2 0 y 1\n"
    assert read_qrels(tmp_path / "qrels") == {"0": {"x": 1, "z": 1}, "2": {"y": 1}}


def test_a_run_is_cut_at_its_depth_after_ties_are_broken(tmp_path: Path) -> None:
    scores = np.array([[1, 1, 1, 1, 0]], np.float32)
    write_run(tmp_path / "run", first_items(scores, by_lists([[0, 1]]), 3), 5)
    assert read_run(tmp_path / "run") == {"0": {"2": 3.0, "3": 2.0, "0": 1.0}}
    write_run(tmp_path / "run", first_items(scores, by_lists([[0, 1]]), 30), 5)
    assert len(read_run(tmp_path / "run")["0"]) == 5


@pytest.mark.parametrize("depth", [None, 1, 4, 25, 99])
def test_the_order_is_the_one_that_ranks_count(depth: int | None) -> None:
    random = np.random.default_rng(0)
    scores = random.integers(0, 5, (60, 25)).astype(np.float32)
    scores[random.random(scores.shape) < 0.03] = np.nan
    scores[random.random(scores.shape) < 0.03] = np.inf
    scores[random.random(scores.shape) < 0.03] = -np.inf
    rows = by_lists([random.choice(25, random.integers(1, 26), replace=False).tolist() for _ in scores])
    found = positive_ranks(scores, rows)
    for query, row in enumerate(scores):
        order = pessimistic_order(row, rows.of(query), depth)
        kept = 25 if depth is None else min(depth, 25)
        assert len(set(order.tolist())) == kept
        hits = 1 + np.flatnonzero(np.isin(order, rows.of(query)))
        assert hits.tolist() == found.of(query)[found.of(query) <= kept].tolist()


def test_another_tool_that_breaks_ties_its_own_way_sees_the_same_order(tmp_path: Path) -> None:
    # All alike, and the relevant item is the one that trec_eval, which takes ids in reverse, would put first.
    count = 3000
    scores, rows = np.full((1, count), 0.1, np.float32), by_lists([[0]])
    names = ["zzz", *(f"a{place}" for place in range(1, count))]
    write_run(tmp_path / "run", first_items(scores, rows), count, item_ids=names)
    write_qrels(tmp_path / "qrels", rows, count, item_ids=names)
    judge = pytrec_eval.RelevanceEvaluator(read_qrels(tmp_path / "qrels"), {"recip_rank"})
    assert judge.evaluate(read_run(tmp_path / "run"))["0"]["recip_rank"] == pytest.approx(1 / count)
    naive = {"0": dict(zip(names, scores[0].tolist(), strict=True))}
    assert judge.evaluate(naive)["0"]["recip_rank"] == 1.0


def test_scores_are_not_changed_by_writing_them(tmp_path: Path) -> None:
    before = SCORES.copy()
    write_run(tmp_path / "run", first_items(SCORES, by_lists([[0, 1], [1]])), 3)
    np.testing.assert_array_equal(SCORES, before)


def test_ids_stay_one_field_and_different() -> None:
    names = ["a b", "a%20b", "a\tb", "a\nb", "été.jpg", "dog.jpg#0", "a\u00a0b", "a"]
    safe = [safe_id(name) for name in names]
    assert safe[0] == "a%20b"
    assert safe[5] == "dog.jpg#0"
    assert len(set(safe)) == len(names)
    assert all(len(name.split()) == 1 and name.isascii() for name in safe)
    assert [unquote(name) for name in safe] == names
    with pytest.raises(ValueError, match="empty"):
        safe_id("")


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with pytest.raises(ValueError, match="found item id 'x' more than once"):
        write_run(path, first_items(SCORES, ROWS), 3, item_ids=["x", "y", "x"])
    with pytest.raises(ValueError, match="found 1 query ids, expected 2"):
        write_run(path, first_items(SCORES, ROWS), 3, query_ids=["x"])
    with pytest.raises(ValueError, match="found depth 0"):
        first_items(SCORES, ROWS, depth=0)
    with pytest.raises(ValueError, match="positives of 1 queries, but scores of 2"):
        first_items(SCORES, by_lists([[0]]))
    with pytest.raises(ValueError, match=r"expected \(queries, items\)"):
        first_items(SCORES[0], ROWS)
    with pytest.raises(ValueError, match="outside the gallery of 2 items"):
        write_qrels(path, ROWS, 2)
    assert not path.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a Q0 x 1 3 t\na Q0 y 2\n",
            "run, line 2: found 'a Q0 y 2', expected 'query Q0 item rank score tag'",
        ),
        ("a Q0 x 1 high t\n", "run, line 1: found 'high', expected a number"),
        ("a Q0 x 1 3 t\na Q0 x 2 2 t\n", "run, line 2: item 'x' of query 'a' comes a second time"),
    ],
)
def test_a_reader_names_the_line_that_it_cannot_read(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "run").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_run(tmp_path / "run")


def test_a_relevance_must_be_whole(tmp_path: Path) -> None:
    (tmp_path / "qrels").write_text("a 0 x 0.5\n")
    with pytest.raises(ValueError, match=r"line 1: found '0\.5', expected a number"):
        read_qrels(tmp_path / "qrels")
