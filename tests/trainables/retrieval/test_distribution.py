"""Two workers train one batch exactly as one worker does."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from crosscut_trainables.backbones import BACKBONES
from crosscut_trainables.distribution import average_gradients, gather, share, shares, total

WORKER = Path(__file__).with_name("distributed_run.py")
SMALL: dict[str, Any] = {
    "data": {"name": "digit-scenes", "train_scenes": 30, "dev_scenes": 8, "test_scenes": 20},
    "encoder": {"width": 16, "word_width": 16, "min_count": 1},
    # An odd batch: the workers' shares differ.
    "training": {"epochs": 2, "batch_size": 33, "learning_rate": 0.003},
}
BOTH: dict[str, Any] = {"ccr": {"weight": 0.5}, "ccs": {"negatives": "hardest", "weight": 2.0}}
CASES: dict[str, dict[str, Any]] = {
    "triplet on vse++": {"backbone": {"name": "vse++"}, "loss": {"name": "triplet"}},
    "triplet on scan t2i": {"backbone": {"name": "scan"}, "loss": {"name": "triplet"}},
    "infonce on scan i2t": {"backbone": {"name": "scan", "direction": "i2t"}, "loss": {"name": "infonce"}},
    "constraints on scan t2i": {"backbone": {"name": "scan"}, "constraints": BOTH},
    "constraints on scan i2t": {"backbone": {"name": "scan", "direction": "i2t"}, "constraints": BOTH},
    "random swaps": {"backbone": {"name": "scan"}, "constraints": {"ccs": {"negatives": "random"}}},
}
for name, kind in BACKBONES.items():
    alignments = {"similarity_width": 8} if "similarity_width" in kind.model_fields else {}
    CASES.setdefault(name, {"backbone": {"name": name, **alignments}})
NOISE = {"region_dropout": 0.3, "word_dropout": 0.3, "disturbance": "mixed", "ema": 0.9, "schedule": "cosine"}
CASES["a learnt fusion, with all that is drawn"] = {
    "backbone": {"name": "bfan"},
    "constraints": BOTH,
    "asymmetry": {"noises": 2},
    "fusion": {"global_backbone": {"name": "vse-infinity"}, "learned": True},
    "encoder": {**SMALL["encoder"], "dropout": 0.4, "image": {"name": "positions", "position_width": 8}},
    "training": {**SMALL["training"], **NOISE},
}
CASES["transformers of patches and words"] = {
    "backbone": {"name": "scan"},
    "encoder": {
        **SMALL["encoder"],
        "image": {"name": "patches", "patch": 10, "layers": 1, "dropout": 0.2},
        "text": {"name": "transformer", "layers": 1, "dropout": 0.2},
    },
}
SHARDED = "constraints on scan i2t, in shards"
CASES[SHARDED] = {
    **CASES["constraints on scan i2t"],
    "training": {**SMALL["training"], "batch_size": 32, "learning_rate": 0.02, "shards": 2},
}
REASONED = "sgraf, in shards"
CASES[REASONED] = {**CASES["sgraf"], "training": CASES[SHARDED]["training"]}
NOISY = "a learnt fusion, in shards"
CASES[NOISY] = {
    **CASES["a learnt fusion, with all that is drawn"],
    "training": {**CASES[SHARDED]["training"], **NOISE},
}
DUAL = "transformers of patches and words, in shards"
CASES[DUAL] = {**CASES["transformers of patches and words"], "training": CASES[SHARDED]["training"]}
STAGED = "stages, in shards"
CASES[STAGED] = {
    "backbone": {"name": "scan"},
    "constraints": BOTH,
    "stages": {
        "text": {"epochs": 1, "batch_size": 32},
        "image": {"epochs": 2, "batch_size": 8},
        "map": "both",
    },
    "training": CASES[SHARDED]["training"],
}
TUNED = "a pretrained model that is tuned, in shards"
CASES[TUNED] = {
    "backbone": {"name": "vse++"},
    "pretrained": {"name": "align", "tuning": "full"},
    "training": CASES[SHARDED]["training"],
}
MAPPED = "a linear map behind a pretrained model, in shards"
CASES[MAPPED] = {**CASES[TUNED], "pretrained": {"name": "clip", "tuning": "linear"}}
IN_SHARDS = (SHARDED, REASONED, NOISY, DUAL, STAGED, TUNED, MAPPED)
TRAINED = ("constraints on scan t2i", *IN_SHARDS)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[int, list[dict[str, Any]]]:
    """Per world size and rank, what the worker wrote."""
    folder = tmp_path_factory.mktemp("workers")
    cases = json.dumps(
        [{"config": {**SMALL, **case}, "train": name in TRAINED} for name, case in CASES.items()]
    )
    (folder / "cases").write_text(cases)
    found = {}
    for world_size in (1, 2):
        out = folder / f"result{world_size}"
        _run_group([str(world_size), str(folder / "meeting"), str(out)], world_size, folder / "cases")
        found[world_size] = [torch.load(f"{out}.{rank}") for rank in range(world_size)]
    return found


def _run_group(arguments: list[str], world_size: int, cases: Path) -> None:
    """Run the workers side by side; where one fails, end the others, which would wait for it."""
    logs = [cases.with_name(f"errors{world_size}.{rank}") for rank in range(world_size)]
    workers = []
    for rank, log in enumerate(logs):
        with cases.open() as given, log.open("w") as errors:
            command = [sys.executable, str(WORKER), str(rank), *arguments]
            workers.append(subprocess.Popen(command, stdin=given, stderr=errors))
    until = time.monotonic() + 240
    try:
        while any(worker.poll() is None for worker in workers) and time.monotonic() < until:
            if any(worker.poll() for worker in workers):
                break
            time.sleep(0.05)
        codes = [worker.poll() for worker in workers]
        assert codes == [0] * world_size, [log.read_text() for log in logs]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


@pytest.fixture(scope="module")
def results(written: Any) -> dict[int, list[list[dict[str, Any]]]]:
    """Per world size and rank, the results of all cases."""
    return {size: [worker["results"] for worker in workers] for size, workers in written.items()}


@pytest.mark.parametrize("number", range(len(CASES)), ids=list(CASES))
def test_loss_and_gradients_of_two_workers_are_those_of_one(results: Any, number: int) -> None:
    [alone], workers = ([rank[number] for rank in results[size]] for size in (1, 2))
    for worker in workers:
        assert worker["terms"] == pytest.approx(alone["terms"], rel=1e-5)
        assert set(worker["gradients"]) == set(alone["gradients"])
        # What cancels out in one gradient is as large as what does not in another.
        scale = max(1.0, *(grad.abs().max().item() for grad in alone["gradients"].values()))
        for name, expected in alone["gradients"].items():
            torch.testing.assert_close(worker["gradients"][name], expected, rtol=0, atol=1e-5 * scale)


def test_all_workers_have_the_same_gradients_to_the_bit(results: Any) -> None:
    for one, two in zip(*results[2], strict=True):
        assert all(torch.equal(one["gradients"][name], grad) for name, grad in two["gradients"].items())


def test_a_whole_training_of_two_workers_ranks_as_that_of_one_does(results: Any) -> None:
    number = list(CASES).index(TRAINED[0])
    [alone], workers = ([rank[number]["ranks"] for rank in results[size]] for size in (1, 2))
    assert workers[0] == workers[1]
    for name, ranks in alone.items():
        assert np.mean(np.array(workers[0][name]) == np.array(ranks)) > 0.95


@pytest.mark.parametrize("case", IN_SHARDS)
def test_in_shards_one_worker_and_two_are_the_same_to_the_bit(results: Any, case: str) -> None:
    number = list(CASES).index(case)
    [alone], workers = ([rank[number] for rank in results[size]] for size in (1, 2))
    for worker in workers:
        assert worker["terms"] == alone["terms"]
        assert worker["ranks"] == alone["ranks"]
        for name, expected in alone["gradients"].items():
            torch.testing.assert_close(worker["gradients"][name], expected, rtol=0, atol=0)


def test_no_thread_of_a_group_outlives_it(written: Any) -> None:
    assert [worker["left"] for worker in written[2]] == [[], []]


def test_shares_are_contiguous_and_differ_by_at_most_one() -> None:
    assert shares(33, 2) == [16, 17]
    for count, workers in ((33, 2), (7, 3), (8, 4)):
        places = [place for rank in range(workers) for place in range(count)[share(count, rank, workers)]]
        assert places == list(range(count))
        assert max(shares(count, workers)) - min(shares(count, workers)) <= 1


def test_one_worker_needs_no_group() -> None:
    x = torch.ones(2, 3)
    assert not torch.distributed.is_initialized()
    assert gather(x, [2]) is x
    assert total(x, 1) is x
    average_gradients([torch.nn.Parameter(x)], 1)
