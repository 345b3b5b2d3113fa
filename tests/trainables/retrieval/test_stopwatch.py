"""Where the seconds of a run go: what counts as what, and that a resumed run goes on counting."""

from __future__ import annotations

import time
from typing import Any

import pytest

from crosscut_trainables import loop
from crosscut_trainables.collectives import TRAFFIC
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.session import MemorySession
from crosscut_trainables.stopwatch import PHASES, Stopwatch


def test_seconds_are_counted_by_phase_and_waiting_for_others_is_one() -> None:
    watch = Stopwatch()
    for _ in range(2):
        with watch.of("forward"):
            time.sleep(0.02)
            TRAFFIC.seconds += 0.015  # as a collective would
    with watch.of("data"):
        time.sleep(0.01)
    found = watch.seconds()
    assert tuple(found) == PHASES
    assert found["waiting"] == pytest.approx(0.03)
    assert found["forward"] >= 0.009 and found["data"] >= 0.01
    assert found["backward"] == found["evaluation"] == 0


def test_what_is_inside_counts_where_it_raises() -> None:
    watch = Stopwatch()
    with pytest.raises(KeyError), watch.of("update"):
        time.sleep(0.01)
        raise KeyError
    assert watch.seconds()["update"] >= 0.01


def test_getting_an_item_counts_and_what_is_done_with_it_does_not() -> None:
    watch = Stopwatch()

    def slow() -> Any:
        for number in range(3):
            time.sleep(0.01)
            yield number

    begun = time.perf_counter()
    for number in watch.each(slow(), "data"):
        time.sleep(0.05)
        assert number < 3
    taken = time.perf_counter() - begun
    assert 0.03 <= watch.seconds()["data"] <= taken - 0.15


def test_an_evaluation_says_where_its_seconds_went_and_a_resumed_one_where_all_did(toy_data: Any) -> None:
    config = RetrievalConfig.model_validate({"training": {"epochs": 2}}).model_copy(
        update={"data": toy_data()}
    )
    session = MemorySession(seed=1, stop_after=1)
    begun = time.perf_counter()
    spent = loop.run(config, MemorySession(seed=1)).spent
    assert set(spent) == set(PHASES)
    assert all(spent[phase] > 0 for phase in PHASES if phase != "waiting") and spent["waiting"] == 0
    assert sum(spent.values()) < time.perf_counter() - begun

    session = MemorySession(seed=1)
    loop.run(
        config.model_copy(update={"training": config.training.model_copy(update={"epochs": 1})}), session
    )
    assert session.state is not None
    kept = session.state["progress"]["spent"]
    assert kept["forward"] > 0
    kept["forward"] += 1000.0
    resumed = loop.run(config, session).spent
    assert 1000 < resumed["forward"] < 1000 + 2 * 60
