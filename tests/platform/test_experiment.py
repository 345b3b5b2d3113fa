import sys
import textwrap

import pytest

from crosscut.arm_plan import ArmPlan
from crosscut.arms.arm import Arm
from crosscut.arms.experiment import prepare
from crosscut.arms.loading import load
from crosscut.arms.typo import edits
from crosscut.errors import InputError
from crosscut.records.key import run_key
from crosscut.sweepfile.sweep import Sweep

DESCRIBED = """
from typing import Annotated, Literal
from pydantic import BaseModel, ConfigDict, Field, model_validator
from crosscut_trainables.evaluation import Evaluation
from crosscut_trainables.trainable import describe


class Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Scan(Options):
    name: Literal["scan"] = "scan"
    direction: Literal["t2i", "i2t"] = "t2i"
    temperature: float = Field(9.0, gt=0, le=100)


class Vse(Options):
    name: Literal["vse"] = "vse"
    width: int = Field(64, ge=1)


class Ccr(Options):
    weight: float = Field(1.0, ge=0)


class Constraints(Options):
    ccr: Ccr | None = None


class Training(Options):
    epochs: int = Field(2, ge=1)
    learning_rate: float = Field(0.1, gt=0, le=1)


class Config(Options):
    data: str = "here"
    folder: str | None = None
    backbone: Annotated[Scan | Vse, Field(discriminator="name")] = Scan()
    constraints: Constraints = Constraints()
    training: Training = Training()

    @model_validator(mode="after")
    def attention(self):
        if self.constraints.ccr is not None and self.backbone.name == "vse":
            raise ValueError("ccr needs a backbone that exposes attention; vse has none")
        if self.training.learning_rate > 0.5 and self.training.epochs > 5:
            raise ValueError("at such a rate so many epochs diverge")
        return self


class Description:
    config = Config
    locations = ("folder",)

    def fingerprint(self, config):
        if config.data == "nowhere":
            raise FileNotFoundError("no folder nowhere")
        print = "print of " + config.data
        return print if config.folder is None else print + " and of " + config.folder[-1]

    def seconds(self, config):
        return 10.0 * config.training.epochs


@describe(Description())
def train(config, session):
    return Evaluation({})


def plain(config, session):
    return Evaluation({})


number = 3
"""

BACKBONES = {
    "t2i": {"backbone": {"name": "scan", "direction": "t2i"}},
    "i2t": {"backbone": {"name": "scan", "direction": "i2t"}},
    "vse": {"backbone": {"name": "vse"}},
}
CONSTRAINTS = {"none": {}, "ccr": {"constraints": {"ccr": {}}}}


@pytest.fixture(autouse=True)
def fake(tmp_path, monkeypatch):
    """A module of trainables that lies in a folder of the path, gone again after the test."""
    (tmp_path / "fake_trainables.py").write_text(textwrap.dedent(DESCRIBED))
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("fake_"):
            del sys.modules[name]


def sweep(**keys):
    search = keys.pop("space", None)
    further = keys.pop("search", {})
    data = {
        "name": "small",
        "trainable": "fake_trainables:train",
        "config": {"training": {"epochs": 3}},
        "factors": {"backbone": BACKBONES, "constraints": CONSTRAINTS},
        "design": {
            "kind": "full-factorial",
            "baseline": {"backbone": "t2i", "constraints": "none"},
            "exclude": [{"backbone": "vse", "constraints": "ccr"}],
        },
        "seeds": {"count": 2},
        **keys,
    }
    if search is not None:
        data["search"] = {"metric": "dev/rsum", "trials": 4, "space": search, **further}
    return Sweep.from_json(data)


def refused(**keys):
    with pytest.raises(InputError) as caught:
        prepare(sweep(**keys))
    assert all("sweep: " in line for line in str(caught.value).splitlines())
    return str(caught.value)


def level(patch, factor="backbone", name="vse"):
    """The factors with one level patched otherwise."""
    factors = {"backbone": BACKBONES, "constraints": CONSTRAINTS}
    return {**factors, factor: {**factors[factor], name: patch}}


def test_every_arm_has_its_whole_configuration():
    experiment = prepare(sweep())
    arms = {arm.name: arm for arm in experiment.arms}

    assert list(arms) == ["t2i, none", "t2i, ccr", "i2t, none", "i2t, ccr", "vse, none"]
    assert arms["i2t, ccr"].levels == {"backbone": "i2t", "constraints": "ccr"}
    assert arms["i2t, ccr"].config == {
        "data": "here",
        "folder": None,
        "backbone": {"name": "scan", "direction": "i2t", "temperature": 9.0},
        "constraints": {"ccr": {"weight": 1.0}},
        "training": {"epochs": 3, "learning_rate": 0.1},
    }
    assert arms["vse, none"].config["backbone"] == {"name": "vse", "width": 64}
    assert experiment.baseline is arms["t2i, none"]
    assert {arm.data for arm in experiment.arms} == {"print of here"}
    assert {arm.seconds for arm in experiment.arms} == {30.0}


def test_an_experiment_is_the_same_every_time():
    assert prepare(sweep()) == prepare(sweep())


def test_without_a_baseline_there_is_none():
    design = {"kind": "full-factorial", "exclude": [{"backbone": "vse", "constraints": "ccr"}]}

    assert prepare(sweep(design=design)).baseline is None


def test_later_factors_are_laid_over_earlier_ones():
    factors = {
        "epochs": {
            "few": {"training": {"epochs": 1}},
            "many": {"training": {"epochs": 9, "learning_rate": 0.2}},
        },
        "rate": {"low": {"training": {"learning_rate": 0.3}}, "high": {"training": {"learning_rate": 0.4}}},
    }
    arms = prepare(sweep(factors=factors, design={"kind": "full-factorial"})).arms

    assert [tuple(arm.config["training"].values()) for arm in arms] == [
        (1, 0.3),
        (1, 0.4),
        (9, 0.3),
        (9, 0.4),
    ]


def test_arms_name_their_factors_where_level_names_are_shared():
    factors = {
        "ccr": {"off": {}, "on": {"constraints": {"ccr": {}}}},
        "long": {"off": {}, "on": {"training": {"epochs": 9}}},
    }
    arms = prepare(sweep(factors=factors, design={"kind": "add-one-in"})).arms

    assert [arm.name for arm in arms] == ["ccr=off, long=off", "ccr=off, long=on", "ccr=on, long=off"]


def test_a_parameter_is_searched_in_the_arms_that_have_its_component():
    space = {
        "training.learning_rate": {"log_uniform": [0.01, 1]},
        "constraints.ccr.weight": {"uniform": [0, 5]},
        "backbone.temperature": {"uniform": [1, 20]},
    }
    arms = prepare(sweep(space=space)).arms

    assert {arm.name: list(arm.space) for arm in arms} == {
        "t2i, none": ["training.learning_rate", "backbone.temperature"],
        "t2i, ccr": list(space),
        "i2t, none": ["training.learning_rate", "backbone.temperature"],
        "i2t, ccr": list(space),
        "vse, none": ["training.learning_rate"],
    }


def test_the_weight_of_a_fusion_is_searched_in_the_arms_with_fusion():
    fusion = {
        "none": {},
        "beside vse++": {"fusion": {}},
        "beside vse-infinity": {"fusion": {"global_backbone": {"name": "vse-infinity"}}},
    }
    experiment = prepare(
        sweep(
            trainable="crosscut_trainables.retrieval:train",
            factors={"fusion": fusion},
            design={"kind": "full-factorial"},
            space={"fusion.local_weight": {"uniform": [0, 1]}},
        )
    )

    assert {arm.name: list(arm.space) for arm in experiment.arms} == {
        "none": [],
        "beside vse++": ["fusion.local_weight"],
        "beside vse-infinity": ["fusion.local_weight"],
    }


@pytest.mark.parametrize(
    ("trainable", "sentence"),
    [
        (
            "fake_nowhere.deep:train",
            "'fake_nowhere.deep' does not import (ModuleNotFoundError: No module named 'fake_nowhere')",
        ),
        ("fake_trainables:trian", "the module 'fake_trainables' has no 'trian'; did you mean 'train'?"),
        (
            "fake_trainables:number",
            "'fake_trainables:number' is no function, expected a callable train(config, session)",
        ),
        ("fake_broken:train", "'fake_broken' does not import (SyntaxError: "),
        ("fake_exit:train", "'fake_exit' does not import (SystemExit: 3)"),
        ("fake_raise:train", "'fake_raise' does not import (ZeroDivisionError: division by zero)"),
    ],
)
def test_a_trainable_that_does_not_import_is_told_with_its_cause(tmp_path, trainable, sentence):
    (tmp_path / "fake_broken.py").write_text("def train(:\n")
    (tmp_path / "fake_exit.py").write_text("raise SystemExit(3)\n")
    (tmp_path / "fake_raise.py").write_text("1 / 0\n")

    text = refused(trainable=trainable)
    assert text.startswith(f"sweep: trainable: {sentence}")
    assert "\n" not in text


def test_a_trainable_may_lie_in_the_working_directory(tmp_path, monkeypatch):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "fake_local.py").write_text("def train(config, session): ...\n")
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    monkeypatch.chdir(folder)

    assert load("fake_local:train").__name__ == "train"
    assert sys.path[-1] == str(folder)


def test_a_folder_that_moves_repeats_no_run_and_other_content_does():
    def keys(folder):
        experiment = prepare(
            sweep(config={"folder": folder}, space={"training.learning_rate": {"uniform": [0.1, 1]}})
        )
        arm = ArmPlan(experiment.sweep, experiment.arms[0], [None], [None], lambda key: None)
        run = run_key(trainable="t", config=arm.arm.defining(arm.arm.config), seed=1, data=arm.arm.data)
        return arm.trial_key(0), run, arm.arm.config["folder"]

    here, there, other = keys("/here/model-a"), keys("/there/model-a"), keys("/here/model-b")
    assert here[:2] == there[:2]
    assert (here[2], there[2]) == ("/here/model-a", "/there/model-a")
    assert here[0] != other[0]
    assert here[1] != other[1]


def test_a_star_among_locations_is_every_key_of_a_mapping():
    def arm(config):
        return Arm("a", {}, config, {}, "d", None, locations=("on.*.data.folder", "folder"))

    config = {"folder": "/x", "on": {"coco": {"data": {"folder": "/y", "n": 1}}, "other": {"data": None}}}
    kept = {"folder": None, "on": {"coco": {"data": {"folder": None, "n": 1}}, "other": {"data": None}}}
    assert arm(config).defining(config) == kept
    assert config["on"]["coco"]["data"]["folder"] == "/y"
    assert arm({"on": {}}).defining({"on": {}}) == {"on": {}}
    assert arm({}).defining({"folder": None}) == {"folder": None}


def test_two_arms_that_read_the_same_from_two_places_are_the_same():
    folders = {"constraints": {"one": {"folder": "/here/a"}, "two": {"folder": "/there/a"}}}
    text = refused(factors=folders, design={"kind": "full-factorial"})
    assert "the arms 'one' and 'two' have the same configuration" in text


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        (
            {"factors": level({"backbone": {"name": "vse", "widht": 3}})},
            "factors.backbone.vse.backbone.widht: unknown key, expected name or width; did you mean 'width'?",
        ),
        (
            {"factors": level({"backbone": {"nme": "vse"}})},
            "factors.backbone.vse.backbone.name: this key is missing, expected scan or vse; is "
            "'nme' meant to be it?",
        ),
        (
            {"factors": level({"backbone": {"name": "vsee"}})},
            "factors.backbone.vse.backbone.name: found 'vsee', expected scan or vse; did you mean 'vse'?",
        ),
        (
            {"factors": level({"backbone": "vse"})},
            "factors.backbone.vse.backbone: found 'vse', expected a mapping with the name scan or vse",
        ),
        (
            {"factors": level({"constraints": {"crc": {}}}, "constraints", "ccr")},
            "factors.constraints.ccr.constraints.crc: unknown key, expected ccr; did you mean 'ccr'?",
        ),
        (
            {"factors": level({"backbone": {"name": "vse", "width": 0}})},
            "factors.backbone.vse.backbone.width: found 0, expected a number of at least 1",
        ),
        (
            {"config": {"trainng": {}}},
            "config.trainng: unknown key, expected one of data, folder, backbone, "
            "constraints, training; did you mean 'training'?",
        ),
        (
            {"config": {"epochs": 3}},
            "config.epochs: unknown key, expected one of data, folder, backbone, constraints, training; "
            "did you mean 'training.epochs'?",
        ),
        (
            {"config": {"training": {"epochs": "many"}}},
            "config.training.epochs: found 'many', expected a whole number",
        ),
        (
            {"config": {"training": 3}},
            "config.training: found 3, expected a mapping with the keys epochs, learning_rate",
        ),
        (
            {"config": {"backbone": {"name": "scan", "temperature": -1}}},
            "config.backbone.temperature: found -1, expected a number above 0 (in arms 't2i, "
            "none', 't2i, ccr', "
            "'i2t, none' and 1 more)",
        ),
        (
            {"config": {"data": "nowhere"}},
            "config.data: the data cannot be read: no folder nowhere",
        ),
        (
            {"factors": level({"training": {"epochs": 3}}, "constraints", "ccr")},
            "factors: the arms 't2i, none' and 't2i, ccr' have the same configuration, "
            "expected arms that differ",
        ),
        (
            {"design": {"kind": "full-factorial"}},
            "factors: ccr needs a backbone that exposes attention; vse has none (in arm 'vse, "
            "ccr'); design.exclude "
            "takes out what cannot be run",
        ),
    ],
)
def test_what_the_trainable_refuses_is_told_with_the_place_that_asks_for_it(keys, sentence):
    assert f"sweep: {sentence}" in refused(**keys)


@pytest.mark.parametrize(
    ("path", "form", "sentence"),
    [
        (
            "fusion.local_weight",
            {"uniform": [0, 1]},
            "no arm has this parameter: config has the keys data, folder, backbone, constraints, training",
        ),
        (
            "training.learning_rat",
            {"uniform": [0.1, 1]},
            "no arm has this parameter: training has the keys epochs, learning_rate; did you "
            "mean 'training.learning_rate'?",
        ),
        (
            "training",
            {"choice": [1, 2]},
            "this is a section of the configuration, expected training.epochs or training.lea",
        ),
        ("training.learning_rate", {"uniform": [0, 1]}, "found 0.0, expected a number above 0"),
        ("training.learning_rate", {"uniform": [0.5, 3]}, "expected a number of at most 1"),
        (
            "training.epochs",
            {"uniform": [1, 4]},
            "expected a whole number; {int: [low, high]} draws whole numbers",
        ),
        ("backbone.temperature", {"choice": [1, "x"]}, "found 'x', expected a number"),
        (
            "backbone.width",
            {"int": [0, 3]},
            "found 0, expected a number of at least 1",
        ),
    ],
)
def test_a_search_that_no_arm_can_make_is_told_with_the_parameter(path, form, sentence):
    text = refused(space={path: form})

    assert text.startswith(f"sweep: search.space.{path}: ")
    assert sentence in text


def test_a_parameter_of_a_component_that_no_arm_has_is_told_so():
    factors = {"backbone": BACKBONES}
    text = refused(
        factors=factors,
        design={"kind": "full-factorial"},
        space={"constraints.ccr.weight": {"uniform": [0, 1]}},
    )

    assert text == (
        "sweep: search.space.constraints.ccr.weight: no arm has this parameter: "
        "constraints.ccr is null in all of them"
    )


RATES = {"training.learning_rate": {"uniform": [0.1, 1]}, "training.epochs": {"int": [1, 9]}}


def test_a_point_that_the_trainable_refuses_is_told_with_its_place():
    point = {"training.learning_rate": 0.9, "training.epochs": 8}
    prepare(sweep(space=RATES, search={"points": [{"training.learning_rate": 0.9}]}))

    assert refused(space=RATES, search={"points": [{"training.epochs": 3}, point]}) == (
        "sweep: search.points.1: with these values, at such a rate so many epochs diverge"
    )


class TestSharedSearches:
    space = {**RATES, "backbone.temperature": {"uniform": [1, 20]}}  # noqa: RUF012

    def test_levels_that_change_no_searched_component_share(self):
        experiment = prepare(sweep(space=self.space, search={"share": ["constraints"]}))

        assert experiment.leaders == {"t2i, ccr": "t2i, none", "i2t, ccr": "i2t, none"}

    def test_the_one_that_is_searched_may_have_more(self):
        experiment = prepare(sweep(space=self.space, search={"share": ["backbone", "constraints"]}))

        assert set(experiment.leaders.values()) == {"t2i, none"}
        assert experiment.leaders["vse, none"] == "t2i, none"

    def test_an_arm_with_a_parameter_of_its_own_is_refused(self):
        space = {**RATES, "constraints.ccr.weight": {"uniform": [0, 1]}}

        text = refused(space=space, search={"share": ["constraints"]})

        assert text.splitlines() == [
            "sweep: 2 errors",
            *(
                f"  sweep: search.share: the arm '{way}, ccr' would take constraints.ccr.weight from the search "
                f"of '{way}, none', which does not have it, expected factors whose levels have no searched "
                "parameters of their own"
                for way in ("t2i", "i2t")
            ),
        ]


def test_each_of_several_metrics_must_be_one_that_runs_have():
    retrieval = {"trainable": "crosscut_trainables.retrieval:train", "factors": {"backbone": BACKBONES}}
    retrieval |= {"design": {"kind": "full-factorial", "exclude": [{"backbone": "vse"}]}}
    metrics = {"dev/rsum": "max", "dev/i2t_r1": "max", "seconds": "min"}
    space = {"training.learning_rate": {"uniform": [0.001, 0.01]}}
    prepare(sweep(**retrieval, space=space, search={"metrics": metrics}))

    text = refused(**retrieval, space=space, search={"metrics": {**metrics, "dev/i2t_r11": "max"}})

    assert text.startswith(
        "sweep: search.metrics.dev/i2t_r11: found 'dev/i2t_r11', expected a metric that runs have"
    )
    assert "did you mean 'dev/i2t_r1" in text


CONFIG = {
    "training": {"epochs": 3, "learning_rate": 0.1},
    "backbone": {"name": "scan", "direction": "t2i"},
}


class TestATrainableWithoutADescription:
    def keys(self, **patches):
        factors = {"a": {"base": {}, **patches}}
        return {
            "trainable": "fake_trainables:plain",
            "config": CONFIG,
            "factors": factors,
            "design": {"kind": "full-factorial"},
        }

    def test_is_taken_as_it_is(self):
        arms = prepare(sweep(**self.keys(other={"training": {"dropout": 0.5}}))).arms

        assert arms[0].config == CONFIG
        assert arms[1].config["training"] == {"epochs": 3, "learning_rate": 0.1, "dropout": 0.5}
        assert (arms[0].data, arms[0].seconds) == ("", None)

    def test_may_get_new_keys_that_are_like_no_other(self):
        patch = {"training": {"layers": 3}, "backbone": {"name": "vse", "directoin": 1}, "lr2": 1}

        assert len(prepare(sweep(**self.keys(other=patch))).arms) == 2

    def test_gets_no_key_that_is_likely_a_typing_error(self):
        text = refused(**self.keys(other={"training": {"epohcs": 5}}))

        assert text.startswith(
            "sweep: factors.a.other.training.epohcs: config has no such key; did you mean 'epochs'?"
        )

    def test_is_searched_where_the_section_of_a_parameter_is_there(self):
        keys = self.keys(other={"constraints": {"ccr": {}}})
        arms = prepare(sweep(**keys, space={"constraints.ccr.weight": {"uniform": [0, 1]}})).arms

        assert [list(arm.space) for arm in arms] == [[], ["constraints.ccr.weight"]]

    def test_is_not_searched_over_what_is_likely_a_typing_error(self):
        keys = self.keys(other={"training": {"dropout": 0.5}})
        text = refused(**keys, space={"training.learning_rte": {"uniform": [0, 1]}})

        assert text.startswith(
            "sweep: search.space.training.learning_rte: config has no such key; did you mean 'learn"
        )

    def test_has_no_parameter_in_a_section_that_no_arm_has(self):
        keys = self.keys(other={"training": {"dropout": 0.5}})
        text = refused(**keys, space={"fusion.weight": {"uniform": [0, 1]}})

        assert (
            text == "sweep: search.space.fusion.weight: no arm has this parameter: config has the "
            "keys training, backbone"
        )


def test_edits_count_a_swap_as_one():
    assert [edits(*pair) for pair in [("nmae", "name"), ("kitten", "sitting"), ("", "ab"), ("a", "a")]] == [
        1,
        3,
        2,
        0,
    ]
