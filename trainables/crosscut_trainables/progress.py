"""The progress of a training: what a checkpoint holds beside the model, the optimizer and the average."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from torch import Tensor

from crosscut_trainables.health import Health


@dataclass
class Progress:
    """What a training has come to."""

    epoch: int = 0
    """Epochs that are done."""
    best: dict[str, float] = field(default_factory=dict)
    """Dev metrics of the best epoch."""
    weights: dict[str, Tensor] = field(default_factory=dict)
    """Its weights."""
    history: list[dict[str, float]] = field(default_factory=list)
    """What was reported of each epoch."""
    health: Health = field(default_factory=Health)
    spent: dict[str, float] = field(default_factory=dict)
    """Seconds by phase of the tries before this one, up to the checkpoint that it resumed from."""
    stopped: bool = False
    """Whether it was told to stop; no checkpoint is kept then."""

    def state(self) -> dict[str, Any]:
        """Plain values and tensors; `restored` reads them back."""
        state = {name.name: getattr(self, name.name) for name in fields(self) if name.name != "stopped"}
        return {**state, "health": asdict(self.health)}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Progress:
        """The progress that `state` gave."""
        return cls(**{**state, "health": Health(**state["health"])})
