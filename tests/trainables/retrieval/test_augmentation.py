"""Augmentation: what it takes away, what it never touches, and that all workers see the same."""

from __future__ import annotations

from dataclasses import fields
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from crosscut_trainables import loop
from crosscut_trainables.augmentation import Augmentation
from crosscut_trainables.batches import Batch, Batches, PreparedSplit
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.data.vocabulary import END, MARKS, PAD, START, UNKNOWN, Vocabulary
from crosscut_trainables.session import MemorySession

DISTURBANCES = ("remove", "unknown", "mixed")
FIRST = len(MARKS)
OTHERS = 100_000
"""Ids that there are, so many that another word is none of the text's."""


@lru_cache
def vocabulary_of(ids: int) -> Vocabulary:
    """A vocabulary of so many ids, marks included."""
    return Vocabulary(tuple(map(str, range(FIRST, ids))))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def texts(*words: int) -> tuple[Tensor, Tensor]:
    """Texts of so many words, which ascend by 1, so that a changed order shows."""
    lengths = torch.tensor(words) + 2
    ids = torch.full((len(words), int(lengths.max())), PAD)
    for row, count in zip(ids, words, strict=True):
        row[: count + 2] = torch.tensor([START, *range(FIRST, FIRST + count), END])
    return ids, lengths


def disturbed(disturbance: str, share: float, *words: int, vocabulary: int = OTHERS) -> tuple[Tensor, Tensor]:
    augmentation = Augmentation(
        word_dropout=share, disturbance=disturbance, vocabulary=vocabulary_of(vocabulary)
    )
    return augmentation.words(*texts(*words), seeded())


@pytest.fixture
def prepared(toy_data: Any) -> PreparedSplit:
    split = toy_data(train_images=25).load("train")
    return PreparedSplit.of(split, Vocabulary.build(split.captions))


def augmented(prepared: PreparedSplit, disturbance: str, *worker: int, seed: int = 1) -> Batches:
    augmentation = Augmentation(0.3, 0.3, disturbance, vocabulary_of(10))
    return Batches(prepared, 16, seed, *worker, augmentation=augmentation)


def test_a_region_goes_with_its_probability() -> None:
    kept = Augmentation(region_dropout=0.3).regions(torch.ones(400, 50, dtype=torch.bool), seeded())
    assert kept.float().mean().item() == pytest.approx(0.7, abs=0.015)


def test_an_image_that_would_lose_all_regions_keeps_all() -> None:
    kept = Augmentation(region_dropout=0.9).regions(torch.ones(4000, 2, dtype=torch.bool), seeded())
    # Both stay, or both would go: 0.1² + 0.9².
    assert (kept.sum(1) == 2).float().mean().item() == pytest.approx(0.82, abs=0.03)
    assert kept.any(1).all()


def test_a_region_that_is_padding_stays_padding() -> None:
    present = torch.rand(200, 5, generator=seeded(1)) < 0.5
    present[:, 0] = True
    for share in (0.2, 0.99):
        kept = Augmentation(region_dropout=share).regions(present, seeded())
        assert not (kept & ~present).any()
        assert kept.any(1).all()


@pytest.mark.parametrize("disturbance", DISTURBANCES)
@pytest.mark.parametrize("share", [0.3, 0.97])
def test_marks_stay_around_the_words_and_padding_after_them(disturbance: str, share: float) -> None:
    ids, lengths = disturbed(disturbance, share, *range(1, 9), *range(1, 9))
    for row, length in zip(ids.tolist(), lengths.tolist(), strict=True):
        assert row[0] == START
        assert row[length - 1] == END
        assert not {PAD, START, END} & set(row[1 : length - 1])
        assert set(row[length:]) <= {PAD}
        assert length >= 3


@pytest.mark.parametrize("disturbance", DISTURBANCES)
def test_words_that_are_left_keep_their_order(disturbance: str) -> None:
    ids, _ = disturbed(disturbance, 0.5, *range(1, 30))
    changed = 0
    for row, words in zip(ids.tolist(), range(1, 30), strict=True):
        left = [word for word in row if FIRST <= word < FIRST + words]
        assert left == sorted(set(left))
        changed += len(left) < words
    assert changed > 20


def test_a_word_that_becomes_unknown_stays_in_its_place() -> None:
    before, length = texts(*range(1, 30))
    ids, lengths = disturbed("unknown", 0.5, *range(1, 30))
    assert torch.equal(lengths, length)
    assert set(ids[ids != before].tolist()) == {UNKNOWN}


@pytest.mark.parametrize("disturbance", DISTURBANCES)
def test_a_word_is_disturbed_with_its_probability(disturbance: str) -> None:
    ids, lengths = disturbed(disturbance, 0.3, *[50] * 400)
    words = 400 * 50
    unknown = int((ids == UNKNOWN).sum()) / words
    another = int((ids >= FIRST + 50).sum()) / words
    gone = 1 - int((lengths - 2).sum()) / words
    expected = {"remove": (0, 0, 0.3), "unknown": (0.3, 0, 0), "mixed": (0.15, 0.03, 0.12)}[disturbance]
    assert (unknown, another, gone) == pytest.approx(expected, abs=0.012)


def test_a_text_that_would_lose_all_words_loses_none() -> None:
    ids, lengths = disturbed("remove", 0.9, *[2] * 4000)
    # Both stay, or both would go: 0.1² + 0.9².
    assert (lengths == 4).float().mean().item() == pytest.approx(0.82, abs=0.03)
    assert lengths.min() == 3
    assert torch.equal(ids[lengths == 4][0], texts(2)[0][0])


@pytest.mark.parametrize("disturbance", DISTURBANCES)
def test_a_text_without_words_stays_as_it_is(disturbance: str) -> None:
    ids, lengths = disturbed(disturbance, 0.97, 0, 3)
    assert ids[0].tolist() == [START, END, PAD, PAD, PAD]
    assert lengths[0] == 2


@pytest.mark.parametrize("vocabulary", [FIRST + 6, FIRST + 1, FIRST])
def test_another_word_is_one_of_the_vocabulary(vocabulary: int) -> None:
    augmentation = Augmentation(0, 0.97, "mixed", vocabulary_of(vocabulary))
    before = torch.tensor([[START, *[UNKNOWN] * 20, END]] * 50)
    ids, _ = augmentation.words(before, torch.full((50,), 22), seeded())
    assert set(ids[ids > UNKNOWN].tolist()) == set(range(FIRST, vocabulary))


def test_what_is_off_changes_nothing_and_draws_nothing() -> None:
    generator = seeded()
    present, (ids, lengths) = torch.ones(3, 2, dtype=torch.bool), texts(4, 1, 2)
    assert Augmentation(word_dropout=0.5).regions(present, generator) is present
    off = Augmentation(region_dropout=0.5).words(ids, lengths, generator)
    assert off[0] is ids
    assert off[1] is lengths
    assert torch.equal(generator.get_state(), seeded().get_state())


def test_batches_without_augmentation_are_those_of_one_that_is_off(prepared: PreparedSplit) -> None:
    off = Augmentation(disturbance="mixed", vocabulary=vocabulary_of(10))
    assert not off.acts
    pairs = zip(
        Batches(prepared, 16, 1).epoch(1), Batches(prepared, 16, 1, augmentation=off).epoch(1), strict=True
    )
    for one, two in pairs:
        for name in (field.name for field in fields(Batch)):
            a, b = getattr(one, name), getattr(two, name)
            assert torch.equal(a, b) if isinstance(a, Tensor) else a == b, name


def test_augmentation_leaves_what_it_is_given_as_it_was() -> None:
    present, (ids, lengths) = torch.ones(9, 4, dtype=torch.bool), texts(*range(1, 10))
    augmentation = Augmentation(0.5, 0.5, "mixed", vocabulary_of(OTHERS))
    augmentation.regions(present, seeded())
    augmentation.words(ids, lengths, seeded())
    assert present.all()
    assert torch.equal(ids, texts(*range(1, 10))[0])
    assert torch.equal(lengths, texts(*range(1, 10))[1])


@pytest.mark.parametrize("disturbance", DISTURBANCES)
def test_the_masks_of_a_batch_are_those_of_what_is_left(prepared: PreparedSplit, disturbance: str) -> None:
    for batch in augmented(prepared, disturbance).epoch(1):
        assert torch.equal(batch.words.sum(1), batch.lengths)
        assert torch.equal(batch.words, batch.ids != PAD)
        assert batch.ids.shape == batch.words.shape == (16, int(batch.lengths.max()))
        assert not (batch.present & ~prepared.present[batch.image_of]).any()


def test_augmentation_changes_neither_the_order_of_pairs_nor_their_features(prepared: PreparedSplit) -> None:
    pairs = zip(augmented(prepared, "mixed").epoch(1), Batches(prepared, 16, 1).epoch(1), strict=True)
    for noisy, plain in pairs:
        assert torch.equal(noisy.image_of, plain.image_of)
        assert torch.equal(noisy.regions, plain.regions)
        assert torch.equal(noisy.boxes, plain.boxes)
        assert not torch.equal(noisy.present, plain.present)


@pytest.mark.parametrize("disturbance", DISTURBANCES)
@pytest.mark.parametrize("workers", [2, 3])
def test_workers_see_the_parts_of_what_one_sees(
    prepared: PreparedSplit, disturbance: str, workers: int
) -> None:
    whole = list(augmented(prepared, disturbance).epoch(2))
    shares = [list(augmented(prepared, disturbance, rank, workers).epoch(2)) for rank in range(workers)]
    for number, batch in enumerate(whole):
        parts = [share[number] for share in shares]
        assert torch.equal(torch.cat([part.ids for part in parts]), batch.ids)
        assert torch.equal(torch.cat([part.lengths for part in parts]), batch.lengths)
        assert all(torch.equal(part.present, batch.present) for part in parts)
        assert all(torch.equal(part.words, batch.words) for part in parts)


def test_draws_follow_from_seed_and_epoch_alone(toy_data: Any) -> None:
    # All captions and images are alike, so that what differs is drawn.
    split = toy_data(same=True).load("train")
    alike = PreparedSplit.of(split, Vocabulary.build(split.captions))

    def drawn(seed: int, *epochs: int) -> list[Tensor]:
        batches = augmented(alike, "unknown", seed=seed)
        seen: list[Batch] = []
        for epoch in epochs:
            seen = list(batches.epoch(epoch))
        return [torch.cat([b.present for b in seen]), torch.cat([b.ids for b in seen])]

    def equal(one: list[Tensor], two: list[Tensor]) -> list[bool]:
        return [torch.equal(a, b) for a, b in zip(one, two, strict=True)]

    assert equal(drawn(1, 2), drawn(1, 1, 2)) == [True, True]
    assert equal(drawn(1, 2), drawn(1, 3)) == [False, False]
    assert equal(drawn(1, 2), drawn(2, 2)) == [False, False]


def test_evaluation_is_that_of_what_the_data_set_has(toy_data: Any) -> None:
    # Steps too small to change a weight, so that augmentation in evaluation would be all that differs.
    training = {"epochs": 1, "batch_size": 16, "learning_rate": 1e-30}
    noise = {"region_dropout": 0.5, "word_dropout": 0.5, "disturbance": "mixed"}
    losses, evaluations = [], []
    for options in (training, training | noise):
        config = RetrievalConfig.model_validate(
            {"backbone": {"name": "vse++"}, "encoder": {"min_count": 1}, "training": options}
        )
        session = MemorySession(seed=1)
        evaluations.append(loop.run(config.model_copy(update={"data": toy_data()}), session))
        losses.append(session.reports[0][1]["loss/match"])
    plain, noisy = evaluations
    assert losses[0] != losses[1]
    assert noisy.metrics == plain.metrics
    assert all(np.array_equal(noisy.ranks[name].ranks, plain.ranks[name].ranks) for name in plain.ranks)
