"""Guards on what runs are made of, how they failed, and what searches saw."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import comb

import numpy as np
import pytest

from crosscut_reports import run_guards, tuning_guards
from crosscut_reports.context import Context, Failure, Tuning
from crosscut_reports.measurement import Table
from crosscut_reports.scores import MetricScores, Scores


def failed(arm: str, count: int) -> list[Failure]:
    return [Failure(arm, "final", seed, "raised", "out of memory") for seed in range(count)]


@pytest.mark.parametrize(
    ("in_b", "elsewhere", "told"), [(3, 0, True), (1, 1, False), (2, 3, False), (5, 1, True)]
)
def test_failures_in_one_arm_are_told_where_chance_does_not_put_them_there(
    in_b: int, elsewhere: int, told: bool
) -> None:
    arms, seeds = 4, 5
    failures = failed("b", in_b) + [
        Failure("acd"[i % 3], "final", i // 3, "lost", "died") for i in range(elsewhere)
    ]
    context = Context("t", failures=failures, planned=arms * seeds)
    total = in_b + elsewhere
    ways = sum(comb(seeds, k) * comb(15, total - k) for k in range(in_b, min(seeds, total) + 1))
    assert (arms * ways / comb(20, total) < 0.05) == told
    found = run_guards.concentrated_failures(context, seeds)
    assert [guard.guard for guard in found] == ["concentrated-failures"] * told
    if told:
        assert f"b ({in_b} of 5)" in found[0].message and found[0].severity == "warning"


def test_the_share_of_chance_is_that_of_all_ways_to_spread_failures() -> None:
    """Three failures over two arms of three seeds, enumerated: all in the first arm 1 way of 20."""
    runs = list(product("ab", range(3)))
    ways = sum(
        1
        for i in range(6)
        for j in range(i + 1, 6)
        for k in range(j + 1, 6)
        if all(runs[n][0] == "b" for n in (i, j, k))
    )
    assert ways / comb(6, 3) == 1 / 20
    context = Context("t", failures=failed("b", 3), planned=6)
    # Two arms, so twice 1/20: not told.
    assert run_guards.concentrated_failures(context, 3) == []
    # Three arms, so three times 1/84.
    assert len(run_guards.concentrated_failures(replace(context, planned=9), 3)) == 1


def test_search_failures_and_a_plan_that_is_not_known_say_nothing() -> None:
    searched = [replace(one, phase="search") for one in failed("b", 5)]
    assert run_guards.concentrated_failures(Context("t", failures=searched, planned=20), 5) == []
    assert run_guards.concentrated_failures(Context("t", failures=failed("b", 5)), 5) == []


def table(values: list[list[float]], higher: bool = True) -> Table:
    arms = tuple("abc"[: len(values)])
    metric = MetricScores("rsum", np.array(values)[:, :, None], None, None, higher)
    return Table(
        Scores(arms, {a: {"f": a} for a in arms}, tuple("12345"[: len(values[0])]), {"rsum": metric}), "rsum"
    )


def test_a_run_far_below_its_arm_has_collapsed() -> None:
    seeds = ("1", "2", "3", "4", "5")
    rows = [[50.0, 51, 9, 52, 49], [10, 11, 9, 10, 12]]
    (found,) = run_guards.collapsed(table(rows), seeds)
    assert (found.guard, found.severity) == ("collapsed-runs", "warning")
    assert found.message.startswith("Below 20% of their arm's median on rsum")
    assert found.message.count("seed") == 1 and "a seed 3" in found.message
    assert run_guards.collapsed(table(rows, higher=False), seeds) == []
    assert run_guards.collapsed(table([[50.0, 1], [50, 50]]), ("1", "2")) == []
    assert run_guards.collapsed(table([[-1.0, -9, -1], [0, 0, 0]]), seeds) == []


def test_missing_runs_have_not_collapsed() -> None:
    assert run_guards.collapsed(table([[50.0, np.nan, 51, 52, 49]]), ("1", "2", "3", "4", "5")) == []


def test_runs_of_several_kinds_are_told_with_their_numbers() -> None:
    context = Context(
        "t",
        mixtures={
            "commit": {"abc": 4, "abd+changes": 1},
            "versions": {"torch 2.12": 2, "torch 2.13": 3},
            "device": {"cpu": 5},
            "workers": {"1": 3, "2": 2},
            "data": {},
            "declaration": {"x": 1, "y": 2},
        },
    )
    found = {guard.guard: guard for guard in run_guards.mixtures(context)}
    assert set(found) == {
        "mixed-commit",
        "mixed-versions",
        "mixed-workers",
        "mixed-declaration",
        "uncommitted-code",
    }
    assert found["mixed-commit"].message.endswith("different commits of the code: abc (4), abd+changes (1).")
    assert found["mixed-workers"].severity == "note" and found["mixed-versions"].severity == "warning"
    assert run_guards.mixtures(Context("t")) == []


def test_a_search_that_saw_test_is_an_error() -> None:
    (found,) = run_guards.seen_in_search(Context("t", seen_in_search=["test/rsum"]))
    assert (found.guard, found.severity) == ("test-in-search", "error")
    assert "test/rsum" in found.message
    assert run_guards.seen_in_search(Context("t")) == []


def test_arms_that_train_as_the_baseline_does_are_told() -> None:
    (found,) = run_guards.same_training(Context("t", same_training=["b", "c"]))
    assert found.message.startswith("b, c reported the baseline's very figures")
    assert run_guards.same_training(Context("t")) == []


def test_best_values_at_an_edge_are_told() -> None:
    tuning = Tuning("b", 4, 0, 0, "dev/rsum", 1.0, {"w": 10.0}, edges=["w at its highest, 10"])
    (found,) = tuning_guards.edges(Context("t", tuning=[replace(tuning, edges=()), tuning]))
    assert (found.guard, found.severity) == ("edge-of-space", "warning")
    assert found.message.endswith("may lie beyond: b: w at its highest, 10.")
    assert tuning_guards.edges(Context("t", tuning=[replace(tuning, edges=())])) == []
