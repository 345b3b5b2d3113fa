"""Towers that were trained before: frozen or not, through tables of features or not, and what is behind them."""

from __future__ import annotations

import copy
import io
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from crosscut_trainables import loop
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.data.split import SplitName
from crosscut_trainables.evaluation import Evaluation
from crosscut_trainables.fragments import Fragments, l2norm
from crosscut_trainables.model import RetrievalModel
from crosscut_trainables.pooling import pooling_of
from crosscut_trainables.ranks import image_to_text, text_to_image
from crosscut_trainables.rows import Rows
from crosscut_trainables.session import MemorySession
from crosscut_trainables.similarity import similarity
from crosscut_trainables.towers import given, towers_of
from crosscut_trainables.towers.feature_table import Unpacked
from crosscut_trainables.towers.frozen import Frozen
from crosscut_trainables.towers.given import Given, GivenTowers
from crosscut_trainables.towers.head import Head
from crosscut_trainables.towers.scratch import ScratchTowers

SMALL: dict[str, Any] = {
    "encoder": {"width": 16, "word_width": 16, "min_count": 1},
    "backbone": {"name": "vse++"},
    "stages": {"text": {"epochs": 2, "batch_size": 16}, "image": {"epochs": 2, "batch_size": 16}},
    "training": {"epochs": 3, "batch_size": 16, "learning_rate": 0.01},
}
WHOLE: list[dict[str, Any]] = [{"name": "vse++"}]
PLACES: list[dict[str, Any]] = [
    {"name": "scan"},
    {"name": "scan", "direction": "both"},
    {"name": "vse-infinity"},
    {"name": "vse-infinity", "pooling": "mean"},
    {"name": "bfan"},
]
BACKBONES = [*WHOLE, *PLACES]
ENCODERS: list[dict[str, Any]] = [
    {},
    {"image": {"name": "positions"}, "text": {"name": "transformer", "layers": 1}},
]
SPLITS: tuple[SplitName, ...] = ("train", "dev", "test")
Artifacts = dict[str, dict[str, Any]]


class Unwatched(MemorySession):
    """No picture is drawn, which takes longer than a short training."""

    picture = None  # type: ignore[assignment]


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes`; sections that both have are merged."""
    out = dict(base)
    for key, value in changes.items():
        inner = out.get(key)
        both = isinstance(value, dict) and isinstance(inner, dict) and "name" not in value
        out[key] = merged(inner, value) if both else value
    return out


def on(data: Any, **changes: Any) -> RetrievalConfig:
    """A small configuration with a data set that is not registered."""
    return RetrievalConfig.model_validate(merged(SMALL, changes)).model_copy(update={"data": data})


def staged(config: RetrievalConfig, session: MemorySession | None = None) -> GivenTowers:
    towers = towers_of(config, session or Unwatched())
    assert isinstance(towers, GivenTowers)
    return towers


def live(towers: GivenTowers) -> GivenTowers:
    """The same, each encoder shown everything anew."""
    other = copy.copy(towers)
    other.images, other.texts = (replace(one, encodes_anew=True) for one in (towers.images, towers.texts))
    return other


def scores(config: RetrievalConfig, towers: GivenTowers, name: SplitName = "test", seed: int = 5) -> Any:
    model = RetrievalModel(config, towers, seed).eval()
    return similarity(model, config.comparison, towers.prepared(name))


def keys(artifacts: Artifacts, kind: str) -> list[str]:
    return [key for key in artifacts if key.startswith(f"{kind}-features")]


def same(one: Evaluation, two: Evaluation) -> bool:
    return one.metrics == two.metrics and all(
        np.array_equal(ranks.ranks, two.ranks[name].ranks) for name, ranks in one.ranks.items()
    )


def timeless(session: MemorySession) -> list[tuple[int, dict[str, float]]]:
    """The reports without what depends on the machine's speed."""
    return [(s, {k: v for k, v in m.items() if k != "pairs_per_second"}) for s, m in session.reports]


def copied(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


# Frozen


class Inner(nn.Module):
    """An encoder with dropout and a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.norm = nn.BatchNorm1d(4)
        self.drop = nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> Fragments:
        places = self.drop(self.linear(x))
        mask = torch.ones(x.shape[:2], dtype=torch.bool)
        return Fragments(places, mask, self.norm(places.mean(1)))


class Holder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.frozen = Frozen(Inner())
        self.behind = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.behind(self.frozen(x).summary)
        return found


def test_a_frozen_encoder_is_no_part_of_the_model_that_holds_it() -> None:
    model = Holder()
    assert [name for name, _ in model.named_parameters()] == ["behind.weight", "behind.bias"]
    assert list(model.state_dict()) == ["behind.weight", "behind.bias"]
    assert list(model.buffers()) == []
    model.load_state_dict(copied(model))


def test_a_frozen_encoder_evaluates_while_the_model_trains() -> None:
    model, x = Holder(), torch.randn(3, 2, 4, generator=torch.Generator().manual_seed(0))
    inner = model.frozen.encoder
    before = copied(inner)
    model.train()
    assert not any(module.training for module in inner.modules())
    assert torch.equal(model(x), model(x))
    assert all(torch.equal(value, before[name]) for name, value in inner.state_dict().items())


def test_a_frozen_encoder_gets_no_gradient_and_what_is_behind_it_does() -> None:
    model = Holder().train()
    model.requires_grad_(True)
    model(torch.randn(3, 2, 4, requires_grad=True)).sum().backward()
    inner = model.frozen.encoder
    assert all(not value.requires_grad and value.grad is None for value in inner.parameters())
    assert model.behind.weight.grad is not None


def test_a_frozen_encoder_follows_its_model() -> None:
    model = Holder().to(torch.float64)
    inner = model.frozen.encoder
    assert {value.dtype for value in inner.parameters()} == {torch.float64}
    assert inner.norm.running_mean.dtype == torch.float64
    assert model(torch.zeros(3, 2, 4, dtype=torch.float64)).dtype == torch.float64
    model.to("meta")
    assert {value.device.type for value in inner.parameters()} == {"meta"}


# Frozen encoders of stages


@pytest.mark.parametrize("anew", [True, False])
def test_training_leaves_the_encoders_of_the_stages_as_they_are(toy_data: Any, anew: bool) -> None:
    drop = {"word_dropout": 0.3, "region_dropout": 0.3} if anew else {}
    changes: dict[str, Any] = {"encoder": {"dropout": 0.3}, "stages": {"map": "both"}, "training": drop}
    training = loop.Training(on(toy_data(), **changes), Unwatched(seed=1))
    towers: Any = training.towers
    assert (towers.images.tabled, towers.texts.tabled) == (not anew, not anew)
    encoders = [towers.images.encoder, towers.texts.encoder]
    before = [copied(encoder) for encoder in encoders]
    for encoder in encoders:
        encoder.zero_grad(set_to_none=True)
    learnt = copied(training.model)
    training.run()
    for encoder, weights in zip(encoders, before, strict=True):
        assert all(torch.equal(value, weights[name]) for name, value in encoder.state_dict().items())
        assert all(value.grad is None for value in encoder.parameters())
    after = training.model.state_dict()
    assert {name for name in after if name.startswith(("image", "text"))} == {
        f"{side}_encoder.linear.{part}" for side in ("image", "text") for part in ("weight", "bias")
    }
    assert all(not torch.equal(after[name], learnt[name]) for name in after if name.endswith("linear.weight"))


@pytest.mark.parametrize("where", ["image", "text", "both"])
def test_the_linear_map_stands_where_it_is_asked_for(toy_data: Any, where: str) -> None:
    config = on(toy_data(), stages={"map": where})
    model = RetrievalModel(config, staged(config), 1)
    sides = {name.split("_")[0] for name in model.state_dict() if "linear" in name}
    assert sides == ({"image", "text"} if where == "both" else {where})
    assert {name.split(".")[0] for name in model.learnt} - {"loss_parts"} == {
        f"{side}_encoder" for side in sides
    }


# Tables


@pytest.mark.parametrize("backbone", BACKBONES, ids=str)
@pytest.mark.parametrize("encoder", ENCODERS, ids=["plain", "transformers"])
@pytest.mark.parametrize("where", ["image", "text", "both"])
def test_scores_through_tables_are_those_through_the_encoders(
    toy_data: Any, backbone: dict[str, Any], encoder: dict[str, Any], where: str
) -> None:
    config = on(toy_data(), backbone=backbone, encoder=encoder, stages={"map": where})
    towers = staged(config)
    for name in SPLITS:
        expected = scores(config, live(towers), name)
        assert expected.std() > 0.01
        np.testing.assert_allclose(scores(config, towers, name), expected, atol=2e-6)
    for anew in ("images", "texts"):
        mixed = live(towers)
        setattr(mixed, anew, getattr(towers, anew))
        np.testing.assert_allclose(scores(config, mixed), scores(config, towers), atol=2e-6)


def test_scores_of_a_fusion_through_tables_are_those_through_the_encoders(toy_data: Any) -> None:
    for whole in ("vse++", "vse-infinity"):
        changes: dict[str, Any] = {
            "backbone": {"name": "scan"},
            "fusion": {"global_backbone": {"name": whole}},
        }
        config = on(toy_data(), **changes)
        towers = staged(config)
        np.testing.assert_allclose(scores(config, towers), scores(config, live(towers)), atol=2e-6)


@pytest.mark.parametrize("backbone", BACKBONES, ids=str)
def test_fragments_out_of_a_table_are_those_of_the_encoder(toy_data: Any, backbone: dict[str, Any]) -> None:
    config = on(toy_data(), backbone=backbone)
    towers = staged(config)
    table, plain = towers.prepared("test"), live(towers).prepared("test")
    images = towers.images.encoder(plain.regions_of(slice(None)), plain.present, plain.boxes_of(slice(None)))
    captions = torch.tensor([7, 0, 12])
    width = int(plain.lengths[captions].max())
    ids, lengths, mask = plain.words_of(captions, width)
    texts = towers.texts.encoder(ids, lengths, mask)
    found = Unpacked(1)(table.regions_of(slice(None)), table.present, table.boxes_of(slice(None)))
    ids, lengths, mask = table.words_of(captions, int(table.lengths[captions].max()))
    for got, expected in ((found, images), (Unpacked(2)(ids, lengths, mask), texts)):
        torch.testing.assert_close(got.summary, expected.summary)
        if backbone in WHOLE:
            torch.testing.assert_close(got.fragments, expected.summary[:, None])
        else:
            torch.testing.assert_close(got.fragments, expected.fragments)
            assert torch.equal(got.mask, expected.mask)


@pytest.mark.parametrize("which", [1, 2])
def test_rows_of_a_table_are_cut_by_the_mask_of_their_side(which: int) -> None:
    table = torch.arange(1.0, 25.0).view(2, 4, 3)
    mask = torch.tensor([[True, True, False], [True, True, True]])
    arguments = [torch.zeros(0), torch.zeros(0)]
    arguments[which - 1] = mask
    found = Unpacked(which)(table, *arguments, Rows(2, 4))
    assert torch.equal(found.summary, table[:, 0])
    assert torch.equal(found.fragments[mask], table[:, 1:][mask])
    assert (found.fragments[~mask] == 0).all()
    assert found.rows == Rows(2, 4)


@pytest.mark.parametrize("backbone", BACKBONES, ids=str)
def test_tables_have_places_where_they_are_looked_at_and_else_wholes_alone(
    toy_data: Any, backbone: dict[str, Any]
) -> None:
    towers = staged(on(toy_data(), backbone=backbone))
    split = towers.prepared("test")
    # 10 images of 4 regions, 20 captions of up to 5 words and two marks.
    places = (1, 1) if backbone in WHOLE else (5, 8)
    assert split.regions.shape == (10, places[0], 16)
    assert split.ids.shape == (20, places[1], 16)
    assert split.present.shape == (10, max(1, places[0] - 1))
    assert split.boxes.shape == (10, max(1, places[0] - 1), 4)
    assert split.lengths.max() == max(1, places[1] - 1)
    assert split.wholes == int(backbone not in WHOLE)


def test_runs_that_look_at_the_same_share_their_tables(
    toy_data: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def counting(side: str, table: Any) -> Any:
        return lambda *arguments: made.append(side) or table(*arguments)

    for side in ("images", "texts"):
        name = f"table_of_{side}"
        monkeypatch.setattr(given, name, counting(side, getattr(given, name)))
    artifacts: Artifacts = {}
    stages = {"seed": 3}
    for seed in (1, 2):
        loop.run(on(toy_data(), stages=stages), Unwatched(seed=seed, artifacts=artifacts))
    changes: list[dict[str, Any]] = [
        {"loss": {"name": "triplet"}},
        {"training": {"learning_rate": 0.1, "epochs": 1}},
        {"stages": {"map": "both"}},
    ]
    for change in changes:
        loop.run(on(toy_data(), **merged({"stages": stages}, change)), Unwatched(artifacts=artifacts))
    assert [len(keys(artifacts, kind)) for kind in ("image", "text")] == [3, 3]
    assert [made.count(side) for side in ("images", "texts")] == [3, 3]
    # Places are another table; both backbones that look at them have the same.
    for backbone in ("scan", "vse-infinity", "bfan"):
        config = on(
            toy_data(), stages=stages, backbone={"name": backbone}, encoder={"image": {"name": "linear"}}
        )
        loop.run(config, Unwatched(artifacts=artifacts))
    assert [len(keys(artifacts, kind)) for kind in ("image", "text")] == [6, 6]
    # So does another encoder.
    loop.run(on(toy_data(), stages={"seed": 4}), Unwatched(artifacts=artifacts))
    assert [len(keys(artifacts, kind)) for kind in ("image", "text")] == [9, 9]


def test_a_search_trial_makes_no_table_of_test(toy_data: Any) -> None:
    artifacts: Artifacts = {}
    loop.run(on(toy_data()), Unwatched(phase="search", artifacts=artifacts))
    found = [key for kind in ("image", "text") for key in keys(artifacts, kind)]
    assert len(found) == 4
    assert not [key for key in found if '"split": "test"' in key]


@pytest.mark.parametrize("backbone", ["vse++", "scan"])
@pytest.mark.parametrize(
    ("changes", "tabled"),
    [
        ({}, (True, True)),
        ({"training": {"word_dropout": 0.3}}, (True, False)),
        ({"training": {"word_dropout": 0.3, "disturbance": "mixed"}}, (True, False)),
        ({"training": {"region_dropout": 0.3}}, (False, True)),
        ({"training": {"region_dropout": 0.3, "word_dropout": 0.3}}, (False, False)),
        ({"asymmetry": {}}, (True, False)),
        (
            {"asymmetry": {"positives": "join", "noises": 2}, "training": {"region_dropout": 0.3}},
            (False, False),
        ),
        ({"training": {"shards": 2}}, (True, True)),
        ({"training": {"shards": 2, "word_dropout": 0.3, "region_dropout": 0.3}}, (False, False)),
        ({"training": {"precision": "bf16"}}, (True, True)),
        ({"encoder": {"dropout": 0.3}}, (True, True)),
    ],
    ids=str,
)
def test_what_changes_from_epoch_to_epoch_is_encoded_anew(
    toy_data: Any, backbone: str, changes: dict[str, Any], tabled: tuple[bool, bool]
) -> None:
    artifacts: Artifacts = {}
    session = Unwatched(seed=1, artifacts=artifacts)
    config = on(toy_data(), **merged({"backbone": {"name": backbone}, "stages": {"map": "both"}}, changes))
    evaluation = loop.run(config, session)
    assert tuple(bool(keys(artifacts, kind)) for kind in ("image", "text")) == tabled
    assert len(evaluation.ranks["test/t2i"].ranks) == 20
    assert all(math.isfinite(value) for _, metrics in session.reports for value in metrics.values())
    losses = [metrics["loss/total"] for _, metrics in session.reports]
    assert len(set(losses)) == 3


def test_an_epoch_through_tables_is_one_through_the_encoders(
    toy_data: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for backbone in ("vse++", "scan", "vse-infinity"):
        config = on(toy_data(), backbone={"name": backbone}, stages={"map": "both"})
        sessions = [Unwatched(seed=1), Unwatched(seed=1)]
        loop.run(config, sessions[0])
        with monkeypatch.context() as patched:
            patched.setattr(loop, "towers_of", lambda config, session: live(staged(config, session)))
            loop.run(config, sessions[1])
        one, two = (session.reports[0][1] for session in sessions)
        for name in ("loss/match", "grad_norm"):
            assert one[name] == pytest.approx(two[name], rel=1e-3)


# Runs


def test_a_run_behind_stages_learns(toy_data: Any) -> None:
    session = Unwatched(seed=1)
    loop.run(on(toy_data(train_images=60), training={"epochs": 10}), session)
    losses = [metrics["loss/match"] for _, metrics in session.reports]
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize("anew", [False, True])
def test_attention_metrics_and_constraints_are_there_behind_stages(toy_data: Any, anew: bool) -> None:
    drop = {"word_dropout": 0.2, "region_dropout": 0.2} if anew else {}
    changes: dict[str, Any] = {
        "backbone": {"name": "scan"},
        "constraints": {"ccr": {}, "ccs": {}},
        "training": {"epochs": 2, **drop},
    }
    session = MemorySession(seed=1)
    evaluation = loop.run(on(toy_data(), **changes), session)
    assert all(
        0 <= evaluation.metrics[f"test/attention_{name}"] <= 100 for name in ("precision", "recall", "f1")
    )
    assert all(metrics[f"loss/{name}"] > 0 for _, metrics in session.reports for name in ("ccr", "ccs"))
    assert [name for _, name, _ in session.pictures] == ["attention/dev"]
    # ccr is there and acts: without it another model is learnt.
    without = Unwatched(seed=1)
    loop.run(on(toy_data(), **{**changes, "constraints": {}}), without)
    assert without.reports[1][1]["loss/match"] != session.reports[1][1]["loss/match"]


def test_attention_through_tables_is_that_through_the_encoders(
    toy_data: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Steps too small to change a weight.
    config = on(toy_data(), backbone={"name": "scan"}, training={"epochs": 1, "learning_rate": 1e-30})
    table = loop.run(config, Unwatched(seed=1))
    monkeypatch.setattr(loop, "towers_of", lambda config, session: live(staged(config, session)))
    anew = loop.run(config, Unwatched(seed=1))
    names = [name for name in table.metrics if "attention" in name]
    assert names
    for name in names:
        assert table.metrics[name] == pytest.approx(anew.metrics[name], abs=1e-3)


@pytest.mark.parametrize("shares", [True, False])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"backbone": {"name": "scan"}, "constraints": {"ccr": {}}},
        {"backbone": {"name": "vse-infinity"}, "training": {"ema": 0.5}, "stages": {"map": "both"}},
        {"encoder": {"dropout": 0.2}, "training": {"word_dropout": 0.2, "region_dropout": 0.2}},
        {"asymmetry": {}},
    ],
    ids=str,
)
def test_a_resumed_run_behind_stages_is_the_undisturbed_one_to_the_bit(
    toy_data: Any, shares: bool, changes: dict[str, Any]
) -> None:
    config, artifacts = on(toy_data(), **changes), {}
    whole = Unwatched(seed=3)
    expected = loop.run(config, whole)
    stopped = Unwatched(seed=3, stop_after=2, artifacts=artifacts)
    loop.run(config, stopped)
    file = io.BytesIO()
    torch.save(stopped.state, file)
    file.seek(0)
    # Where artifacts are gone the stages are trained again, to the same encoders.
    state = torch.load(file, weights_only=True)
    resumed = Unwatched(seed=3, state=state, artifacts=artifacts if shares else {})
    assert same(loop.run(config, resumed), expected)
    assert timeless(stopped)[:1] + timeless(resumed) == timeless(whole)
    # Nothing that is frozen is in the checkpoint.
    assert whole.state is not None
    names = [name for name in whole.state["model"] if "encoder.encoder" in name]
    assert names == []


def test_an_average_of_weights_is_evaluated_behind_stages(toy_data: Any) -> None:
    sessions = [Unwatched(seed=1), Unwatched(seed=1)]
    evaluations = [
        loop.run(on(toy_data(), stages={"map": "both"}, training={"ema": ema}), session)
        for session, ema in zip(sessions, (None, 0.99), strict=True)
    ]
    # What is trained is the same, what is kept another model.
    one, two = ([[m["loss/match"], m["grad_norm"]] for _, m in timeless(session)] for session in sessions)
    assert one == two
    assert sessions[1].state is not None
    weights = sessions[1].state["step"]["average"]["weights"]
    assert any(name.startswith("image_encoder.linear") for name in weights)
    plain, averaged = (session.state["progress"]["weights"] for session in sessions if session.state)
    assert any(not torch.equal(value, averaged[name]) for name, value in plain.items())
    assert all("test/rsum" in evaluation.metrics for evaluation in evaluations)


# What is learnt


def given_towers(
    config: RetrievalConfig, frozen: bool, start: Any, session: MemorySession | None = None
) -> GivenTowers:
    """Towers as a pretrained model has them, with encoders from scratch in its place."""
    scratch = ScratchTowers(config)
    generator = torch.Generator().manual_seed(9)
    encoders = [scratch.image_module("own", generator), scratch.text_module("own", generator)]
    images, texts = (
        Given(encoder.eval(), {"name": f"side {side}"}, frozen, False, start)
        for side, encoder in enumerate(encoders)
    )
    return GivenTowers(
        config, session or Unwatched(), scratch.width, scratch.vocabulary, scratch.view, images, texts
    )


def scratch_config(data: Any, **changes: Any) -> RetrievalConfig:
    return on(data, **{"stages": None, **changes})


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("backbone", [*WHOLE, {"name": "scan"}], ids=str)
def test_a_map_that_starts_as_identity_leaves_scores_as_they_are(
    toy_data: Any, frozen: bool, backbone: dict[str, Any]
) -> None:
    config = scratch_config(toy_data(), backbone=backbone)
    plain = given_towers(config, frozen, None)
    mapped, other = (given_towers(config, frozen, start) for start in ("identity", "random"))
    expected = scores(config, plain)
    np.testing.assert_allclose(scores(config, mapped), expected, atol=1e-6)
    assert np.abs(scores(config, other) - expected).max() > 0.01
    model = RetrievalModel(config, mapped, 1)
    assert torch.equal(model.state_dict()["image_encoder.linear.weight"], torch.eye(16))
    assert not model.state_dict()["image_encoder.linear.bias"].any()


def test_a_frozen_encoder_without_a_map_scores_what_it_says_itself(toy_data: Any) -> None:
    config = scratch_config(toy_data())
    towers = given_towers(config, True, None)
    plain = live(towers).prepared("test")
    images = towers.images.encoder(plain.regions_of(slice(None)), plain.present, plain.boxes_of(slice(None)))
    texts = towers.texts.encoder(*plain.words_of(torch.arange(20), int(plain.lengths.max())))
    expected = (images.summary @ texts.summary.T).detach().numpy()
    np.testing.assert_allclose(scores(config, towers), expected, atol=1e-6)


@pytest.mark.parametrize("backbone", [*BACKBONES, {"name": "sgr", "similarity_width": 16}], ids=str)
@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("start", [None, "identity"])
def test_everything_learnt_is_in_one_group_and_what_is_inside_an_encoder_has_its_share(
    toy_data: Any, backbone: dict[str, Any], frozen: bool, start: Any
) -> None:
    config = scratch_config(toy_data(), backbone=backbone)
    towers = given_towers(config, frozen, start)
    model = RetrievalModel(config, towers, 1)
    groups = model.groups(0.1)
    assert sorted(id(p) for group in groups for p in group["params"]) == sorted(map(id, model.parameters()))
    inside = {id(p) for one in (towers.images, towers.texts) for p in one.encoder.parameters()}
    for group in groups:
        assert group["params"]
        assert group["share"] in (0.1, 1.0)
        assert all((id(p) in inside) is (group["share"] == 0.1) for p in group["params"])
    assert [group["share"] for group in groups] == ([1.0] if frozen else [1.0, 0.1])


def test_a_model_from_scratch_has_one_group(toy_data: Any) -> None:
    for encoder in ENCODERS:
        config = scratch_config(toy_data(), encoder=encoder)
        model = RetrievalModel(config, towers_of(config, Unwatched()), 1)
        shares = {group["share"] for group in model.groups(1.0)}
        assert shares == {1.0}


def test_the_learning_rate_inside_the_encoders_is_a_share_of_the_run_s(
    toy_data: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = scratch_config(toy_data(), training={"epochs": 1, "schedule": "constant"})
    towers = given_towers(config, False, "identity")
    towers.encoder_rate = 1e-9
    before = [copied(one.encoder) for one in (towers.images, towers.texts)]
    monkeypatch.setattr(loop, "towers_of", lambda config, session: towers)
    training = loop.Training(config, Unwatched(seed=1))
    training.run()
    assert training.step is not None
    assert [group["lr"] for group in training.step.optimizer.param_groups] == pytest.approx([0.01, 1e-11])
    for one, weights in zip((towers.images, towers.texts), before, strict=True):
        for name, value in one.encoder.state_dict().items():
            torch.testing.assert_close(value, weights[name], rtol=0, atol=1e-8)
    moved = training.model.state_dict()["image_encoder.linear.weight"] - torch.eye(16)
    assert moved.abs().max() > 0.005


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("phase", ["search", "final"])
def test_a_model_that_learns_nothing_is_measured_once(
    toy_data: Any, monkeypatch: pytest.MonkeyPatch, frozen: bool, phase: Any
) -> None:
    config = scratch_config(toy_data(), training={"ema": 0.9})
    towers = given_towers(config, frozen, None)
    towers.learns = False
    monkeypatch.setattr(loop, "towers_of", lambda config, session: towers)
    expected = scores(config, towers)
    session = Unwatched(seed=1, phase=phase)
    training = loop.Training(config, session)
    assert training.step is None
    evaluation = training.run()
    assert [step for step, _ in session.reports] == [1]
    assert set(session.reports[0][1]) == {name for name in evaluation.metrics if name.startswith("dev/")}
    assert evaluation.notes == ()
    np.testing.assert_array_equal(scores(config, towers), expected)
    if phase == "final":
        image_of = np.repeat(np.arange(10, dtype=np.int32), 2)
        ranks = evaluation.ranks
        assert np.array_equal(ranks["test/t2i"].ranks, text_to_image(expected, image_of).ranks)
        assert np.array_equal(ranks["test/i2t"].ranks, image_to_text(expected, image_of).ranks)
    # Resumed, it is not measured again.
    again = Unwatched(seed=1, phase=phase, state=session.state)
    assert same(loop.run(config, again), evaluation)
    assert again.reports == []


def test_notes_of_towers_are_notes_of_the_run(toy_data: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    config = scratch_config(toy_data(), training={"epochs": 1})
    towers = given_towers(config, True, "random")
    towers.notes = ("came about in an odd way",)
    monkeypatch.setattr(loop, "towers_of", lambda config, session: towers)
    assert "came about in an odd way" in loop.run(config, Unwatched(seed=1)).notes


# The head


class Fixed(nn.Module):
    """Gives the fragments that it was made with, whatever it is shown."""

    def __init__(self, found: Fragments) -> None:
        super().__init__()
        self.found = found

    def forward(self, x: Any, y: Any, z: Any, rows: Any = None) -> Fragments:
        return self.found


def test_a_head_without_anything_hands_on_what_the_encoder_gives(make_fragments: Any) -> None:
    found = make_fragments([2, 3], 1)
    assert Head(Fixed(found), None, None)(None, None, None) is found


def test_a_head_maps_fragments_and_whole_and_leaves_padding_zero(make_fragments: Any) -> None:
    found = make_fragments([2, 3], 1, width=4)
    linear = nn.Linear(6, 6).double()
    got = Head(Fixed(found), linear, None)(None, None, None)
    expected = l2norm(linear(found.fragments).float())
    torch.testing.assert_close(got.fragments[found.mask], expected[found.mask])
    assert (got.fragments[~found.mask] == 0).all()
    torch.testing.assert_close(got.summary, l2norm(linear(found.summary).float()))
    assert torch.equal(got.mask, found.mask)


@pytest.mark.parametrize("mapped", [True, False])
def test_a_head_pools_what_it_maps(make_fragments: Any, mapped: bool) -> None:
    found = make_fragments([2, 3], 1, width=4)
    linear = nn.Linear(6, 6).double() if mapped else None
    got = Head(Fixed(found), linear, pooling_of("mean", 6))(None, None, None)
    for item, count in enumerate((2, 3)):
        places = found.fragments[item, :count]
        mean = (places if linear is None else linear(places).float()).mean(0)
        torch.testing.assert_close(got.summary[item], l2norm(mean))


def test_a_head_passes_rows_on(make_fragments: Any) -> None:
    asked = []

    class Asked(Fixed):
        def forward(self, x: Any, y: Any, z: Any, rows: Any = None) -> Fragments:
            asked.append((x, y, z, rows))
            return self.found

    found = make_fragments([2, 3], 1)
    got = Head(Asked(found), nn.Linear(6, 6).double(), None)(1, 2, 3, Rows(4, 8))
    assert asked == [(1, 2, 3, Rows(4, 8))]
    assert got.rows == Rows(4, 8)
