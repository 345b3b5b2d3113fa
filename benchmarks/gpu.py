"""Every component trained on a GPU against the same on the CPU: whether it runs, what it ranks, how fast it is.

    python benchmarks/gpu.py [--epochs 2] [--steps 30] [--threads 2] [--only scan]

A default configuration with one thing changed at a time is trained with one seed on the CPU and on the GPU, from
the same weights and batches, and evaluated. Sums are taken in another order on a GPU, so ranks are near, not the
same.
"waits" are how often the CPU waits for the GPU in a training step, as torch's own check of them counts: it should
not. A second table has training steps of the size that papers report, in single precision and in bf16.
Prints Markdown.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from machine import machine

from crosscut_trainables.backbones import BACKBONES
from crosscut_trainables.batches import Batch, Batches
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.constraints import CONSTRAINTS
from crosscut_trainables.encoders import IMAGE_ENCODERS, TEXT_ENCODERS
from crosscut_trainables.evaluation import Evaluation
from crosscut_trainables.loop import Training
from crosscut_trainables.losses import LOSSES
from crosscut_trainables.session import MemorySession

Plain = dict[str, Any]
DEVICES = ("cpu", "cuda:0")
DATA = {"name": "digit-scenes", "train_scenes": 400, "dev_scenes": 60, "test_scenes": 100}
STAGE = {"loss": {"name": "separated"}, "epochs": 2, "batch_size": 64}


def variants() -> dict[str, Plain]:
    """A name for each component, and for each option that computes something of its own."""
    found: dict[str, Plain] = {}
    for name in BACKBONES:
        narrow = {"similarity_width": 32} if "similarity_width" in BACKBONES[name].model_fields else {}
        found[f"backbone {name}"] = {"backbone": {"name": name, **narrow}}
    found["backbone scan, i2t"] = {"backbone": {"name": "scan", "direction": "i2t"}}
    for name in IMAGE_ENCODERS:
        found[f"images {name}"] = {"encoder": {"image": {"name": name}}}
    for name in TEXT_ENCODERS:
        found[f"texts {name}"] = {"encoder": {"text": {"name": name}}}
    for name in LOSSES:
        found[f"loss {name}"] = {"loss": {"name": name}}
    for name in CONSTRAINTS:
        found[f"constraint {name}"] = {"constraints": {name: {}}}
    found["fusion"] = {"fusion": {"global_backbone": {"name": "vse-infinity"}, "learned": True}}
    found["asymmetry"] = {"asymmetry": {"noise": "mixed", "positives": "mixed"}}
    found["stages"] = {"stages": {"text": STAGE, "image": STAGE}, "backbone": {"name": "vse++"}}
    found["dropout"] = {
        "encoder": {"dropout": 0.2},
        "training": {"region_dropout": 0.2, "word_dropout": 0.2, "disturbance": "mixed"},
    }
    found["average of weights"] = {"training": {"ema": 0.9}}
    found["two shards"] = {"training": {"shards": 2}}
    found["bf16"] = {"training": {"precision": "bf16"}}
    found["evaluation"] = {
        "evaluation": {
            "geometry": True,
            "folds": 2,
            "metrics": ["mrr", "precision_at_5", "map_at_r"],
            "on": {"dropped": {"perturb": [{"name": "dropped-regions", "severity": 3}]}},
        }
    }
    return found


def configured(changed: Mapping[str, Any], epochs: int) -> Plain:
    """The default configuration with one thing changed."""
    training = {"epochs": epochs, "batch_size": 64, "learning_rate": 0.004}
    plain: Plain = {"data": DATA, "training": training}
    for key, value in changed.items():
        plain[key] = {**plain.get(key, {}), **value}
    return plain


class Counted(Training):
    """A training that counts where the CPU waits for the GPU, from an epoch's first batch to after its last."""

    def __init__(self, config: RetrievalConfig, session: MemorySession) -> None:
        super().__init__(config, session)
        self.seen: list[str] = []
        self.steps = 0
        values = {one.name: getattr(self.batches, one.name) for one in fields(Batches)}
        self.batches = _Counted(**values)
        object.__setattr__(self.batches, "training", self)


class _Counted(Batches):
    training: Counted

    def epoch(self, epoch: int) -> Iterator[Batch]:
        with counted(self.training.seen, self.device):
            for batch in super().epoch(epoch):
                self.training.steps += 1
                yield batch


@contextmanager
def counted(seen: list[str], device: str) -> Iterator[None]:
    """Adds a text to `seen` for each time that the CPU waits."""
    if device == "cpu":
        yield
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            yield
        finally:
            torch.cuda.set_sync_debug_mode("default")
    seen += [f"{one.filename}:{one.lineno}" for one in caught if "synchroniz" in str(one.message)]


def trained(plain: Plain, device: str) -> tuple[Evaluation, float, Counted]:
    """The evaluation, and seconds of all of it."""
    begun = time.perf_counter()
    training = Counted(RetrievalConfig.model_validate(plain), MemorySession(seed=3, device=device))
    found = training.run()
    return found, time.perf_counter() - begun, training


def same(one: Evaluation, other: Evaluation) -> float:
    """Percent of the test queries with the same rank."""
    pairs = [(one.ranks[name].ranks, other.ranks[name].ranks) for name in one.ranks if "test" in name]
    return 100 * float(np.mean(np.concatenate([left == right for left, right in pairs])))


def rows(only: str, epochs: int) -> Iterator[str]:
    """The first table, a row at a time."""
    for name, changed in variants().items():
        if only not in name:
            continue
        plain = configured(changed, epochs)
        try:
            RetrievalConfig.model_validate(plain)
        except ValueError as refused:
            yield f"| {name} | refused: {' '.join(str(refused).split())[:160]} | | | | |"
            continue
        results = {}
        for device in DEVICES:
            try:
                results[device] = trained(plain, device)
            except Exception as error:
                told = " ".join(f"{device}: {type(error).__name__}: {error}".split())[:200]
                yield f"| {name} | {told} | | | | |"
                break
        else:
            (cpu, slow, _), (gpu, fast, counts) = results.values()
            figures = [f"{cpu.metrics['test/rsum']:.1f}", f"{gpu.metrics['test/rsum']:.1f}"]
            figures += [f"{same(cpu, gpu):.1f}", f"{len(counts.seen) / max(counts.steps, 1):.2f}"]
            for place, times in Counter(counts.seen).items():
                print(f"{name}: waits {times} times at {place}", file=sys.stderr)
            yield f"| {name} | {' | '.join(figures)} | {slow:.2f} / {fast:.2f} = {slow / fast:.2f} |"


def large(steps: int) -> Iterator[str]:
    """The second table: seconds of training steps at full width on both devices."""
    sized = {**DATA, "train_scenes": 800}
    for backbone in ("scan", "bfan", "vse++"):
        taken = {}
        for device, precision in (("cpu", "fp32"), ("cuda:0", "fp32"), ("cuda:0", "bf16")):
            plain = {
                "data": sized,
                "encoder": {"width": 1024, "word_width": 300},
                "backbone": {"name": backbone},
                "training": {"batch_size": 128, "precision": precision, "epochs": 2, "learning_rate": 0.0005},
            }
            training = Training(RetrievalConfig.model_validate(plain), MemorySession(seed=3, device=device))
            assert training.optimizer is not None
            number = 0
            training._train(1, training.optimizer)
            begun = time.perf_counter()
            epoch = 1
            while number < (steps if device != "cpu" else 1):
                epoch += 1
                training._train(epoch, training.optimizer)
                number += len(training.batches)
            taken[device, precision] = (time.perf_counter() - begun) / number
        cpu, *gpu = (1e3 * seconds for seconds in taken.values())
        told = " | ".join(f"{one:.1f} | {cpu / one:.1f}" for one in gpu)
        yield f"| {backbone} | {cpu:.0f} | {told} |"


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description="Components on a GPU against the CPU.")
    parser.add_argument("--epochs", type=int, default=2, help="epochs of a run (default: 2)")
    parser.add_argument("--threads", type=int, default=2, help="threads of the CPU (default: 2)")
    parser.add_argument("--steps", type=int, default=30, help="counted steps at full width (default: 30)")
    parser.add_argument("--only", default="", help="only rows whose name has this in it")
    asked = parser.parse_args()
    for name in ("epochs", "steps", "threads"):
        if getattr(asked, name) < 1:
            parser.error(f"--{name}: found {getattr(asked, name)}, expected a positive number")
    if not torch.cuda.is_available():
        sys.exit("gpu.py compares a GPU with the CPU: found no GPU, expected one that torch can use")

    torch.set_num_threads(asked.threads)
    print(machine("torch"))
    print(f"GPU: {torch.cuda.get_device_name()}. CPU with {torch.get_num_threads()} threads.\n")
    print("| what | test rsum, CPU | GPU | same rank, % | waits a step | seconds, CPU / GPU |")
    print("|---|---:|---:|---:|---:|---:|")
    for row in rows(asked.only, asked.epochs):
        print(row, flush=True)
    if not asked.only:
        print("\nA training step of 128 pairs, D 1,024:\n")
        print("| backbone | CPU, ms | GPU, ms | CPU / GPU | GPU in bf16, ms | CPU / GPU |")
        print("|---|---:|---:|---:|---:|---:|")
        for row in large(asked.steps):
            print(row, flush=True)


if __name__ == "__main__":
    main()
