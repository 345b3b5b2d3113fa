"""An epoch of training: what holds for its steps, and what is found out in them."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable

import torch
from torch import Tensor

from crosscut_trainables.batches import Batch, Batches
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.diverged import Diverged
from crosscut_trainables.health import Health
from crosscut_trainables.randomness import seed_for
from crosscut_trainables.schedule import learning_rate
from crosscut_trainables.step import Step, Stride

COLLAPSE_TOLERANCE = 1e-3
"""Share by which every batch's loss may differ from that of a collapsed model."""


class Epoch:
    """One epoch of one run. Nothing in it waits for the device before its end.

    Args:
        config: how it is trained.
        seed: the run's.
        batches: what it goes through.
        constraints: names of those that draw.
        number: which it is, from 1.
        device: where the losses are.
    """

    def __init__(
        self,
        config: RetrievalConfig,
        seed: int,
        batches: Batches,
        constraints: Iterable[str],
        number: int,
        device: str = "cpu",
    ) -> None:
        self.number = number
        self._config, self._seed, self._batches = config, seed, batches
        self._generators = {
            name: torch.Generator().manual_seed(seed_for(seed, name, number)) for name in constraints
        }
        self._collapsed_at = config.loss.collapsed_at(batches.size, number)
        self._sums: dict[str, Tensor] = {}
        self._farthest = torch.zeros((), device=device)
        self._steepest = torch.zeros((), device=device)
        self._rate = 0.0
        self._started = time.perf_counter()

    def stride(self, step: Step, batch: Batch) -> Stride:
        """The step of a batch."""
        count = len(self._batches)
        self._rate = learning_rate(self._config.training, self.number, batch.number, count)
        seed = seed_for(self._seed, "dropout", (self.number - 1) * count + batch.number)
        return Stride(step, batch, self._rate, seed, self._generators)

    def add(self, terms: dict[str, Tensor]) -> None:
        """Take in what a step found."""
        self._steepest = torch.maximum(self._steepest, terms["grad_norm"])
        for name, value in terms.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
        if self._collapsed_at is not None:
            distance = (terms["loss/match"] / self._collapsed_at - 1).abs()
            self._farthest = torch.maximum(self._farthest, distance)

    def end(self, health: Health) -> dict[str, float]:
        """The metrics of the epoch, and a remark in `health` where nothing was learnt in it.

        Raises:
            Diverged: a loss is no number.
        """
        names, count = list(self._sums), len(self._batches)
        means = (torch.stack([self._sums[name] for name in names]) / count).tolist()
        if self._collapsed_at is not None and float(self._farthest) < COLLAPSE_TOLERANCE:
            health.collapsed[self.number] = self._collapsed_at
        if float(self._steepest) == 0:
            health.still.append(self.number)
        seconds = time.perf_counter() - self._started
        metrics = dict(zip(names, means, strict=True))
        for name in sorted(metrics, key=lambda name: name == "loss/total"):
            if name.startswith("loss/") and not math.isfinite(metrics[name]):
                raise Diverged(f"epoch {self.number}: {name} is {metrics[name]}")
        if self._collapsed_at is not None:
            metrics["collapsed"] = float(self.number in health.collapsed)
        metrics["lr"] = self._rate
        metrics["pairs_per_second"] = count * self._batches.size / max(seconds, 1e-9)
        return metrics
