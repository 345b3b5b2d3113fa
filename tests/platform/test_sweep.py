import copy
import json

import pytest
import yaml

from crosscut.errors import InputError
from crosscut.sweepfile.origin import Origin
from crosscut.sweepfile.space import Parameter
from crosscut.sweepfile.sweep import Sweep, read
from crosscut_reports.hypothesis import Hypothesis

SWEEP = {
    "name": "small",
    "question": "Does it help?",
    "trainable": "somewhere.trainables:train",
    "config": {"training": {"epochs": 2}},
    "factors": {
        "backbone": {"scan": {}, "vse": {"backbone": {"name": "vse"}}},
        "ccr": {"none": None, "ccr": {"constraints": {"ccr": {}}}},
    },
    "design": {"kind": "full-factorial", "baseline": {"backbone": "scan", "ccr": "none"}},
    "search": {"metric": "dev/rsum", "trials": 4, "space": {"training.rate": {"log_uniform": [0.001, 0.1]}}},
    "seeds": {"count": 3},
    "hypotheses": [{"ccr": "ccr vs none"}],
}


@pytest.fixture
def file(tmp_path):
    """Writes a sweep file: `SWEEP` with some keys replaced."""

    def write(**keys):
        path = tmp_path / "small.yaml"
        path.write_text(yaml.safe_dump({**copy.deepcopy(SWEEP), **keys}, sort_keys=False))
        return str(path)

    return write


def refused(source, *overrides):
    with pytest.raises(InputError) as caught:
        read(source, overrides)
    return str(caught.value)


def test_a_sweep_file_is_read_with_its_defaults(file):
    sweep = read(file())

    assert sweep.levels == {"backbone": ("scan", "vse"), "ccr": ("none", "ccr")}
    assert sweep.factors["ccr"]["none"] == {}
    assert sweep.search.mode == "max" and sweep.search.sampler == "tpe" and sweep.search.parallel == 1
    assert sweep.search.pruning.kind == "median"
    assert sweep.search.space == {"training.rate": Parameter("log_uniform", 0.001, 0.1)}
    assert list(sweep.final_seeds) == [0, 1, 2]
    assert sweep.resources.workers == 1 and sweep.resources.retries == 2
    assert sweep.report.primary == "test/rsum" and sweep.report.alpha == 0.05
    assert sweep.hypotheses == (Hypothesis({"ccr": "ccr vs none"}),)


def test_the_trainable_is_that_of_retrieval_unless_another_is_named():
    data = {key: value for key, value in SWEEP.items() if key != "trainable"}

    assert Sweep.from_json(data).trainable == "crosscut_trainables.retrieval:train"


def test_json_round_trips(file):
    sweep = read(file())
    text = json.dumps(sweep.to_json())

    assert Sweep.from_json(json.loads(text)) == sweep
    assert json.dumps(Sweep.from_json(json.loads(text)).to_json()) == text


def test_where_a_sweep_was_read_is_no_part_of_what_it_says(file):
    here, there = Sweep.from_json(SWEEP), Sweep.from_json(SWEEP, Origin("other.yaml"))

    assert here == there == read(file()) and hash(here) == hash(there)
    assert there.source == "other.yaml"
    assert here != read(file(), ["seeds.count=4"])


def test_the_order_of_factors_and_levels_is_part_of_what_it_says():
    turned = {**SWEEP, "factors": dict(reversed(SWEEP["factors"].items()))}

    assert Sweep.from_json(turned) != Sweep.from_json(SWEEP)


def test_level_names_are_what_was_typed(tmp_path):
    path = tmp_path / "names.yaml"
    path.write_text(
        "name: names\ntrainable: a:b\n"
        "factors: {mask: {on: {mask: yes}, off: {}}, margin: {0.20: {margin: 0.2}, 1: {margin: 1}}}\n"
        "design: {kind: full-factorial, baseline: {mask: off, margin: 0.20}, exclude: [{mask: "
        "on, margin: [1]}]}\n"
        "seeds: {count: 1}\nhypotheses: [{mask: on vs off}]\n"
    )
    sweep = read(str(path))

    assert sweep.levels == {"mask": ("on", "off"), "margin": ("0.20", "1")}
    assert sweep.layout.baseline == {"mask": "off", "margin": "0.20"}
    assert sweep.factors["mask"]["on"] == {"mask": True}
    assert read(str(path), ["design.baseline.mask=on"]).layout.baseline["mask"] == "on"


def test_a_level_that_is_a_boolean_is_refused_with_the_way_out():
    data = {**SWEEP, "design": {"kind": "full-factorial", "exclude": [{"ccr": True}]}}

    with pytest.raises(
        InputError, match=r"design\.exclude\.0\.ccr\.0: found true, expected a name; .* in quotes"
    ):
        Sweep.from_json(data)


def test_overrides_replace_what_the_file_says(file):
    sweep = read(file(), ["seeds.count=1", "search=null", "config.training.epochs=1", "name=other"])

    assert (sweep.seeds.count, sweep.search, sweep.name) == (1, None, "other")
    assert sweep.config == {"training": {"epochs": 1}}


def test_an_error_in_an_override_names_the_override(file):
    assert refused(file(), "seeds.cuont=3") == (
        "--set seeds.cuont=3: seeds.cuont: unknown key, expected one of count, min, max, until, first; did you "
        "mean 'count'?"
    )


def test_a_missing_file_is_told_with_what_was_looked_for(tmp_path):
    text = refused("quikstart")
    assert text.startswith(
        "quikstart: no such file, and no bundled sweep called 'quikstart'; the bundled sweeps are"
    )
    assert text.endswith("; did you mean 'quickstart'?")

    (tmp_path / "attention.yaml").write_text("")
    wanted = str(tmp_path / "atention.yaml")
    assert refused(wanted).endswith(f"; did you mean '{tmp_path / 'attention.yaml'}'?")


def test_a_folder_is_no_sweep_file(tmp_path):
    assert (
        refused(str(tmp_path))
        == f"{tmp_path}: this is a folder, expected a sweep file or the name of a bundled sweep"
    )


def test_broken_yaml_is_told_with_line_and_column(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text("name: x\nfactors: {a: {b: {}}\n")

    assert refused(str(path)).startswith(f"{path}: line 3, column 1: this is not YAML: expected ',' or '}}'")


def test_several_errors_are_told_together(file):
    path = file(seeds={"count": 0}, sead=3, report={"alpha": 2})

    assert refused(path).splitlines() == [
        f"{path}: 3 errors",
        f"  {path}: seeds.count: found 0, expected a number of at least 1",
        f"  {path}: report.alpha: found 2, expected a number below 0.5",
        f"  {path}: sead: unknown key, expected one of name, question, trainable, config, "
        f"factors, design, search, "
        "seeds, resources, report, hypotheses, scale, scales; did you mean 'seeds'?",
    ]


SEARCH, DESIGN = SWEEP["search"], SWEEP["design"]


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"name": "Big Sweep"}, "name: found 'Big Sweep', expected up to 100 small letters, digits"),
        ({"name": "../up"}, "name: found '../up', expected"),
        (
            {"trainable": "train.py"},
            "trainable: found 'train.py', expected module:function, such as crosscut_trainables",
        ),
        ({"config": [1]}, "config: found [1], expected a mapping"),
        ({"config": {"a": {"b": float("nan")}}}, "config.a.b: found NaN, expected a finite number"),
        ({"factors": {}}, "factors: found an empty mapping, expected at least 1 of them"),
        ({"factors": {"a": {}}}, "factors.a: found an empty mapping, expected at least 1 of them"),
        ({"factors": {"a": {"x, y": {}}}}, "factors.a.x, y: found 'x, y', expected a name without a comma"),
        ({"factors": {"a": {"x": 3}}}, "factors.a.x: found 3, expected a mapping"),
        (
            {"design": "full-factorial"},
            "design: found 'full-factorial', expected a mapping with the keys kind, baseline",
        ),
        (
            {"design": {**DESIGN, "kind": "pairs"}},
            "design.kind: found 'pairs', expected one of full-factorial",
        ),
        ({"design": {**DESIGN, "kind": "add_one_in"}}, "did you mean 'add-one-in'?"),
        (
            {"design": {**DESIGN, "kind": "fractional", "resolution": 6}},
            "design.resolution: found 6, expected 3, 4 or 5, or III, IV or V",
        ),
        (
            {"design": {**DESIGN, "kind": "fractional", "resolution": "iv"}},
            "design.resolution: found 'iv', expected 3, 4 or 5, or III, IV or V; did you mean 'IV'?",
        ),
        (
            {"design": {**DESIGN, "kind": "fractional", "resolution": True}},
            "design.resolution: found true, expected 3, 4 or 5, or III, IV or V",
        ),
        (
            {"design": {**DESIGN, "kind": "fractional", "resolution": 4.0}},
            "design.resolution: found 4.0, expected 3, 4 or 5, or III, IV or V",
        ),
        (
            {"design": {**DESIGN, "kind": "fractional", "resolution": [4]}},
            "design.resolution: found [4], expected 3, 4 or 5, or III, IV or V",
        ),
        (
            {"design": {**DESIGN, "kind": "fractional"}},
            "design.resolution: this key is missing: a fractional design names its resolution",
        ),
        (
            {"design": {**DESIGN, "resolution": 4}},
            "design.resolution: only the fractional design has a resolution, and this one is full-factorial",
        ),
        ({"design": {**DESIGN, "resolutoin": 4}}, "did you mean 'resolution'?"),
        (
            {"design": {**DESIGN, "baseline": {"backbone": "scna", "ccr": "none"}}},
            "design.baseline.backbone: the factor backbone has no level 'scna', expected scan "
            "or vse; did you mean 'scan'?",
        ),
        (
            {"design": {"kind": "explicit", "arms": [{"backbone": "vse", "ccr": "ccr"}]}},
            "design: the design has one arm, expected at least two: there is nothing to compare",
        ),
        ({"seeds": 5}, "seeds: found 5, expected a mapping with the keys count, min, max, until, first"),
        (
            {"seeds": {"min": 3, "count": 1}},
            "seeds.min: this goes with no count; give count, or min, max and",
        ),
        ({"seeds": {}}, "seeds.count: this key is missing: runs of each arm, or min, max and until"),
        ({"seeds": {"min": 3, "max": 9}}, "seeds.until: this key is missing beside min and max"),
        ({"seeds": {"min": 3, "max": 3, "until": "decided"}}, "seeds.max: found 3, expected more than the 3"),
        (
            {"seeds": {"min": 1, "max": 3, "until": "decided"}},
            "seeds.min: found 1, expected a number of at lea",
        ),
        ({"seeds": {"min": 3, "max": 9, "until": "done"}}, "seeds.until: found 'done', expected decided"),
        (
            {"seeds": {"min": 3, "max": 9, "until": "decided"}, "hypotheses": []},
            "seeds.until: nothing is declared that could be decided, expected hypotheses",
        ),
        ({"seeds": {"count": True}}, "seeds.count: found true, expected a whole number"),
        ({"seeds": {"count": 2.5}}, "seeds.count: found 2.5, expected a whole number"),
        (
            {"seeds": {"count": 2, "first": 999_999}},
            "seeds.first: the last seed is 1000000, expected seeds below 1000000",
        ),
        (
            {"resources": {"gpus_per_worker": -0.5}},
            "resources.gpus_per_worker: found -0.5, expected a number of at least 0",
        ),
        (
            {"resources": {"cpus_per_worker": 0}},
            "resources.cpus_per_worker: found 0, expected a number above 0",
        ),
        ({"resources": {"max_failures": 1}}, "resources.max_failures: unknown key, expected one of workers"),
        ({"report": {"margin": -1}}, "report.margin: found -1, expected a number of at least 0"),
        ({"search": {**SEARCH, "trials": -6}}, "search.trials: found -6, expected a number of at least 1"),
        (
            {"search": {**SEARCH, "trails": 6}},
            "search.trails: unknown key, expected one of metric, mode, trials",
        ),
        (
            {"search": {**SEARCH, "mode": "maximum"}},
            "search.mode: found 'maximum', expected max or min; did you mean 'max'?",
        ),
        (
            {"search": {**SEARCH, "metric": "test/rsum"}},
            "search.metric: found 'test/rsum', expected a metric of the dev split, such as 'dev/rsum'",
        ),
        (
            {"search": {**SEARCH, "pruning": {"warmup": -1}}},
            "search.pruning.warmup: found -1, expected a number of at",
        ),
        ({"search": {**SEARCH, "space": {}}}, "search.space: found an empty mapping, expected at least 1"),
        (
            {"search": {**SEARCH, "space": {"a..b": {"int": [1, 2]}}}},
            "search.space.a..b: found 'a..b', expected the path",
        ),
        (
            {"search": {**SEARCH, "space": {"x.y": {"uniform": [2, 1]}}}},
            "search.space.x.y.uniform: found [2, 1], expected a low bound below the high bound",
        ),
        (
            {"search": {**SEARCH, "space": {"backbone.name": {"choice": ["scan", "vse"]}}}},
            "search.space.backbone.name: factors.backbone.vse sets this, which a search would override",
        ),
        (
            {"hypotheses": [{"ccr": "ccr vs nnoe"}]},
            "hypotheses.0.ccr: the factor ccr has no level 'nnoe', expected none or ccr; did "
            "you mean 'none'?",
        ),
        (
            {"hypotheses": [{"cr": "ccr vs none"}]},
            "hypotheses.0.cr: there is no factor 'cr', expected backbone or ccr",
        ),
        (
            {"hypotheses": [{"ccr": "ccr"}]},
            "hypotheses.0: this compares nothing, expected 'left vs right' for one factor at least",
        ),
        (
            {"hypotheses": [{"ccr": "ccr vs ccr"}]},
            "hypotheses.0.ccr: found 'ccr vs ccr', expected two that differ",
        ),
        ({"hypotheses": ["ccr vs none"]}, "hypotheses.0: found 'ccr vs none', expected factors with two"),
        (
            {"hypotheses": [{"ccr": "ccr vs none"}] * 2},
            "hypotheses.0: this hypothesis is declared more than once",
        ),
    ],
)
def test_what_is_wrong_is_told_with_file_and_key(file, keys, sentence):
    path = file(**keys)

    text = refused(path)

    assert sentence in text
    assert all(path in line for line in text.splitlines())


def test_a_hypothesis_about_levels_that_never_meet_is_refused(file):
    exclude = [{"backbone": "scan", "ccr": "ccr"}, {"backbone": "vse", "ccr": "none"}]
    path = file(design={"kind": "full-factorial", "exclude": exclude})

    assert refused(path).startswith(
        f"{path}: hypotheses.0.ccr: no arms that are the same otherwise have the levels of ccr: ccr vs none"
    )


def test_the_identity_of_a_search_leaves_out_its_length_and_its_space():
    longer = Sweep.from_json({**SWEEP, "search": {**SEARCH, "trials": 40}})
    other = Sweep.from_json({**SWEEP, "search": {**SEARCH, "seed": 1}})
    search = Sweep.from_json(SWEEP).search

    assert longer.search.identity() == search.identity() != other.search.identity()
    assert "space" not in search.identity()
