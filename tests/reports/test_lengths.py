"""Recall by query length: the bins, the figures in them, and how they are shown."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import replace
from html import unescape
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from crosscut_reports.analysis import Question, analyse
from crosscut_reports.context import Context
from crosscut_reports.lengths import CUTOFFS, bins, find
from crosscut_reports.render import figures, html, lengths_prose, markdown, numbers, write
from crosscut_reports.result import LengthBand, Result
from crosscut_reports.scores import MetricScores, Queries, Scores
from crosscut_reports.table import read

Array = NDArray[np.float64]
Ints = NDArray[np.int32]
HEADING = "Recall by query length"
NASTY = ("<script>alert('x')</script>", "a&b_%", '_x | "$y_1$" *z*')


def scored(ranks: Ints, clusters: Ints, words: Ints | None, arms: Sequence[str] = ()) -> Scores:
    """Scores with these queries, and a primary metric for a report to be about."""
    names = tuple(arms) or tuple("abcdefgh"[: len(ranks)])
    rsum = MetricScores("test/rsum", np.random.default_rng(9).normal(300, 9, (*ranks.shape[:2], 1)))
    seeds = tuple(map(str, range(ranks.shape[1])))
    queries = Queries("test/t2i", ranks, clusters, words)
    return Scores(names, {arm: {"arm": arm} for arm in names}, seeds, {"test/rsum": rsum}, queries=queries)


def made(arms: int = 3, seeds: int = 5, *, equal: bool = False, names: Sequence[str] = ()) -> Scores:
    """120 queries of 2 to 9 words in 24 clusters, of five queries or of one to nine."""
    draw = np.random.default_rng(7)
    clusters = np.repeat(np.arange(24), 5 if equal else np.tile([1, 9, 3, 7], 6)).astype(np.int32)
    words = np.tile(np.arange(5) + 2, 24) if equal else draw.permutation(np.arange(120) % 8 + 2)
    hard = (
        draw.normal(0, 1, (arms, 1, 1))
        + draw.normal(0, 0.3, (arms, seeds, 1))
        + draw.normal(0, 1, 24)[clusters]
    )
    ranks = 1 + np.floor(np.exp(hard + draw.normal(1.4, 1.5, (arms, seeds, 120)))).astype(np.int32)
    return scored(ranks, clusters, words.astype(np.int32), names)


def report(scores: Scores, **asked: Any) -> Result:
    return analyse(scores, Question(**asked), Context("lengths"))


def written(result: Result, folder: Path) -> dict[str, str]:
    """Every text that is written, by the name of its file."""
    paths = write(result, folder)
    return {
        name: path.read_text("utf-8") for name, path in paths.items() if path.suffix not in (".png", ".pdf")
    }


def queries_of(scores: Scores) -> tuple[Queries, Ints]:
    assert scores.queries is not None
    assert scores.queries.words is not None
    return scores.queries, scores.queries.words


def hits(scores: Scores, band: LengthBand) -> tuple[Array, Ints]:
    """(seeds, queries) of 0 and 100 for the band's arm, and the clusters of its queries."""
    queries, words = queries_of(scores)
    chosen = (band.low <= words) & (words <= band.high)
    cutoff = int(band.metric.rpartition("_r")[2])
    ranks = queries.ranks[scores.arms.index(band.arm)][:, chosen]
    return np.where(ranks <= cutoff, 100.0, 0.0), queries.clusters[chosen]


def residuals(y: Array, clusters: Ints) -> Array:
    """(seeds, clusters) what a cluster's sum lacks of its number of queries times the mean, per mean size."""
    mean = y.mean(axis=1)
    found = [(y[:, clusters == c] - mean[:, None]).sum(axis=1) for c in np.unique(clusters)]
    together: Array = np.stack(found, axis=1) * (len(found) / y.shape[1])
    return together


def independent(y: Array, clusters: Ints, level: float = 0.95) -> tuple[float, float]:
    """SE² = var(r)/S + max(C/Q, 0), C the mean covariance of two seeds, df = SE⁴ / [(var(r)/S)²/(S−1)]."""
    r, S = y.mean(axis=1), len(y)
    C = np.cov(residuals(y, clusters))
    seed = float(r.var(ddof=1)) / S
    variance = seed + max(float(C.sum() - np.trace(C)) / (S * (S - 1)) / len(np.unique(clusters)), 0)
    df = variance**2 / (seed**2 / (S - 1)) if seed else math.inf
    low, high = stats.t.interval(level, df, r.mean(), math.sqrt(variance))
    return float(low), float(high)


def over_queries(y: Array, clusters: Ints) -> tuple[float, float]:
    """Of a ratio of two sums over clusters (Cochran 1977, 6.3), t with C − 1 degrees of freedom."""
    e, mean = residuals(y, clusters).mean(axis=0), y.mean()
    low, high = stats.t.interval(0.95, e.size - 1, mean, math.sqrt(float(e @ e) / (e.size * (e.size - 1))))
    return float(low), float(high)


def plain(text: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).replace("\N{NO-BREAK SPACE}", " ").split())


def section(text: str) -> str:
    start = text.index(f">{HEADING}</h2>")
    return text[start : text.index("</section>", start)]


def part(text: str) -> str:
    return text[text.index(f"## {HEADING}") :].partition("\n\n## ")[0]


def marks(svg: str) -> list[dict[str, str]]:
    rows = [
        {key.removeprefix("data-"): value for key, value in element.items() if key.startswith("data-")}
        for element in ElementTree.fromstring(svg).iter()
    ]
    return [row for row in rows if row]


def texts(svg: str) -> list[str]:
    return ["".join(element.itertext()) for element in ElementTree.fromstring(svg).iter()]


# Bins


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({}, ()),
        ({4: 30}, ()),
        ({3: 1, 8: 99}, ((3, 3), (8, 8))),
        ({3: 6, 4: 2, 9: 2}, ((3, 3), (4, 4), (9, 9))),
        # a fifth is 10, and so is every bin if the one query of 30 words joins its neighbours
        ({4: 10, 5: 10, 6: 10, 7: 10, 8: 9, 30: 1}, ((4, 4), (5, 5), (6, 6), (7, 7), (8, 30))),
        (dict.fromkeys(range(1, 11), 1), ((1, 2), (3, 4), (5, 6), (7, 8), (9, 10))),
        # a fifth is 4: apart (1−4)² + (5−4)² + (14−4)² = 110, together (6−4)² + (14−4)² = 104
        ({2: 1, 7: 5, 9: 14}, ((2, 7), (9, 9))),
        # a fifth is 1.2: whichever two neighbours are joined the sum is 0.8, and the first cut is lowest
        (dict.fromkeys(range(1, 7), 1), ((1, 1), (2, 2), (3, 3), (4, 4), (5, 6))),
    ],
)
def test_bins_by_hand(counts: dict[int, int], expected: tuple[tuple[int, int], ...]) -> None:
    words = np.repeat(np.array(list(counts), np.int32), list(counts.values()))
    assert bins(np.random.default_rng(0).permutation(words)) == expected


@pytest.mark.parametrize("seed", range(12))
def test_bins_are_the_best_of_all_ways_to_cut(seed: int) -> None:
    draw = np.random.default_rng(seed)
    words = draw.poisson(draw.uniform(0.5, 9), int(draw.integers(5, 90))).astype(np.int32)
    lengths = np.unique(words).tolist()
    ways = []
    for number in range(1, 5):
        for cuts in combinations(range(1, len(lengths)), number):
            ends = (0, *cuts, len(lengths))
            sizes = [int(np.isin(words, lengths[low:high]).sum()) for low, high in pairwise(ends)]
            cost = sum((5 * size - words.size) ** 2 for size in sizes)
            ways.append(
                (cost, cuts, tuple((lengths[low], lengths[high - 1]) for low, high in pairwise(ends)))
            )
    assert bins(words) == min(ways)[2]


# Numbers


def test_means_by_hand() -> None:
    ranks = np.array([[[1, 2, 6, 11, 1], [3, 1, 1, 7, 5]], [[9, 9, 9, 9, 9], [1, 1, 1, 1, 20]]], np.int32)
    scores = scored(ranks, np.array([4, 4, 2, 4, 2], np.int32), np.array([3, 8, 3, 3, 8], np.int32))
    # The first, third and fourth query have 3 words, the second and fifth 8.
    expected = {
        ("a", 1): (100 * 2 / 6, 100 * 2 / 4), ("a", 5): (100 * 3 / 6, 100.0), ("a", 10): (100 * 5 / 6, 100.0),
        ("b", 1): (50.0, 25.0), ("b", 5): (50.0, 25.0), ("b", 10): (100.0, 75.0),
    }  # fmt: skip
    found = find(scores, Question())
    assert [(b.metric, b.arm, b.low, b.high, b.queries) for b in found] == [
        (f"test/t2i_r{cutoff}", arm, low, low, number)
        for cutoff in (1, 5, 10)
        for arm in "ab"
        for low, number in ((3, 3), (8, 2))
    ]
    means = [mean for cutoff in (1, 5, 10) for arm in "ab" for mean in expected[arm, cutoff]]
    assert [band.mean for band in found] == pytest.approx(means)


@pytest.mark.parametrize("equal", [True, False])
def test_intervals_are_the_closed_form_of_clusters_equal_or_not(equal: bool) -> None:
    scores = made(equal=equal)
    for alpha in (0.05, 0.1):
        found = find(scores, Question(alpha=alpha))
        assert len(found) == len(CUTOFFS) * 3 * (5 if equal else 4)
        for band in found:
            y, clusters = hits(scores, band)
            sizes = np.unique(clusters, return_counts=True)[1]
            assert bool(np.ptp(sizes)) != equal
            assert (band.scope, band.queries) == ("seeds-and-queries", y.shape[1])
            assert band.mean == pytest.approx(y.mean())
            assert band.ci == pytest.approx(independent(y, clusters, 1 - alpha))


def test_a_band_is_what_a_table_of_its_queries_alone_gives(tmp_path: Path) -> None:
    scores = made()
    band = find(scores, Question())[-1]
    y, clusters = hits(scores, band)
    lines = [
        f"{band.arm},{seed},q{query},k{cluster},r10,{y[seed, query]}"
        for seed in range(len(y))
        for query, cluster in enumerate(clusters.tolist())
    ]
    path = tmp_path / "scores.csv"
    path.write_text("\n".join(["config,seed,query,cluster,metric,value", *lines]) + "\n", encoding="utf-8")
    (arm,) = analyse(read(path), Question(), Context("band")).arms
    assert band.scope == arm.scope == "seeds-and-queries"
    assert band.mean == pytest.approx(arm.mean)
    assert band.ci == pytest.approx(arm.ci)


@pytest.mark.parametrize("seeds", [1, 2])
def test_one_seed_or_two_are_looked_at_over_queries(seeds: int) -> None:
    scores = made(seeds=seeds)
    for band in find(scores, Question()):
        y, clusters = hits(scores, band)
        assert band.scope == "queries"
        assert band.mean == pytest.approx(y.mean())
        assert band.ci == pytest.approx(over_queries(y, clusters))


def test_a_scope_that_is_asked_for_is_kept() -> None:
    scores = made()
    for band in find(scores, Question(scope="seeds")):
        r = hits(scores, band)[0].mean(axis=1)
        assert band.scope == "seeds"
        if np.ptp(r) < 1e-9:  # seeds that agree by chance say nothing of their spread
            assert band.ci is None
            continue
        low, high = stats.t.interval(0.95, 4, r.mean(), r.std(ddof=1) / math.sqrt(5))
        assert band.ci == pytest.approx((float(low), float(high)))


def test_the_order_and_the_numbers_of_queries_and_clusters_change_nothing() -> None:
    scores = made()
    queries, words = queries_of(scores)
    order = np.random.default_rng(1).permutation(words.size)
    turned = replace(
        queries, ranks=queries.ranks[:, :, order], words=words[order],
        clusters=(1000 - 7 * queries.clusters[order]).astype(np.int32),
    )  # fmt: skip
    for one, other in zip(
        find(scores, Question()), find(replace(scores, queries=turned), Question()), strict=True
    ):
        assert replace(one, mean=0, ci=None) == replace(other, mean=0, ci=None)
        assert one.mean == pytest.approx(other.mean)
        assert one.ci == pytest.approx(other.ci)


# What is missing


def test_missing_runs_take_no_part_and_each_interval_then_tells_its_scope() -> None:
    scores = made()
    queries, _ = queries_of(scores)
    ranks = queries.ranks.copy()
    ranks[0, 1] = ranks[1, 2:] = ranks[2] = 0
    scores = replace(scores, queries=replace(queries, ranks=ranks))
    found = find(scores, Question())
    assert {(band.arm, band.scope) for band in found} == {("a", "seeds-and-queries"), ("b", "queries")}
    for band in found:
        y, clusters = hits(scores, band)
        kept = y[[0, 2, 3, 4]] if band.arm == "a" else y[:2]
        assert band.mean == pytest.approx(kept.mean())
        assert band.ci == pytest.approx((independent if band.arm == "a" else over_queries)(kept, clusters))
    result = report(scores)
    drawn = figures.draw(result)
    for said in (plain(section(html.render(result, drawn))), part(markdown.render(result))):
        for scope in ("new seeds and new queries", "these trained models, new queries"):
            assert said.count(f"({scope})") == len(CUTOFFS) * 4
        assert "scope:" not in said
    assert {row["arm"] for row in marks(drawn["lengths"])} == {"a", "b"}


def test_a_bin_of_one_cluster_is_looked_at_over_seeds_if_there_are_several() -> None:
    ranks = np.random.default_rng(2).integers(1, 14, (2, 4, 40)).astype(np.int32)
    places = np.arange(40)
    clusters = np.where(places < 14, 0, places % 4).astype(np.int32)
    scores = scored(ranks, clusters, np.where(places < 14, 2, 7).astype(np.int32))
    short, long = find(scores, Question())[:2]
    r = hits(scores, short)[0].mean(axis=1)
    assert (short.scope, long.scope) == ("seeds", "seeds-and-queries")
    assert short.ci == pytest.approx(
        tuple(map(float, stats.t.interval(0.95, 3, r.mean(), r.std(ddof=1) / 2)))
    )
    queries, _ = queries_of(scores)
    one = replace(scores, seeds=("0",), queries=replace(queries, ranks=ranks[:, :1]))
    short, long = find(one, Question())[:2]
    assert short.ci is None
    assert long.ci is not None


@pytest.mark.parametrize("known", ["no queries", "no lengths", "one length"])
def test_without_several_lengths_there_is_no_page(known: str, tmp_path: Path) -> None:
    scores = made()
    before = write(report(scores), tmp_path)
    assert {"lengths.csv", "lengths.svg"} <= set(before)
    queries, words = queries_of(scores)
    queries = replace(queries, words=None if known == "no lengths" else np.full_like(words, 6))
    result = report(replace(scores, queries=None if known == "no queries" else queries))
    assert result.lengths == ()
    after = write(result, tmp_path)
    assert set(before) - set(after) == {"lengths.csv", "lengths.svg", "lengths.png", "lengths.pdf"}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(after)
    assert all(HEADING not in after[f"report.{end}"].read_text(encoding="utf-8") for end in ("html", "md"))
    assert json.loads(after["report.json"].read_text(encoding="utf-8"))["lengths"] == []


# Outputs


def test_every_output_has_the_figures(tmp_path: Path) -> None:
    result = report(made(), baseline="b")
    paths = written(result, tmp_path)
    page, said = section(paths["report.html"]), part(paths["report.md"])
    assert '<svg xmlns="http://www.w3.org/2000/svg"' in page
    words = plain(re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL))
    for told in (words, said):
        assert "95% interval (scope: new seeds and new queries)" in told
    rows = marks(paths["lengths.svg"])
    tables = list(csv.DictReader(io.StringIO(paths["lengths.csv"])))
    data = json.loads(paths["report.json"])["lengths"]
    for band, mark, row, datum in zip(result.lengths, rows, tables, data, strict=True):
        assert band.ci is not None
        cell = f"{numbers.points(band.mean)} {numbers.interval(band.ci)}"
        assert cell in words
        assert cell in said
        assert mark == {
            "arm": band.arm, "metric": band.metric, "words": lengths_prose.words(band),
            "queries": str(band.queries), "mean": numbers.points(band.mean),
            "interval": numbers.interval(band.ci),
        }  # fmt: skip
        assert (row["arm"], row["metric"], row["scope"]) == (band.arm, band.metric, band.scope)
        assert [int(row[key]) for key in ("low", "high", "queries")] == [band.low, band.high, band.queries]
        assert [float(row[key]) for key in ("mean", "ci_low", "ci_high")] == [band.mean, *band.ci]
        assert datum == vars(band) | {"ci": list(band.ci)}
    bins_ = lengths_prose.lengths(result.lengths)
    heads = [f"{lengths_prose.words(one)} ({lengths_prose.queries(one)})" for one in bins_]
    assert f"| metric | arm | {' | '.join(heads)} |" in said
    assert 'class="baseline"' in page
    assert "b (baseline)" in words
    assert {"b (baseline)", "R@1", "R@5", "R@10"} <= set(texts(paths["lengths.svg"]))


def test_a_mean_without_an_interval_is_shown_alone(tmp_path: Path) -> None:
    """One seed, and all the short queries of one cluster."""
    ranks = np.random.default_rng(3).integers(1, 14, (2, 1, 20)).astype(np.int32)
    words = np.where(np.arange(20) < 6, 1, 7).astype(np.int32)
    result = report(scored(ranks, np.maximum(np.arange(20) - 5, 0).astype(np.int32), words))
    paths = written(result, tmp_path)
    short = result.lengths[0]
    assert (short.low, short.ci) == (1, None)
    assert f"<td>{numbers.points(short.mean)}</td>" in section(paths["report.html"])
    assert f"| test/t2i_r1 | a | {numbers.points(short.mean)} | " in part(paths["report.md"])
    assert "1 word (6 queries)" in part(paths["report.md"])
    assert next(csv.DictReader(io.StringIO(paths["lengths.csv"])))["ci_low"] == ""
    assert marks(paths["lengths.svg"])[0]["interval"] == numbers.NONE


@pytest.mark.parametrize("baseline", [None, "arm 17"])
def test_of_thirty_arms_some_are_drawn_and_all_are_in_the_tables(baseline: str | None) -> None:
    names = [f"arm {number}" for number in range(30)]
    hypotheses = [{"arm": "arm 21 vs arm 17"}] if baseline else []
    result = report(made(30, 3, names=names), baseline=baseline, hypotheses=hypotheses)
    drawn = figures.draw(result)
    page, said = section(html.render(result, drawn)), part(markdown.render(result))
    chosen = ["arm 17", "arm 21"] if baseline else names[:8]
    assert list(dict.fromkeys(row["arm"] for row in marks(drawn["lengths"]))) == chosen
    assert len(marks(drawn["lengths"])) == len(chosen) * len(CUTOFFS) * 4
    which = "the baseline and arms of declared contrasts" if baseline else "the first ones"
    assert f"The figure shows {len(chosen)} of 30 arms, {which}; the tables have all." in page
    for name in names:
        assert len(re.findall(rf'<th class="text" scope="row">{name}(?: \(baseline\))?</th>', page)) == 3
        assert said.count(f" | {name} | ") == 3


@pytest.mark.parametrize(("rank", "mean"), [(1, 100.0), (50, 0.0)])
@pytest.mark.parametrize("seeds", [1, 3])
def test_where_all_or_nothing_is_found_there_is_no_interval_of_no_width(
    rank: int, mean: float, seeds: int
) -> None:
    ranks = np.full((2, seeds, 8), rank, np.int32)
    found = report(scored(ranks, np.arange(8, dtype=np.int32), np.arange(8, dtype=np.int32) % 2 + 3)).lengths
    assert len(found) == 12
    assert {(band.mean, band.ci) for band in found} == {(mean, None)}


def test_the_figure_keeps_within_its_scale_where_all_or_nothing_is_found() -> None:
    scores = made(2)
    queries, _ = queries_of(scores)
    ranks = queries.ranks.copy()
    ranks[0], ranks[1] = 1, 99
    result = report(replace(scores, queries=replace(queries, ranks=ranks)))
    assert {(band.arm, round(band.mean, 9)) for band in result.lengths} == {("a", 100), ("b", 0)}
    assert {row["mean"] for row in marks(figures.draw(result)["lengths"])} == {"100.00", "0.00"}
    assert "nan" not in part(markdown.render(result))


def test_names_stay_names_in_every_output(tmp_path: Path) -> None:
    result = report(made(names=NASTY), baseline=NASTY[1])
    paths = written(result, tmp_path)
    page, said, svg = section(paths["report.html"]), part(paths["report.md"]), paths["lengths.svg"]
    for text in (page, said, svg):
        assert "<script" not in text
        assert "a&b" not in text
    assert all(plain(page).count(" ".join(name.split())) >= 3 for name in NASTY)
    assert "| &lt;script&gt;alert('x')&lt;/script&gt; | " in said
    assert r"| a&amp;b\_% | " in said
    (table,) = [block.splitlines() for block in said.split("\n\n") if block.startswith("|")]
    assert len({len(re.split(r"(?<!\\)\|", line)) for line in table}) == 1
    assert len(table) == 2 + len(CUTOFFS) * len(NASTY)
    shown = {name: f"{name} (baseline)" if name == NASTY[1] else name for name in NASTY}
    assert set(shown.values()) <= set(texts(svg))
    assert {row["arm"] for row in marks(svg)} == set(NASTY)
    rows = list(csv.DictReader(io.StringIO(paths["lengths.csv"])))
    data = json.loads(paths["report.json"])["lengths"]
    assert [row["arm"] for row in rows] == [row["arm"] for row in data] == [b.arm for b in result.lengths]


def test_the_same_scores_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (write(report(made(), baseline="a"), tmp_path / name) for name in ("first", "second"))
    assert {"lengths.csv", "lengths.svg", "report.html", "report.md", "report.json"} <= set(first)
    assert set(first) == set(second)
    for name, path in first.items():
        assert path.read_bytes() == second[name].read_bytes()
