"""A step of training: from a batch to changed weights. Nothing in it waits for the device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from crosscut_trainables.averaging import WeightAverage
from crosscut_trainables.batch_norm import end_step
from crosscut_trainables.batches import Batch
from crosscut_trainables.config import TrainingOptions
from crosscut_trainables.distribution import average_gradients
from crosscut_trainables.dropout import begin_step
from crosscut_trainables.objective import Generators, Objective, terms_together
from crosscut_trainables.state import copied
from crosscut_trainables.stopwatch import Stopwatch, among


class Step:
    """Makes the objective of a batch smaller.

    Args:
        options: how the model is trained.
        objective: what is to become small; its model is trained.
        learnt: what is learnt.
        groups: the same as groups of an optimizer, each with its `share` of the learning rate.
        watch: what counts the time.
    """

    def __init__(
        self,
        options: TrainingOptions,
        objective: Objective,
        learnt: Sequence[nn.Parameter],
        groups: list[dict[str, object]],
        watch: Stopwatch,
    ) -> None:
        self.options, self.objective, self.learnt, self.watch = options, objective, learnt, watch
        self.optimizer = torch.optim.AdamW(
            groups, lr=options.learning_rate, weight_decay=options.weight_decay, fused=True
        )
        self.average = WeightAverage(objective.model, options.ema) if options.ema is not None else None

    def begin(self, rate: float, seed: int) -> None:
        """Take what holds for the coming step."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["share"]
        begin_step(self.objective.model, seed)

    def update(self) -> Tensor:
        """Change the weights by the gradients that there are; their norm."""
        norm = nn.utils.clip_grad_norm_(self.learnt, self.options.clip_norm)
        self.optimizer.step()
        end_step(self.objective.model, self.objective.world_size)
        if self.average is not None:
            self.average.update()
        return norm

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The model with its averaged weights, where it keeps an average."""
        if self.average is None:
            yield
            return
        model = self.objective.model
        own = copied(model.state_dict())
        model.load_state_dict(self.average.state_of_model())
        try:
            yield
        finally:
            model.load_state_dict(own)

    def state(self) -> dict[str, object]:
        """What a checkpoint keeps."""
        average = None if self.average is None else self.average.state()
        return {"optimizer": self.optimizer.state_dict(), "average": average}

    def restore(self, state: Mapping[str, object]) -> None:
        """Go on from what `state` gave."""
        optimizer, average = state["optimizer"], state["average"]
        assert isinstance(optimizer, dict)
        self.optimizer.load_state_dict(optimizer)
        if self.average is not None:
            assert isinstance(average, dict)
            self.average.restore(average)


class Stride(NamedTuple):
    """A step that is to be taken."""

    step: Step
    batch: Batch
    """The worker's part of the batch."""
    rate: float
    """The learning rate."""
    seed: int
    """Of what the layers draw."""
    generators: Generators
    """In the same state on every worker."""


def step_together(strides: Sequence[Stride]) -> list[dict[str, Tensor]]:
    """Take steps of runs that differ in their seeds alone; for each the terms of the loss before it, and
    `grad_norm`."""
    watches = [stride.step.watch for stride in strides]
    with among(watches, "forward"):
        for stride in strides:
            stride.step.begin(stride.rate, stride.seed)
        asked = [(stride.step.objective, stride.batch, stride.generators) for stride in strides]
        every = terms_together(asked)
    with among(watches, "backward"):
        for stride in strides:
            stride.step.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward([terms["loss/total"] for terms in every])
        for stride in strides:
            average_gradients(stride.step.learnt, stride.step.objective.world_size)
    with among(watches, "update"):
        for stride, terms in zip(strides, every, strict=True):
            terms["grad_norm"] = stride.step.update()
    return [{name: value.detach() for name, value in terms.items()} for terms in every]
