"""A step of training: from a batch to changed weights. Nothing in it waits for the device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from crosscut_trainables.averaging import WeightAverage
from crosscut_trainables.batch_norm import end_step
from crosscut_trainables.batches import Batch
from crosscut_trainables.config import TrainingOptions
from crosscut_trainables.distribution import average_gradients
from crosscut_trainables.dropout import begin_step
from crosscut_trainables.objective import Objective
from crosscut_trainables.state import copied
from crosscut_trainables.stopwatch import Stopwatch


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

    def __call__(
        self, batch: Batch, rate: float, seed: int, generators: Mapping[str, torch.Generator]
    ) -> dict[str, Tensor]:
        """The terms of the loss before the step, and `grad_norm`.

        Args:
            batch: the worker's part of the batch.
            rate: the learning rate.
            seed: of what the layers draw.
            generators: a generator for each constraint, in the same state on every worker.
        """
        model, size = self.objective.model, self.objective.world_size
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["share"]
        with self.watch.of("forward"):
            begin_step(model, seed)
            terms = self.objective.terms(batch, generators)
        with self.watch.of("backward"):
            self.optimizer.zero_grad(set_to_none=True)
            terms["loss/total"].backward()
            average_gradients(self.learnt, size)
        with self.watch.of("update"):
            terms["grad_norm"] = nn.utils.clip_grad_norm_(self.learnt, self.options.clip_norm)
            self.optimizer.step()
            end_step(model, size)
            if self.average is not None:
                self.average.update()
        return {name: value.detach() for name, value in terms.items()}

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
