"""Metrics by query: small cases by hand, and an independent library on rankings with ties."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import pytrec_eval
from numpy.typing import NDArray

from crosscut_reports.directions import higher_is_better
from crosscut_trainables import query_metrics as q
from crosscut_trainables import trec
from crosscut_trainables.positive_ranks import PositiveRanks, by_lists, positive_ranks
from crosscut_trainables.rankings import first_items

LOG3 = float(np.log2(3))


def of(*ranks_of: list[int], items: int = 20) -> PositiveRanks:
    starts = np.cumsum([0, *map(len, ranks_of)])
    return PositiveRanks(np.array([r for each in ranks_of for r in each], np.int32), starts, items)


FOUND = of([1, 3, 6], [2], [4, 5])
"""Three queries, all that follows of them counted by hand."""


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (q.recall_at(FOUND, 1), [1, 0, 0]),
        (q.recall_at(FOUND, 4), [1, 1, 1]),
        (q.precision_at(FOUND, 5), [2 / 5, 1 / 5, 2 / 5]),
        (q.precision_at(FOUND, 50), [3 / 50, 1 / 50, 2 / 50]),
        (q.share_at(FOUND, 4), [2 / 3, 1, 1 / 2]),
        (q.average_precision(FOUND), [(1 + 2 / 3 + 3 / 6) / 3, 1 / 2, (1 / 4 + 2 / 5) / 2]),
        (q.average_precision_at(FOUND, 3), [(1 + 2 / 3) / 3, 1 / 2, 0]),
        (q.average_precision_at(FOUND, 1), [1, 0, 0]),
        (q.average_precision_at(FOUND, 4), [(1 + 2 / 3) / 3, 1 / 2, (1 / 4) / 2]),
        (q.average_precision_at_r(FOUND), [(1 + 2 / 3) / 3, 0, 0]),
        (q.r_precision(FOUND), [2 / 3, 0, 0]),
        (q.ndcg_at(FOUND, 3), [(1 + 1 / 2) / (1 + 1 / LOG3 + 1 / 2), 1 / LOG3, 0]),
        (q.ndcg_at(FOUND, 1), [1, 0, 0]),
        (q.reciprocal_rank(FOUND), [1, 1 / 2, 1 / 4]),
        (q.best_rank(FOUND), [1, 2, 4]),
        (q.mean_rank_of_positives(FOUND), [10 / 3, 2, 4.5]),
    ],
)
def test_metrics_are_those_counted_by_hand(values: q.Values, expected: list[float]) -> None:
    assert values.dtype == np.float64
    assert values == pytest.approx(expected, abs=1e-15)


def ranking(seed: int) -> tuple[NDArray[np.float32], list[list[int]]]:
    """Scores of few values, so that most are tied, a few of them NaN; one to many items are relevant."""
    random = np.random.default_rng(seed)
    scores = random.integers(0, 9, (30, 40)).astype(np.float32)
    scores[random.random(scores.shape) < 0.01] = np.nan
    return scores, [random.choice(40, random.integers(1, 26), replace=False).tolist() for _ in scores]


@pytest.mark.parametrize("seed", range(3))
def test_metrics_are_those_of_trec_eval_on_rankings_with_ties(seed: int, tmp_path: Path) -> None:
    scores, lists = ranking(seed)
    rows = by_lists(lists)
    trec.write_run(tmp_path / "run", first_items(scores, rows), scores.shape[1])
    trec.write_qrels(tmp_path / "qrels", rows, scores.shape[1])
    cutoffs = range(1, scores.shape[1] + 1)
    every = ",".join(map(str, cutoffs))
    names = {"map", "recip_rank", "Rprec"}
    names |= {f"{name}.{every}" for name in ("P", "recall", "success", "map_cut", "ndcg_cut")}
    judge = pytrec_eval.RelevanceEvaluator(trec.read_qrels(tmp_path / "qrels"), names)
    judged = judge.evaluate(trec.read_run(tmp_path / "run"))

    def theirs(name: str) -> NDArray[np.float64]:
        return np.array([judged[str(query)][name] for query in range(len(scores))])

    found = positive_ranks(scores, rows)
    R = found.counts
    assert q.average_precision(found) == pytest.approx(theirs("map"), rel=1e-12)
    assert q.reciprocal_rank(found) == pytest.approx(theirs("recip_rank"), rel=1e-12)
    assert q.r_precision(found) == pytest.approx(theirs("Rprec"), rel=1e-12)
    for k in cutoffs:
        assert q.precision_at(found, k) == pytest.approx(theirs(f"P_{k}"), rel=1e-12)
        assert q.share_at(found, k) == pytest.approx(theirs(f"recall_{k}"), rel=1e-12)
        assert q.recall_at(found, k) == pytest.approx(theirs(f"success_{k}"), rel=1e-12)
        assert q.ndcg_at(found, k) == pytest.approx(theirs(f"ndcg_cut_{k}"), rel=1e-12)
        # Theirs is over R, ours over min(R, k).
        cut = theirs(f"map_cut_{k}") * R / np.minimum(R, k)
        assert q.average_precision_at(found, k) == pytest.approx(cut, rel=1e-12)
    at_r = [judged[str(query)][f"map_cut_{count}"] for query, count in enumerate(R)]
    assert q.average_precision_at_r(found) == pytest.approx(at_r, rel=1e-12)


@pytest.mark.parametrize("name", q.METRICS)
def test_metrics_lie_where_they_should_and_a_perfect_ranking_has_the_best(name: str) -> None:
    scores, lists = ranking(7)
    found = positive_ranks(scores, by_lists(lists))
    values = q.METRICS[name].of(found)
    low, high = (0, 1) if q.METRICS[name].better == "higher" else (1, 40)
    assert values.shape == (30,)
    assert ((low <= values) & (values <= high)).all()
    perfect = q.METRICS[name].of(of(*(list(range(1, len(own) + 1)) for own in lists), items=40))
    R = found.counts
    k = int(name.rpartition("_")[2].lstrip("r") or 0) if name[-1].isdigit() else 0
    best = {"precision": np.minimum(R, k) / (k or 1), "share": np.minimum(R, k) / R, "mean": (R + 1) / 2}
    expected = best.get(name.split("_")[0], np.ones(30))
    assert perfect == pytest.approx(expected, rel=1e-12)
    assert (perfect >= values).all() if q.METRICS[name].better == "higher" else (perfect <= values).all()


@pytest.mark.parametrize("name", q.METRICS)
def test_scores_that_are_all_alike_have_the_worst_value_there_is(name: str) -> None:
    lists = [[3], [0, 1], list(range(12)), [19, 4, 7]]
    alike = q.METRICS[name].of(positive_ranks(np.zeros((4, 20), np.float32), by_lists(lists)))
    worst = q.METRICS[name].of(of(*(list(range(21 - len(own), 21)) for own in lists)))
    assert alike.tolist() == worst.tolist()


def test_a_query_without_positives_has_no_metric_and_leaves_the_others_theirs() -> None:
    with_empty = of([], [1, 3, 6], [], [2], [4, 5], [])
    for name, metric in q.METRICS.items():
        values = metric.of(with_empty)
        assert np.isnan(values[[0, 2, 5]]).all(), name
        assert values[[1, 3, 4]].tolist() == metric.of(FOUND).tolist(), name
        assert np.isnan(metric.of(of([], []))).all(), name


@pytest.mark.parametrize("function", q.AT.values())
def test_a_cutoff_below_one_is_refused(function: q.AtCutoff) -> None:
    with pytest.raises(ValueError, match="found cutoff 0"):
        function(FOUND, 0)


def test_directions_are_those_that_reports_read_off_the_names() -> None:
    for name, metric in q.METRICS.items():
        assert (metric.better == "higher") == higher_is_better(f"test/i2t_{name}"), name


def test_metrics_have_any_cutoff_by_name_and_travel_to_other_processes() -> None:
    assert q.metric("map_at_3").of(FOUND).tolist() == q.average_precision_at(FOUND, 3).tolist()
    assert q.metric("r4").of(FOUND).tolist() == [1, 1, 1]
    assert pickle.loads(pickle.dumps(q.metric("ndcg_at_7"))).of(FOUND).shape == (3,)
    with pytest.raises(ValueError, match="did you mean 'map_at_10'"):
        q.metric("map_a_10")
    for name in ("r0", "r05", "precision_at_", "map_at_-1"):
        with pytest.raises(ValueError, match="found metric"):
            q.metric(name)


def test_folds_are_contiguous_and_of_one_size() -> None:
    assert q.fold_slices(5000)[1] == slice(1000, 2000)
    assert [part.stop for part in q.fold_slices(6, 3)] == [2, 4, 6]
    for images, folds in ((5001, 5), (0, 5), (3, 5), (4, 0)):
        with pytest.raises(ValueError, match="do not make"):
            q.fold_slices(images, folds)
