"""What holds of every sampler: it is a function of the trials before it, and of the trial's number."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import optuna
import pytest

from crosscut import study
from crosscut.samplers import SAMPLERS
from crosscut.samplers.grid import axis
from crosscut.samplers.nsga2 import POPULATION
from crosscut.study import Trial
from crosscut.sweepfile.search import Search
from crosscut.sweepfile.space import Parameter

NUMBERS = {
    "lr": {"log_uniform": [1e-4, 1e-1]},
    "depth": {"int": [1, 8]},
    "width": {"log_int": [4, 512]},
    "x": {"uniform": [0, 1]},
}
CHOICE = {"kind": {"choice": ["a", "b", True, 2]}}
OWN = {"lr": 0.01, "depth": 2, "width": 16, "x": 0.5, "kind": "a"}

FEW = {"gp": 8}
"""Trials that are enough of samplers that take their time."""

every_sampler = pytest.mark.parametrize("name", SAMPLERS)
several = pytest.mark.parametrize("name", [name for name, one in SAMPLERS.items() if one.several])


def search(name: str, objectives: int = 1, **changes: Any) -> Search:
    space = NUMBERS | (CHOICE if SAMPLERS[name].choices else {})
    goal: dict[str, Any] = {"metric": "a"}
    if objectives > 1:
        goal = {"metrics": dict(zip("abc"[:objectives], ("max", "min", "max"), strict=False))}
    return Search.model_validate({**goal, "trials": 40, "sampler": name, "space": space, **changes})


def spaced(settings: Search) -> tuple[dict[str, Parameter], dict[str, Any]]:
    return dict(settings.space), {path: OWN[path] for path in settings.space}


def outcome(number: int, values: Mapping[str, Any], objectives: int) -> Trial:
    """Now and then a trial fails, or is pruned."""
    score = -((values["x"] - 0.8) ** 2) - abs(values["depth"] - 6) / 20
    if number % 7 == 4:
        return Trial(values, "failed", None, {})
    if number % 7 == 5:
        return Trial(values, "pruned", score - 1, {1: score - 1})
    further = (values["depth"] / 8, values["x"])[: objectives - 1]
    return Trial(values, "finished", score, {1: score - 1, 2: score}, further)


def searched(settings: Search, trials: int) -> list[Trial]:
    space, own = spaced(settings)
    history: list[Trial] = []
    for number in range(trials):
        values = study.suggest(settings, space, own, history)
        history.append(outcome(number, values, len(settings.objectives)))
    return history


def values_of(history: Sequence[Trial]) -> list[dict[str, Any]]:
    return [dict(trial.values) for trial in history]


def late(history: Sequence[Trial], running: int) -> list[Trial]:
    """The history as one sees it while the last trials run."""
    return [
        *history[: len(history) - running],
        *(Trial(one.values, "running", None, {}) for one in history[len(history) - running :]),
    ]


@every_sampler
def test_values_lie_in_the_space_have_its_types_and_travel_as_json(name: str) -> None:
    settings = search(name)
    space, _ = spaced(settings)
    kinds = {"lr": float, "depth": int, "width": int, "x": float}
    for trial in searched(settings, FEW.get(name, 12)):
        assert set(trial.values) == set(space)
        for path, value in trial.values.items():
            assert space[path].contains(value)
            assert type(value) is kinds.get(path, type(value))
        assert json.loads(json.dumps(dict(trial.values))) == trial.values


@every_sampler
def test_the_same_history_gives_the_same_values_whatever_global_generators_say(name: str) -> None:
    first = searched(search(name), FEW.get(name, 12))
    random.seed(99)
    np.random.seed(99)  # noqa: NPY002
    optuna.samplers.RandomSampler(seed=3)
    assert values_of(searched(search(name), len(first))) == values_of(first)


@every_sampler
def test_nothing_is_remembered_between_calls(name: str) -> None:
    settings = search(name)
    space, own = spaced(settings)
    history = searched(settings, FEW.get(name, 12))
    last = len(history) - 1
    for number in (last, 2, 5, 0, last):
        assert study.suggest(settings, space, own, history[:number]) == history[number].values


@every_sampler
def test_another_seed_gives_other_values(name: str) -> None:
    one, other = (values_of(searched(search(name, seed=seed), 4)) for seed in (1, 2))
    assert one[0] == other[0] == {path: OWN[path] for path in one[0]}
    assert one[1:] != other[1:]


@every_sampler
def test_no_trial_repeats_the_one_before(name: str) -> None:
    tried = values_of(searched(search(name, seed=5), FEW.get(name, 15)))
    assert all(one != other for one, other in pairwise(tried))


@every_sampler
@pytest.mark.parametrize("running", [1, 3])
def test_trials_that_still_run_are_seen_without_their_scores(name: str, running: int) -> None:
    settings = search(name, parallel=running + 1)
    space, own = spaced(settings)
    history = searched(search(name), FEW.get(name, 12))
    better = [Trial(one.values, "finished", 9.0, {1: 9.0}) for one in history[-running:]]
    found = [
        study.suggest(settings, space, own, late([*history[:-running], *rest], running))
        for rest in (history[-running:], better)
    ]
    assert found[0] == found[1]
    assert all(space[path].contains(value) for path, value in found[0].items())


@every_sampler
def test_a_search_of_nothing_but_failures_goes_on(name: str) -> None:
    settings = search(name)
    space, own = spaced(settings)
    history: list[Trial] = []
    for _ in range(8):
        values = study.suggest(settings, space, own, history)
        assert all(space[path].contains(value) for path, value in values.items())
        history.append(Trial(values, "failed", None, {}))


@every_sampler
def test_one_parameter_is_enough(name: str) -> None:
    settings = search(name, space={"x": {"uniform": [0, 1]}}, trials=12)
    space = {"x": Parameter.parse({"uniform": [0, 1]})}
    history: list[Trial] = []
    for _ in range(study.budget(settings, space, {"x": 0.5})):
        values = study.suggest(settings, space, {"x": 0.5}, history)
        history.append(Trial(values, "finished", -abs(values["x"] - 0.2), {}))
    assert len({trial.values["x"] for trial in history}) == len(history) >= 5


@several
@pytest.mark.parametrize("objectives", [2, 3])
def test_several_metrics_are_taken(name: str, objectives: int) -> None:
    settings = search(name, objectives)
    space, own = spaced(settings)
    trials = 6 if name == "gp" else 12
    history = searched(settings, trials)
    assert all(space[path].contains(value) for one in history for path, value in one.values.items())
    assert study.suggest(settings, space, own, history[:-1]) == history[-1].values
    values = study.suggest(settings, space, own, late(history, 2))
    assert all(space[path].contains(value) for path, value in values.items())


@pytest.mark.parametrize("name", ["tpe", "gp", "cmaes", "nsga2"])
def test_what_is_seen_is_learnt_from(name: str) -> None:
    space = {"x": {"uniform": [0, 1]}, "lr": {"log_uniform": [0.001, 1]}}
    settings = search(name, space=space)

    def error(history: Sequence[Trial]) -> float:
        return sum(abs(trial.values["x"] - 0.8) for trial in history) / len(history)

    history: list[Trial] = []
    for _ in range(22 if name == "gp" else 70):
        values = study.suggest(settings, dict(settings.space), {"x": 0.1, "lr": 0.002}, history)
        history.append(Trial(values, "finished", -((values["x"] - 0.8) ** 2), {}))
    assert error(history[-10:]) < 0.6 * error(history[:10])
    assert error(history[-10:]) < 0.22


@pytest.mark.parametrize("name", ["tpe", "nsga2", "gp"])
def test_the_second_metric_is_learnt_from_too(name: str) -> None:
    """What is best for the one is worst for the other in `x`; `z` is a cost to both."""
    space = {"x": {"uniform": [0, 1]}, "z": {"uniform": [0, 1]}}
    settings = search(name, 2, space=space)
    history: list[Trial] = []
    for _ in range(20 if name == "gp" else 70):
        values = study.suggest(settings, dict(settings.space), {"x": 0.5, "z": 0.9}, history)
        up, down = values["x"] - values["z"], values["x"] + values["z"]
        history.append(Trial(values, "finished", up, {}, (down,)))
    costs = [trial.values["z"] for trial in history]
    assert sum(costs[-8:]) / 8 < 0.75 * sum(costs[:8]) / 8


def test_pruned_and_failed_trials_count_with_the_worst_of_what_they_never_came_to() -> None:
    from crosscut.samplers.asked import Asked

    settings = search("tpe", 3)
    history = [
        Trial({}, "finished", 1.0, {}, (5.0, 7.0)),
        Trial({}, "finished", 2.0, {}, (3.0, 4.0)),
        Trial({}, "pruned", 0.5, {}),
        Trial({}, "failed", None, {}),
        Trial({}, "running", None, {}),
    ]
    asked = Asked({}, settings.objectives, (), history)
    # `b` is better when low, `c` when high
    assert [asked.told(trial) for trial in history] == [
        (1.0, 5.0, 7.0), (2.0, 3.0, 4.0), (0.5, 5.0, 4.0), (0.5, 5.0, 4.0), None
    ]  # fmt: skip
    alone = Asked({}, settings.objectives, (), history[2:])
    assert [alone.told(trial) for trial in alone.history] == [None, None, None]
    one = Asked({}, search("tpe").objectives, (), history[2:])
    assert [one.told(trial) for trial in one.history] == [(0.5,), (0.5,), None]


def test_old_searches_go_on_as_their_records_were_made() -> None:
    """`tpe` and `random` are asked as they always were, so recorded trials keep the values they were given."""
    for name in ("tpe", "random"):
        for parallel in (1, 3):
            settings = search(name, parallel=parallel, startup=2, seed=4)
            history = late(searched(settings, 11), parallel - 1)
            space, own = spaced(settings)
            assert study.suggest(settings, space, own, history) == _as_ever(settings, history)


def _as_ever(settings: Search, history: Sequence[Trial]) -> dict[str, Any]:
    import hashlib

    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
    from optuna.trial import TrialState, create_trial

    distributions = {
        "depth": IntDistribution(1, 8),
        "kind": CategoricalDistribution(("a", "b", True, 2)),
        "lr": FloatDistribution(1e-4, 1e-1, log=True),
        "width": IntDistribution(4, 512, log=True),
        "x": FloatDistribution(0, 1),
    }
    text = f"crosscut search {settings.seed} trial {len(history)}".encode()
    seed = int.from_bytes(hashlib.sha256(text).digest()[:4], "big")
    sampler = (
        optuna.samplers.TPESampler(
            seed=seed,
            n_startup_trials=settings.startup,
            multivariate=True,
            constant_liar=settings.parallel > 1,
        )
        if settings.sampler == "tpe"
        else optuna.samplers.RandomSampler(seed=seed)
    )
    states = {"finished": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL", "running": "RUNNING"}
    made = optuna.create_study(sampler=sampler, direction="maximize")
    for trial in history:
        made.add_trial(
            create_trial(
                state=TrialState[states[trial.state]],
                value=trial.score,
                params=dict(trial.values),
                distributions=distributions,
                intermediate_values=dict(trial.steps),
            )
        )
    return dict(made.ask(distributions).params)


class TestGrid:
    def test_every_combination_comes_once_and_then_there_are_no_more(self) -> None:
        space = {"x": {"uniform": [0, 1]}, "n": {"int": [1, 3]}, "kind": {"choice": ["a", "b"]}}
        settings = search("grid", space=space, grid_points=3, trials=100)
        own = {"x": 0.5, "n": 2, "kind": "b"}
        budget = study.budget(settings, dict(settings.space), own)
        history: list[Trial] = []
        for _ in range(budget):
            values = study.suggest(settings, dict(settings.space), own, history)
            history.append(Trial(values, "finished", 1.0, {}))
        tried = {(t.values["x"], t.values["n"], t.values["kind"]) for t in history}
        assert budget == 18 == len(tried)
        assert tried == {(x, n, k) for x in (0.0, 0.5, 1.0) for n in (1, 2, 3) for k in "ab"}
        assert history[0].values == own

    def test_own_values_beside_the_grid_are_one_more(self) -> None:
        settings = search("grid", space={"x": {"uniform": [0, 1]}}, grid_points=3, trials=100)
        assert study.budget(settings, dict(settings.space), {"x": 0.4}) == 4
        assert study.budget(settings, dict(settings.space), {"x": 4.0}) == 3
        assert study.budget(settings, {}, {}) == 0

    def test_trials_are_a_limit_and_a_longer_search_goes_on(self) -> None:
        short, long = (searched(search("grid", trials=trials), 9) for trials in (9, 40))
        assert values_of(short) == values_of(long)
        settings = search("grid", trials=9)
        assert study.budget(settings, *spaced(settings)) == 9

    @pytest.mark.parametrize(
        ("parameter", "count", "expected"),
        [
            ({"uniform": [0, 1]}, 5, [0.0, 0.25, 0.5, 0.75, 1.0]),
            ({"uniform": [0.1, 0.4]}, 4, [0.1, 0.2, 0.3, 0.4]),
            ({"log_uniform": [0.001, 1]}, 4, [0.001, 0.01, 0.1, 1.0]),
            ({"uniform": [0, 1]}, 2, [0.0, 1.0]),
            ({"int": [-3, 1]}, 5, [-3, -2, -1, 0, 1]),
            ({"int": [-10, 10]}, 5, [-10, -5, 0, 5, 10]),
            ({"log_int": [1, 1000]}, 4, [1, 10, 100, 1000]),
            ({"log_int": [1, 3]}, 9, [1, 2, 3]),
            ({"choice": ["b", "a"]}, 5, ["b", "a"]),
        ],
    )
    def test_an_axis_goes_from_bound_to_bound(
        self, parameter: dict[str, Any], count: int, expected: list[Any]
    ) -> None:
        found = axis(Parameter.parse(parameter), count)
        assert found == expected
        assert [type(value) for value in found] == [type(value) for value in expected]


def test_sobols_sequence_fills_every_part_of_the_space_alike() -> None:
    """Any 16 points from the first on have one in each sixteenth of every parameter's range."""
    settings = search(
        "qmc", space={"x": {"uniform": [0, 1]}, "y": {"uniform": [0, 1]}, "n": {"int": [0, 15]}}
    )
    space, history = dict(settings.space), [Trial({"x": 0.5, "y": 0.5, "n": 1}, "finished", 1.0, {})]
    for _ in range(16):
        history.append(Trial(study.suggest(settings, space, history[0].values, history), "finished", 1.0, {}))
    for path in ("x", "y"):
        assert sorted(int(16 * trial.values[path]) for trial in history[1:]) == list(range(16))
    assert sorted(trial.values["n"] for trial in history[1:]) == list(range(16))


def test_a_generation_is_as_large_as_the_file_says() -> None:
    """Within the first generation nothing is learnt, so scores have no say."""
    for size in (4, POPULATION):
        settings = search("nsga2", population=size)
        space, own = spaced(settings)
        history = searched(settings, 30)
        good = [Trial(one.values, "finished", float(one.values["x"]), {}) for one in history]
        bad = [Trial(one.values, "finished", -float(one.values["x"]), {}) for one in history]
        same = [
            study.suggest(settings, space, own, good[:number])
            == study.suggest(settings, space, own, bad[:number])
            for number in (size - 1, size + 3)
        ]
        assert same == [True, False]


@pytest.mark.slow
def test_no_sampler_depends_on_the_order_of_hashes() -> None:
    program = (
        "import json, sys, importlib.util\n"
        "spec = importlib.util.spec_from_file_location('t', sys.argv[1])\n"
        "t = importlib.util.module_from_spec(spec); spec.loader.exec_module(t)\n"
        "print(json.dumps([t.values_of(t.searched(t.search(n), 14)) for n in t.SAMPLERS]))\n"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program, __file__],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1 and len(json.loads(said.pop())) == len(SAMPLERS)


def test_choosing_values_is_imported_without_what_it_computes_with() -> None:
    program = "import sys, crosscut.plan; print({'optuna', 'torch', 'cmaes'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
