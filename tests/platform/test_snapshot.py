"""The snapshot of an experiment comes back as it was kept, or is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from crosscut.arms.experiment import Experiment
from crosscut.errors import InputError
from crosscut.plan import reconcile
from crosscut.records.snapshot import keep, recall
from crosscut.records.store import Store

SAID: dict[str, Any] = {
    "report": {"primary": "test/i2t_r1", "margin": 2.0},
    "hypotheses": [{"effect": "some vs none"}],
    "resources": {"workers": 2},
}


def test_an_experiment_comes_back_as_it_was_kept(
    store: Store, make_experiment: Callable[..., Experiment]
) -> None:
    kept = make_experiment(**SAID)
    keep(store, kept)
    assert recall(store) == kept


def test_what_comes_back_has_the_same_keys(store: Store, make_experiment: Callable[..., Experiment]) -> None:
    kept = make_experiment(trials=3, search={"space": {"x": {"log_int": [1, 64]}}})
    keep(store, kept)
    plans = [reconcile(experiment, lambda _: None) for experiment in (kept, recall(store))]
    keys = [[arm.trial_key(i) for arm in plan.arms for i in range(3)] for plan in plans]
    assert keys[0] == keys[1] and len(set(keys[0])) == 6
    assert plans[0].next() == plans[1].next()


def test_a_sweep_without_search_or_baseline_comes_back(
    store: Store, make_experiment: Callable[..., Experiment]
) -> None:
    made = make_experiment(trials=0)
    kept = Experiment(made.sweep, made.arms, None)
    keep(store, kept)
    assert recall(store) == kept


def test_the_newest_takes_the_place_of_the_one_before(
    store: Store, make_experiment: Callable[..., Experiment]
) -> None:
    keep(store, make_experiment(seeds=2))
    keep(store, make_experiment(seeds=5))
    assert recall(store).sweep.seeds.count == 5


def test_a_damaged_snapshot_is_refused_by_name(
    store: Store, make_experiment: Callable[..., Experiment]
) -> None:
    keep(store, make_experiment())
    path = store.folder / "sweep.json"
    whole = json.loads(path.read_text())
    arm = whole["arms"][0]
    damaged = [
        path.read_text()[:-20],
        "",
        "[]",
        "null",
        json.dumps({"sweep": whole["sweep"], "baseline": None}),
        json.dumps({**whole, "arms": [{**arm, "space": []}]}),
        json.dumps({**whole, "arms": [{**arm, "space": {"x": {"unform": [0, 1]}}}]}),
        json.dumps({**whole, "arms": [{**arm, "colour": "red"}]}),
        json.dumps({**whole, "arms": "none"}),
        json.dumps({**whole, "sweep": {**whole["sweep"], "seeds": 3}}),
    ]
    for text in damaged:
        path.write_text(text)
        with pytest.raises(InputError) as refused:
            recall(store)
        sentence = str(refused.value)
        assert sentence.startswith(f"{path}: cannot be read (") and "\n" not in sentence
        assert sentence.endswith("`crosscut run` writes it anew")
    path.unlink()
    with pytest.raises(InputError, match="No such file"):
        recall(store)
