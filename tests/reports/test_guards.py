"""What a careful reader is warned of, and that a sound design gives no warning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from crosscut_reports import guards, run_guards, tuning_guards
from crosscut_reports.analysis import Question, analyse
from crosscut_reports.context import Context, Failure, Note, Tuning
from crosscut_reports.measurement import Table
from crosscut_reports.render import html, markdown
from crosscut_reports.result import Guard, Scope
from crosscut_reports.scores import MetricScores, Scores

Array = NDArray[np.float64]
CONTEXT = Context("test")


def table_of(values: Array, metric: str = "rsum", per_cluster: bool = True, higher: bool = True) -> Scores:
    """Arms a, b, c … of one factor."""
    arms = tuple("abcdefghijkl"[: values.shape[0]])
    clusters = tuple(f"q{i}" for i in range(values.shape[2])) if per_cluster else None
    return Scores(
        arms,
        {arm: {"f": arm} for arm in arms},
        tuple(str(s + 1) for s in range(values.shape[1])),
        {metric: MetricScores(metric, values, clusters, None, higher)},
    )


def sound(arms: int = 3, seeds: int = 5, clusters: int = 30) -> Array:
    draw = np.random.default_rng(0)
    noise: Array = draw.normal(0, 1, (arms, seeds, clusters))
    return noise + draw.normal(0, 1, (arms, seeds, 1)) + 50


def severe(scores: Scores, question: Question | None = None, context: Context = CONTEXT) -> dict[str, Guard]:
    result = analyse(scores, question or Question(baseline="a"), context)
    return {guard.guard: guard for guard in result.guards if guard.severity != "note"}


def test_a_sound_design_has_no_warning() -> None:
    assert severe(table_of(sound())) == {}


def test_missing_runs_are_named_arm_by_arm() -> None:
    values = sound()
    values[1, 2] = np.nan
    values[2] = np.nan
    found = severe(table_of(values))
    assert found["missing-runs"].message.endswith("b lacks seed 3.")
    assert found["missing-arms"].severity == "error"
    assert "No run of c " in found["missing-arms"].message
    assert "c vs a" in found["not-computed"].message


def test_two_seeds_refuse_the_default_scope_and_offer_the_models_as_they_are() -> None:
    result = analyse(table_of(sound(seeds=2)), Question(baseline="a"), CONTEXT)
    assert result.design.scope == "queries"
    (found,) = [guard for guard in result.guards if guard.guard == "few-seeds"]
    assert '"new seeds and new queries" is refused: with 2 seeds' in found.message
    assert '"these trained models, new queries"' in found.message


@pytest.mark.parametrize("scope", ["seeds-and-queries", "queries"])
def test_scope_that_runs_without_queries_cannot_have_is_refused(scope: Scope) -> None:
    scores = table_of(sound(clusters=1), per_cluster=False)
    result = analyse(scores, Question(baseline="a", scope=scope), CONTEXT)
    assert result.design.scope == "seeds"
    assert "scope-refused" in {guard.guard for guard in result.guards}


def test_one_seed_of_runs_without_queries_is_an_error() -> None:
    found = severe(table_of(sound(seeds=1, clusters=1), per_cluster=False))
    assert found["few-seeds"].severity == "error"
    assert "one seed says nothing" in found["no-test"].message


def test_failures_and_unfinished_sweeps_are_told() -> None:
    context = Context(
        "test",
        failures=[
            Failure("b", "final", 7, "diverged", "the loss became NaN in step 12"),
            Failure("b", "search", 0, "raised", "out of memory"),
        ],
        planned=12,
        recorded=11,
    )
    found = run_guards.failures(context)
    assert [guard.guard for guard in found] == ["failed-runs", "failed-trials", "unfinished"]
    assert "b seed 7 (diverged: the loss became NaN in step 12)" in found[0].message
    assert found[2].message.startswith("11 of 12 planned runs")
    assert run_guards.failures(replace(context, failures=[], recorded=12)) == []


def test_runs_with_notes_are_warned_of_with_arm_and_seed() -> None:
    notes = [
        Note("b", "final", 3, "collapsed in epochs 3 to 5"),
        Note("b", "final", 3, "its gradient was zero in epoch 4"),
        Note("c", "final", 0, "collapsed in epoch 1"),
    ]
    (found,) = run_guards.run_notes(Context("test", notes=notes))
    assert (found.guard, found.severity) == ("run-notes", "warning")
    assert found.message == (
        "2 runs have notes from the trainable: collapsed in epochs 3 to 5 (b seed 3); its gradient was zero in "
        "epoch 4 (b seed 3); collapsed in epoch 1 (c seed 0). The scores count as all others do."
    )
    (found,) = run_guards.run_notes(Context("test", notes=notes[2:]))
    assert found.message.startswith("1 run has notes from the trainable: collapsed in epoch 1 (c seed 0). ")
    assert run_guards.run_notes(CONTEXT) == []


def test_what_many_runs_have_to_say_is_said_once_with_six_of_their_seeds() -> None:
    notes = [Note(arm, "final", seed, "slow") for arm in "bc" for seed in range(9)]
    (found,) = run_guards.run_notes(Context("test", notes=notes))
    seeds = "seeds 0, 1, 2, 3, 4, 5 and 3 more"
    assert found.message.startswith(f"18 runs have notes from the trainable: slow (b {seeds}; c {seeds}). ")


def test_of_many_different_notes_six_are_listed() -> None:
    notes = [Note("b", "final", seed, f"slow by {seed}") for seed in range(9)]
    (found,) = run_guards.run_notes(Context("test", notes=notes))
    assert "slow by 5 (b seed 5) and 3 more. " in found.message and "slow by 6" not in found.message


def test_search_trials_with_notes_are_counted_by_arm_in_a_note() -> None:
    notes = [
        Note("c", "search", 0, "slow"),
        Note("c", "search", 0, "collapsed"),
        Note("c", "search", 4, "slow"),
        Note("b", "search", 1, "slow"),
    ]
    (found,) = run_guards.run_notes(Context("test", notes=notes))
    assert (found.guard, found.severity) == ("trial-notes", "note")
    assert found.message == "Search trials have notes from the trainable: c 2, b 1."


def test_a_note_is_text_on_the_page_and_in_markdown() -> None:
    note = Note("b", "final", 3, "<script>alert(1)</script> *so*")
    result = analyse(table_of(sound()), Question(baseline="a"), Context("test", notes=[note]))
    page, text = html.render(result, {}), markdown.render(result)
    assert page.count("<script") == 1 and "&lt;script&gt;alert(1)&lt;/script&gt; *so*" in page
    assert "<script" not in text and r"&lt;script&gt;alert(1)&lt;/script&gt; \*so\*" in text


def test_unequal_search_budgets_are_told() -> None:
    scores = table_of(sound())
    tuning = [Tuning(arm, 6, 0, 0, "dev/rsum", None, {}) for arm in scores.arms]
    assert tuning_guards.tuning_budgets(scores, Context("test", tuning=tuning)) == []
    (found,) = tuning_guards.tuning_budgets(
        scores, Context("test", tuning=[*tuning[:2], replace(tuning[2], trials=9)])
    )
    assert "6 for a, b; 9 for c" in found.message
    (found,) = tuning_guards.tuning_budgets(scores, Context("test", tuning=tuning[:1]))
    assert "0 for b, c; 6 for a" in found.message


def test_an_arm_that_equals_the_baseline_throughout_is_told() -> None:
    values = sound()
    values[2] = values[0]
    found = severe(table_of(values))
    assert found["same-as-baseline"].message.startswith("c has the baseline's very scores")
    values[2, 1, 5] += 1e-6
    assert "same-as-baseline" not in severe(table_of(values))


@pytest.mark.parametrize(
    ("metric", "value", "expected"),
    [
        ("test/rsum", 598.0, ["ceiling"]),
        ("test/rsum", 590.0, []),
        ("test/i2t_r1", 99.6, ["ceiling"]),
        ("recall@10", 100.0, ["ceiling"]),
        ("mrr", 100.0, []),
        ("mrr", 0.0, ["floor"]),
    ],
)
def test_ceiling_and_floor(metric: str, value: float, expected: list[str]) -> None:
    scores = table_of(np.full((2, 3, 4), value), metric)
    assert [guard.guard for guard in guards.ceiling_and_floor(Table(scores, metric))] == expected


def test_a_rank_of_zero_is_no_floor() -> None:
    scores = table_of(np.zeros((2, 3, 4)), "med_r", higher=False)
    assert guards.ceiling_and_floor(Table(scores, "med_r")) == []


def test_incomplete_factorials_are_told() -> None:
    arms = {"a": ("x", "p"), "b": ("y", "p"), "c": ("x", "q")}
    levels = {arm: {"f": f, "g": g} for arm, (f, g) in arms.items()}
    (found,) = guards.incomplete_factorial(replace(table_of(sound()), levels=levels))
    assert "3 of 4 combinations" in found.message
    assert guards.incomplete_factorial(table_of(sound())) == []


def test_factors_without_a_test_say_why() -> None:
    arms = {"a": ("x", "p"), "b": ("y", "p"), "c": ("x", "q")}
    levels = {arm: {"f": f, "g": g} for arm, (f, g) in arms.items()}
    levels["b"] = {"f": "y", "g": "r"}
    result = analyse(replace(table_of(sound()), levels=levels), Question(baseline="a"), CONTEXT)
    messages = [guard.message for guard in result.guards if guard.guard == "no-factor-test"]
    assert any(
        m.startswith("Factor f has no F test: no combination of the other factors' levels") for m in messages
    )


def test_common_and_unpaired_seeds_are_told() -> None:
    values = sound(seeds=6)
    values[1, 0] = np.nan
    result = analyse(table_of(values), Question(baseline="a"), CONTEXT)
    (found,) = [guard for guard in result.guards if guard.guard == "common-seeds"]
    assert found.message.startswith("Only seeds 2, 3, 4, 5, 6 are common to all arms of: f: b vs a")
    values[1, :3] = np.nan
    values[0, 3:] = np.nan
    assert "b vs a" in severe(table_of(values))["unpaired-seeds"].message


def test_contrasts_short_of_seeds_are_told_apart() -> None:
    values = sound(seeds=5)
    values[2, 2:] = np.nan
    found = severe(table_of(values))
    assert "c vs a" in found["mixed-scopes"].message
    assert "b vs a" not in found["mixed-scopes"].message


def small_seeds(seeds: int, arms: int, declared: int = 0) -> list[Guard]:
    """Guards on small seeds, of all arms against the first and so many declared."""
    names = "bcdefghijkl"[:declared]
    question = Question(baseline="a", hypotheses=[{"arm": f"{name} vs a"} for name in names])
    result = analyse(table_of(sound(arms, seeds)), question, CONTEXT)
    return [guard for guard in result.guards if guard.guard == "small-seed-error"]


def test_optimism_of_five_seeds_is_a_note_that_names_the_family() -> None:
    (found,) = small_seeds(5, 4, declared=3)
    assert (found.severity, found.message) == (
        "note",
        "With 5 seeds one test errs in up to 6% of studies at a nominal 5%, a family of 3 adjusted by Holm "
        "in up to 7%; ten seeds keep both near 6%.",
    )
    assert small_seeds(5, 2) == []
    assert [guard.severity for guard in small_seeds(9, 3)] == ["note"]
    assert small_seeds(10, 6) == []


@pytest.mark.parametrize(
    ("seeds", "arms", "figures"),
    [(3, 2, ["8%"]), (4, 2, ["7%"]), (3, 4, ["8%", "13%"]), (4, 4, ["7%", "9%"]), (4, 5, ["7%", "15%"])],
)
def test_optimism_of_three_and_four_seeds_is_a_warning(seeds: int, arms: int, figures: list[str]) -> None:
    (found,) = small_seeds(seeds, arms)
    assert found.severity == "warning"
    assert all(f"up to {figure}" in found.message for figure in figures)


def test_optimism_of_declared_and_exploratory_families_is_told_apart() -> None:
    (found,) = small_seeds(5, 12, declared=2)
    assert "a family of 2 adjusted by Holm in up to 7%" in found.message
    assert "an exploratory family of 9 adjusted by Holm in up to 11%" in found.message
    (found,) = small_seeds(5, 12)
    assert "a family of 10 adjusted by Holm in up to 11%, and one of 11 in more" in found.message


def test_a_metric_of_another_scope_than_the_primary_one_is_told() -> None:
    scores = table_of(sound(seeds=5))
    rank = MetricScores("rank", sound(seeds=5, clusters=1))
    both = replace(scores, metrics={**scores.metrics, "rank": rank})
    (found,) = [g for g in analyse(both, Question(), CONTEXT).guards if g.guard == "metric-scopes"]
    assert '"new seeds, these queries" for contrasts on rank' in found.message
    assert "metric-scopes" not in {g.guard for g in analyse(scores, Question(), CONTEXT).guards}


def test_other_metrics_have_no_margin_where_there_are_any() -> None:
    scores = table_of(sound())
    more = replace(scores, metrics={**scores.metrics, "mrr": scores.metrics["rsum"]})
    for given, expected in ((scores, False), (more, True)):
        found = {guard.guard for guard in analyse(given, Question(margin=1.0), CONTEXT).guards}
        assert ("margin-metric" in found) is expected


def test_hypotheses_that_ask_the_same_are_told() -> None:
    asked = [{"arm": "b vs a"}, {"f": "a vs b"}, {"f": "c vs a"}]
    result = analyse(table_of(sound()), Question(hypotheses=asked), CONTEXT)
    assert result.design.family == 2
    (found,) = [guard for guard in result.guards if guard.guard == "repeated-hypotheses"]
    assert found.severity == "note"
    assert "f: a vs b is b vs a" in found.message


@pytest.mark.parametrize(("what", "family"), [("primary", 0), ("margin", 0), ("alpha", 1)])
def test_a_question_changed_after_the_runs_is_told_and_may_cost_its_declarations(
    what: str, family: int
) -> None:
    text = "the sweep says 1, this report was asked for 2"
    question = Question(hypotheses=[{"f": "b vs a"}], baseline="a", changed={what: text})
    result = analyse(table_of(sound(seeds=5)), question, CONTEXT)
    (found,) = [guard for guard in result.guards if guard.guard == "changed-question"]
    assert found.severity == "warning"
    assert f"{what}: {text}" in found.message
    assert ("no contrast counts as declared" in found.message) is (family == 0)
    assert result.design.family == sum(contrast.declared for contrast in result.contrasts) == family
    assert sum("; exploratory): " in contrast.sentence for contrast in result.contrasts) == 2 - family


def test_guards_are_ordered_by_severity_and_told_once() -> None:
    note, error = Guard("n", "note", "…"), Guard("e", "error", "…")
    warning = Guard("w", "warning", "…")
    assert guards.ordered([note, warning, error, warning]) == (error, warning, note)


def test_long_lists_are_cut() -> None:
    assert guards.listed(list("abcdefgh")) == "a, b, c, d, e, f and 2 more"
