"""Evaluation on other domains: trained once, evaluated on all, with the words of the run's own vocabulary."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.data.vocabulary import Vocabulary
from crosscut_trainables.domain import Domain, split_of
from crosscut_trainables.perturbations import PERTURBATIONS
from crosscut_trainables.retrieval import train
from crosscut_trainables.session import MemorySession
from crosscut_trainables.trainable import Measuring, description_of

DATA = {"name": "digit-scenes", "train_scenes": 30, "dev_scenes": 8, "test_scenes": 12}
BASE: dict[str, Any] = {
    "data": DATA,
    "encoder": {"width": 8, "word_width": 8, "min_count": 1},
    "backbone": {"name": "scan"},
    "training": {"epochs": 2, "batch_size": 32},
}
TYPOS = {"perturb": [{"name": "typos", "severity": 5}]}


def on(**domains: Any) -> dict[str, Any]:
    return {**BASE, "evaluation": {"on": domains}}


def test_a_domain_has_metrics_and_ranks_of_its_own_and_changes_no_other() -> None:
    plain = train(BASE, MemorySession(seed=1))
    shifted = train(on(same={}, noisy={"data": {"noise": 1.0}}, typos=TYPOS), MemorySession(seed=1))
    assert {name: shifted.metrics[name] for name in plain.metrics} == dict(plain.metrics)
    assert list(shifted.ranks) == [
        f"{s}/{d}" for s in ("test", "same", "noisy", "typos") for d in ("i2t", "t2i")
    ]
    for direction in ("i2t", "t2i"):
        np.testing.assert_array_equal(
            shifted.ranks[f"same/{direction}"].ranks, plain.ranks[f"test/{direction}"].ranks
        )
    assert shifted.metrics["same/rsum"] == plain.metrics["test/rsum"]
    assert not np.array_equal(shifted.ranks["noisy/i2t"].ranks, plain.ranks["test/i2t"].ranks)
    assert shifted.metrics["same/attention_f1"] == plain.metrics["test/attention_f1"]


def test_the_share_of_unknown_words_is_that_of_the_runs_vocabulary() -> None:
    config = RetrievalConfig.model_validate(on(same={}, typos=TYPOS))
    metrics = train(config.options(), MemorySession(seed=1)).metrics
    vocabulary = Vocabulary.build(config.data.load("train").captions, 1)
    for name in ("same", "typos"):
        share = 100 * vocabulary.unknown_share(split_of(config, name).captions)
        assert metrics[f"{name}/unknown_words"] == pytest.approx(share)
    assert metrics["typos/unknown_words"] > 30


def test_a_search_trial_sees_no_domain() -> None:
    evaluation = train(on(noisy={"data": {"noise": 1.0}}), MemorySession(phase="search"))
    assert {name.partition("/")[0] for name in evaluation.metrics} == {"dev"}
    assert not evaluation.ranks


@pytest.mark.parametrize(
    "extra",
    [
        {"stages": {}},
        {"pretrained": {"name": "clip"}},
        {"pretrained": {"name": "siglip", "tuning": "zero-shot"}},
    ],
)
def test_frozen_encoders_have_a_table_of_each_domain(extra: dict[str, Any]) -> None:
    session = MemorySession(seed=1)
    config = {**on(typos=TYPOS, noisy={"data": {"noise": 1.0}}), **extra, "backbone": {"name": "vse++"}}
    metrics = train(config, session).metrics
    tables = [key for key in session.artifacts if "-features" in key]
    assert len(tables) == 2 * 5
    assert {"test/rsum", "typos/rsum", "noisy/rsum"} <= set(metrics)


@pytest.mark.parametrize(
    "patch", [{"noise": 0.4}, {"name": "digit-scenes", "noise": 0.4}, {**DATA, "noise": 0.4}]
)
def test_options_of_a_domain_take_the_place_of_the_runs_own(patch: dict[str, Any]) -> None:
    config = RetrievalConfig.model_validate(on(noisy={"data": patch}))
    assert config.evaluation.on["noisy"].data == config.data.model_copy(update={"noise": 0.4})
    # As a record keeps it, it is read back as it was.
    assert RetrievalConfig.model_validate(config.options()) == config


def test_options_follow_the_runs_own_where_a_level_changes_them() -> None:
    plain = on(noisy={"data": {"noise": 0.4}})
    config = RetrievalConfig.model_validate({**plain, "data": {**DATA, "test_scenes": 15}})
    assert split_of(config, "noisy").present.shape[0] == 15


def test_without_data_of_its_own_a_run_has_the_default_and_domains_change_that() -> None:
    config = RetrievalConfig.model_validate({"evaluation": {"on": {"noisy": {"data": {"noise": 0.4}}}}})
    assert config.evaluation.on["noisy"].data == config.data.model_copy(update={"noise": 0.4})


def test_a_domain_that_a_level_or_scale_sets_to_null_is_gone() -> None:
    config = RetrievalConfig.model_validate(on(noisy={"data": {"noise": 0.4}}, typos=None))
    assert list(config.evaluation.on) == ["noisy"]


def test_perturbations_act_one_after_the_other_and_two_of_a_kind_draw_differently() -> None:
    twice = Domain.model_validate({"perturb": [{"name": "word-order"}, {"name": "word-order"}]})
    config = RetrievalConfig.model_validate(BASE)
    once = PERTURBATIONS["word-order"].model_validate({})
    split = config.data.load("test")
    expected = once.apply(once.apply(split, 0), 1)
    assert twice.load(config.data).captions == expected.captions
    assert expected.captions != once.apply(once.apply(split, 0), 0).captions


def test_a_corpus_of_other_features_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    folders = runpy.run_path(str(Path(__file__).parents[1] / "data_folders.py"))
    folders["WRITERS"]["precomputed"](tmp_path)
    session = MemorySession()
    config = on(other={"data": {"name": "precomputed", "folder": str(tmp_path)}})
    sentence = "other has 7 numbers for each region, expected 70, as train has"
    with pytest.raises(ValueError, match=sentence):
        train(config, session)
    assert session.reports == []
    description = description_of(train)
    assert description is not None
    with pytest.raises(ValueError, match=sentence):
        description.seconds(RetrievalConfig.model_validate(config))


def test_a_domain_that_cannot_be_read_is_told_before_anything_is_trained(tmp_path: Path) -> None:
    folders = runpy.run_path(str(Path(__file__).parents[1] / "data_folders.py"))
    folders["WRITERS"]["precomputed"](tmp_path)
    (tmp_path / "test_caps.txt").write_text("one\ntwo\n")
    session = MemorySession()
    config = on(other={"data": {"name": "precomputed", "folder": str(tmp_path)}})
    with pytest.raises(ValueError, match="found 2 captions for 4 images"):
        train({**config, "pretrained": {"name": "clip"}, "encoder": {}}, session)
    assert session.reports == []


def test_every_choice_of_a_domain_is_part_of_the_fingerprint() -> None:
    data = RetrievalConfig.model_validate(BASE).data
    domains: list[dict[str, Any]] = [
        {},
        {"split": "dev"},
        {"seed": 1},
        TYPOS,
        {"perturb": [{"name": "typos", "severity": 4}]},
        {"data": {**DATA, "noise": 0.4}},
    ]
    assert len({Domain.model_validate(domain).fingerprint(data) for domain in domains}) == len(domains)
    description = description_of(train)
    assert description is not None
    found = {description.fingerprint(RetrievalConfig.model_validate(on(x=domain))) for domain in domains}
    assert len(found) == len(domains)


def test_the_platform_knows_metrics_of_domains_beforehand() -> None:
    description = description_of(train)
    assert isinstance(description, Measuring)
    known = description.metrics(RetrievalConfig.model_validate(on(noisy={})))
    assert "noisy/rsum" in known
    few, many = (
        description.seconds(RetrievalConfig.model_validate(on(**{f"d{i}": {} for i in range(count)})))  # type: ignore[attr-defined]
        for count in (0, 3)
    )
    assert few < many


@pytest.mark.parametrize("name", ["test", "train", "dev", "a/b", "", "-x", "a b", "a.b"])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="expected a name of letters, digits"):
        RetrievalConfig.model_validate(on(**{name: {}}))


@pytest.mark.parametrize(
    ("perturbation", "extra", "sentence"),
    [
        ("blur", {}, "evaluation.on.x: blur changes images, and linear reads regions"),
        (
            "region-noise",
            {"encoder": {"image": {"name": "patches"}}},
            "changes regions, and patches reads whole images",
        ),
        (
            "dropped-regions",
            {"pretrained": {"name": "clip"}, "encoder": {}},
            "changes regions, and clip reads whole images",
        ),
    ],
)
def test_what_an_encoder_would_not_see_is_refused(
    perturbation: str, extra: dict[str, Any], sentence: str
) -> None:
    config = {**on(x={"perturb": [{"name": perturbation}]}), **extra}
    with pytest.raises(ValidationError, match=sentence):
        RetrievalConfig.model_validate(config)


@pytest.mark.parametrize(
    "domains", [3, {"x": 3}, {"x": {"data": 3}}, {"x": {"data": {"nose": 1}}}, {"x": {"dat": {}}}]
)
def test_what_is_no_domain_is_refused(domains: Any) -> None:
    with pytest.raises(ValidationError):
        RetrievalConfig.model_validate({**BASE, "evaluation": {"on": domains}})
