"""The whole analysis: families, scopes, factors, order, and strict JSON."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from crosscut_reports import closed_form
from crosscut_reports.adjustment import holm
from crosscut_reports.analysis import MOST_PAIRED_ARMS, Question, QuestionError, analyse
from crosscut_reports.context import Context, Tuning
from crosscut_reports.contrast import ContrastError
from crosscut_reports.result import ContrastResult, Result
from crosscut_reports.scores import MetricScores, Scores
from crosscut_reports.verdict import further_seeds

Array = NDArray[np.float64]
CONTEXT = Context("test")
BACKBONES, CONSTRAINTS = ("scan", "vse++"), ("none", "ccr", "ccr+ccs")
LEVELS = {f"{b}/{c}": {"backbone": b, "constraints": c} for b in BACKBONES for c in CONSTRAINTS}
HYPOTHESES = ({"constraints": "ccr vs none"}, {"constraints": "ccr+ccs vs ccr"})


def made(seeds: int = 5, clusters: int = 60) -> Scores:
    """Six arms, a metric per cluster, a second one, and one known per run only, where lower is better."""
    draw = np.random.default_rng(7)

    def values(spread: float) -> Array:
        arms = np.array([0.0, 2.0, 2.1, 6.0, 8.0, 8.1])[:, None, None]
        seed, query = draw.normal(0, 0.3, (6, seeds, 1)), draw.normal(0, 20, (1, 1, clusters))
        rest: Array = draw.normal(0, spread, (6, 1, clusters)) + draw.normal(0, spread, (6, seeds, clusters))
        return 40 + arms + seed + query + rest

    labels = tuple(f"img{i}" for i in range(clusters))
    rank = 30 - values(1.0).mean(axis=2, keepdims=True)
    metrics = [
        MetricScores("test/i2t_r1", values(3.0), labels, clusters),
        MetricScores("test/rsum", values(2.0), labels, 6 * clusters),
        MetricScores("test/med_r", rank, None, None, higher_is_better=False),
    ]
    return Scores(
        tuple(LEVELS),
        LEVELS,
        tuple(str(s) for s in range(seeds)),
        {metric.name: metric for metric in metrics},
    )


def run(scores: Scores | None = None, **asked: Any) -> Result:
    facts: dict[str, Any] = {"baseline": "scan/none", "hypotheses": HYPOTHESES, "margin": 1.0}
    question = Question(**(facts | asked))
    return analyse(scores or made(), question, CONTEXT)


def one(result: Result, name: str, metric: str = "test/rsum") -> ContrastResult:
    (found,) = [c for c in result.contrasts if (c.name, c.metric) == (name, metric)]
    return found


def test_contrast_is_the_closed_form_of_its_weighted_scores() -> None:
    scores = made()
    found = one(run(scores), "constraints: ccr vs none")
    values = scores.metrics["test/rsum"].values
    reference = closed_form.contrast((values[1] + values[4] - values[0] - values[3]) / 2)
    assert found.scope == "seeds-and-queries"
    assert found.estimate == pytest.approx(reference.estimate)
    assert found.se == pytest.approx(reference.se)
    assert found.p == pytest.approx(reference.p)
    assert found.ci == pytest.approx(reference.interval(0.95))
    assert (found.seeds, found.clusters) == (5, 60)
    assert (found.wins or 0) + (found.ties or 0) + (found.losses or 0) == 60


def test_families_are_declared_exploratory_and_one_for_each_other_metric() -> None:
    result = run()
    assert result.design.family == 2
    families: dict[tuple[str, bool], list[ContrastResult]] = {}
    for contrast in result.contrasts:
        families.setdefault((contrast.metric, contrast.declared), []).append(contrast)
    assert list(families) == [
        ("test/rsum", True),
        ("test/rsum", False),
        ("test/i2t_r1", False),
        ("test/med_r", False),
    ]
    for family in families.values():
        assert {contrast.family for contrast in family} == {len(family)}
        p = [contrast.p for contrast in family if contrast.p is not None]
        assert [contrast.p_adjusted for contrast in family] == pytest.approx(holm(p))


def test_no_question_is_asked_twice() -> None:
    result = run()
    names = [c.name for c in result.contrasts if c.metric == "test/rsum"]
    assert len(set(names)) == len(names)
    weights = [frozenset(c.weights.items()) for c in result.contrasts if c.metric == "test/rsum"]
    assert len(set(weights)) == len(weights)


def test_metric_known_per_run_has_the_scope_of_seeds_and_favours_lower_values() -> None:
    scores = made()
    found = one(run(scores), "constraints: ccr vs none", "test/med_r")
    ranks = scores.metrics["test/med_r"].values[:, :, 0]
    r = (ranks[0] + ranks[3] - ranks[1] - ranks[4]) / 2
    assert found.scope == "seeds"
    assert found.estimate == pytest.approx(r.mean())
    assert found.estimate > 0
    assert found.p == pytest.approx(float(stats.ttest_1samp(r, 0).pvalue))
    assert (found.wins, found.ties, found.losses, found.clusters) == (5, 0, 0, None)


def test_margin_holds_for_the_primary_metric_alone() -> None:
    result = run(margin=1000.0)
    verdicts = {c.verdict for c in result.contrasts if c.metric != "test/rsum"}
    assert "equivalent" not in verdicts
    assert all(
        c.verdict == "equivalent" or "negligible" in c.sentence
        for c in result.contrasts
        if c.metric == "test/rsum"
    )


def test_two_seeds_are_tested_on_the_models_as_they_are() -> None:
    result = run(made(seeds=2))
    found = one(result, "constraints: ccr vs none")
    assert found.scope == result.design.scope == "queries"
    assert found.df == 59
    assert found.p is not None
    assert found.p >= 1 / 10000
    assert result.factors == ()


def test_one_seed_of_a_metric_per_run_gives_estimates_only() -> None:
    found = one(run(made(seeds=1)), "constraints: ccr vs none", "test/med_r")
    assert (found.se, found.p, found.p_adjusted, found.ci, found.family) == (None, None, None, None, 0)
    assert found.verdict == "undecided"


def test_contrasts_use_the_seeds_that_all_their_arms_have() -> None:
    scores = made()
    values = scores.metrics["test/rsum"].values.copy()
    values[1, 0] = np.nan
    metric = replace(scores.metrics["test/rsum"], values=values)
    result = run(replace(scores, metrics={"test/rsum": metric}))
    found = one(result, "constraints: ccr vs none")
    assert found.seeds == 4
    reference = closed_form.contrast((values[1] + values[4] - values[0] - values[3])[1:] / 2)
    assert found.se == pytest.approx(reference.se)
    assert not result.design.balanced
    assert one(result, "constraints: ccr+ccs vs none at backbone=scan").seeds == 5


def test_arms_with_seeds_of_their_own_are_unpaired() -> None:
    scores = made(seeds=8)
    values = scores.metrics["test/rsum"].values.copy()
    values[:3, 4:] = np.nan
    values[3:, :4] = np.nan
    metric = replace(scores.metrics["test/rsum"], values=values)
    result = run(replace(scores, metrics={"test/rsum": metric}), hypotheses=())
    found = one(result, "backbone: vse++ vs scan at constraints=none")
    reference = closed_form.unpaired([values[3, 4:], values[0, :4]], [1, -1])
    assert found.se == pytest.approx(reference.se)
    assert found.df == pytest.approx(reference.df)
    assert found.seeds == 4


def test_a_missing_arm_leaves_the_family_and_spoils_no_other() -> None:
    scores = made()
    values = scores.metrics["test/rsum"].values.copy()
    values[5] = np.nan
    metric = replace(scores.metrics["test/rsum"], values=values)
    result = run(replace(scores, metrics={"test/rsum": metric}))
    assert all("vse++/ccr+ccs" not in contrast.weights for contrast in result.contrasts)
    assert all(contrast.p_adjusted is not None for contrast in result.contrasts)
    assert {arm.arm for arm in result.arms} == set(LEVELS) - {"vse++/ccr+ccs"}


def test_factor_of_two_levels_agrees_with_its_contrast() -> None:
    result = run()
    by_name = {factor.factor: factor for factor in result.factors}
    assert list(by_name) == ["backbone", "constraints"]
    contrast = one(result, "backbone: vse++ vs scan")
    assert contrast.statistic is not None
    assert pytest.approx(contrast.statistic**2) == by_name["backbone"].F
    assert by_name["backbone"].p == pytest.approx(contrast.p)
    assert by_name["constraints"].df1 == 2
    assert by_name["constraints"].levels == CONSTRAINTS
    assert [f.p_adjusted for f in result.factors] == pytest.approx(holm([f.p for f in result.factors]))


def test_factor_is_tested_over_the_cells_that_hold_all_its_levels() -> None:
    scores = made()
    kept = [arm for arm in scores.arms if arm != "vse++/ccr"]
    rows = [scores.arms.index(arm) for arm in kept]
    metric = scores.metrics["test/rsum"]
    fewer = Scores(
        tuple(kept),
        {arm: LEVELS[arm] for arm in kept},
        scores.seeds,
        {metric.name: replace(metric, values=metric.values[rows])},
    )
    result = run(fewer, hypotheses=())
    (constraints,) = [factor for factor in result.factors if factor.factor == "constraints"]
    assert pytest.approx(closed_form.factor(metric.values[:3]).F) == constraints.F
    assert (constraints.cells, constraints.combinations) == (1, 2)


def test_arms_have_a_mean_with_an_interval_their_seeds_and_their_trials() -> None:
    scores = made()
    context = Context("test", tuning=[Tuning("scan/ccr", 6, 0, 0, "dev/rsum", 1.0, {})])
    result = analyse(scores, Question(), context)
    (found,) = [arm for arm in result.arms if (arm.arm, arm.metric) == ("scan/ccr", "test/rsum")]
    values = scores.metrics["test/rsum"].values[1]
    assert found.mean == pytest.approx(values.mean())
    assert found.values == pytest.approx(values.mean(axis=1))
    assert found.sd_seed == pytest.approx(values.mean(axis=1).std(ddof=1))
    assert found.ci == pytest.approx(closed_form.contrast(values).interval(0.95))
    assert (found.seeds, found.trials, found.scope) == (5, 6, "seeds-and-queries")
    assert result.arms[-1].scope == "seeds"
    assert result.arms[0].trials is None
    assert [arm.metric for arm in result.arms][::6] == ["test/rsum", "test/i2t_r1", "test/med_r"]


def test_without_baseline_and_hypotheses_all_pairs_are_exploratory() -> None:
    result = run(baseline=None, hypotheses=(), metrics=[])
    assert result.design.family == 0
    assert not any(contrast.declared for contrast in result.contrasts)
    names = {contrast.name for contrast in result.contrasts}
    assert "constraints: ccr+ccs vs ccr at backbone=scan" in names
    assert "scan/ccr+ccs vs scan/ccr" not in names
    assert {"vse++/ccr+ccs vs scan/ccr", "constraints: ccr+ccs vs ccr", "backbone: vse++ vs scan"} <= names


def test_each_run_missing_another_query_is_undecided_in_every_scope() -> None:
    values = np.full((2, 3, 9), 100.0)
    for seed in range(3):
        values[0, seed, seed], values[1, seed, seed + 3] = 0.0, 0.0
    metric = MetricScores("hit", values, tuple(map(str, range(9))))
    levels = {"a": {"f": "a"}, "b": {"f": "b"}}
    scores = Scores(("a", "b"), levels, ("1", "2", "3"), {"hit": metric})
    for scope in (None, "seeds"):
        (found,) = analyse(scores, Question(baseline="a", margin=1.0, scope=scope), CONTEXT).contrasts
        assert (found.estimate, found.p, found.ci, found.verdict) == (0, None, None, "undecided")
        assert "no spread between seeds" in found.sentence


def test_what_is_decided_makes_room_for_the_rest_of_its_family() -> None:
    draw = np.random.default_rng(4)
    shift = np.array([0.0, 9.0, 9.0, 9.0, 0.5])[:, None, None]
    values = 50 + shift + draw.normal(0, 0.5, (5, 5, 1)) + draw.normal(0, 1.0, (5, 5, 40))
    arms = tuple("abcde")
    metric = MetricScores("rsum", values, tuple(map(str, range(40))))
    scores = Scores(arms, {arm: {} for arm in arms}, tuple("12345"), {"rsum": metric})
    result = analyse(scores, Question(baseline="a"), CONTEXT)
    (open_one,) = [c for c in result.contrasts if c.verdict == "undecided"]
    D = values[4] - values[0]
    # The other three are decided, so this one is alone and needs what one test needs.
    alone = further_seeds(closed_form.contrast(D), 0.05, 0.0, 1.0)
    assert sum(c.verdict == "better" for c in result.contrasts) == 3
    assert alone == ("seeds", open_one.seeds_to_decide)


def test_two_that_are_open_both_wait_for_the_larger_multiplier() -> None:
    draw = np.random.default_rng(4)
    shift = np.array([0.0, 0.55, 0.5])[:, None, None]
    values = 50 + shift + draw.normal(0, 0.5, (3, 5, 1)) + draw.normal(0, 1.0, (3, 5, 40))
    metric = MetricScores("rsum", values, tuple(map(str, range(40))))
    scores = Scores(tuple("abc"), {arm: {} for arm in "abc"}, tuple("12345"), {"rsum": metric})
    result = analyse(scores, Question(baseline="a"), CONTEXT)
    assert [c.verdict for c in result.contrasts] == ["undecided", "undecided"]
    for contrast, row in zip(result.contrasts, (1, 2), strict=True):
        found = further_seeds(closed_form.contrast(values[row] - values[0]), 0.05, 0.0, 2.0)
        assert found[1] == contrast.seeds_to_decide


def test_a_sentence_on_its_own_tells_whether_its_contrast_was_declared() -> None:
    for contrast in run().contrasts:
        assert ("; declared): " in contrast.sentence) is contrast.declared
        assert ("; exploratory): " in contrast.sentence) is not contrast.declared


def test_one_seed_tells_where_too_few_clusters_differ() -> None:
    values = np.zeros((2, 1, 20))
    values[1, 0, 0] = 100.0
    metric = MetricScores("hit", values, tuple(map(str, range(20))))
    scores = Scores(("a", "b"), {"a": {"f": "a"}, "b": {"f": "b"}}, ("1",), {"hit": metric})
    (found,) = analyse(scores, Question(baseline="a"), CONTEXT).contrasts
    assert (found.scope, found.p, found.verdict) == ("queries", 1.0, "undecided")
    assert "since only 1 cluster differs" in found.sentence


def test_with_many_arms_and_no_baseline_the_first_arm_is_taken_and_told() -> None:
    count = MOST_PAIRED_ARMS + 1
    arms = tuple(f"arm{i}" for i in range(count))
    values = np.random.default_rng(0).normal(0, 1, (count, 3, 20)) + np.arange(count)[:, None, None]
    metric = MetricScores("rsum", values, tuple(map(str, range(20))))
    result = analyse(
        Scores(arms, {a: {} for a in arms}, ("1", "2", "3"), {"rsum": metric}), Question(), CONTEXT
    )
    assert [contrast.name for contrast in result.contrasts] == [f"{arm} vs arm0" for arm in arms[1:]]
    assert "baseline-chosen" in {guard.guard for guard in result.guards}


def test_only_metrics_and_factors_asked_for_are_looked_at() -> None:
    result = run(metrics=["test/med_r"], factors=["backbone"], hypotheses=())
    assert {contrast.metric for contrast in result.contrasts} == {"test/rsum", "test/med_r"}
    assert [factor.factor for factor in result.factors] == ["backbone"]
    assert "constraints: ccr vs none" not in {contrast.name for contrast in result.contrasts}


def test_scope_can_be_asked_for() -> None:
    scores = made()
    found = one(run(scores, scope="seeds"), "constraints: ccr vs none")
    values = scores.metrics["test/rsum"].values.mean(axis=2)
    r = (values[1] + values[4] - values[0] - values[3]) / 2
    assert found.p == pytest.approx(float(stats.ttest_1samp(r, 0).pvalue))
    assert one(run(scores, scope="queries"), "constraints: ccr vs none").scope == "queries"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"primary": "test/rsun"}, "primary: there is no metric 'test/rsun'.*did you mean 'test/rsum'"),
        ({"baseline": "scan/nome"}, "baseline: there is no arm 'scan/nome'.*did you mean 'scan/none'"),
        ({"metrics": ["r1"]}, "metrics: there is no metric 'r1'"),
        ({"factors": ["backbones"]}, "factors: there is no factor 'backbones'.*did you mean 'backbone'"),
        ({"alpha": 5}, "alpha: found 5"),
        ({"margin": -1}, "margin: found -1"),
    ],
)
def test_names_that_do_not_exist_are_refused(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(QuestionError, match=message):
        run(**asked)


def test_hypotheses_on_levels_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ContrastError, match="did you mean 'ccr'"):
        run(hypotheses=[{"constraints": "crc vs none"}])


@pytest.mark.parametrize("seeds", [1, 2, 5])
def test_result_is_strict_json_whatever_is_missing_or_constant(seeds: int) -> None:
    scores = made(seeds)
    metric = scores.metrics["test/rsum"]
    values = metric.values.copy()
    values[1] = values[0]  # equal to the baseline
    values[2] = values[0] + 1  # a difference without spread
    values[4] = np.nan  # an arm that never ended
    values[5] = values[5, :1]  # seeds without effect
    odd = replace(scores, metrics={**scores.metrics, "test/rsum": replace(metric, values=values)})
    result = run(odd, hypotheses=())
    text = json.dumps(asdict(result), allow_nan=False)
    assert text == json.dumps(asdict(run(odd, hypotheses=())), allow_nan=False)
    assert one(result, "constraints: ccr vs none at backbone=scan").p == 1
    assert one(result, "constraints: ccr vs none at backbone=scan").verdict == "equivalent"
    constant = one(result, "constraints: ccr+ccs vs none at backbone=scan")
    assert (constant.p, constant.verdict) == (None, "undecided")
    assert all(c.p is None or 0 < c.p <= 1 for c in result.contrasts)


def test_van_dyke_through_the_whole_analysis(shared_data: Path) -> None:
    with (shared_data / "van_dyke_sensitivity.csv").open() as file:
        rows = list(csv.DictReader(file))
    arms, seeds, queries = (tuple(sorted({row[key] for row in rows})) for key in ("config", "seed", "query"))
    values = np.full((len(arms), len(seeds), len(queries)), np.nan)
    for row in rows:
        values[arms.index(row["config"]), seeds.index(row["seed"]), queries.index(row["query"])] = float(
            row["value"]
        )
    scores = Scores(
        arms, {a: {"config": a} for a in arms}, seeds, {"hit": MetricScores("hit", values, queries)}
    )
    result = analyse(scores, Question(hypotheses=[{"config": "cfg0 vs cfg1"}]), CONTEXT)
    (contrast,) = result.contrasts
    assert contrast.declared
    assert contrast.estimate == pytest.approx(-0.09777778, abs=5e-9)
    assert contrast.df == pytest.approx(15.71732, abs=5e-6)
    assert contrast.p == contrast.p_adjusted == pytest.approx(0.02008822, abs=5e-9)
    assert contrast.verdict == "worse"
    assert contrast.sentence == (
        "config: cfg0 vs cfg1 — hit −0.098 points (95% interval −0.178 to −0.018, p = 0.020, new seeds and "
        "new queries; 5 seeds, 45 clusters; declared): worse."
    )
    (factor,) = result.factors
    assert pytest.approx(6.689493, abs=5e-7) == factor.F


def on_primary(result: Result, name: str) -> ContrastResult:
    return next(c for c in result.contrasts if (c.name, c.metric) == (name, result.design.primary))


def declared_of(result: Result) -> list[tuple[str, str, str]]:
    return [(c.family_name, c.name, c.metric) for c in result.contrasts if c.declared]


def test_a_hypothesis_on_several_metrics_is_one_family_over_all_of_them() -> None:
    declared = {"compare": {"constraints": "each vs none"}, "metrics": ["test/rsum", "test/i2t_r1"]}
    result = run(hypotheses=[declared])
    names = ["constraints: ccr vs none", "constraints: ccr+ccs vs none"]
    assert declared_of(result) == [
        ("declared hypotheses", name, metric) for metric in ("test/rsum", "test/i2t_r1") for name in names
    ]
    chosen = [c for c in result.contrasts if c.declared]
    assert [c.family for c in chosen] == [4] * 4
    np.testing.assert_allclose([c.p_adjusted for c in chosen], holm([c.p or 0.0 for c in chosen]))
    # A margin is in points of the primary metric, and judges nothing else.
    on_rsum, on_recall = (result.contrasts[place].verdict for place in (0, 2))
    assert on_rsum == "better" and on_recall != "equivalent"
    (family,) = (one for one in result.design.families if one.declared)
    assert (family.size, family.metrics, family.adjustment) == (4, ("test/rsum", "test/i2t_r1"), "Holm")
    assert result.design.family == 4


def test_families_that_have_names_are_adjusted_by_themselves() -> None:
    hypotheses = [
        {"constraints": "ccr vs none"},
        {"compare": {"constraints": "ccr+ccs vs ccr"}, "family": "second", "name": "more"},
    ]
    result = run(hypotheses=hypotheses)
    assert declared_of(result) == [
        ("declared hypotheses", "constraints: ccr vs none", "test/rsum"),
        ("second", "more", "test/rsum"),
    ]
    assert all(c.p_adjusted == c.p and c.family == 1 for c in result.contrasts if c.declared)
    assert result.design.family == 2


def test_a_hypothesis_on_another_metric_alone_is_exploratory_on_the_primary_one() -> None:
    result = run(hypotheses=[{"compare": {"constraints": "ccr vs none"}, "metrics": ["test/i2t_r1"]}])
    assert declared_of(result) == [("declared hypotheses", "constraints: ccr vs none", "test/i2t_r1")]
    assert on_primary(result, "constraints: ccr vs none").declared is False
    with pytest.raises(QuestionError, match=r"hypotheses: there is no metric 'test/i2t_r11'.*did you mean"):
        run(hypotheses=[{"compare": {"constraints": "ccr vs none"}, "metrics": ["test/i2t_r11"]}])


def test_what_is_asked_late_is_exploratory_and_told_by_a_guard() -> None:
    result = run(hypotheses=HYPOTHESES[:1], late=HYPOTHESES[1:])
    assert declared_of(result) == [("declared hypotheses", "constraints: ccr vs none", "test/rsum")]
    late = on_primary(result, "constraints: ccr+ccs vs ccr")
    assert not late.declared and late.family_name == "exploratory"
    (guard,) = (g for g in result.guards if g.guard == "late-hypotheses")
    assert "constraints: ccr+ccs vs ccr" in guard.message


def test_a_screen_adjusts_exploratory_families_alone() -> None:
    plain, screened = run(), run(screen="benjamini-hochberg")
    for one, other in zip(plain.contrasts, screened.contrasts, strict=True):
        assert (one.name, one.p) == (other.name, other.p)
        assert one.p_adjusted is not None and other.p_adjusted is not None
        assert other.p_adjusted <= one.p_adjusted + 1e-12
        if one.declared:
            assert other == one
        else:
            assert other.adjustment == "Benjamini–Hochberg" and other.simultaneous is None
    own = [c for c in screened.contrasts if c.family_name == "exploratory"]
    np.testing.assert_allclose(
        [c.p_adjusted for c in own], stats.false_discovery_control([c.p or 0.0 for c in own])
    )


def test_simultaneous_intervals_have_bonferronis_level() -> None:
    result = run()
    for c in result.contrasts:
        assert c.simultaneous is not None and c.ci is not None and c.se is not None and c.df is not None
        half = stats.t.ppf(1 - 0.05 / (2 * c.family), c.df) * c.se
        np.testing.assert_allclose(c.simultaneous, (c.estimate - half, c.estimate + half))
        if c.family > 1:
            assert c.simultaneous[0] < c.ci[0] and c.ci[1] < c.simultaneous[1]


def test_fixed_models_are_adjusted_by_joint_sign_flips() -> None:
    result = run(scope="queries")
    assert {c.adjustment for c in result.contrasts if c.metric == "test/rsum"} == {"step-down maxT"}
    chosen = [c for c in result.contrasts if c.declared]
    p = [c.p or 0.0 for c in chosen]
    for c, single, bound in zip(chosen, p, holm(p), strict=True):
        assert c.p_adjusted is not None and single <= c.p_adjusted <= bound + 0.02
        assert c.simultaneous is not None and c.ci is not None
        assert c.simultaneous[0] < c.ci[0] and c.ci[1] < c.simultaneous[1]
    assert "step-down maxT" in result.design.adjustment
