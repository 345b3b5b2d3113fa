import jsonschema
import pytest
import yaml

from crosscut.sweepfile import bundled
from crosscut.sweepfile.schema import schema
from crosscut.sweepfile.sweep import Sweep


@pytest.fixture(scope="module")
def validator():
    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(schema())


@pytest.fixture
def sweep():
    return {
        "name": "small",
        "factors": {
            "backbone": {"scan": {"backbone": {"direction": "i2t"}}, "vse": {"backbone": {"name": "vse++"}}}
        },
        "design": {"kind": "full-factorial"},
        "seeds": {"count": 3},
    }


def test_it_names_its_draft_and_describes_every_key():
    found = schema()

    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert found["required"] == ["name", "factors", "design", "seeds"]
    assert all("description" in key for key in found["properties"].values())


@pytest.mark.parametrize("name", bundled.names())
def test_bundled_sweeps_pass(validator, name):
    validator.validate(yaml.safe_load(bundled.path(name).read_text()))


def test_a_small_sweep_passes(validator, sweep):
    validator.validate(sweep)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seads", {"count": 3}),
        ("seeds", {"count": 0}),
        ("design", {"kind": "pairs"}),
        ("design", {"kind": "fractional", "resolution": 6}),
        ("design", {"kind": "fractional", "resolution": "iv"}),
        ("config", {"training": {"epochs": 0}}),
        ("config", {"trainin": {}}),
        ("factors", {"backbone": {"scan": {"backbon": {}}}}),
        ("search", {"metric": "dev/rsum", "trials": 2, "space": {"a.b": {"unifrom": [0, 1]}}}),
        ("search", {"trials": 2, "space": {"a": {"uniform": [0, 1]}}}),
        ("search", {"metric": "m", "trials": 2, "space": {"a": {"int": [0, 1]}}, "sampler": "tep"}),
        ("search", {"metrics": {"m": "max"}, "trials": 2, "space": {"a": {"int": [0, 1]}}}),
        ("search", {"metrics": {"m": "up", "n": "max"}, "trials": 2, "space": {"a": {"int": [0, 1]}}}),
        ("search", {"metric": "m", "trials": 2, "space": {"a": {"int": [0, 1]}}, "pruning": {"kind": "no"}}),
        ("search", {"metric": "m", "trials": 2, "space": {"a": {"int": [0, 1]}}, "pruning": {"value": 3}}),
        ("search", {"metric": "m", "trials": 2, "space": {"a": {"int": [0, 1]}}, "choose": {"rule": "knea"}}),
        ("search", {"metric": "m", "trials": 2, "space": {"a": {"int": [0, 1]}}, "points": [{}]}),
        ("search", {"metric": "m", "trials": 2, "space": {"a": {"int": [0, 1]}}, "points": [{"a": []}]}),
        ("hypotheses", [{"backbone": "scan"}]),
        ("hypotheses", [{}]),
        ("hypotheses", [{"compare": {"backbone": "a vs b"}, "nmae": "n"}]),
        ("hypotheses", [{"weights": {"a": 1, "b": -1}}]),
        ("hypotheses", [{"weights": {"a": "1", "b": -1}, "name": "n"}]),
    ],
)
def test_what_is_wrong_does_not_pass(validator, sweep, key, value):
    assert not validator.is_valid({**sweep, key: value})


@pytest.mark.parametrize(
    "search",
    [
        {"metric": "dev/rsum", "points": [{"a.b": 0.5}], "share": ["backbone"], "pruning": {"startup": 3}},
        {"metrics": {"dev/rsum": "max", "seconds": "min"}, "choose": {"rule": "knee"}, "sampler": "nsga2"},
        {"metric": "dev/rsum", "mode": "max", "metrics": {"dev/rsum": "max", "seconds": "min"}, "choose": {}},
        {
            "metric": "dev/rsum",
            "sampler": "cmaes",
            "population": 4,
            "pruning": {"kind": "halving", "first": 2},
        },
        {"metric": "dev/rsum", "sampler": "grid", "grid_points": 3, "pruning": {"kind": "none", "warmup": 2}},
        {"metric": "dev/rsum", "pruning": {"kind": "threshold", "value": 3, "patience": 1}},
        {"metric": "dev/rsum", "pruning": {"kind": "percentile", "worst": 30}},
    ],
)
def test_every_form_of_a_search_passes_here_and_where_it_is_read(validator, sweep, search):
    sweep["search"] = {"trials": 9, "space": {"a.b": {"uniform": [0, 1]}}, **search}
    validator.validate(sweep)
    assert Sweep.from_json(sweep).search is not None
    scales = {"small": {"search": {"trials": 4, "choose": {"rule": "best"}, "pruning": {"kind": "none"}}}}
    validator.validate({**sweep, "scales": scales})


@pytest.mark.parametrize("resolution", [3, 4, 5, "III", "IV", "V"])
def test_a_fraction_may_have_its_resolution_in_either_way(validator, sweep, resolution):
    validator.validate({**sweep, "design": {"kind": "fractional", "resolution": resolution}})


def test_a_pairwise_design_passes(validator, sweep):
    validator.validate({**sweep, "design": {"kind": "pairwise"}})


@pytest.mark.parametrize(
    "hypothesis",
    [
        {"backbone": "a vs b"},
        {"backbone": "each vs b", "loss": "c"},
        {"arm": "all pairs"},
        {"compare": {"backbone": "all pairs"}, "name": "n", "metrics": ["test/rsum"], "family": "f"},
        {"weights": {"a, b": 1, "a, c": -1}, "name": "n"},
    ],
)
def test_every_form_of_a_hypothesis_passes(validator, sweep, hypothesis):
    assert validator.is_valid({**sweep, "hypotheses": [hypothesis]})


def test_a_domain_may_be_taken_out_by_null_and_must_be_one_otherwise(validator, sweep):
    for domains, valid in (
        ({"a": None}, True),
        ({"a": {"split": "dev"}}, True),
        ({"a": {"splot": "dev"}}, False),
    ):
        assert validator.is_valid({**sweep, "config": {"evaluation": {"on": domains}}}) == valid


def test_another_trainable_may_have_another_configuration(validator, sweep):
    sweep |= {"trainable": "mine:train", "config": {"anything": 1}}

    assert validator.is_valid(sweep)
