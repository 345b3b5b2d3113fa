"""The configuration: defaults, refusals, and no torch."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from crosscut_trainables.backbones import BACKBONES
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.constraints import CONSTRAINTS
from crosscut_trainables.cost import seconds_of_step
from crosscut_trainables.data.precomputed import Precomputed
from crosscut_trainables.data.split import Dataset
from crosscut_trainables.losses import LOSSES
from crosscut_trainables.pretrained import PRETRAINED
from crosscut_trainables.retrieval import train
from crosscut_trainables.stages import SEMANTIC_LOSSES
from crosscut_trainables.trainable import Locating, description_of


def test_everything_has_a_default() -> None:
    assert RetrievalConfig.model_validate({}) == RetrievalConfig()


@pytest.mark.parametrize("backbone", sorted(BACKBONES))
@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_every_choice_survives_a_round_trip(backbone: str, loss: str) -> None:
    constraints: dict[str, Any] = (
        {name: {} for name in CONSTRAINTS} if BACKBONES[backbone].exposes_attention else {}
    )
    config = RetrievalConfig.model_validate(
        {"backbone": {"name": backbone}, "loss": {"name": loss}, "constraints": constraints}
    )
    assert RetrievalConfig.model_validate(config.options()) == config
    assert config.options()["backbone"]["name"] == backbone
    assert set(config.constraints.active()) == set(constraints)


@pytest.mark.parametrize("name", sorted(CONSTRAINTS))
def test_a_constraint_without_attention_is_refused(name: str) -> None:
    sentence = rf"{name} needs a backbone that exposes attention; vse\+\+ has none"
    with pytest.raises(ValidationError, match=sentence):
        RetrievalConfig.model_validate({"backbone": {"name": "vse++"}, "constraints": {name: {}}})


CLIP = {"name": "clip"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"stages": {}},
            "stages train encoders, and clip has its own; expected stages or pretrained, not both",
        ),
        (
            {"encoder": {"image": {"name": "mlp"}}},
            "encoder.image would have no effect; the encoders are those of clip",
        ),
        ({"encoder": {"text": {"name": "transformer"}}}, "encoder.text would have no effect"),
        ({"encoder": {"dropout": 0.4}}, "encoder.dropout would have no effect"),
        ({"asymmetry": {}}, "asymmetry makes texts of whole words; clip reads pieces of words"),
        (
            {"training": {"word_dropout": 0.2}},
            "training.word_dropout disturbs whole words; clip reads pieces",
        ),
        (
            {"training": {"region_dropout": 0.2}},
            "training.region_dropout takes regions away; clip reads whole images",
        ),
        (
            {"pretrained": {"name": "groupvit"}, "backbone": {"name": "pfan"}},
            "pfan needs an image encoder with positions; groupvit has none",
        ),
        (
            {"pretrained": {**CLIP, "own_temperature": True}, "loss": {"name": "triplet"}},
            "pretrained.own_temperature needs a loss with a temperature; triplet has none",
        ),
        (
            {"pretrained": {**CLIP, "tuning": "zero-shot"}, "backbone": {"name": "sgr"}},
            "zero-shot learns nothing; sgr has something to learn",
        ),
        (
            {"pretrained": {**CLIP, "tuning": "zero-shot"}, "backbone": {"name": "vse-infinity"}},
            "zero-shot learns nothing; vse-infinity has something to learn",
        ),
        (
            {"pretrained": {**CLIP, "tuning": "zero-shot"}, "fusion": {"learned": True}},
            "zero-shot learns nothing; fused has something to learn",
        ),
        (
            {"pretrained": {**CLIP, "tuning": "zero-shot"}, "constraints": {"ccr": {}}},
            "zero-shot learns nothing; ccr would act on nothing",
        ),
        ({"pretrained": {**CLIP, "path": "/nowhere"}}, "found '/nowhere', expected a folder"),
    ],
)
def test_what_does_not_go_with_a_pretrained_model_is_refused_with_a_reason(
    options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=re.escape(sentence)):
        RetrievalConfig.model_validate({"pretrained": CLIP, **options})


@pytest.mark.parametrize(
    "options",
    [
        {
            "backbone": {"name": "vse-infinity", "pooling": "mean"},
            "pretrained": {**CLIP, "tuning": "zero-shot"},
        },
        {"fusion": {}, "pretrained": {**CLIP, "tuning": "zero-shot"}},
        {"backbone": {"name": "pfan"}},
        {"constraints": {"ccr": {}}, "pretrained": {**CLIP, "tuning": "full", "own_temperature": True}},
    ],
)
def test_what_goes_with_a_pretrained_model_is_taken(options: dict[str, Any]) -> None:
    RetrievalConfig.model_validate({"pretrained": CLIP, **options})


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"trainin": {}}, "trainin"),
        ({"training": {"epoch": 3}}, "training.epoch"),
        ({"training": {"epochs": 0}}, "training.epochs"),
        ({"training": {"learning_rate": float("nan")}}, "training.learning_rate"),
        ({"backbone": {"name": "scam"}}, "backbone"),
        ({"backbone": {"name": "scan", "direction": "all"}}, "backbone.scan.direction"),
        ({"constraints": {"ccx": {}}}, "constraints.ccx"),
        ({"constraints": {"ccr": {"weight": -1}}}, "constraints.ccr.weight"),
        ({"evaluation": {"attention_sweep": [1.5]}}, "evaluation"),
        ({"evaluation": {"attention_thresholds": [0.1, 1.0]}}, "evaluation"),
    ],
)
def test_what_is_not_known_or_out_of_range_is_refused_with_its_place(
    options: dict[str, Any], place: str
) -> None:
    with pytest.raises(ValidationError) as error:
        RetrievalConfig.model_validate(options)
    assert place in [".".join(map(str, found["loc"])) for found in error.value.errors()]


def test_every_option_of_its_own_sections_says_what_it_is() -> None:
    def fields(model: type[BaseModel]) -> None:
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"
            kind = field.annotation
            if isinstance(kind, type) and issubclass(kind, BaseModel) and not issubclass(kind, Dataset):
                fields(kind)

    fields(RetrievalConfig)
    for registry in (BACKBONES, LOSSES, CONSTRAINTS, PRETRAINED, SEMANTIC_LOSSES):
        for component in registry.values():
            for name, field in component.model_fields.items():
                assert name == "name" or field.description, f"{component.__name__}.{name}"


def test_the_trainable_describes_itself() -> None:
    description = description_of(train)
    assert description is not None
    assert description.config is RetrievalConfig
    small, large = (RetrievalConfig.model_validate({"training": {"epochs": epochs}}) for epochs in (1, 20))
    assert description.fingerprint(small) == small.data.fingerprint()
    few, many = description.seconds(small), description.seconds(large)
    assert few is not None
    assert many is not None
    assert 0 < few < many


def test_stages_take_time_and_a_pretrained_model_nobody_knows_how_much() -> None:
    description = description_of(train)
    assert description is not None
    plain, staged, longer, pretrained = (
        description.seconds(RetrievalConfig.model_validate(options))
        for options in (
            {},
            {"stages": {}},
            {"stages": {"text": {"epochs": 20}, "image": {"epochs": 30}}},
            {"pretrained": CLIP},
        )
    )
    assert plain is not None and staged is not None and longer is not None
    assert plain < staged < longer
    assert pretrained is None


def test_a_pretrained_model_is_part_of_the_fingerprint_and_its_place_is_none_of_the_key() -> None:
    description = description_of(train)
    assert isinstance(description, Locating)
    clip, siglip, none = (
        description.fingerprint(RetrievalConfig.model_validate(options))
        for options in ({"pretrained": CLIP}, {"pretrained": {"name": "siglip"}}, {})
    )
    assert len({clip, siglip, none}) == 3
    known = {**RetrievalConfig(pretrained=CLIP).options(), "data": Precomputed.model_fields}
    for path in description.locations:
        section, _, key = path.replace("evaluation.on.*.", "").partition(".")
        assert key in known[section]


def test_validating_a_configuration_imports_no_torch() -> None:
    program = """
import sys
from crosscut_trainables.retrieval import train
from crosscut_trainables.trainable import Locating, description_of
description = description_of(train)
config = description.config.model_validate({"backbone": {"name": "scan"}, "constraints": {"ccr": {}, "ccs": {}}})
description.fingerprint(config), description.seconds(config), config.model_json_schema()
found = [name for name in ("torch", "ray", "matplotlib", "sklearn", "crosscut") if name in sys.modules]
assert not found, found
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_attention_is_guessed_to_cost_more_than_comparing_wholes() -> None:
    def step(backbone: str) -> float:
        options = {"backbone": {"name": backbone}, "data": {"name": "digit-scenes", "train_scenes": 60}}
        config = RetrievalConfig.model_validate(options)
        return seconds_of_step(config, config.data.load("train"))

    # Measured: 8, 25 and 50 ms.
    assert 1.5 * step("vse++") < step("scan") < step("bfan")
