"""The comparison of splits: drops, differences of differences, severities, and how they are shown."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from crosscut_reports import closed_form, query_scope, seed_scope
from crosscut_reports.adjustment import holm
from crosscut_reports.analysis import Question, analyse
from crosscut_reports.context import Context
from crosscut_reports.render import figures, markdown, numbers, write
from crosscut_reports.render import html as page
from crosscut_reports.render.json import as_data
from crosscut_reports.result import ContrastResult, Drop, Result, Shift, ShiftEffect
from crosscut_reports.scores import MetricScores, Scores, SplitFacts, linearised
from crosscut_reports.splits import Compared, compared, difference, same_clusters
from crosscut_reports.table import read

Array = NDArray[np.float64]
LEVELS = {f"{b}/{c}": {"backbone": b, "ccr": c} for b in ("scan", "vse") for c in ("off", "on")}
ARMS = tuple(LEVELS)
HYPOTHESES = ({"ccr": "on vs off"},)
NASTY = '<i>x</i> & "q" | $y_1$ \\alpha'


def labels(prefix: str, count: int) -> tuple[str, ...]:
    return tuple(f"{prefix}{i}" for i in range(count))


def drawn(seed: int, seeds: int, clusters: int, mean: float) -> Array:
    """(arms, seeds, clusters) with effects of arms, seeds, clusters and their combinations."""
    draw = np.random.default_rng(seed)
    values = mean + np.arange(4.0)[:, None, None] + draw.normal(0, 1, (4, seeds, 1))
    values = values + draw.normal(0, 10, (1, 1, clusters)) + draw.normal(0, 3, (4, 1, clusters))
    found: Array = values + draw.normal(0, 4, (4, seeds, clusters))
    return found


def made(
    seeds: int = 5, metrics: dict[str, MetricScores] | None = None, facts: dict[str, SplitFacts] | None = None
) -> Scores:
    """Test and `noisy` of the same clusters, `coco` of other and more clusters."""
    found = {
        "test/rsum": MetricScores("test/rsum", drawn(0, seeds, 30, 60), labels("c", 30), 60),
        "noisy/rsum": MetricScores("noisy/rsum", drawn(1, seeds, 30, 50), labels("c", 30), 60),
        "coco/rsum": MetricScores("coco/rsum", drawn(2, seeds, 70, 40), labels("k", 70), 140),
    }
    return Scores(ARMS, LEVELS, labels("", seeds), metrics or found, facts or {})


def run(scores: Scores, **asked: Any) -> Result:
    given: dict[str, Any] = {"baseline": "scan/off", "hypotheses": HYPOTHESES, "margin": 1.0}
    return analyse(scores, Question(**(given | asked)), Context("shifted"))


def shift_of(scores: Scores, **asked: Any) -> Shift:
    shift = run(scores, **asked).shift
    assert shift is not None
    return shift


def drop(shift: Shift, arm: str, split: str) -> Drop:
    (found,) = [one for one in shift.drops if (one.arm, one.split) == (arm, split)]
    return found


def effect(shift: Shift, name: str, split: str) -> ShiftEffect:
    (found,) = [one for one in shift.effects if (one.name, one.split) == (name, split)]
    return found


def values(scores: Scores, split: str) -> Array:
    return scores.metrics[f"{split}/rsum"].values


def same(found: ContrastResult, reference: Any) -> None:
    """The result has the estimate's figures."""
    assert found.estimate == pytest.approx(reference.estimate)
    assert found.se == pytest.approx(reference.se)
    assert found.df == pytest.approx(reference.df)
    assert found.p == pytest.approx(reference.p)
    assert found.ci == pytest.approx(reference.interval(0.95))


# What is compared


def test_the_source_is_test_and_splits_that_were_seen_are_compared_with_nothing() -> None:
    names = ["dev/rsum", "test/rsum", "noisy/rsum", "noisy/r1", "train/rsum", "other/r1", "a/b/rsum", "rsum"]
    assert compared(names, "test/rsum") == Compared("test", ("noisy", "a/b"), "rsum")
    assert compared(names, "noisy/rsum") == Compared("test", ("noisy", "a/b"), "rsum")
    assert compared(names, "noisy/r1") == Compared("noisy", ("other",), "r1")
    assert compared(["x/r1", "y/r1", "val/r1"], "y/r1") == Compared("y", ("x",), "r1")
    assert compared(["test/rsum", "dev/rsum", "test/r1"], "test/rsum") is None
    assert compared(["rsum", "noisy/rsum"], "rsum") is None


def test_splits_are_paired_by_what_is_known_of_their_units_else_by_their_labels() -> None:
    def alike(a: tuple[str, ...] | None, b: tuple[str, ...] | None, *units: str | None) -> bool:
        there, here = (
            MetricScores("m", np.zeros((1, 1, len(c) if c else 1)), c, higher_is_better=True) for c in (a, b)
        )
        return same_clusters(there, here, (SplitFacts(units[0]), SplitFacts(units[1])))

    three, turned = labels("c", 3), labels("c", 3)[::-1]
    assert alike(three, turned, None, None)
    assert alike(three, turned, "u", "u")
    assert not alike(three, turned, "u", "v")
    assert not alike(three, turned, "u", None)
    assert not alike(three, labels("c", 4), "u", "u")
    assert not alike(three[:1], three[:1], None, None)
    assert not alike(None, None, "u", "u")
    assert not alike(("a", "a", "b"), ("a", "b", "b"), None, None)


def test_metrics_of_compared_splits_are_no_families_unless_they_are_asked_for() -> None:
    scores = made()
    more = {
        name: replace(scores.metrics["test/rsum"], name=name)
        for name in ("test/r1", "noisy/r1", "dev/rsum", "seconds")
    }
    scores = replace(scores, metrics={**scores.metrics, **more})
    assert Question().all_metrics(scores) == ("test/rsum", "test/r1", "dev/rsum", "seconds")
    assert Question(primary="noisy/rsum").all_metrics(scores) == (
        "noisy/rsum", "noisy/r1", "dev/rsum", "seconds",
    )  # fmt: skip
    asked = Question(metrics=["coco/rsum", "noisy/r1"])
    assert asked.all_metrics(scores) == ("test/rsum", "coco/rsum", "noisy/r1")
    alone = replace(scores, metrics={name: scores.metrics[name] for name in ("test/rsum", "noisy/r1")})
    assert Question().all_metrics(alone) == ("test/rsum", "noisy/r1")
    result = run(scores, metrics=["noisy/rsum"])
    named = [c for c in result.contrasts if c.metric == "noisy/rsum"]
    assert named
    assert result.shift is not None
    assert all(not c.declared for c in named)


def test_one_split_is_no_shift() -> None:
    scores = made()
    result = run(replace(scores, metrics={"test/rsum": scores.metrics["test/rsum"]}))
    assert result.shift is None


# Numbers


def test_drops_and_differences_of_differences_by_hand() -> None:
    test = np.array([[[10.0, 20, 30], [12, 20, 28]], [[14, 22, 36], [16, 24, 32]]])
    noisy = np.array([[[5.0, 20, 20], [6, 18, 24]], [[12, 20, 31], [14, 23, 29]]])
    metrics = {
        f"{split}/rsum": MetricScores(f"{split}/rsum", scores, labels("c", 3))
        for split, scores in (("test", test), ("noisy", noisy))
    }
    levels = {"a": {"f": "a"}, "b": {"f": "b"}}
    shift = shift_of(
        Scores(("a", "b"), levels, ("1", "2"), metrics), baseline="a", hypotheses=(), scope="seeds"
    )
    # Per seed: arm a 15 − 20 and 16 − 20, arm b 21 − 24 and 22 − 24.
    lost = drop(shift, "a", "noisy")
    assert lost.contrast.estimate == pytest.approx(-4.5)
    assert lost.contrast.se == pytest.approx(0.5)
    assert lost.contrast.statistic == pytest.approx(-9)
    assert (lost.there.mean, lost.there.seeds, lost.paired) == (pytest.approx(15.5), 2, True)
    assert [own.mean for own in shift.own] == pytest.approx([20, 24])
    found = effect(shift, "f: b vs a", "noisy")
    assert (found.here.estimate, found.there.estimate) == (pytest.approx(4), pytest.approx(6))
    assert found.more.estimate == pytest.approx(2)
    assert found.here.name == found.there.name == "f: b vs a"
    assert found.more.name == "f: b vs a × noisy vs test"
    assert lost.contrast.name == "a: noisy vs test"
    assert "a: noisy vs test — rsum −4.5 points" in lost.contrast.sentence


def test_splits_of_the_same_clusters_are_the_closed_form_of_their_differences() -> None:
    scores = made()
    order = np.random.default_rng(3).permutation(30)
    metric = scores.metrics["noisy/rsum"]
    turned = replace(
        metric,
        values=metric.values[:, :, order],
        clusters=tuple(labels("c", 30)[i] for i in order),
    )
    shift = shift_of(replace(scores, metrics={**scores.metrics, "noisy/rsum": turned}))
    D = values(scores, "noisy") - values(scores, "test")
    for row, arm in enumerate(ARMS):
        found = drop(shift, arm, "noisy")
        assert found.paired
        same(found.contrast, closed_form.contrast(D[row]))
        assert (found.contrast.seeds, found.contrast.clusters) == (5, 30)
        wins, losses = (int((sign * D[row].mean(axis=0) > 0).sum()) for sign in (1, -1))
        assert (found.contrast.wins, found.contrast.losses) == (wins, losses)
    more = effect(shift, "ccr: on vs off", "noisy").more
    same(more, closed_form.contrast((D[1] + D[3] - D[0] - D[2]) / 2))
    assert more.sd_query is not None


def test_unequal_clusters_are_compared_by_their_linear_scores() -> None:
    sizes = np.random.default_rng(4).integers(1, 9, 30).astype(float)
    scores = made()
    linear = {
        name: replace(
            metric,
            values=metric.values * sizes / sizes.mean(),
            linear=linearised(metric.values * sizes / sizes.mean(), sizes),
        )
        for name, metric in scores.metrics.items()
        if name != "coco/rsum"
    }
    shift = shift_of(replace(scores, metrics=linear))
    there, here = (linear[f"{split}/rsum"].linear for split in ("noisy", "test"))
    assert there is not None
    assert here is not None
    found = drop(shift, "scan/on", "noisy").contrast
    same(found, closed_form.contrast((there - here)[1]))
    runs = linear["noisy/rsum"].runs - linear["test/rsum"].runs
    assert found.estimate == pytest.approx(runs[1].mean())


def off_diagonal(D: Array) -> float:
    """Mean covariance of two different seeds over clusters."""
    C = np.cov(D)
    S = len(C)
    return float((C.sum() - np.trace(C)) / (S * (S - 1)))


def independent(there: Array, here: Array) -> tuple[float, float, float]:
    """Estimate, SE and degrees of freedom of a difference of splits: scores (seeds, clusters) of each.

    SE² = var(r)/S + max(C_d/Q_d + C_s/Q_s, 0), by the covariance matrices themselves.
    """
    r = there.mean(axis=1) - here.mean(axis=1)
    seed = r.var(ddof=1) / r.size
    query = off_diagonal(there) / there.shape[1] + off_diagonal(here) / here.shape[1]
    variance = seed + max(query, 0)
    return float(r.mean()), math.sqrt(variance), variance**2 / (seed**2 / (r.size - 1))


def test_splits_of_other_clusters_add_their_variances() -> None:
    scores = made()
    shift = shift_of(scores)
    there, here = values(scores, "coco"), values(scores, "test")
    for row, arm in enumerate(ARMS):
        found = drop(shift, arm, "coco")
        estimate, se, df = independent(there[row], here[row])
        assert not found.paired
        assert found.contrast.scope == "seeds-and-queries"
        assert found.contrast.estimate == pytest.approx(estimate)
        assert found.contrast.se == pytest.approx(se)
        assert found.contrast.df == pytest.approx(df)
        assert (found.contrast.wins, found.contrast.ties, found.contrast.losses) == (None, None, None)
        assert (found.contrast.sd_query, found.contrast.sd_residual) == (None, None)
        assert found.contrast.clusters == 100
    weights = np.array([-0.5, 0.5, -0.5, 0.5])
    more = effect(shift, "ccr: on vs off", "coco").more
    reference = independent(np.tensordot(weights, there, 1), np.tensordot(weights, here, 1))
    assert (more.estimate, more.se, more.df) == pytest.approx(reference)


def test_the_seeds_deviation_of_independent_splits_is_without_what_queries_add() -> None:
    scores = made()
    there, here = values(scores, "coco")[0], values(scores, "test")[0]
    residual = sum(
        float(((D - D.mean(0) - D.mean(1)[:, None] + D.mean()) ** 2).sum())
        / ((D.shape[0] - 1) * (D.shape[1] - 1) * D.shape[1])
        for D in (there, here)
    )
    r = there.mean(axis=1) - here.mean(axis=1)
    found = drop(shift_of(scores), "scan/off", "coco").contrast
    assert found.sd_seed == pytest.approx(math.sqrt(max(r.var(ddof=1) - residual, 0)))


def test_the_covariance_of_independent_splits_is_the_sum_of_theirs_for_any_two_rows() -> None:
    scores = made()
    there, here = (scores.metrics[f"{split}/rsum"] for split in ("coco", "test"))
    found = difference(there, here, together=False, name="rsum")
    assert found.blocks == (70, 30)
    assert found.linear is not None
    assert found.runs == pytest.approx(there.runs - here.runs)
    assert found.linear.mean(axis=2) == pytest.approx(there.runs - here.runs)
    rows = [metric.reshape(20, -1) for metric in (found.linear, there.values, here.values)]
    whole, *parts = (np.cov(row) / row.shape[1] for row in rows)
    assert whole == pytest.approx(sum(parts))


def test_arms_with_seeds_of_their_own_are_unpaired_between_splits_too() -> None:
    scores = made(seeds=8)
    for split in ("test", "noisy", "coco"):
        own = scores.metrics[f"{split}/rsum"].values.copy()
        own[:2, 4:], own[2:, :4] = np.nan, np.nan
        scores = replace(
            scores,
            metrics={**scores.metrics, f"{split}/rsum": replace(scores.metrics[f"{split}/rsum"], values=own)},
        )
    shift = shift_of(scores)
    test, noisy, coco = (values(scores, split) for split in ("test", "noisy", "coco"))
    found = effect(shift, "backbone: vse vs scan", "noisy").more
    D = noisy - test
    own = [D[0, :4], D[1, :4], D[2, 4:], D[3, 4:]]
    same(found, closed_form.unpaired(own, [-0.5, -0.5, 0.5, 0.5]))
    apart = effect(shift, "backbone: vse vs scan", "coco").more
    r = coco.mean(axis=2) - test.mean(axis=2)
    seed = sum(0.25 * r[row][np.isfinite(r[row])].var(ddof=1) / 4 for row in range(4))
    weights, query = np.array([-0.5, -0.5, 0.5, 0.5]), 0.0
    for scored in (coco, test):
        kept = [scored[row][np.isfinite(scored[row, :, 0])] for row in range(4)]
        C = np.cov(np.stack([rows.mean(axis=0) for rows in kept]))
        np.fill_diagonal(C, [off_diagonal(rows) for rows in kept])
        query += float(weights @ C @ weights) / scored.shape[2]
    assert apart.se == pytest.approx(math.sqrt(seed + max(query, 0)))


@pytest.mark.parametrize("split", ["noisy", "coco"])
def test_the_interaction_of_four_cells_is_the_difference_of_differences(split: str) -> None:
    scores = made()
    shift = shift_of(scores)
    for found in shift.effects:
        assert found.more.estimate == pytest.approx(found.there.estimate - found.here.estimate)
    on, off = (drop(shift, arm, split).contrast.estimate for arm in ("scan/on", "scan/off"))
    vse_on, vse_off = (drop(shift, arm, split).contrast.estimate for arm in ("vse/on", "vse/off"))
    found = effect(shift, "ccr: on vs off", split)
    assert found.more.estimate == pytest.approx((on - off + vse_on - vse_off) / 2)
    assert found.more.weights == {"scan/off": -0.5, "scan/on": 0.5, "vse/off": -0.5, "vse/on": 0.5}


@pytest.mark.parametrize("seeds", [1, 2])
def test_few_seeds_are_tested_over_clusters_by_sign_flips_or_by_welch(seeds: int) -> None:
    scores = made(seeds)
    shift = shift_of(scores)
    test, noisy, coco = (values(scores, split).mean(axis=1) for split in ("test", "noisy", "coco"))
    paired = drop(shift, "vse/on", "noisy").contrast
    D = noisy - test
    flips = [*D, (D[1] + D[3] - D[0] - D[2]) / 2]
    assert (paired.scope, paired.df) == ("queries", 29)
    assert paired.p == query_scope.sign_flips(np.stack(flips))[3]
    apart = drop(shift, "vse/on", "coco").contrast
    welch = stats.ttest_ind(coco[3], test[3], equal_var=False)
    assert apart.scope == "queries"
    assert apart.statistic == pytest.approx(float(welch.statistic))
    assert apart.df == pytest.approx(float(welch.df))
    assert apart.p == pytest.approx(float(welch.pvalue))
    interval = welch.confidence_interval(0.95)
    assert apart.ci == pytest.approx((float(interval.low), float(interval.high)))
    assert (apart.wins, apart.sd_query, apart.sd_residual) == (None, None, None)
    weights = np.array([-0.5, 0.5, -0.5, 0.5])
    more = effect(shift, "ccr: on vs off", "coco").more
    reference = stats.ttest_ind(weights @ coco, weights @ test, equal_var=False)
    assert (more.p, more.df) == (
        pytest.approx(float(reference.pvalue)),
        pytest.approx(float(reference.df)),
    )
    assert "too few for sign flips" not in apart.sentence


def test_metrics_known_per_run_are_compared_run_by_run() -> None:
    scores = made()
    per_run = {name: MetricScores(name, metric.runs[:, :, None]) for name, metric in scores.metrics.items()}
    mixed = {**scores.metrics, "noisy/rsum": per_run["noisy/rsum"]}
    r = per_run["noisy/rsum"].runs - per_run["test/rsum"].runs
    for metrics in (per_run, mixed):
        found = drop(shift_of(replace(scores, metrics=metrics)), "scan/on", "noisy")
        assert (found.paired, found.contrast.scope, found.contrast.clusters) == (False, "seeds", None)
        same(found.contrast, seed_scope.paired(r[1]))
        assert found.contrast.p == pytest.approx(float(stats.ttest_1samp(r[1], 0).pvalue))
        assert found.contrast.wins is not None
    one = shift_of(made(1, {name: replace(m, values=m.values[:, :1]) for name, m in per_run.items()}))
    assert {found.contrast.p for found in one.drops} == {None}
    assert {found.contrast.verdict for found in one.drops} == {"undecided"}


def test_a_split_of_one_cluster_is_compared_run_by_run() -> None:
    scores = made()
    single = MetricScores("coco/rsum", values(scores, "coco").mean(axis=2, keepdims=True), ("k",), 1)
    found = drop(
        shift_of(replace(scores, metrics={**scores.metrics, "coco/rsum": single})), "scan/on", "coco"
    )
    assert (found.contrast.scope, found.contrast.clusters) == ("seeds", None)


@pytest.mark.parametrize("seeds", [1, 2, 5])
@pytest.mark.parametrize("units", ["same", "other"])
def test_a_split_of_the_very_scores_has_lost_nothing(seeds: int, units: str) -> None:
    scores = made(seeds)
    test = scores.metrics["test/rsum"]
    facts = {"test": SplitFacts("same"), "copy": SplitFacts(units)}
    copied = replace(
        scores, metrics={"test/rsum": test, "copy/rsum": replace(test, name="copy/rsum")}, splits=facts
    )
    for margin in (1000.0, 0.0):
        shift = shift_of(copied, margin=margin)
        for found in shift.drops:
            assert found.contrast.estimate == 0
            assert found.contrast.p == pytest.approx(1)
            assert found.contrast.verdict == ("equivalent" if margin else "undecided")
        more = {found.more.verdict for found in shift.effects}
        assert more == {"equivalent" if margin else "undecided"}
    if units == "same":
        assert {found.contrast.ci for found in shift.drops} == {(0.0, 0.0)}


def test_rounding_between_splits_is_no_difference() -> None:
    scores = made()
    near = replace(scores.metrics["test/rsum"], values=values(scores, "test") * (1 + 1e-15))
    shift = shift_of(replace(scores, metrics={"test/rsum": scores.metrics["test/rsum"], "near/rsum": near}))
    assert {found.contrast.ci for found in shift.drops} == {(0.0, 0.0)}


def test_scores_without_any_spread_are_not_tested() -> None:
    level = {
        f"{split}/rsum": MetricScores(f"{split}/rsum", np.full((4, 1, 6), mean), labels(split, 6))
        for split, mean in (("test", 50.0), ("noisy", 40.0))
    }
    found = shift_of(made(1, level))
    assert {one.contrast.estimate for one in found.drops} == {-10}
    assert {one.contrast.p for one in found.drops} == {None}
    assert "scores are the same in every cluster" in found.drops[0].contrast.sentence


def test_where_lower_is_better_a_rise_is_a_loss() -> None:
    scores = made()
    ranks = {
        name.replace("rsum", "medr"): MetricScores(
            name.replace("rsum", "medr"), 100 - metric.values, metric.clusters, higher_is_better=False
        )
        for name, metric in scores.metrics.items()
    }
    shift = shift_of(replace(scores, metrics=ranks))
    upright = shift_of(scores)
    assert not shift.higher_is_better
    for found, other in zip(shift.drops, upright.drops, strict=True):
        assert found.contrast.estimate == pytest.approx(other.contrast.estimate)
        assert found.there.mean == pytest.approx(100 - other.there.mean)
    assert "a rise counts as a loss" in markdown.render(run(replace(scores, metrics=ranks)))


# Missing runs


def test_runs_that_one_split_lacks_take_no_part_and_are_told() -> None:
    scores = made()
    lacking = values(scores, "noisy").copy()
    lacking[1, 0] = np.nan
    lacking[3] = np.nan
    metric = replace(scores.metrics["noisy/rsum"], values=lacking)
    result = run(replace(scores, metrics={**scores.metrics, "noisy/rsum": metric}))
    shift = result.shift
    assert shift is not None
    D = lacking - values(scores, "test")
    same(drop(shift, "scan/on", "noisy").contrast, closed_form.contrast(D[1, 1:]))
    assert not [one for one in shift.drops if (one.arm, one.split) == ("vse/on", "noisy")]
    assert not [one for one in shift.effects if (one.name, one.split) == ("ccr: on vs off", "noisy")]
    assert effect(shift, "ccr: on vs off", "coco").more.seeds == 5
    (told,) = [guard for guard in result.guards if guard.guard == "missing-splits"]
    assert "scan/on on noisy (seed 0); vse/on on noisy (seeds 0, 1, 2, 3, 4)" in told.message.replace(
        "), ", "); "
    )
    text = page.render(result, figures.draw(result))
    assert "<td>–</td>" in text


def test_an_arm_without_any_run_spoils_nothing() -> None:
    scores = made()
    metrics = {}
    for name, metric in scores.metrics.items():
        gone = metric.values.copy()
        gone[3] = np.nan
        metrics[name] = replace(metric, values=gone)
    result = run(replace(scores, metrics=metrics))
    assert result.shift is not None
    assert {one.arm for one in result.shift.drops} == set(ARMS[:3])
    assert {own.arm for own in result.shift.own} == set(ARMS[:3])
    assert "missing-splits" not in {guard.guard for guard in result.guards}
    assert as_data(result)["shift"]["drops"]


# Families and declarations


def test_drops_contrasts_there_and_differences_are_a_family_each() -> None:
    result = run(made())
    shift = result.shift
    assert shift is not None
    families = [
        [one.contrast for one in shift.drops],
        [one.there for one in shift.effects],
        [one.more for one in shift.effects],
    ]
    assert [len(family) for family in families] == [8, 4, 4]
    for family in families:
        assert {one.family for one in family} == {len(family)}
        assert [one.p_adjusted for one in family] == pytest.approx(holm([one.p or 0 for one in family]))
        assert not any(one.declared for one in family)
    primary = {one.name: one for one in result.contrasts if one.metric == "test/rsum"}
    for one in shift.effects:
        assert one.here is primary[one.name]
    assert [(one.name, one.here.declared) for one in shift.effects[::2]] == [
        ("ccr: on vs off", True),
        ("backbone: vse vs scan", False),
    ]
    assert [one.split for one in shift.effects[:2]] == ["noisy", "coco"]


def test_the_margin_holds_on_every_split() -> None:
    shift = shift_of(made(), margin=1000.0)
    assert {one.more.verdict for one in shift.effects} == {"equivalent"}
    verdicts = {one.contrast.verdict for one in shift.drops}
    assert verdicts <= {"worse", "equivalent"}
    assert all("negligible" in c.contrast.sentence for c in shift.drops if c.contrast.verdict == "worse")
    guard = [g.message for g in run(made(), metrics=["coco/rsum"]).guards if g.guard == "margin-metric"]
    assert guard == [
        "The margin of 1 points holds for test/rsum alone, on other splits too; other metrics have none."
    ]


def test_a_primary_metric_off_test_is_still_compared_with_test() -> None:
    result = run(made(), primary="noisy/rsum")
    shift = result.shift
    assert shift is not None
    assert (shift.source, shift.splits) == ("test", ("noisy", "coco"))
    declared = next(one for one in result.contrasts if one.declared)
    assert effect(shift, "ccr: on vs off", "noisy").there is declared
    assert {one.here.family for one in shift.effects} == {2}
    assert not any(one.here.declared for one in shift.effects)
    assert {one.there.family for one in shift.effects if one.split == "coco"} == {2}
    assert {one.metric for one in result.arms} == {"noisy/rsum"}
    assert "Contrasts on test are a fourth." in markdown.render(result)


def test_where_nothing_is_declared_and_arms_have_no_factors_pairs_of_arms_are_compared() -> None:
    scores = replace(made(), levels={arm: {} for arm in ARMS})
    shift = shift_of(scores, hypotheses=(), baseline=None)
    assert {one.name for one in shift.effects} == {
        f"{b} vs {a}" for i, a in enumerate(ARMS) for b in ARMS[i + 1 :]
    }
    against = shift_of(scores, hypotheses=(), baseline="scan/on")
    assert {one.name for one in against.effects} == {f"{arm} vs scan/on" for arm in ARMS if arm != "scan/on"}


def test_other_queries_are_told_of() -> None:
    (note,) = [guard.message for guard in run(made()).guards if guard.guard == "other-queries"]
    assert note.startswith("Other queries than those of test are asked on coco:")
    assert "difference" not in note
    units = {split: SplitFacts("u") for split in ("test", "noisy")} | {"coco": SplitFacts("v")}
    apart = run(made(facts={**units, "noisy": SplitFacts("w")}))
    assert any("noisy, coco" in guard.message for guard in apart.guards)
    assert apart.shift is not None
    assert not any(one.paired for one in apart.shift.drops)


# Severities


def severe() -> Scores:
    """Two series on the units of test, one on units of its own."""
    facts = {
        "test": SplitFacts("u"),
        "rain 2": SplitFacts("u", "rain", 2.0),
        "rain 1": SplitFacts("u", "rain", 1.0),
        "fog": SplitFacts("u", "fog", 0.5),
        "far": SplitFacts("v"),
        "far rain": SplitFacts("v", "rain", 3.0),
        "lone": SplitFacts("w", "snow", 1.0),
    }
    metrics = {
        f"{split}/rsum": MetricScores(
            f"{split}/rsum", drawn(place, 5, 20, 60 - 3 * place), labels("c" if f.units == "u" else "v", 20)
        )
        for place, (split, f) in enumerate(facts.items())
    }
    return made(5, metrics, facts)


def test_a_series_is_a_curve_from_the_split_that_nothing_was_done_to() -> None:
    shift = shift_of(severe())
    curves = {(curve.series, curve.arm): curve for curve in shift.curves}
    assert {series for series, _ in curves} == {"rain on test", "fog", "rain on far"}
    assert len(curves) == 12
    rain = curves["rain on test", "scan/on"].points
    assert [(point.severity, point.split) for point in rain] == [(0, "test"), (1, "rain 1"), (2, "rain 2")]
    assert [(point.severity, point.split) for point in curves["rain on far", "vse/on"].points] == [
        (0, "far"),
        (3, "far rain"),
    ]
    assert (rain[0].mean, rain[0].ci) == (shift.own[1].mean, shift.own[1].ci)
    there = drop(shift, "scan/on", "rain 2").there
    assert (rain[2].mean, rain[2].ci, rain[2].scope) == (there.mean, there.ci, "seeds-and-queries")


def test_a_severity_of_0_is_taken_as_it_is_and_units_may_be_told_by_labels() -> None:
    scores = severe()
    zero = {**scores.splits, "fog": SplitFacts("u", "rain", 0.0)}
    rain = next(c for c in shift_of(replace(scores, splits=zero)).curves if c.series.startswith("rain"))
    assert [point.split for point in rain.points] == ["fog", "rain 1", "rain 2"]
    unknown = {split: replace(facts, units=None) for split, facts in scores.splits.items()}
    curves = shift_of(replace(scores, splits=unknown)).curves
    assert next(c for c in curves if c.series == "fog").points[0].split == "test"


# Outputs


def hostile() -> Result:
    names = {arm: arm.replace("on", NASTY) for arm in ARMS}
    levels = {names[arm]: {key: NASTY if value == "on" else value for key, value in row.items()}
              for arm, row in LEVELS.items()}  # fmt: skip
    split, units = f"no{NASTY}sy", SplitFacts("u")
    base = made()
    metrics = {
        "test/rsum": base.metrics["test/rsum"],
        f"{split}/rsum": replace(base.metrics["noisy/rsum"], name=f"{split}/rsum"),
        "coco/rsum": base.metrics["coco/rsum"],
    }
    facts = {"test": units, split: SplitFacts("u", NASTY, 1.0)}
    scores = Scores(tuple(names.values()), levels, base.seeds, metrics, facts)
    return run(scores, hypotheses=[{"ccr": f"{NASTY} vs off"}])


def plain(text: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).replace("\N{NO-BREAK SPACE}", " ").split())


def section(text: str) -> str:
    return text[text.index(">Domain shift</h2>") : text.index(">Factors</h2>")]


def marks(svg: str) -> list[dict[str, str]]:
    rows = [
        {key.removeprefix("data-"): value for key, value in element.items() if key.startswith("data-")}
        for element in ElementTree.fromstring(svg).iter()
    ]
    return [row for row in rows if row]


def test_the_page_shows_the_matrix_the_figures_and_the_effects() -> None:
    result = run(severe())
    shift = result.shift
    assert shift is not None
    drawn_figures = figures.draw(result)
    assert list(drawn_figures) == [
        "forest", "arms", "interaction", "shift", "severity", "shapley", "path", "ranking", "power",
    ]  # fmt: skip
    text = page.render(result, drawn_figures)
    assert text.index(">Arms</h2>") < text.index(">Domain shift</h2>") < text.index(">Factors</h2>")
    words = plain(re.sub(r"<svg.*?</svg>", "", section(text), flags=re.DOTALL))
    for one in shift.drops:
        cell = [
            numbers.points(one.there.mean), numbers.interval(one.there.ci),
            numbers.signed(one.contrast.estimate), numbers.interval(one.contrast.ci, sign=True),
            figures.MARKS[one.contrast.verdict].glyph, one.contrast.verdict,
        ]  # fmt: skip
        assert " ".join(cell) in words
    for pair in shift.effects:
        parts = [
            f"{numbers.signed(part.estimate)} {numbers.interval(part.ci, sign=True)}"
            for part in (pair.here, pair.there, pair.more)
        ]
        tests = [numbers.p_value(pair.more.p), numbers.p_value(pair.more.p_adjusted)]
        assert " ".join([pair.name, pair.split, figures.MARKS[pair.more.verdict].glyph,
                         pair.more.verdict, *parts, *tests]) in words  # fmt: skip
    assert "one family of 24, adjusted by Holm, scope: new seeds and new queries" in words
    assert "far, far rain and lone have other queries than test" in words
    assert "rain 2, rain 1 and fog have the same clusters as test" in words
    assert "Does it help more under shift?" in words
    methods = plain(text[text.index(">Methods</h2>") :])
    assert "Splits are compared on rsum" in methods
    assert "Welch" not in methods


def test_figures_carry_the_numbers_of_the_tables() -> None:
    result = run(severe())
    shift = result.shift
    assert shift is not None
    found = figures.draw(result)
    assert [
        (row["arm"], row["split"], row["change"], row["interval"], row["verdict"], row["mean"])
        for row in marks(found["shift"])
    ] == [
        (
            one.arm, one.split, numbers.signed(one.contrast.estimate),
            numbers.interval(one.contrast.ci, sign=True), one.contrast.verdict, numbers.points(one.there.mean),
        )
        for one in shift.drops
    ]  # fmt: skip
    points = [(curve, point) for curve in shift.curves for point in curve.points]
    rows = {(row["series"], row["arm"], row["split"]): row for row in marks(found["severity"])}
    assert len(rows) == len(points)
    for curve, point in points:
        row = rows[curve.series, curve.arm, point.split]
        assert (row["mean"], row["severity"]) == (numbers.points(point.mean), f"{point.severity:g}")
        assert row["interval"] == numbers.interval(point.ci)
    texts = ["".join(element.itertext()) for element in ElementTree.fromstring(found["shift"]).iter()]
    for one in shift.drops:
        glyph = figures.MARKS[one.contrast.verdict].glyph
        assert f"{numbers.signed(one.contrast.estimate)} {glyph}" in texts
    assert "<image" not in found["shift"] + found["severity"]


@pytest.mark.parametrize(("arms", "splits"), [(1, 1), (4, 2), (16, 12), (24, 13)])
def test_figures_are_drawn_at_any_size(arms: int, splits: int) -> None:
    names = tuple(f"an arm of a rather long name {i}" for i in range(arms))
    draw = np.random.default_rng(0)
    tables = {
        f"{split}/share": MetricScores(f"{split}/share", draw.uniform(0, 1, (arms, 3, 1)))
        for split in ("test", *(f"a split of a long name {i}" for i in range(splits)))
    }
    facts = {name.partition("/")[0]: SplitFacts("u", "s", float(i)) for i, name in enumerate(tables)}
    scores = Scores(names, {name: {} for name in names}, ("1", "2", "3"), tables, facts)
    result = run(scores, hypotheses=(), baseline=names[0])
    found = figures.draw(result)
    assert len(marks(found["shift"])) == arms * splits
    assert len(marks(found["severity"])) == arms * (splits + 1)
    assert re.fullmatch(r"[+−]?0\.\d{4}", marks(found["shift"])[0]["change"])
    assert (result.shift is not None) and len(result.shift.effects) == (arms - 1) * splits
    tables = re.findall(r'<table class="matrix">.*?</table>', page.render(result, found), re.DOTALL)
    heads = [re.findall(r'<th scope="col">(.*?)</th>', table) for table in tables]
    assert all(head[0] == "test" and len(head) <= 7 for head in heads)
    assert [split for head in heads for split in head[1:]] == list(
        result.shift.splits if result.shift else ()
    )


def test_names_stay_names_in_every_output(tmp_path: Path) -> None:
    result = hostile()
    shift = result.shift
    assert shift is not None
    paths = write(result, tmp_path)
    text = paths["report.html"].read_text(encoding="utf-8")
    assert "<i>" not in text
    assert plain(section(text)).count(NASTY) > 4
    for name in ("shift.svg", "severity.svg"):
        svg = paths[name].read_text(encoding="utf-8")
        assert any(NASTY in "".join(element.itertext()) for element in ElementTree.fromstring(svg).iter())
        assert any(NASTY in value for row in marks(svg) for value in row.values())
    said = paths["report.md"].read_text(encoding="utf-8")
    part = said[said.index("## Domain shift") : said.index("## Factors")]
    assert "<i>" not in part
    tables = [block.splitlines() for block in part.split("\n\n") if block.startswith("|")]
    assert len(tables) == 2
    for table in tables:
        assert len({len(re.split(r"(?<!\\)\|", line)) for line in table}) == 1
    rows = list(csv.DictReader(io.StringIO(paths["shift.csv"].read_text(encoding="utf-8"))))
    assert [(row["arm"], row["split"]) for row in rows] == [(one.arm, one.split) for one in shift.drops]


def test_markdown_has_the_same_two_tables() -> None:
    result = run(made())
    shift = result.shift
    assert shift is not None
    text = markdown.render(result)
    part = text[text.index("## Domain shift") : text.index("## Factors")]
    matrix, effects = [block.splitlines() for block in part.split("\n\n") if block.startswith("|")]
    assert matrix[0] == "| arm | test | noisy | coco |"
    assert len(matrix) == 2 + len(ARMS)
    one = drop(shift, "scan/on", "coco")
    assert (
        f"{numbers.points(one.there.mean)} {numbers.interval(one.there.ci)}; "
        f"{figures.MARKS[one.contrast.verdict].glyph} {one.contrast.verdict} "
        f"{numbers.signed(one.contrast.estimate)} {numbers.interval(one.contrast.ci, sign=True)} |"
    ) in matrix[3]
    assert len(effects) == 2 + len(shift.effects)
    assert effects[0].startswith("| contrast | split | verdict | on test | there | there less here | p |")
    assert "## Domain shift" not in markdown.render(replace(result, shift=None))


def test_scopes_that_differ_are_told_of_each() -> None:
    scores = made()
    known = MetricScores("noisy/rsum", scores.metrics["noisy/rsum"].runs[:, :, None])
    result = run(replace(scores, metrics={**scores.metrics, "noisy/rsum": known}))
    text = section(page.render(result, figures.draw(result)))
    part = markdown.render(result)
    part = part[part.index("## Domain shift") : part.index("## Factors")]
    for said in (plain(text), part):
        assert said.count("new seeds, these queries") >= len(ARMS)
        assert said.count("new seeds and new queries") >= len(ARMS)
        assert "scope:" not in said
    assert "known per run only, so is the difference" in markdown.render(result)


def test_welch_is_cited_where_it_is_used() -> None:
    one_seed = run(made(1))
    text = markdown.render(one_seed)
    assert "degrees of freedom of Welch (1947)" in text
    assert "Welch, B. L. (1947)" in text
    assert "sign flips" in text
    scores = made(1)
    paired = {name: scores.metrics[name] for name in ("test/rsum", "noisy/rsum")}
    assert "Welch" not in markdown.render(run(replace(scores, metrics=paired)))


def test_json_holds_all_of_it() -> None:
    result = run(severe())
    shift = result.shift
    assert shift is not None
    data = json.loads(json.dumps(as_data(result), allow_nan=False))["shift"]
    assert list(data) == ["source", "metric", "splits", "own", "drops", "effects", "curves"]
    assert (data["source"], data["metric"], data["splits"]) == ("test", "rsum", list(shift.splits))
    for row, one in zip(data["drops"], shift.drops, strict=True):
        assert (row["arm"], row["split"], row["paired"]) == (one.arm, one.split, one.paired)
        assert row["there"]["mean"] == one.there.mean
        assert row["contrast"]["estimate"] == one.contrast.estimate
        assert row["contrast"]["p_adjusted"] == one.contrast.p_adjusted
    for row, pair in zip(data["effects"], shift.effects, strict=True):
        assert [row[part]["estimate"] for part in ("here", "there", "more")] == [
            pair.here.estimate,
            pair.there.estimate,
            pair.more.estimate,
        ]
    assert data["curves"][0]["points"][0] == {
        "severity": 0.0, "split": "test", "mean": shift.own[0].mean,
        "ci": list(shift.own[0].ci or ()), "scope": "seeds-and-queries",
    }  # fmt: skip
    assert as_data(replace(result, shift=None))["shift"] is None


def test_the_csv_tables_have_a_row_a_drop_and_three_an_effect(tmp_path: Path) -> None:
    result = run(made())
    shift = result.shift
    assert shift is not None
    paths = write(result, tmp_path)
    drops, effects = (
        list(csv.DictReader(io.StringIO(paths[name].read_text(encoding="utf-8"))))
        for name in ("shift.csv", "effects.csv")
    )
    for row, one in zip(drops, shift.drops, strict=True):
        assert one.contrast.ci is not None
        assert (row["arm"], row["split"], row["source"]) == (one.arm, one.split, "test")
        assert row["paired"] == str(one.paired).lower()
        assert (float(row["mean"]), float(row["estimate"])) == (one.there.mean, one.contrast.estimate)
        assert (float(row["ci_low"]), float(row["ci_high"])) == one.contrast.ci
        assert (float(row["mean_low"]), float(row["mean_high"])) == one.there.ci
    assert len(effects) == 3 * len(shift.effects)
    assert [row["part"] for row in effects[:3]] == ["here", "there", "more"]
    assert [float(row["estimate"]) for row in effects[2::3]] == [one.more.estimate for one in shift.effects]
    assert effects[0]["effect"] == "ccr: on vs off"


def test_the_same_scores_give_the_same_bytes_and_what_is_gone_is_removed(tmp_path: Path) -> None:
    scores = severe()
    first, second = (write(run(scores), tmp_path / name) for name in ("first", "second"))
    assert {"shift.csv", "effects.csv", "shift.svg", "severity.svg"} <= set(first)
    for name, path in first.items():
        assert path.read_bytes() == second[name].read_bytes()
    alone = replace(scores, metrics={"test/rsum": scores.metrics["test/rsum"]})
    left = write(run(alone), tmp_path / "first")
    assert sorted(path.name for path in (tmp_path / "first").iterdir()) == sorted(left)
    assert not {"shift.csv", "effects.csv", "shift.svg", "severity.svg"} & set(left)


def test_a_table_of_several_splits_gives_a_shift_page(tmp_path: Path) -> None:
    draw = np.random.default_rng(5)
    lines = ["config,seed,query,metric,value"]
    for config in ("old", "new"):
        for seed in range(3):
            for split, mean in (("test", 60), ("noisy", 50)):
                for query in range(12):
                    value = mean + 4 * (config == "new") + draw.normal(0, 5)
                    lines.append(f"{config},{seed},q{query},{split}/rsum,{value}")
    path = tmp_path / "scores.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    scores = read(path)
    result = analyse(scores, Question(baseline="old"), Context("scores.csv"))
    shift = result.shift
    assert shift is not None
    assert {contrast.metric for contrast in result.contrasts} == {"test/rsum"}
    test, noisy = (scores.metrics[f"{split}/rsum"].values for split in ("test", "noisy"))
    same(drop(shift, "new", "noisy").contrast, closed_form.contrast((noisy - test)[1]))
    (found,) = shift.effects
    assert found.name == "config: new vs old"
    same(found.more, closed_form.contrast((noisy - test)[1] - (noisy - test)[0]))
    paths = write(result, tmp_path / "report")
    assert "Domain shift" in paths["report.html"].read_text(encoding="utf-8")
    assert (tmp_path / "report" / "shift.svg").is_file()


def test_a_ceiling_or_a_floor_on_another_split_is_told() -> None:
    scores = made()
    metrics = dict(scores.metrics)
    metrics["coco/rsum"] = replace(metrics["coco/rsum"], values=np.full((4, 5, 70), 599.0))
    metrics["noisy/rsum"] = replace(metrics["noisy/rsum"], values=np.zeros((4, 5, 30)))
    found = {
        (one.guard, one.message.split(" on ")[-1].split(":")[0]) for one in run(made(metrics=metrics)).guards
    }
    assert ("floor", "noisy/rsum") in found
    assert any(
        one.guard == "ceiling" and "coco/rsum" in one.message for one in run(made(metrics=metrics)).guards
    )
