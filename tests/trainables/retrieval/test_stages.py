"""Stages: encoders that are trained each by itself, once for all runs that need the same."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from crosscut_trainables import loop
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.diverged import Diverged
from crosscut_trainables.dropout import Dropout
from crosscut_trainables.evaluation import Evaluation
from crosscut_trainables.retrieval import train
from crosscut_trainables.session import MemorySession
from crosscut_trainables.stages import SemanticLoss
from crosscut_trainables.stages.meanings import nearest_by_captions, sibling
from crosscut_trainables.stages.options import ImageStage, TextStage
from crosscut_trainables.stages.stage_training import ImageTraining, StageTraining, TextTraining
from crosscut_trainables.towers import towers_of
from crosscut_trainables.towers.scratch import ScratchTowers

SMALL: dict[str, Any] = {
    "data": {"name": "digit-scenes", "train_scenes": 40, "dev_scenes": 12, "test_scenes": 20},
    "encoder": {
        "width": 16,
        "word_width": 16,
        "min_count": 1,
        "image": {"name": "patches", "patch": 10, "layers": 1},
        "text": {"name": "transformer", "layers": 1},
    },
    "backbone": {"name": "vse++"},
    "stages": {"text": {"epochs": 2, "batch_size": 32}, "image": {"epochs": 2, "batch_size": 32}},
    "training": {"epochs": 2, "batch_size": 32},
}
SIDES = ("text", "image")
Artifacts = dict[str, dict[str, Any]]


class Unwatched(MemorySession):
    """No picture is drawn, which takes longer than a short training."""

    picture = None  # type: ignore[assignment]


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes`; sections that both have are merged."""
    out = dict(base)
    for key, value in changes.items():
        inner = out.get(key)
        out[key] = (
            merged(inner, value)
            if isinstance(value, dict) and isinstance(inner, dict) and "name" not in value
            else value
        )
    return out


def options(**changes: Any) -> dict[str, Any]:
    return merged(SMALL, changes)


def both(**changes: Any) -> dict[str, Any]:
    """Options of both stages."""
    return {"text": changes, "image": changes}


def stages_in(artifacts: Artifacts, side: str) -> list[dict[str, Any]]:
    return [made for key, made in artifacts.items() if key.startswith(f"{side}-stage")]


def counts(artifacts: Artifacts) -> tuple[int, int]:
    """How many text stages were made, and how many image stages."""
    return len(stages_in(artifacts, "text")), len(stages_in(artifacts, "image"))


def staged(artifacts: Artifacts, seed: int = 0, **changes: Any) -> None:
    """The stages of a run without the run."""
    towers_of(RetrievalConfig.model_validate(options(**changes)), Unwatched(seed, artifacts=artifacts))


def same(one: Evaluation, two: Evaluation) -> bool:
    return one.metrics == two.metrics and all(
        np.array_equal(ranks.ranks, two.ranks[name].ranks) for name, ranks in one.ranks.items()
    )


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[StageTraining]:
    """Stages that are as they start; gives those that were made."""
    made: list[StageTraining] = []

    def make(self: StageTraining, making: Any) -> dict[str, Any]:
        made.append(self)
        return {"weights": self.encoder.state_dict(), "history": [{"loss": 1.0}], "diverged": ""}

    monkeypatch.setattr(StageTraining, "make", make)
    return made


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[StageTraining]:
    """Stages are made as ever; gives those that were."""
    made: list[StageTraining] = []
    make = StageTraining.make

    def counting(self: StageTraining, making: Any) -> dict[str, Any]:
        made.append(self)
        return make(self, making)

    monkeypatch.setattr(StageTraining, "make", counting)
    return made


# Training


def test_both_stages_train_and_texts_of_one_image_end_nearer_than_others() -> None:
    artifacts: Artifacts = {}
    staged(artifacts, stages=both(epochs=12, learning_rate=0.01))
    for side in SIDES:
        [stage] = stages_in(artifacts, side)
        losses = [epoch["loss"] for epoch in stage["history"]]
        assert len(losses) == 12
        assert all(map(math.isfinite, losses))
        assert losses[-1] < 0.9 * losses[0]
        assert stage["diverged"] == ""
    history = stages_in(artifacts, "text")[0]["history"]
    gaps = [epoch["cosine_same"] - epoch["cosine_other"] for epoch in history]
    assert gaps[-1] > max(0.08, gaps[0])
    # Each image has a meaning of its own.
    assert "cosine_same" not in stages_in(artifacts, "image")[0]["history"][-1]


@pytest.mark.parametrize("loss", ["separated", "literal"])
@pytest.mark.parametrize("positives", [("siblings", "views"), ("views", "captions")])
def test_every_kind_of_positives_trains_with_every_loss(loss: str, positives: tuple[str, str]) -> None:
    artifacts: Artifacts = {}
    text, image = ({"loss": {"name": loss}, "positives": kind, "epochs": 4} for kind in positives)
    staged(artifacts, stages={"text": text, "image": image})
    for side in SIDES:
        losses = [epoch["loss"] for epoch in stages_in(artifacts, side)[0]["history"]]
        assert losses[-1] < losses[0]


@pytest.mark.parametrize("side", SIDES)
def test_positives_of_the_other_side_are_refused(side: str) -> None:
    other = {"text": "captions", "image": "siblings"}[side]
    with pytest.raises(ValidationError, match=rf"stages\.{side}\.positives"):
        RetrievalConfig.model_validate(options(stages={side: {"positives": other}}))


def test_the_encoder_that_a_run_gets_is_the_trained_one_whoever_trained_it() -> None:
    artifacts: Artifacts = {}
    config = RetrievalConfig.model_validate(SMALL)
    start = ScratchTowers(config)
    for _ in range(2):
        towers: Any = towers_of(config, Unwatched(artifacts=artifacts))
        for side, given, training in (
            ("text", towers.texts, TextTraining(start, TextStage(), 0, "cpu")),
            ("image", towers.images, ImageTraining(start, ImageStage(), 0, "cpu")),
        ):
            weights = stages_in(artifacts, side)[0]["weights"]
            state, untrained = given.encoder.state_dict(), training.encoder.state_dict()
            assert all(torch.equal(state[name], value) for name, value in weights.items())
            assert any(not torch.equal(state[name], value) for name, value in untrained.items())
            assert not any(module.training for module in given.encoder.modules())


def test_a_search_trial_trains_its_stages_without_test(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    split = ScratchTowers.split
    monkeypatch.setattr(ScratchTowers, "split", lambda self, name: asked.append(name) or split(self, name))
    artifacts: Artifacts = {}
    evaluation = train(SMALL, Unwatched(phase="search", artifacts=artifacts))
    assert set(asked) == {"train", "dev"}
    assert evaluation.ranks == {}
    assert not [key for key in artifacts if '"split": "test"' in key]


def test_global_random_state_is_neither_used_nor_changed() -> None:
    made: list[Artifacts] = [{}, {}]
    for seed, artifacts in enumerate(made):
        torch.manual_seed(seed)
        before = torch.random.get_rng_state()
        staged(artifacts, encoder={"dropout": 0.3})
        assert torch.equal(torch.random.get_rng_state(), before)
    for side in SIDES:
        one, two = (stages_in(artifacts, side)[0] for artifacts in made)
        assert one["history"] == two["history"]
        assert all(torch.equal(value, two["weights"][name]) for name, value in one["weights"].items())


@pytest.mark.parametrize(
    "encoder",
    [
        {"image": {"name": "linear"}, "text": {"name": "gru"}},
        {"image": {"name": "mlp"}, "text": {"name": "gru"}},
        {"image": {"name": "positions"}, "text": {"name": "transformer"}},
        {"image": None, "text": {"name": "gru"}},
    ],
    ids=lambda encoder: str(encoder["image"] and encoder["image"]["name"]),
)
def test_any_encoder_can_be_trained_in_a_stage(encoder: dict[str, Any]) -> None:
    artifacts: Artifacts = {}
    evaluation = train(options(encoder=encoder), Unwatched(artifacts=artifacts))
    assert counts(artifacts) == (1, 1)
    assert 0 <= evaluation.metrics["test/rsum"] <= 600


# What is shared


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": {"name": "triplet"}},
        {"training": {"learning_rate": 0.001, "epochs": 1, "batch_size": 16}},
        {"training": {"ema": 0.9, "word_dropout": 0.2, "region_dropout": 0.2, "precision": "bf16"}},
        {"stages": {"map": "both"}},
        {"stages": {"map": "text"}},
        {"backbone": {"name": "scan"}},
        {"backbone": {"name": "vse-infinity"}},
        {"backbone": {"name": "scan"}, "constraints": {"ccr": {}}},
        {"asymmetry": {}},
        {"stages": {"seed": 3}},
        {},
    ],
    ids=str,
)
def test_runs_that_differ_in_the_third_stage_alone_share_both_encoders(
    changes: dict[str, Any], counted: list[StageTraining]
) -> None:
    artifacts: Artifacts = {}
    evaluations = [
        train(config, Unwatched(seed=3, artifacts=artifacts)) for config in (SMALL, options(**changes))
    ]
    assert counts(artifacts) == (1, 1)
    assert len(counted) == 2
    assert all("test/rsum" in evaluation.metrics for evaluation in evaluations)


TEXT: dict[str, list[Any]] = {
    "positives": ["views"],
    "epochs": [3],
    "batch_size": [31],
    "learning_rate": [0.01],
    "drop": [0.0],
    "loss": [
        {"name": "literal"},
        {"name": "separated", "margin": 0.5},
        {"name": "separated", "negatives": "hardest"},
    ],
}


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in TEXT.items() for value in values])
def test_another_option_of_one_stage_leaves_the_other_shared(
    side: str, key: str, value: Any, quick: list[StageTraining]
) -> None:
    if side == "image" and key == "positives":
        value = "captions"
    artifacts: Artifacts = {}
    staged(artifacts)
    staged(artifacts, stages={side: {key: value}})
    assert counts(artifacts) == ((2, 1) if side == "text" else (1, 2))
    assert len(quick) == 3
    assert set(TextStage.model_fields) == set(ImageStage.model_fields) == set(TEXT)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"data": {"train_scenes": 41}}, (2, 2)),
        ({"data": {"dev_scenes": 13}}, (2, 2)),
        ({"data": {"seed": 1}}, (2, 2)),
        ({"data": {"noise": 0.1}}, (2, 2)),
        ({"encoder": {"width": 8}}, (2, 2)),
        ({"encoder": {"word_width": 8}}, (2, 1)),
        ({"encoder": {"min_count": 30}}, (2, 1)),
        ({"encoder": {"dropout": 0.1}}, (2, 1)),
        ({"encoder": {"text": {"name": "gru"}}}, (2, 1)),
        ({"encoder": {"text": {"name": "transformer", "layers": 2}}}, (2, 1)),
        ({"encoder": {"image": {"name": "patches", "patch": 5, "layers": 1}}}, (1, 2)),
        ({"encoder": {"image": {"name": "patches", "patch": 10, "layers": 2}}}, (1, 2)),
        ({"encoder": {"image": {"name": "linear"}}}, (1, 2)),
        # None is named, so it is that of the backbone.
        ({"encoder": {"image": None}}, (1, 2)),
        ({"encoder": {"image": None}, "backbone": {"name": "vse-infinity"}}, (1, 2)),
    ],
    ids=str,
)
def test_what_defines_an_encoder_makes_another(
    changes: dict[str, Any], expected: tuple[int, int], quick: list[StageTraining]
) -> None:
    artifacts: Artifacts = {}
    staged(artifacts)
    staged(artifacts, **changes)
    assert counts(artifacts) == expected
    assert len(quick) == sum(expected)
    staged(artifacts, **changes)
    assert len(quick) == sum(expected)


def test_the_image_encoder_that_a_backbone_has_by_default_is_the_one_of_that_name(
    quick: list[StageTraining],
) -> None:
    artifacts: Artifacts = {}
    for image, backbone in ((None, "vse-infinity"), ({"name": "mlp"}, "vse++"), (None, "vse++")):
        staged(artifacts, encoder={"image": image}, backbone={"name": backbone})
    assert counts(artifacts) == (1, 2)


def test_the_content_of_a_file_of_word_vectors_counts_and_not_its_place(
    quick: list[StageTraining], tmp_path: Path
) -> None:
    def write(name: str, value: float) -> str:
        file = tmp_path / name
        file.write_text(f"a {' '.join([str(value)] * 16)}\n")
        return str(file)

    artifacts: Artifacts = {}
    staged(artifacts)
    staged(artifacts, encoder={"word_vectors": write("one.txt", 1.0)})
    assert counts(artifacts) == (2, 1)
    staged(artifacts, encoder={"word_vectors": write("other.txt", 1.0)})
    assert counts(artifacts) == (2, 1)
    staged(artifacts, encoder={"word_vectors": write("one.txt", 2.0)})
    assert counts(artifacts) == (3, 1)
    embedded = [
        float(training.encoder.get_submodule("embed").weight.detach().max())
        for training in quick
        if isinstance(training, TextTraining)
    ]
    assert embedded[1:] == [1.0, 2.0]


def test_another_seed_has_stages_of_its_own() -> None:
    artifacts: Artifacts = {}
    for seed in (1, 2, 1):
        staged(artifacts, seed=seed)
    assert counts(artifacts) == (2, 2)
    for side in SIDES:
        one, two = (stage["weights"] for stage in stages_in(artifacts, side))
        assert any(not torch.equal(value, two[name]) for name, value in one.items())


def test_a_seed_of_the_stages_has_all_runs_share_them(counted: list[StageTraining]) -> None:
    artifacts: Artifacts = {}
    config = options(stages={"seed": 7})
    evaluations = [train(config, Unwatched(seed=seed, artifacts=artifacts)) for seed in (1, 2)]
    assert counts(artifacts) == (1, 1)
    # The linear map is still each run's own.
    assert not same(*evaluations)
    # It is the encoder of a run that has this seed itself.
    train(SMALL, Unwatched(seed=7, artifacts=artifacts))
    assert counts(artifacts) == (1, 1)
    assert len(counted) == 2


@pytest.mark.parametrize("backbone", ["vse++", "scan"])
def test_a_run_is_the_same_again_whether_its_stages_are_there_or_not(backbone: str) -> None:
    config = options(backbone={"name": backbone}, stages={"map": "both"})
    artifacts: Artifacts = {}
    first = train(config, Unwatched(seed=1, artifacts=artifacts))
    assert same(first, train(config, Unwatched(seed=1)))
    made = {key: dict(value) for key, value in artifacts.items()}
    assert same(first, train(config, Unwatched(seed=1, artifacts=artifacts)))
    assert artifacts.keys() == made.keys()
    assert not same(first, train(config, Unwatched(seed=2)))


def test_an_artifact_is_not_changed_by_the_runs_that_use_it() -> None:
    artifacts: Artifacts = {}
    staged(artifacts, seed=1)
    kept = {key: {n: v.clone() for n, v in made["weights"].items()} for key, made in artifacts.items()}
    for changes in ({}, {"training": {"word_dropout": 0.3, "region_dropout": 0.3}}, {"asymmetry": {}}):
        train(options(**changes), Unwatched(seed=1, artifacts=artifacts))
    for key, weights in kept.items():
        assert all(torch.equal(value, artifacts[key]["weights"][name]) for name, value in weights.items())


def test_without_a_session_that_shares_the_stages_are_made_for_the_run(counted: list[StageTraining]) -> None:
    class Alone(Unwatched):
        artifact = None  # type: ignore[assignment]

    evaluations = [train(SMALL, session) for session in (Unwatched(seed=1), Alone(seed=1))]
    assert same(*evaluations)
    assert len(counted) == 4


# Interrupted and diverged


class Interrupted(Exception):  # noqa: N818 - as `Diverged`
    """The process of a making ends."""


class Bench:
    """A making whose checkpoints are files, as those of a sweep; it can break off when an epoch is reported."""

    def __init__(self, file: bytes | None = None, break_at: int | None = None) -> None:
        self.file, self.break_at = file, break_at
        self.steps: list[int] = []

    def report(self, step: int, metrics: Mapping[str, float]) -> None:
        self.steps.append(step)
        if step == self.break_at:
            raise Interrupted

    def save(self, state: Mapping[str, Any]) -> None:
        file = io.BytesIO()
        torch.save(dict(state), file)
        self.file = file.getvalue()

    def restore(self) -> dict[str, Any] | None:
        if self.file is None:
            return None
        found: dict[str, Any] = torch.load(io.BytesIO(self.file), weights_only=True)
        return found


def training_of(side: str, dropout: float = 0.2, **stage: Any) -> StageTraining:
    changes: dict[str, Any] = {"encoder": {"dropout": dropout}, "stages": {side: {"epochs": 4, **stage}}}
    config = RetrievalConfig.model_validate(options(**changes))
    assert config.stages is not None
    scratch = ScratchTowers(config)
    if side == "text":
        return TextTraining(scratch, config.stages.text, 3, "cpu")
    return ImageTraining(scratch, config.stages.image, 3, "cpu")


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("break_at", [1, 2, 4])
def test_a_making_that_is_interrupted_goes_on_from_its_checkpoint_to_the_same_bits(
    side: str, break_at: int
) -> None:
    whole = training_of(side).make(Bench())
    broken = Bench(break_at=break_at)
    with pytest.raises(Interrupted):
        training_of(side).make(broken)
    resumed = Bench(broken.file)
    made = training_of(side).make(resumed)
    assert resumed.steps == list(range(break_at, 5))
    assert made["history"] == whole["history"]
    assert made["weights"].keys() == whole["weights"].keys()
    assert all(torch.equal(value, whole["weights"][name]) for name, value in made["weights"].items())


@pytest.mark.parametrize("side", SIDES)
def test_a_making_whose_last_epoch_is_saved_trains_no_more(side: str) -> None:
    bench = Bench()
    whole = training_of(side).make(bench)
    again = Bench(bench.file)
    made = training_of(side).make(again)
    assert again.steps == []
    assert all(torch.equal(value, whole["weights"][name]) for name, value in made["weights"].items())


class Memory:
    """A making that keeps all checkpoints in memory as they are handed over."""

    def __init__(self, state: dict[str, Any] | None = None) -> None:
        self.states: list[dict[str, Any]] = [] if state is None else [state]
        self.seen: list[tuple[int, float]] = []

    def report(self, step: int, metrics: Mapping[str, float]) -> None:
        pass

    def save(self, state: Mapping[str, Any]) -> None:
        self.states.append(dict(state))
        self.seen.append(outline(state))

    def restore(self) -> dict[str, Any] | None:
        return self.states[-1] if self.states else None


def outline(state: Mapping[str, Any]) -> tuple[int, float]:
    """How many epochs a checkpoint knows of, and the sum of all its numbers."""
    moments = [value for entry in state["optimizer"]["state"].values() for value in entry.values()]
    tensors = [*state["weights"].values(), *moments]
    return len(state["history"]), sum(float(value.double().abs().sum()) for value in tensors)


@pytest.mark.parametrize("side", SIDES)
def test_a_checkpoint_of_a_stage_is_not_changed_by_the_training_that_goes_on(side: str) -> None:
    memory = Memory()
    training_of(side).make(memory)
    assert len({numbers for _, numbers in memory.seen}) == 4
    assert [outline(state) for state in memory.states] == memory.seen


@pytest.mark.parametrize("side", SIDES)
def test_a_checkpoint_that_was_restored_is_not_changed_by_the_training_that_goes_on(side: str) -> None:
    broken = Bench(break_at=3)
    with pytest.raises(Interrupted):
        training_of(side).make(broken)
    state = broken.restore()
    assert state is not None
    before = outline(state)
    training_of(side).make(Memory(state))
    assert outline(state) == before


def on(data: Any, **changes: Any) -> RetrievalConfig:
    """The configuration with a data set that is not registered."""
    plain = {"encoder": {"image": {"name": "linear"}, "text": {"name": "gru"}}}
    return RetrievalConfig.model_validate(merged(options(**plain), changes)).model_copy(update={"data": data})


def test_a_stage_whose_loss_is_no_number_is_an_error_that_names_it_and_is_not_trained_again(
    toy_data: Any, counted: list[StageTraining]
) -> None:
    artifacts: Artifacts = {}
    for _ in range(2):
        with pytest.raises(Diverged, match=r"^image stage, epoch 1: loss is nan$"):
            loop.run(on(toy_data(broken=True)), Unwatched(artifacts=artifacts))
        assert [type(training) for training in counted] == [TextTraining, ImageTraining]
    assert counts(artifacts) == (1, 1)


def test_a_text_stage_that_diverges_is_named_as_well(
    monkeypatch: pytest.MonkeyPatch, counted: list[StageTraining]
) -> None:
    epoch = StageTraining._epoch
    monkeypatch.setattr(
        StageTraining, "_epoch", lambda self, *rest: math.inf if rest[-1] == 2 else epoch(self, *rest)
    )
    artifacts: Artifacts = {}
    for _ in range(2):
        with pytest.raises(Diverged, match=r"^text stage, epoch 2: loss is inf$"):
            train(SMALL, Unwatched(artifacts=artifacts))
    # The image stage is not begun.
    assert [type(training) for training in counted] == [TextTraining]
    assert len(stages_in(artifacts, "text")[0]["history"]) == 1


def test_a_stage_whose_last_step_leaves_no_numbers_has_diverged(monkeypatch: pytest.MonkeyPatch) -> None:
    epoch = StageTraining._epoch

    def spoilt(self: StageTraining, *rest: Any) -> float:
        loss = epoch(self, *rest)
        with torch.no_grad():
            next(self.encoder.parameters()).fill_(math.nan)
        return loss

    monkeypatch.setattr(StageTraining, "_epoch", spoilt)
    with pytest.raises(Diverged, match=r"^text stage, epoch 1: cosine_\w+ is nan$"):
        train(SMALL, Unwatched())


# Notes


def test_features_that_a_stage_made_alike_are_noted_and_others_are_not() -> None:
    stages = both(epochs=12, learning_rate=0.01)
    literal = merged(stages, both(loss={"name": "literal"}))
    notes = train(options(stages=literal), Unwatched(seed=1)).notes
    assert [note for note in notes if note.startswith("the text stage made all texts alike")]
    assert [note for note in notes if note.startswith("the image stage made all images alike")]
    assert "have a mean cosine of 0.99" in " ".join(notes) or "have a mean cosine of 1.00" in " ".join(notes)
    notes = train(options(stages=stages), Unwatched(seed=1)).notes
    assert not [note for note in notes if "alike" in note]


def test_the_note_of_a_stage_is_there_in_every_run_that_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crosscut_trainables.stages.stage.ALIKE", -1.0)
    artifacts: Artifacts = {}
    for phase in ("search", "final"):
        session = Unwatched(phase=phase, artifacts=artifacts)  # type: ignore[arg-type]
        assert [note[:20] for note in train(SMALL, session).notes] == [
            "the text stage made ",
            "the image stage made",
        ]


# Meanings


IMAGE_OF = torch.tensor([0, 0, 0, 1, 2, 2, 5, 5, 5, 5])


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_every_caption_has_another_one_of_its_image_and_a_single_one_itself() -> None:
    own = torch.arange(len(IMAGE_OF))
    alone = torch.bincount(IMAGE_OF)[IMAGE_OF] == 1
    for seed in range(20):
        found = sibling(IMAGE_OF, seeded(seed))
        assert found.dtype == torch.int64
        assert torch.equal(IMAGE_OF[found], IMAGE_OF)
        assert torch.equal(found == own, alone)


def test_siblings_follow_from_the_generator() -> None:
    assert torch.equal(sibling(IMAGE_OF, seeded(1)), sibling(IMAGE_OF, seeded(1)))
    assert not torch.equal(sibling(IMAGE_OF, seeded(1)), sibling(IMAGE_OF, seeded(2)))


def test_all_siblings_are_drawn_evenly() -> None:
    generator = seeded()
    drawn = torch.stack([sibling(IMAGE_OF, generator) for _ in range(1000)])
    for caption in range(len(IMAGE_OF)):
        others = [o for o in range(len(IMAGE_OF)) if o != caption and IMAGE_OF[o] == IMAGE_OF[caption]]
        for other in others:
            share = (drawn[:, caption] == other).double().mean().item()
            assert share == pytest.approx(1 / len(others), abs=0.06)


def nearest_by_definition(captions: Sequence[Sequence[str]], image_of: Sequence[int]) -> list[int]:
    count = max(image_of) + 1
    texts = [
        [w for c, i in zip(captions, image_of, strict=True) if i == image for w in c]
        for image in range(count)
    ]
    words = sorted({word for text in texts for word in text})
    rows = []
    for text in texts:
        row = [
            text.count(word) * (1 + math.log((1 + count) / (1 + sum(word in other for other in texts))))
            for word in words
        ]
        norm = math.sqrt(sum(value**2 for value in row))
        rows.append([value / norm for value in row])
    nearest = []
    for image in range(count):
        others = [o for o in range(count) if o != image]
        cosines = [sum(a * b for a, b in zip(rows[image], rows[o], strict=True)) for o in others]
        nearest.append(others[cosines.index(max(cosines))])
    return nearest


@pytest.mark.parametrize("block", [None, 1, 50])
def test_the_nearest_by_captions_is_its_definition(
    block: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if block is not None:
        monkeypatch.setattr("crosscut_trainables.stages.meanings.NEIGHBOUR_BLOCK", block)
    random = np.random.default_rng(0)
    captions = [
        [f"w{n}" for n in random.zipf(1.5, 6) if n < 40] + [f"v{n}" for n in random.integers(0, 30, 3)]
        for _ in range(60)
    ]
    image_of = np.repeat(np.arange(20, dtype=np.int32), 3)
    found = nearest_by_captions(captions, image_of)
    assert found.dtype == torch.int64
    assert found.tolist() == nearest_by_definition(captions, image_of.tolist())


def test_of_images_that_are_as_near_the_first_is_taken() -> None:
    captions = [["a", "b"], ["c", "d"], ["a", "b"], ["a", "b"], ["e"]]
    image_of = np.arange(5, dtype=np.int32)
    # The fourth and the second share nothing with any other.
    assert nearest_by_captions(captions, image_of).tolist() == [2, 0, 0, 0, 0]


def test_captions_need_two_images() -> None:
    with pytest.raises(ValueError, match="positives: captions need two images at least"):
        nearest_by_captions([["a"], ["b"]], np.zeros(2, np.int32))


class Watched(SemanticLoss):
    """Draws the items of a pair together, and keeps all that it was asked."""

    summary: ClassVar[str] = "watched"

    name: str = "watched"
    asked: list[Any]

    def loss(self, one: torch.Tensor, other: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
        self.asked.append((one.detach(), other.detach(), same))
        return (one - other).square().sum()


def watched(side: str, **stage: Any) -> tuple[StageTraining, Watched]:
    """A training that is watched, of one epoch where `stage` does not say."""
    training = training_of(side, **{"dropout": 0.0, "epochs": 1, **stage})
    loss = Watched(asked=[])
    training.options = training.options.model_copy(update={"loss": loss})
    return training, loss


def test_pairs_of_texts_are_siblings_drawn_anew_in_every_epoch_or_captions_themselves() -> None:
    training, _ = watched("text")
    split = training.scratch.prepared("train")
    own, first = training.pairs(split, 1)
    assert torch.equal(own, torch.arange(200))
    assert (first != own).all()
    assert torch.equal(split.image_of[first], split.image_of)
    assert torch.equal(training.pairs(split, 1)[1], first)
    assert not torch.equal(training.pairs(split, 2)[1], first)
    assert torch.equal(*watched("text", positives="views")[0].pairs(split, 1))


def test_pairs_of_images_are_images_themselves_or_those_of_the_nearest_captions() -> None:
    training, _ = watched("image", positives="captions")
    prepared, split = training.scratch.prepared("train"), training.scratch.split("train")
    own, nearest = training.pairs(prepared, 1)
    assert torch.equal(own, torch.arange(40))
    assert nearest.tolist() == nearest_by_definition(split.captions, split.image_of.tolist())
    assert torch.equal(*watched("image")[0].pairs(prepared, 1))


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("drop", [0.0, 0.5])
def test_two_views_of_an_item_lose_other_parts_and_none_where_nothing_is_dropped(
    side: str, drop: float
) -> None:
    training, loss = watched(side, positives="views", drop=drop)
    training.make(Bench())
    apart = torch.cat([(one - other).norm(dim=1) for one, other, _ in loss.asked])
    assert len(apart) >= 32
    assert bool((apart > 0.01).any()) is (drop > 0)
    assert drop > 0 or (apart == 0).all()


def test_texts_of_one_image_are_no_negatives() -> None:
    training, loss = watched("text", batch_size=200)
    image_of = training.scratch.prepared("train").image_of
    chosen = remembered(training)
    training.make(Bench())
    [(_, _, same)] = loss.asked
    meanings = image_of[chosen[0]]
    assert torch.equal(image_of[chosen[1]], meanings)
    assert torch.equal(same, meanings[:, None] == meanings)


def test_images_are_each_other_s_negatives_in_views() -> None:
    training, loss = watched("image", batch_size=40)
    training.make(Bench())
    [(_, _, same)] = loss.asked
    assert torch.equal(same, torch.eye(40, dtype=torch.bool))


def negatives_among_neighbours() -> tuple[list[tuple[int, int]], torch.Tensor]:
    """Which images are each other's negatives in a batch of all, and which is the nearest of each."""
    training, loss = watched("image", batch_size=40, positives="captions")
    nearest = training.pairs(training.scratch.prepared("train"), 1)[1]
    chosen = remembered(training)
    training.make(Bench())
    [(_, _, same)] = loss.asked
    one, other = chosen[:2]
    assert torch.equal(other, nearest[one])
    rows, columns = (~same).nonzero(as_tuple=True)
    return list(zip(one[rows].tolist(), other[columns].tolist(), strict=True)), nearest


def test_an_image_and_its_nearest_are_no_negatives() -> None:
    meet, nearest = negatives_among_neighbours()
    assert len(meet) > 40 * 30
    assert [(i, j) for i, j in meet if i == j] == []
    assert [(i, j) for i, j in meet if nearest[i] == j] == []


def test_an_image_and_one_that_it_is_the_nearest_of_are_no_negatives() -> None:
    # They are a pair of the epoch, and drawn together, as well.
    meet, nearest = negatives_among_neighbours()
    assert [(i, j) for i, j in meet if nearest[j] == i] == []


@pytest.mark.parametrize("side", SIDES)
def test_every_epoch_has_another_order_and_drops_other_parts(side: str) -> None:
    count = {"text": 200, "image": 40}[side]
    training, loss = watched(
        side, positives="views", drop=0.5, batch_size=count, learning_rate=1e-30, epochs=2
    )
    chosen = remembered(training)
    training.make(Bench())
    # Of each epoch one batch of all; what is measured on dev is fewer.
    orders = [items for items in chosen if len(items) == count][::2]
    assert not torch.equal(*orders)
    assert torch.equal(*(order.sort().values for order in orders))
    # No weight moves, so an item that is seen as it was before has the features that it had.
    one, two = (features[order.argsort()] for (features, _, _), order in zip(loss.asked, orders, strict=True))
    assert ((one - two).norm(dim=1) > 0.01).double().mean() > 0.5


def test_either_view_of_a_text_has_a_dropout_of_its_own() -> None:
    training = training_of("text", dropout=0.5, positives="views", drop=0.0, epochs=1)
    pairs: list[tuple[torch.Tensor, torch.Tensor]] = []

    class Watching:
        def loss(self, one: torch.Tensor, other: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
            pairs.append((one.detach(), other.detach()))
            return one.sum()

    training.options = training.options.model_copy(update={"loss": Watching()})
    training.make(Bench())
    assert pairs
    assert not any(torch.equal(one, other) for one, other in pairs)


def test_every_step_has_a_dropout_of_its_own() -> None:
    # Nothing moves but dropout: the same captions, in batches of all.
    training, loss = watched(
        "text", positives="views", drop=0.0, batch_size=200, learning_rate=1e-30, epochs=3, dropout=0.5
    )
    chosen = remembered(training)
    training.make(Bench())
    orders = [items for items in chosen if len(items) == 200][::2]
    found = [features[order.argsort()] for (features, _, _), order in zip(loss.asked, orders, strict=True)]
    seeds = {module.seed for module in training.encoder.modules() if isinstance(module, Dropout)}
    assert 0 not in seeds
    assert all((one - two).norm() > 0.1 for one, two in pairwise(found))


def remembered(training: StageTraining) -> list[torch.Tensor]:
    """The items that it encodes, batch by batch."""
    chosen: list[torch.Tensor] = []
    encode = training.encode

    def remembering(*arguments: Any) -> Any:
        inner = encode(*arguments)
        return lambda items: chosen.append(items) or inner(items)  # type: ignore[func-returns-value]

    training.encode = remembering  # type: ignore[method-assign]
    return chosen
