"""The seat of a worker: which one it is of those that train a run together, and where it sits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def _itself(value: bool) -> bool:
    return value


@dataclass(frozen=True)
class Seat:
    """By default that of a run's only worker, on the CPU."""

    rank: int = 0
    world_size: int = 1
    device: str = "cpu"
    """The torch device, such as `cpu` or `cuda:0`."""
    agree: Callable[[bool], bool] = _itself
    """Gives every worker the value that rank 0 has."""
    together: int = 1
    """How many runs share this process, each with a worker of its own in it."""
