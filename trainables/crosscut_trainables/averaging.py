"""The exponential moving average of a model's weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class WeightAverage:
    """θ̄ ← d·θ̄ + (1 − d)·θ after every step, with d = min(`decay`, (1 + t)/(10 + t)) at step t.

    So the average follows while it is young and does not keep the initial weights (as TensorFlow's moving average
    with `num_updates`). Buffers, such as running statistics, are taken as they are.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model, self.decay, self.steps = model, decay, 0
        self.weights = {
            name: value.detach().clone() for name, value in model.named_parameters() if value.requires_grad
        }

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights as they are after a step."""
        self.steps += 1
        share = 1 - min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, value in self.model.named_parameters():
            if name in self.weights:
                self.weights[name].lerp_(value, share)

    def state_of_model(self) -> dict[str, Tensor]:
        """The model's state with the average in place of its weights."""
        return {**self.model.state_dict(), **self.weights}

    def state(self) -> dict[str, object]:
        """What a checkpoint keeps."""
        return {"steps": self.steps, "weights": self.weights}

    def restore(self, state: Mapping[str, object]) -> None:
        """Go on from what `state` gave."""
        steps, weights = state["steps"], state["weights"]
        assert isinstance(steps, int)
        assert isinstance(weights, dict)
        self.steps = steps
        for name, value in weights.items():
            self.weights[name].copy_(value)
