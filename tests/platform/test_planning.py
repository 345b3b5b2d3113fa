"""`crosscut power`: what it takes to find a difference, from a pilot or from given spreads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crosscut.errors import InputError
from crosscut.planning import Asked, from_pilot, from_spreads, whole_numbers
from crosscut.publication import Wishes, analysed
from crosscut_reports.power import Parts, power, seeds_needed

Command = Callable[..., Any]


@pytest.fixture
def pilot(tmp_path: Path) -> Path:
    """Two arms with four seeds and 60 queries."""
    draw = np.random.default_rng(0)
    lines = ["config,seed,query,metric,value"]
    hard = draw.normal(0, 10, 60)
    for arm in ("old", "new"):
        for seed in range(4):
            values = 50 + hard + draw.normal(0, 1) + draw.normal(0, 8, 60)
            lines += [f"{arm},{seed},q{query},score,{value}" for query, value in enumerate(values)]
    path = tmp_path / "pilot.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_given_spreads_make_the_plan_that_the_formulas_do() -> None:
    made = from_spreads(2.0, 10.0, 20.0, Asked(differences=(3.0,), seeds=(4, 8), queries=400, family=3))
    parts = Parts(2.0, 10.0, 20.0)
    assert [(point.seeds, point.power) for point in made.plan.points] == [
        (seeds, power(parts, seeds, 400, 3.0, family=3)) for seeds in (4, 8)
    ]
    expected = seeds_needed(parts, 400, 3.0, family=3, fewest=2)
    assert made.plan.needed == ((3.0, expected.count, expected.never),)
    assert made.plan.contrasts == 0 and made.notes == ()


def test_without_queries_the_metric_is_known_per_run() -> None:
    made = from_spreads(2.0, 0.0, 0.0, Asked(differences=(3.0,), seeds=(5,)))
    assert (made.plan.scope, made.plan.clusters) == ("seeds", None)
    assert made.plan.points[0].power == power(Parts(2.0), 5, 1, 3.0, scope="seeds")


def test_where_more_seeds_cannot_help_it_says_how_many_queries_would() -> None:
    made = from_spreads(0.1, 10.0, 0.0, Asked(differences=(0.5,), queries=100))
    (note,) = made.notes
    assert note.startswith(
        "More seeds cannot help there; clusters of queries needed with 10 seeds: 0.5 points: "
    )
    assert made.plan.needed == ((0.5, None, True),)


def test_a_pilot_gives_its_own_spread_and_how_uncertain_that_is(pilot: Path) -> None:
    made = from_pilot(str(pilot), Asked(baseline="old", differences=(2.0,)))
    (contrast,) = analysed(str(pilot), Wishes(baseline="old")).contrasts
    plan = made.plan
    assert (plan.sd_seed, plan.sd_query, plan.sd_residual) == pytest.approx(
        (contrast.sd_seed, contrast.sd_query, contrast.sd_residual)
    )
    assert (plan.metric, plan.clusters, plan.contrasts, plan.family) == ("score", 60, 1, 1)
    assert 4 in {point.seeds for point in plan.points}
    assert made.notes[0].startswith("The pilot has 4 seeds") and " to " in made.notes[0]
    larger = from_pilot(str(pilot), Asked(baseline="old", differences=(2.0,), queries=6000)).plan
    assert all(a.power < b.power for a, b in zip(plan.points, larger.points, strict=True))


def test_the_command_shows_a_table_and_writes_the_curve(
    crosscut: Command, pilot: Path, tmp_path: Path
) -> None:
    told = crosscut(
        "power", str(pilot), "--difference", "2", "--seeds", "3,6", "--out", str(tmp_path / "c.svg")
    )
    assert told.code == 0, told.errors
    lines = told.output.splitlines()
    assert lines[0].startswith("The chance that a two-sided test at α = 0.05 finds a true difference")
    assert lines[1].split() == ["Points", "3", "6", "seeds", "for", "0.8"]
    assert lines[2].split()[0] == "2"
    assert (tmp_path / "c.svg").read_text().count("data-difference") == 1
    told = crosscut("power", "--sd-seed", "2", "--difference", "3")
    assert told.code == 0 and "from the given spread: σ seed 2" in told.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "found no one basis, expected either a pilot"),
        (("pilot.csv", "--sd-seed", "1"), "found no one basis"),
        (("--sd-seed", "-1"), "--sd-seed: found -1.0, expected a number of at least 0"),
        (("--sd-seed", "0"), "--sd-seed: found 0, expected something that varies"),
        (("--sd-seed", "1", "--sd-query", "2"), "--queries: this is missing"),
        (("--sd-seed", "1", "--seeds", "3;5"), "--seeds: found '3;5', expected numbers"),
        (("--sd-seed", "1", "--seeds", "1,5"), "--seeds: found '1,5'"),
        (("--sd-seed", "1", "--difference", "0"), "--difference: found 0.0, expected a positive"),
        (("--sd-seed", "1", "--power", "1"), "--power: found 1.0, expected a number between"),
        (("--sd-seed", "1", "--alpha", "0.6"), "--alpha: found 0.6, expected"),
        (("--sd-seed", "1", "--out", "c.png"), "--out: found 'c.png', expected a file that ends in .svg"),
        (("--sd-seed", "1", "--out", "no/c.svg"), "--out: 'no/c.svg' cannot be written"),
        (("nowhere.csv",), "nowhere.csv: no such file"),
        (("pilot.csv", "--metric", "scoer"), "did you mean 'score'"),
    ],
)
def test_wrong_input_is_told_in_one_sentence(
    crosscut: Command, pilot: Path, arguments: tuple[str, ...], message: str
) -> None:
    told = crosscut("power", *arguments)
    assert told.code == 2 and message in told.errors, told
    assert told.errors.count("\n") == 1


def test_two_seeds_are_no_pilot(pilot: Path, tmp_path: Path) -> None:
    lines = pilot.read_text().splitlines()
    few = tmp_path / "few.csv"
    few.write_text("\n".join([lines[0], *(line for line in lines[1:] if line.split(",")[1] in "01")]) + "\n")
    with pytest.raises(InputError, match="found 2 seeds, too few to tell how score varies"):
        from_pilot(str(few), Asked())


def test_what_does_not_vary_is_no_pilot(tmp_path: Path) -> None:
    same = tmp_path / "same.csv"
    rows = [f"{arm},{seed},m,1" for arm in "ab" for seed in range(3)]
    same.write_text("\n".join(["config,seed,metric,value", *rows]) + "\n")
    with pytest.raises(InputError, match="no contrast on m varies"):
        from_pilot(str(same), Asked())


def test_numbers_of_seeds_are_read_once_each_and_in_order() -> None:
    assert whole_numbers("10, 3,3") == (3, 10) and whole_numbers(None) == ()
