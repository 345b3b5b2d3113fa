"""The section `search` of a sweep file: its identity, and what is wrong with one."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest

from crosscut.arms.arm import Arm
from crosscut.arms.experiment import Experiment
from crosscut.errors import InputError
from crosscut.plan import reconcile
from crosscut.samplers import SAMPLERS
from crosscut.sweepfile.search import Search
from crosscut.sweepfile.space import Parameter
from crosscut.sweepfile.sweep import Sweep

SEARCH = {
    "metric": "dev/rsum",
    "trials": 4,
    "space": {"a.x": {"uniform": [0, 1]}, "a.n": {"int": [1, 4]}, "a.k": {"choice": ["b", "c"]}},
}
SEVERAL = {
    **{key: value for key, value in SEARCH.items() if key != "metric"},
    "metrics": {"dev/rsum": "max", "seconds": "min"},
}


def sweep(**search: Any) -> Sweep:
    return Sweep.from_json(
        {
            "name": "s",
            "trainable": "m:f",
            "factors": {"effect": {"none": {"effect": 0}, "some": {"effect": 1}}},
            "design": {"kind": "full-factorial"},
            "seeds": {"count": 2},
            "search": search,
        }
    )


def refused(**search: Any) -> str:
    with pytest.raises(InputError) as caught:
        sweep(**search)
    return str(caught.value)


def identity(**changes: Any) -> dict[str, Any]:
    return Search.model_validate({**SEARCH, **changes}).identity()


class TestIdentity:
    OLD: ClassVar[dict[str, Any]] = {
        "metric": "dev/rsum",
        "mode": "max",
        "sampler": "tpe",
        "seed": 0,
        "startup": 3,
        "parallel": 1,
        "pruning": {"kind": "median", "warmup": 1, "startup": 2},
    }
    """What the identity of a search was when there were fewer keys."""

    def test_a_search_without_later_keys_is_what_it_was(self) -> None:
        assert identity() == self.OLD
        pruning = {"kind": "none", "warmup": 1, "startup": 2}
        assert identity(pruning={"kind": "none"}) == {**self.OLD, "pruning": pruning}
        assert identity(mode="min", sampler="random", parallel=2) == {
            **self.OLD, "mode": "min", "sampler": "random", "parallel": 2
        }  # fmt: skip

    def test_the_keys_of_old_records_are_theirs_still(self) -> None:
        """Keys that records of this search have had from the first version on."""
        made = sweep(metric="dev/rsum", trials=4, parallel=1, space={"x": {"uniform": [0, 1]}})
        space = {"x": Parameter.parse({"uniform": [0, 1]})}
        arm = Arm("none", {"effect": "none"}, {"effect": 0, "x": 0.5}, space, "d", 10.0)
        plan = reconcile(Experiment(made, (arm,), arm), lambda _: None).arms[0]
        assert [plan.trial_key(index) for index in (0, 1)] == ["2b280ff6c29f01eb3360", "9f55eba0326fe466128a"]

    def test_later_keys_at_their_defaults_change_nothing(self) -> None:
        assert identity(points=[], population=None, grid_points=5, share=[], choose={}) == self.OLD
        assert identity(pruning={"patience": 0}) == self.OLD

    @pytest.mark.parametrize(
        "changes",
        [
            {"sampler": "qmc"},
            {"points": [{"a.x": 0.5}]},
            {"sampler": "nsga2", "population": 4},
            {"pruning": {"patience": 1}},
            {"pruning": {"kind": "percentile"}},
            {"pruning": {"kind": "percentile", "worst": 30.0}},
            {"pruning": {"kind": "threshold", "value": 1.0}},
            {"pruning": {"kind": "halving"}},
            {"pruning": {"kind": "halving", "reduction": 2}},
            {"sampler": "grid", "grid_points": 3},
            {"metrics": {"dev/rsum": "max", "seconds": "min"}},
        ],
    )
    def test_what_decides_values_is_part_of_it(self, changes: dict[str, Any]) -> None:
        found = identity(**changes)
        assert found != self.OLD
        assert json.loads(json.dumps(found)) == found
        less = {key: value for key, value in changes.items() if key not in ("points", "population")}
        if less != changes:
            assert found != identity(**less)

    def test_the_order_of_metrics_counts(self) -> None:
        """Pruning goes by the first, and keys of records do not see the order of a mapping."""
        one, other = (
            Search.model_validate({**SEARCH, "metrics": {"dev/rsum": "max", **rest}}).identity()
            for rest in ({"a": "max", "b": "max"}, {"b": "max", "a": "max"})
        )
        assert json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True)

    def test_which_arms_search_and_what_is_chosen_is_no_part_of_it(self) -> None:
        several = {"metrics": {"dev/rsum": "max", "seconds": "min"}}
        assert identity(share=["effect"]) == self.OLD
        assert identity(**several, choose={"rule": "knee"}) == identity(**several)


class TestSeveralMetrics:
    def test_they_stand_in_the_place_of_one(self) -> None:
        search = Search.model_validate(SEVERAL)
        assert (search.metric, search.mode) == ("dev/rsum", "max")
        assert [(one.metric, one.maximize) for one in search.objectives] == [
            ("dev/rsum", True), ("seconds", False)
        ]  # fmt: skip
        least = Search.model_validate({**SEVERAL, "metrics": {"dev/loss": "min", "dev/rsum": "max"}})
        assert (least.metric, least.mode) == ("dev/loss", "min")

    def test_the_first_may_be_said_twice_if_it_is_the_same(self) -> None:
        assert sweep(**SEVERAL, metric="dev/rsum", mode="max").search == sweep(**SEVERAL).search

    def test_they_are_read_back_in_their_order(self) -> None:
        made = sweep(**{**SEVERAL, "metrics": {"z": "min", "a": "max"}, "choose": {"rule": "knee"}})
        assert Sweep.from_json(json.loads(json.dumps(made.to_json()))) == made
        assert made.search is not None and made.search.metric == "z"


@pytest.mark.parametrize(
    ("search", "sentence"),
    [
        (
            {**SEARCH, "sampler": "tep"},
            "search.sampler: found 'tep', expected one of tpe, random, cmaes, gp, grid, qmc, nsga2; did you mean "
            "'tpe'?",
        ),
        (
            {**SEARCH, "metrics": {"dev/x": "max", "seconds": "min"}},
            "search.metric: found 'dev/rsum', expected nothing, or 'dev/x'",
        ),
        ({**SEVERAL, "mode": "min"}, "search.mode: found 'min', expected nothing, or 'max'"),
        (
            {**SEVERAL, "metrics": {"seconds": "min", "dev/rsum": "max"}},
            "search.metrics.seconds: this stands first, expected a metric that trials report",
        ),
        (
            {**SEVERAL, "metrics": {"test/rsum": "max", "dev/b": "min"}},
            "search.metrics.test/rsum: found 'test/rsum', expected a metric of the dev split, such as 'dev/rsum'",
        ),
        (
            {**SEVERAL, "metrics": {"dev/rsum": "maxx", "dev/b": "min"}},
            "search.metrics.dev/rsum: found 'maxx', expected max or min; did you mean 'max'?",
        ),
        (
            {**SEVERAL, "metrics": {"dev/rsum": "max"}},
            "search.metrics: found a mapping with the keys dev/rsum, ",
        ),
        (
            {**SEARCH, "choose": {"rule": "knee"}},
            "search.choose: there is nothing to choose between by one metric",
        ),
        (
            {**SEVERAL, "choose": {"rule": "knea"}},
            "search.choose.rule: found 'knea', expected one of best, within, knee, weights; did you mean 'knee'?",
        ),
        ({**SEVERAL, "choose": "knee"}, "search.choose: found 'knee', expected a mapping with the key rule"),
        (
            {**SEVERAL, "choose": {"rule": "within"}},
            "search.choose.tolerance: this key is missing: how far below",
        ),
        (
            {**SEVERAL, "choose": {"rule": "weights", "weights": {"dev/rsumm": 1}}},
            "search.choose.weights.dev/rsumm: this is no metric of the search, expected dev/rsum or seconds; did "
            "you mean 'dev/rsum'?",
        ),
        (
            {**SEVERAL, "choose": {"rule": "weights", "weights": {"seconds": 0}}},
            "search.choose.weights.seconds: found 0, expected a number above 0",
        ),
        (
            {**SEVERAL, "sampler": "cmaes"},
            "search.sampler: found 'cmaes', which takes one metric, expected one of tpe, random, gp, grid, qmc",
        ),
        (
            {**SEARCH, "sampler": "cmaes"},
            "search.space.a.k: the sampler cmaes takes numbers alone, expected one of tpe, random, gp, grid, qmc, "
            "nsga2 for choices",
        ),
        (
            {**SEARCH, "population": 4},
            "search.population: the sampler tpe does not heed this, cmaes or nsga2 would",
        ),
        ({**SEARCH, "grid_points": 3}, "search.grid_points: the sampler tpe does not heed this, grid would"),
        (
            {**SEARCH, "sampler": "grid", "grid_points": 200_000},
            "search.sampler: the grid has 1600000 points, expected 1000000 at most",
        ),
        (
            {**SEARCH, "pruning": {"kind": "halvin"}},
            "search.pruning.kind: found 'halvin', expected one of median, percentile, threshold, halving, none; "
            "did you mean 'halving'?",
        ),
        (
            {**SEARCH, "pruning": "none"},
            "search.pruning: found 'none', expected a mapping with the key kind, one of",
        ),
        (
            {**SEARCH, "pruning": {"kind": "halving", "warmup": 2}},
            "search.pruning.warmup: unknown key, expected one of kind, first, reduction, startup",
        ),
        (
            {**SEARCH, "pruning": {"kind": "threshold"}},
            "search.pruning.value: this key is missing: the score that",
        ),
        (
            {**SEARCH, "pruning": {"worst": 20}},
            "search.pruning.worst: unknown key, expected one of warmup, patience",
        ),
        (
            {**SEARCH, "pruning": {"kind": "percentile", "worst": 120}},
            "search.pruning.worst: found 120, expected a number below 100",
        ),
        (
            {**SEARCH, "points": [{"a.x": 0.5}, {"a.xx": 0.5}]},
            "search.points.1.a.xx: this is not searched, expected one of a.x, a.n, a.k; did you mean 'a.x'?",
        ),
        ({**SEARCH, "points": [{"a.x": 2}]}, "search.points.0.a.x: found 2, expected a number from 0 to 1"),
        (
            {**SEARCH, "points": [{"a.n": 1.5}]},
            "search.points.0.a.n: found 1.5, expected a whole number from 1 to 4",
        ),
        ({**SEARCH, "points": [{"a.k": "d"}]}, "search.points.0.a.k: found 'd', expected 'b' or 'c'"),
        (
            {**SEARCH, "points": [{"a.n": 1}] * 4},
            "search.points: 4 and the arm's own values are 5 trials, expected search.trials (4) at most",
        ),
        ({**SEARCH, "points": [{}]}, "search.points.0: found an empty mapping, expected at least 1"),
        (
            {**SEARCH, "share": ["efect"]},
            "search.share.0: there is no factor 'efect', expected effect; did you mean 'effect'?",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_key_and_what_is_near(search: dict[str, Any], sentence: str) -> None:
    assert f"sweep: {sentence}" in refused(**search)


def test_a_search_lacks_nothing_but_what_it_lacks() -> None:
    assert refused(trials=3, space=SEARCH["space"]).startswith("sweep: search.metric: this key is missing")


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_can_be_named(name: str) -> None:
    space = {"a.x": {"uniform": [0, 1]}}
    assert Search.model_validate({**SEARCH, "space": space, "sampler": name}).chooser is SAMPLERS[name]
