"""What is tried before the sampler has a say."""

from __future__ import annotations

from typing import Any

import pytest

from crosscut import study
from crosscut.starts import starts
from crosscut.study import Trial
from crosscut.sweepfile.search import Search
from crosscut.sweepfile.space import Parameter

SPACE = {
    "lr": Parameter.parse({"log_uniform": [1e-4, 1e-1]}),
    "depth": Parameter.parse({"int": [1, 8]}),
    "x": Parameter.parse({"uniform": [0, 1]}),
}
OWN = {"lr": 0.01, "depth": 2, "x": 0.5}


def test_an_arms_own_values_come_first_where_the_space_has_them_all() -> None:
    assert starts(SPACE, OWN, [], 0) == [OWN]
    assert starts(SPACE, {**OWN, "x": 2.0}, [], 0) == []
    assert starts({}, {}, [{"x": 0.1}], 0) == []


def test_points_follow_in_their_order_with_the_arms_own_values_where_they_say_nothing() -> None:
    points = [{"x": 0.25, "lr": 0.001, "depth": 3}, {"depth": 5}]
    assert starts(SPACE, OWN, points, 0) == [OWN, points[0], {**OWN, "depth": 5}]


def test_a_point_is_cut_to_the_parameters_that_the_arm_has() -> None:
    few = {"x": SPACE["x"]}
    assert starts(few, {"x": 0.5}, [{"lr": 0.001, "x": 0.25}, {"lr": 0.01}], 0) == [{"x": 0.5}, {"x": 0.25}]


def test_nothing_is_tried_twice() -> None:
    points = [{"x": 0.5}, {"x": 0.25}, {"x": 0.25, "depth": 2}, {"x": 0.75}]
    assert [start["x"] for start in starts(SPACE, OWN, points, 0)] == [0.5, 0.25, 0.75]


def test_what_neither_a_point_nor_the_arm_has_is_drawn_by_the_seed() -> None:
    strange = {**OWN, "x": 2.0}
    first, again, other = (starts(SPACE, strange, [{"depth": 3}], seed) for seed in (1, 1, 2))
    assert first == again != other
    assert all(SPACE[path].contains(value) for path, value in first[0].items())
    assert (first[0]["depth"], first[0]["lr"]) == (3, 0.01)


def test_whole_numbers_among_real_ones_are_real() -> None:
    (_, found) = starts(SPACE, OWN, [{"x": 1, "depth": 1}], 0)
    assert type(found["x"]) is float and type(found["depth"]) is int


def search(**changes: Any) -> Search:
    space = {path: parameter.to_json() for path, parameter in SPACE.items()}
    return Search.model_validate({"metric": "m", "trials": 20, "space": space, **changes})


@pytest.mark.parametrize("sampler", ["tpe", "random", "cmaes", "grid", "qmc", "nsga2"])
def test_the_sampler_goes_on_after_the_points(sampler: str) -> None:
    settings = search(sampler=sampler, points=[{"x": 0.25}, {"depth": 7}])
    history: list[Trial] = []
    for number in range(8):
        values = study.suggest(settings, SPACE, OWN, history)
        history.append(Trial(values, "finished", float(number), {}))
    tried = [dict(trial.values) for trial in history]
    assert tried[:3] == [OWN, {**OWN, "x": 0.25}, {**OWN, "depth": 7}]
    assert all(SPACE[path].contains(value) for one in tried for path, value in one.items())
    assert all(one not in tried[:number] for number, one in enumerate(tried))
