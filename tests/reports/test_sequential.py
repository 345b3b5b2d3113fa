"""The sequential test against its known answer, its dual interval, and the errors that it promises."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import integrate, stats

from crosscut_reports import sequential
from crosscut_reports.adjustment import holm
from crosscut_reports.sequential import Course, confidence_sequence, e_value, follow, log_e, open_arms

Array = NDArray[np.float64]


def t_of(r: Array) -> float:
    return float(stats.ttest_1samp(r, 0).statistic)


def one(r: Array, **asked: Any) -> Course:
    given = {"alpha": 0.05, "margin": 0.0, "minimum": 3, "maximum": r.size, **asked}
    return follow({"a": r}, **given)["a"]


def test_the_known_answer() -> None:
    assert e_value(2.5, 12) == pytest.approx(3.19107488, abs=5e-9)


def test_it_is_the_likelihood_of_t_mixed_over_effect_sizes() -> None:
    """Against noncentral t densities, integrated over the prior."""
    n, g, t = 7, 1.5, 1.9

    def mixed(size: float) -> float:
        return float(stats.nct.pdf(t, n - 1, size * math.sqrt(n)) * stats.norm.pdf(size, 0, math.sqrt(g)))

    expected = integrate.quad(mixed, -12, 12, limit=200)[0] / stats.t.pdf(t, n - 1)
    assert e_value(t, n, g) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("n", [5, 6, 9, 20, 60])
def test_the_interval_leaves_out_zero_exactly_where_e_rejects(n: int) -> None:
    generator = np.random.default_rng(n)
    sides = []
    for shift in np.linspace(0, 3, 60):
        r = generator.normal(shift, 1, n)
        interval = confidence_sequence(r, 0.05)
        assert interval is not None
        rejected = e_value(t_of(r), n) >= 1 / 0.05
        assert rejected == (interval[0] > 0 or interval[1] < 0)
        sides.append(rejected)
    assert any(sides) and not all(sides)


def test_the_interval_has_no_bounds_before_five_seeds() -> None:
    assert [confidence_sequence(np.arange(float(n)), 0.05) is None for n in range(8)] == [True] * 5 + [
        False
    ] * 3


def test_the_bounds_of_the_interval_are_what_e_just_rejects() -> None:
    r = np.random.default_rng(0).normal(2, 1, 11)
    interval = confidence_sequence(r, 0.1, g=0.5)
    assert interval is not None
    for bound in interval:
        assert e_value(t_of(r - bound), 11, 0.5) == pytest.approx(10)


def test_scale_and_sign_make_no_difference() -> None:
    r = np.random.default_rng(1).normal(0.7, 1, 14)
    course, scaled, turned = one(r), one(1e-6 * r), one(-r)
    assert [look.e for look in course.looks] == pytest.approx([look.e for look in scaled.looks])
    assert [look.e for look in course.looks] == pytest.approx([look.e for look in turned.looks])
    assert {course.reason, turned.reason} == {"better", "worse"}


def test_large_statistics_do_not_overflow() -> None:
    assert math.isfinite(float(log_e(np.array(1e150), 500)))
    assert e_value(math.inf, 12) == pytest.approx(e_value(1e9, 12))
    assert e_value(3.0, 1) == 1.0


def test_the_error_holds_at_every_look_where_testing_again_and_again_does_not() -> None:
    """2,000 paths without an effect. Published: .027 stop by 60 seeds; testing anew each time .230 by 20."""
    r = np.random.default_rng(2).normal(0, 1, (2000, 60))
    counts = np.arange(1, 61)
    means = r.cumsum(1) / counts
    squares = (r**2).cumsum(1) - counts * means**2
    t = means[:, 2:] / np.sqrt(squares[:, 2:] / (counts[2:] - 1) / counts[2:])
    crossed = np.stack([log_e(t[:, place], int(n)) for place, n in enumerate(counts[2:])], 1) >= math.log(20)
    assert 0.016 < crossed.any(1).mean() < 0.038
    naive = np.abs(t[:, :18]) > stats.t.ppf(0.975, counts[2:20] - 1)
    assert 0.2 < naive.any(1).mean() < 0.26


def test_a_large_effect_is_found_with_few_seeds() -> None:
    generator = np.random.default_rng(3)
    found = [one(generator.normal(2, 1, 20)) for _ in range(60)]
    assert {course.reason for course in found} == {"better"}
    assert 5 <= np.median([course.round for course in found]) <= 9


def test_a_family_errs_no_more_often_than_one() -> None:
    """150 families of three without an effect: 7.5 errors at most, give or take 3 × 2.7."""
    generator = np.random.default_rng(4)
    wrong = 0
    for _ in range(150):
        values = {name: generator.normal(0, 1, 12) for name in "abc"}
        found = follow(values, alpha=0.05, margin=0, minimum=3, maximum=12)
        wrong += any(course.reason in ("better", "worse") for course in found.values())
    assert wrong <= 15


def test_a_family_is_adjusted_by_holm_at_every_round() -> None:
    generator = np.random.default_rng(5)
    values = {name: generator.normal(size, 1, 14) for name, size in zip("abc", (2.5, 0.9, 0.6), strict=True)}
    found = follow(values, alpha=0.05, margin=0, minimum=3, maximum=14)
    settled: dict[str, int] = {}
    p = dict.fromkeys(values, 1.0)
    for at in range(3, 15):
        for name, r in values.items():
            if name not in settled:
                p[name] = min(p[name], 1 / e_value(t_of(r[:at]), at))
        for name, adjusted in zip(values, holm(list(p.values())), strict=True):
            if name not in settled and adjusted <= 0.05:
                settled[name] = at
                assert found[name].p_adjusted == pytest.approx(adjusted)
    assert settled == {name: c.round for name, c in found.items() if c.reason == "better"}
    assert "a" in settled


def test_a_difference_within_the_margin_is_equivalent() -> None:
    r = np.random.default_rng(6).normal(0.01, 0.1, 12)
    course = one(r, margin=1.0)
    assert course.reason == "equivalent" and course.round < 12
    assert one(r).reason != "equivalent"
    inside = confidence_sequence(r[: course.round], 0.1)
    before = confidence_sequence(r[: course.round - 1], 0.1)
    assert inside is not None and max(map(abs, inside)) < 1
    assert before is None or max(map(abs, before)) >= 1


def test_what_cannot_be_settled_within_the_maximum_is_futile() -> None:
    r = np.array([1.0, -1, 0.9, -0.9, 1.1, -1.1, 0.8, -0.8])
    course = one(r)
    assert course.reason == "futile" and course.round < 8
    # With many more seeds to come there is a chance.
    longer = follow({"a": r[:4]}, alpha=0.05, margin=0, minimum=3, maximum=200)["a"]
    assert longer.reason is None


def test_at_the_maximum_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequential, "FUTILE", 0.0)
    course = one(np.array([1.0, -1, 0.9, -0.9, 1.1, -1.1]))
    assert (course.reason, course.round) == ("maximum", 6)


def test_the_chance_agrees_with_the_share_of_what_follows() -> None:
    """Of many studies with these first five values, as the flat prior has them."""
    r = np.array([0.9, 1.8, 0.2, 1.1, 0.7])
    chance = sequential._chance(r, 0.05, 0.05, 0.0, 3, 1.0)
    generator = np.random.default_rng(7)
    settled = 0
    for _ in range(600):
        sigma = math.sqrt(4 * r.var(ddof=1) / generator.chisquare(4))
        mean = generator.normal(r.mean(), sigma / math.sqrt(5))
        whole = np.concatenate([r, generator.normal(mean, sigma, 3)])
        settled += any(e_value(t_of(whole[:n]), n) >= 20 for n in (6, 7, 8))
    assert chance == pytest.approx(settled / 600, abs=0.07)


def test_what_is_settled_stays_so_and_leaves_the_rounds_to_others() -> None:
    generator = np.random.default_rng(8)
    quick, slow = generator.normal(5, 1, 9), generator.normal(0.8, 1, 20)
    found = follow({"quick": quick, "slow": slow}, alpha=0.05, margin=0, minimum=3, maximum=20)
    assert found["quick"].reason == "better" and found["quick"].round < 9
    assert found["slow"].round > found["quick"].round
    turned = np.concatenate([quick[: found["quick"].round], np.full(15, -9.0)])
    again = follow({"quick": turned, "slow": slow}, alpha=0.05, margin=0, minimum=3, maximum=20)
    assert again == found


def test_a_round_waits_for_every_open_hypothesis() -> None:
    generator = np.random.default_rng(9)
    long, short = generator.normal(5, 1, 9), generator.normal(0, 1, 2)
    found = follow({"long": long, "short": short}, alpha=0.05, margin=0, minimum=3, maximum=9)
    assert [(course.reason, course.round, course.looks) for course in found.values()] == [(None, 0, ())] * 2


def test_seeds_without_a_result_are_given_out_and_not_counted() -> None:
    r = np.random.default_rng(10).normal(3, 1, 9)
    holed = r.copy()
    holed[1] = np.nan
    course = one(holed)
    assert course.looks[0].seeds == 2 and course.looks[0].estimate == pytest.approx(np.nanmean(holed[:3]))
    kept = one(np.delete(r, 1), minimum=2)
    assert course.looks[-1].e == kept.looks[-1].e and course.round == kept.round + 1


def test_sides_that_are_the_same_say_nothing_and_a_constant_difference_much() -> None:
    same = one(np.zeros(6))
    assert same.reason == "futile" and same.looks[-1].e == pytest.approx(1 / math.sqrt(4))
    assert one(np.zeros(6), margin=1.0).reason == "equivalent"
    assert one(np.full(8, 0.5)).reason == "better"


def test_infinite_values_are_refused() -> None:
    with pytest.raises(ValueError, match="infinite"):
        one(np.array([1.0, np.inf, 2.0]))


def test_arms_of_open_hypotheses_need_another_seed() -> None:
    weights = {"a": {"x": 1.0, "y": -1.0}, "b": {"y": 1.0, "z": -1.0, "w": 0.0}}
    settled, going_on = Course((), "better", 5, 0.01), Course((), None, 5, 0.5)
    assert open_arms(weights, {"a": settled, "b": going_on}) == {"y", "z"}
    assert open_arms(weights, {"a": settled, "b": settled}) == set()
