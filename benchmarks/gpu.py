"""Every component trained on a GPU against the same on the CPU: whether it runs, what it ranks, how fast it is.

    python benchmarks/gpu.py [--epochs 2] [--steps 30] [--threads 2] [--only scan]

A default configuration with one thing changed at a time. "Gradients apart" is the norm of the difference of the
first batch's gradients, as a share of the norm; a GPU draws its own dropout. Then it is trained with one seed on
either, from the same weights and batches; what the CPU has trained is measured on both, and "same rank" is the
share of queries on which they agree. Trained apart they part: a GPU sums in another order, and training magnifies
it. "waits" are how often the CPU waits for the GPU in a training step, as torch's own check of them counts: it
should not. A second table has training steps of the size that papers report, in single precision and in bf16.
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
from positive import positive
from torch import Tensor

from crosscut_trainables.backbones import BACKBONES
from crosscut_trainables.batch_norm import end_step
from crosscut_trainables.batches import Batch, Batches
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.constraints import CONSTRAINTS
from crosscut_trainables.dropout import begin_step
from crosscut_trainables.encoders import IMAGE_ENCODERS, TEXT_ENCODERS
from crosscut_trainables.evaluation import Evaluation
from crosscut_trainables.loop import Training
from crosscut_trainables.losses import LOSSES
from crosscut_trainables.measured import Measured
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
    default = RetrievalConfig()
    for name in sorted(IMAGE_ENCODERS.keys() - {default.image_encoder.name}):
        found[f"images {name}"] = {"encoder": {"image": {"name": name}}}
    for name in sorted(TEXT_ENCODERS.keys() - {default.encoder.text.name}):
        found[f"texts {name}"] = {"encoder": {"text": {"name": name}}}
    for name in sorted(LOSSES.keys() - {default.loss.name}):
        found[f"loss {name}"] = {"loss": {"name": name}}
    for name in CONSTRAINTS:
        found[f"constraint {name}"] = {"constraints": {name: {}}}
    found["fusion"] = {"fusion": {"global_backbone": {"name": "vse-infinity"}, "learned": True}}
    found["asymmetry"] = {"asymmetry": {"noise": "mixed", "positives": "mixed"}}
    # Its own encoders learn in stages, before what is compared here.
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


def made(plain: Plain, device: str) -> Counted:
    """A training with the weights that it begins from."""
    return Counted(RetrievalConfig.model_validate(plain), MemorySession(seed=3, device=device))


def gradient(training: Training) -> Tensor:
    """The gradient of the first batch of the first epoch, laid end to end, on the CPU."""
    generators = {name: torch.Generator().manual_seed(1) for name in training.objective.constraints}
    batch = next(iter(training.batches.epoch(1)))
    training.model.train()
    begin_step(training.model, 1)
    training.objective.terms(batch, generators)["loss/total"].backward()
    end_step(training.model, 1)
    parts = [
        torch.zeros_like(one) if one.grad is None else one.grad for one in training.model.learnt.values()
    ]
    return torch.cat([part.flatten().double().cpu() for part in parts])


def same(one: Evaluation, other: Evaluation | Measured) -> float:
    """Percent of the test queries with the same rank."""
    pairs = [(one.ranks[name].ranks, other.ranks[name].ranks) for name in one.ranks if "test" in name]
    return 100 * float(np.mean(np.concatenate([left == right for left, right in pairs])))


def compared(plain: Plain) -> tuple[str, Counted]:
    """A row without its name, and the training on the GPU."""
    gradients = [gradient(made(plain, device)) for device in DEVICES]
    apart = float((gradients[0] - gradients[1]).norm() / gradients[0].norm())
    seconds, trainings, found = [], [], []
    for device in DEVICES:
        begun = time.perf_counter()
        trainings.append(made(plain, device))
        found.append(trainings[-1].run())
        seconds.append(time.perf_counter() - begun)
    cpu, gpu = trainings
    waits = f"{len(gpu.seen) / max(gpu.steps, 1):.2f}"
    trained_by_gpu = found[1].metrics["test/rsum"]
    # What the CPU has trained, measured on the GPU.
    gpu.model.load_state_dict(cpu.model.state_dict())
    gpu.model.eval()
    measured = gpu.assessment.run()
    figures = [f"{apart:.1e}", f"{found[0].metrics['test/rsum']:.1f}", f"{measured.metrics['test/rsum']:.1f}"]
    figures += [f"{same(found[0], measured):.1f}", f"{trained_by_gpu:.1f}", waits]
    ratio = f"{seconds[0]:.2f} / {seconds[1]:.2f} = {seconds[0] / seconds[1]:.2f}"
    return " | ".join([*figures, ratio]), gpu


def rows(only: str, epochs: int) -> Iterator[str]:
    """The first table, a row at a time."""
    for name, changed in variants().items():
        if only not in name:
            continue
        try:
            told, training = compared(configured(changed, epochs))
        except Exception as error:
            told = " ".join(f"{type(error).__name__}: {error}".split())[:200] + " | " * 6
        else:
            for place, times in Counter(training.seen).items():
                print(f"{name}: waits {times} times at {place}", file=sys.stderr)
        yield f"| {name} | {told} |"


def large(steps: int) -> Iterator[str]:
    """The second table: seconds of training steps at full width on both devices."""
    sized = {**DATA, "train_scenes": 150}
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
            assert training.step is not None
            number = 0
            training.train(training.step)
            begun = time.perf_counter()
            while number < (steps if device != "cpu" else 1):
                training.train(training.step)
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
    positive(parser, asked, "epochs", "steps", "threads")
    if not torch.cuda.is_available():
        sys.exit("gpu.py compares a GPU with the CPU: found no GPU, expected one that torch can use")

    torch.set_num_threads(asked.threads)
    print(machine("torch"))
    print(f"GPU: {torch.cuda.get_device_name()}. CPU with {torch.get_num_threads()} threads.\n")
    head = ["gradients apart", "test rsum, CPU", "of its weights on the GPU", "same rank, %"]
    head += ["test rsum, trained on the GPU", "waits a step", "seconds, CPU / GPU"]
    print(f"| what | {' | '.join(head)} |")
    print(f"|---{'|---:' * len(head)}|")
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
