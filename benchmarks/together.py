"""Several seeds in one process, against the same seeds one by one and against torch's own recurrent network.

    python benchmarks/together.py [--seeds 5] [--epochs 4]

The first table is of recurrent networks alone, forward and backward: torch's own with packed sequences, ours, and
ours for all seeds at once, per network, beside the bare matrix products. Sequences are as long as captions of the
quickstart. The second is of whole retrieval runs on the quickstart's data, from the model's making to its
evaluation, on one core: one by one, and together, where it is measured which way is faster. `same ranks` compares
every rank of every seed. Prints Markdown.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch
from machine import machine
from positive import positive
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from unwatched import Unwatched

from crosscut_trainables import loop, together
from crosscut_trainables.allocator import keep_freed
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.evaluation import Evaluation
from crosscut_trainables.recurrence import Reading, Weights, recur_together

NETWORKS = [(32, 16), (32, 32), (32, 64), (32, 128), (128, 64), (256, 128), (1024, 128)]
"""Widths and sequences."""
RUNS: dict[str, dict[str, Any]] = {
    "VSE++, batch 16": {"backbone": {"name": "vse++"}, "training": {"batch_size": 16}},
    "VSE++, batch 64": {"backbone": {"name": "vse++"}, "training": {"batch_size": 64}},
    "VSE++, batch 64, width 128": {
        "backbone": {"name": "vse++"},
        "training": {"batch_size": 64},
        "encoder": {"width": 128, "word_width": 128},
    },
    "SCAN t2i, batch 16": {"training": {"batch_size": 16}},
    "SCAN t2i, batch 64, as in the quickstart": {"training": {"batch_size": 64, "shards": 2}},
    "the same with CCR and CCS": {
        "training": {"batch_size": 64, "shards": 2},
        "constraints": {"ccr": {}, "ccs": {}},
    },
}


def timed(do: Callable[[], object], times: int) -> float:
    """Median seconds."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        do()
        taken.append(time.perf_counter() - begun)
    return median(taken[times // 4 :])


def networks(seeds: int) -> Iterator[str]:
    """The rows of the first table."""
    for width, count in NETWORKS:
        torch.manual_seed(0)
        made, readings = [], []
        for _ in range(seeds):
            made.append(nn.GRU(width, width, batch_first=True, bidirectional=True))
            lengths = torch.poisson(torch.full((count,), 9.5)).long().clamp(min=1) + 2
            x = torch.randn(count, int(lengths.max()), width, requires_grad=True)
            readings.append(Reading(Weights.of(made[-1]), x, lengths))

        def by_torch(made: list[nn.GRU] = made, readings: list[Reading] = readings) -> None:
            for network, (_, x, lengths) in zip(made, readings, strict=True):
                packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
                states, _ = pad_packed_sequence(network(packed)[0], batch_first=True)
                states.square().sum().backward()

        def alone(made: list[nn.GRU] = made, readings: list[Reading] = readings) -> None:
            for network, (_, x, lengths) in zip(made, readings, strict=True):
                (found,) = recur_together([Reading(Weights.of(network), x, lengths)])
                found.states.square().sum().backward()

        def at_once(made: list[nn.GRU] = made, readings: list[Reading] = readings) -> None:
            own = [
                Reading(Weights.of(network), x, lengths)
                for network, (_, x, lengths) in zip(made, readings, strict=True)
            ]
            found = [states.states.square().sum() for states in recur_together(own)]
            torch.stack(found).sum().backward()

        times = 24 if width < 512 else 4
        bare = timed(partial(_products, readings, width), times) / seeds
        own = [timed(way, times) / seeds for way in (by_torch, alone, at_once)]
        ratios = [own[0] / own[1], own[1] / own[2], own[1] / bare]
        cells = [f"{1e3 * bare:.2f}", *(f"{1e3 * one:.2f}" for one in own), *(f"{one:.2f}" for one in ratios)]
        yield f"| {width} | {count} | {' | '.join(cells)} |"


def _products(readings: list[Reading], width: int) -> None:
    """The matrix products of the networks, forward and backward."""
    for _, _, lengths in readings:
        words = int(lengths.sum())
        x, gates, wide = torch.ones(words, width), torch.ones(words, 3 * width), torch.ones(width, 3 * width)
        for _ in ("forwards", "backwards"):
            x @ wide
            x.T @ gates
            gates @ wide.T
            x.T @ gates
            for place in range(int(lengths.max())):
                alive = int((lengths > place).sum())
                x[:alive] @ wide
                gates[:alive] @ wide.T


def runs(seeds: int, epochs: int) -> Iterator[str]:
    """The rows of the second table."""
    data = {"name": "digit-scenes", "train_scenes": 300}
    for name, options in RUNS.items():
        plain = {"data": data, **options, "training": {**options["training"], "epochs": epochs}}
        config = RetrievalConfig.model_validate(plain)
        loop.run(config, Unwatched(seed=seeds))  # what all of them share is read once
        begun = time.perf_counter()
        alone = [loop.run(config, Unwatched(seed=seed)) for seed in range(seeds)]
        one_by_one = time.perf_counter() - begun
        begun = time.perf_counter()
        found = together.run_together(config, [Unwatched(seed=seed) for seed in range(seeds)])
        at_once = time.perf_counter() - begun
        same = all(_same(one, other) for one, other in zip(alone, found, strict=True))
        trained = [_trained(alone), _trained([one for one in found if isinstance(one, Evaluation)])]
        ratios = [f"{trained[0] / trained[1]:.2f}", f"{one_by_one / at_once:.2f}"]
        seconds = [f"{one / seeds:.2f}" for one in (one_by_one, at_once)]
        yield f"| {name} | {' | '.join([*seconds, *ratios])} | {'yes' if same else 'no'} |"


def _same(one: Evaluation, other: together.Outcome) -> bool:
    assert isinstance(other, Evaluation)
    return all(np.array_equal(ranks.ranks, other.ranks[name].ranks) for name, ranks in one.ranks.items())


def _trained(every: Sequence[Evaluation]) -> float:
    """Seconds in training."""
    return sum(one.spent[phase] for one in every for phase in ("data", "forward", "backward", "update"))


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description="Several seeds in one process.")
    parser.add_argument("--seeds", type=int, default=5, help="seeds (default: 5)")
    parser.add_argument("--epochs", type=int, default=4, help="epochs of a run (default: 4)")
    asked = parser.parse_args()
    positive(parser, asked, "seeds", "epochs")
    torch.set_num_threads(1)
    # As where runs are trained together; alone, nothing is slower by it.
    keep_freed()
    print(machine("torch"))
    print(f"{asked.seeds} seeds, one thread.\n")
    head = ["products, ms", "torch, ms", "ours, ms", f"of {asked.seeds} at once, ms"]
    head += ["torch / ours", "ours / at once", "ours / products"]
    print(f"| width | sequences | {' | '.join(head)} |\n|---:|---:|{'---:|' * len(head)}")
    for row in networks(asked.seeds):
        print(row, flush=True)
    head = ["one by one, s a run", "together, s a run", "training, ratio", "whole run, ratio", "same ranks"]
    print(f"\n| runs | {' | '.join(head)} |\n|---|---:|---:|---:|---:|---|")
    for row in runs(asked.seeds, asked.epochs):
        print(row, flush=True)


if __name__ == "__main__":
    main()
