import copy
import json

import jsonschema
import pytest
import yaml

from crosscut import cli
from crosscut.errors import InputError
from crosscut.sweepfile.schema import schema
from crosscut.sweepfile.sweep import Sweep, read

SWEEP = {
    "name": "sized",
    "config": {"training": {"epochs": 20}, "backbone": {"name": "scan", "direction": "i2t"}},
    "factors": {"loss": {"triplet": {"loss": {"name": "triplet"}}, "infonce": {"loss": {"name": "infonce"}}}},
    "design": {"kind": "full-factorial", "baseline": {"loss": "infonce"}},
    "search": {
        "metric": "dev/rsum",
        "trials": 12,
        "space": {"training.learning_rate": {"uniform": [0.1, 0.2]}},
    },
    "seeds": {"count": 5},
    "hypotheses": [{"loss": "triplet vs infonce"}],
    "scales": {
        "small": {
            "config": {"training": {"batch_size": 8}, "backbone": {"name": "vse++"}},
            "search": {"trials": 2},
            "seeds": {"count": 1},
            "hypotheses": [],
        },
        "untuned": {"search": None},
        "full": None,
    },
}


@pytest.fixture
def file(tmp_path):
    """Writes a sweep file: `SWEEP` with some keys replaced."""

    def write(**keys):
        path = tmp_path / "sized.yaml"
        path.write_text(yaml.safe_dump({**copy.deepcopy(SWEEP), **keys}, sort_keys=False))
        return str(path)

    return write


def refused(source, *overrides):
    with pytest.raises(InputError) as caught:
        read(source, overrides)
    return str(caught.value)


def test_without_a_scale_the_file_is_taken_as_it_stands(file):
    without = {key: value for key, value in SWEEP.items() if key != "scales"}

    assert read(file()) == Sweep.from_json(without)
    assert read(file()).scale is None


def test_a_scale_is_laid_over_the_file_as_patches_are(file):
    sweep = read(file(scale="small"))

    assert sweep.scale == "small"
    assert sweep.config == {"training": {"epochs": 20, "batch_size": 8}, "backbone": {"name": "vse++"}}
    assert (sweep.search.trials, sweep.search.metric, sweep.seeds.count) == (2, "dev/rsum", 1)
    assert sweep.hypotheses == ()


def test_a_scale_takes_away_what_it_sets_to_null_and_changes_nothing_where_it_is_empty(file):
    full = read(file(scale="full"))

    assert read(file(scale="untuned")).search is None
    assert {**full.to_json(), "scale": None} == read(file()).to_json()


def test_set_picks_a_scale_another_one_or_none(file):
    assert read(file(), ["scale=small"]) == read(file(scale="small"))
    assert read(file(scale="small"), ["scale=untuned"]) == read(file(scale="untuned"))
    assert read(file(scale="small"), ["scale=null"]) == read(file())


@pytest.mark.parametrize("overrides", [["scale=small", "seeds.count=3"], ["seeds.count=3", "scale=small"]])
def test_set_wins_over_the_scale_wherever_it_stands(file, overrides):
    sweep = read(file(), overrides)

    assert (sweep.seeds.count, sweep.search.trials) == (3, 2)


def test_set_changes_a_scale_before_it_is_applied(file):
    assert read(file(), ["scale=small", "scales.small.seeds.count=4"]).seeds.count == 4
    assert read(file(), ["scale=tiny", "scales.tiny={seeds: {count: 2}}"]).seeds.count == 2


def test_what_the_file_lacks_may_stand_in_its_scale(file):
    sweep = read(file(scale="0.5", scales={"0.5": {"report": {"margin": 2}, "question": "Which?"}}))

    assert (sweep.report.margin, sweep.question, sweep.scale) == (2, "Which?", "0.5")


def test_a_scale_may_have_a_number_for_a_name(file):
    assert read(file(scale=0.5, scales={"0.5": {"seeds": {"count": 2}}})).seeds.count == 2


def test_a_sweep_with_a_scale_survives_a_round_trip_without_the_other_scales(file):
    sweep = read(file(scale="small"))
    plain = json.loads(json.dumps(sweep.to_json()))

    assert plain["scale"] == "small" and "scales" not in plain
    assert Sweep.from_json(plain) == sweep
    assert Sweep.from_json(plain).to_json() == plain


def test_a_sweep_that_was_recorded_before_there_were_scales_is_read(file):
    plain = read(file()).to_json()
    del plain["scale"]

    assert Sweep.from_json(plain) == read(file())


def test_scales_that_nobody_laid_over_the_rest_are_refused():
    with pytest.raises(InputError, match=r"sweep: scales: unknown key"):
        Sweep.from_json({**SWEEP, "scale": "small"})


def test_a_scale_that_does_not_exist_is_refused_with_the_near_name(file):
    path = file(scale="smal")

    assert refused(path) == (
        f"{path}: scale: found 'smal', expected one of small, untuned, full; did you mean 'small'?"
    )
    assert refused(file(), "scale=fulll") == (
        "--set scale=fulll: scale: found 'fulll', expected one of small, untuned, full; did you mean 'full'?"
    )


@pytest.mark.parametrize("scale", [True, ["small"], {"small": {}}, 3])
def test_a_scale_that_is_no_name_is_refused(file, scale):
    assert "scale: found " in refused(file(scale=scale)) and refused(file(scale=scale)).count("\n") == 0


@pytest.mark.parametrize("scales", [None, {}])
def test_a_scale_without_scales_is_refused(file, scales):
    path = file(scale="small", scales=scales)

    assert (
        refused(path)
        == f"{path}: scale: found 'small', expected no scale: the file has no scales to pick from"
    )


def test_a_scale_whose_scales_are_mistyped_is_refused_with_the_key_that_is_meant(file):
    without = {key: value for key, value in SWEEP.items() if key != "scales"}
    path = file()
    with open(path, "w") as stream:
        yaml.safe_dump({**without, "scalse": SWEEP["scales"], "scale": "small"}, stream)

    assert refused(path).endswith("the file has no scales to pick from; is 'scalse' meant to be scales?")


def test_a_wrong_value_of_a_scale_names_the_scale(file):
    path = file(scale="small", scales={"small": {"seeds": {"count": 0}, "report": {"alpha": 2}}})

    assert refused(path).splitlines() == [
        f"{path}: 2 errors",
        f"  {path}: scales.small: seeds.count: found 0, expected a number of at least 1",
        f"  {path}: scales.small: report.alpha: found 2, expected a number below 0.5",
    ]


def test_a_wrong_value_that_the_scale_did_not_put_there_names_the_file(file):
    path = file(scale="small", seeds={"count": 2, "first": -1})

    assert refused(path).startswith(f"{path}: seeds.first: found -1")


def test_a_key_that_a_section_of_the_scale_lacks_is_missed_in_the_scale(file):
    path = file(scale="small", search=None)

    assert (
        refused(path)
        .splitlines()[1]
        .startswith(f"  {path}: scales.small: search.metric: this key is missing")
    )


def test_a_wrong_value_that_set_put_into_a_scale_names_the_set(file):
    assert refused(file(), "scale=small", "scales.small.seeds.count=0") == (
        "--set scales.small.seeds.count=0: scales.small: seeds.count: found 0, expected a number of at least 1"
    )


def test_a_wrong_value_that_set_put_over_a_scale_names_the_set(file):
    assert refused(file(scale="small"), "seeds.count=0").startswith(
        "--set seeds.count=0: seeds.count: found 0"
    )


@pytest.mark.parametrize("scale", [None, "small", "full"])
@pytest.mark.parametrize(
    ("patch", "sentence"),
    [
        (3, "scales.small: found 3, expected a mapping"),
        ([], "scales.small: found [], expected a mapping"),
        ({"seads": {"count": 1}}, "scales.small.seads: unknown key, expected one of question, trainable"),
        ({"seads": {"count": 1}}, "; did you mean 'seeds'?"),
        ({"name": "other"}, "scales.small.name: a scale cannot have this key, expected one of question"),
        ({"scale": "full"}, "scales.small.scale: a scale cannot have this key, expected one of question"),
        ({"scales": {}}, "scales.small.scales: a scale cannot have this key, expected one of question"),
    ],
)
def test_a_scale_that_cannot_be_is_refused_once_in_use_or_not(file, scale, patch, sentence):
    path = file(scale=scale, scales={"small": patch, "full": None})
    text = refused(path)

    assert text.startswith(f"{path}: scales.small")
    assert sentence in text and "\n" not in text


@pytest.mark.parametrize("scales", [3, ["small"], {}])
def test_scales_that_are_no_mapping_or_empty_are_refused(file, scales):
    assert ": scales: found " in refused(file(scales=scales))


def test_a_scale_that_does_not_exist_ends_with_exit_code_2(file, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["crosscut", "plan", file(), "--set", "scale=smal"])

    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith(
        "crosscut: --set scale=smal: scale: found 'smal', expected one of"
    )


@pytest.fixture(scope="module")
def validator():
    return jsonschema.Draft202012Validator(schema())


@pytest.mark.parametrize("scale", [None, "small"])
def test_the_schema_takes_a_sweep_with_scales(validator, scale):
    validator.validate({**SWEEP, "scale": scale})


@pytest.mark.parametrize(
    "patch",
    [
        3,
        {"seads": {"count": 1}},
        {"name": "other"},
        {"scale": "full"},
        {"scales": {}},
        {"seeds": {"count": 0}},
        {"search": {"trails": 2}},
        {"config": {"trainin": {}}},
        {"factors": {"loss": {"triplet": {"los": {}}}}},
    ],
)
def test_the_schema_refuses_what_a_scale_cannot_have(validator, patch):
    assert not validator.is_valid({**SWEEP, "scales": {"small": patch}})
