"""Splits as tensors, and the batches of an epoch."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from crosscut_trainables.batches import Batch, Batches, PreparedSplit, ahead
from crosscut_trainables.data.vocabulary import END, PAD, START, UNKNOWN, Vocabulary


@pytest.fixture
def prepared(toy_data: Any) -> PreparedSplit:
    split = toy_data(train_images=25).load("train")
    return PreparedSplit.of(split, Vocabulary.build(split.captions))


def captions_of(batch: Batch) -> list[tuple[int, ...]]:
    return [tuple(row) for row in batch.ids.tolist()]


def test_captions_are_ids_between_marks_and_padded(toy_data: Any) -> None:
    split = toy_data().load("train")
    known = PreparedSplit.of(split, Vocabulary(("a",)))
    assert known.ids[0].tolist() == [START, 4, UNKNOWN, UNKNOWN, UNKNOWN, END, PAD][: known.ids.shape[1]]
    assert known.lengths[0] == len(split.captions[0]) + 2


def test_all_batches_have_the_size_asked_for_and_the_rest_is_dropped(prepared: PreparedSplit) -> None:
    batches = Batches(prepared, 16, seed=1)
    sizes = [len(batch) for batch in batches.epoch(1)]
    assert sizes == [16, 16, 16]
    assert len(batches) == 3


def test_a_split_smaller_than_a_batch_is_one_batch(prepared: PreparedSplit) -> None:
    assert [len(batch) for batch in Batches(prepared, 1000, seed=1).epoch(1)] == [50]


def test_each_caption_comes_with_its_own_image_once_an_epoch(prepared: PreparedSplit) -> None:
    seen = []
    for batch in Batches(prepared, 25, seed=1).epoch(3):
        for row, image in enumerate(batch.image_of.tolist()):
            assert torch.equal(batch.regions[row], torch.from_numpy(prepared.regions[image]))
            assert torch.equal(batch.present[row], prepared.present[image])
            seen.append(image)
        assert (batch.words.sum(1) == batch.lengths).all()
        assert batch.words.shape[1] == batch.lengths.max()
    assert sorted(seen) == sorted(prepared.image_of.tolist())


def test_the_order_follows_from_seed_and_epoch_alone(prepared: PreparedSplit) -> None:
    def order(seed: int, epoch: int) -> list[int]:
        return [i for batch in Batches(prepared, 8, seed).epoch(epoch) for i in batch.image_of.tolist()]

    assert order(1, 2) == order(1, 2)
    assert order(1, 2) != order(1, 3)
    assert order(1, 2) != order(2, 2)


@pytest.mark.parametrize("workers", [2, 3])
def test_the_shares_of_the_workers_are_the_batch(prepared: PreparedSplit, workers: int) -> None:
    whole = list(Batches(prepared, 16, seed=1).epoch(1))
    shares = [list(Batches(prepared, 16, 1, rank, workers).epoch(1)) for rank in range(workers)]
    for number, batch in enumerate(whole):
        parts = [share[number] for share in shares]
        assert torch.equal(torch.cat([part.ids for part in parts]), batch.ids)
        assert torch.equal(torch.cat([part.regions for part in parts]), batch.regions)
        assert [len(part.ids) for part in parts] == parts[0].sizes
        assert all(torch.equal(part.image_of, batch.image_of) for part in parts)
        assert all(torch.equal(part.words, batch.words) for part in parts)


def test_more_workers_than_pairs_are_refused(prepared: PreparedSplit) -> None:
    with pytest.raises(ValueError, match="batch of 2 pairs cannot be shared by 3 workers"):
        Batches(prepared, 2, seed=1, rank=0, world_size=3)


def test_an_image_without_regions_is_refused(toy_data: Any) -> None:
    split = toy_data().load("dev")
    present = split.present.copy()
    present[4] = False
    with pytest.raises(ValueError, match="image 4 of the split has no region"):
        PreparedSplit.of(dataclasses.replace(split, present=present), Vocabulary(()))


def test_regions_may_lie_in_a_file(toy_data: Any, tmp_path: Any) -> None:
    split = toy_data().load("train")
    np.save(tmp_path / "regions.npy", split.regions)
    mapped = dataclasses.replace(split, regions=np.load(tmp_path / "regions.npy", mmap_mode="r"))
    vocabulary = Vocabulary.build(split.captions)
    pairs = zip(
        Batches(PreparedSplit.of(mapped, vocabulary), 8, 1).epoch(1),
        Batches(PreparedSplit.of(split, vocabulary), 8, 1).epoch(1),
        strict=True,
    )
    assert all(torch.equal(one.regions, two.regions) for one, two in pairs)


def test_items_made_ahead_are_the_same_and_each_is_made_while_the_one_before_is_used() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(4):
            made.append(number)
            yield number

    seen = []
    for number in ahead(items()):
        until = time.monotonic() + 10
        while number < 3 and number + 1 not in made:
            assert time.monotonic() < until
            time.sleep(0.001)
        assert number + 2 not in made
        seen.append(number)
    assert seen == [0, 1, 2, 3]


def test_what_is_raised_while_an_item_is_made_is_raised_where_it_is_wanted() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("no such file")

    found = ahead(items())
    assert next(found) == 1
    with pytest.raises(OSError, match="no such file"):
        next(found)


def test_no_thread_is_left_where_items_are_no_longer_wanted() -> None:
    found = ahead(iter(range(5)))
    assert next(found) == 0
    found.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("batches")]
