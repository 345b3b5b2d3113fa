"""The collectives that workers call, and what they cost: how long this one waits in them, how much it is sent.

With one worker nothing here calls `torch.distributed`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch.distributed as dist

# Its functions hold, as default arguments, the group that there is when it is first imported, and torch's
# optimizers import it. Imported here, before there is a group, it holds none: a group that is held outlives its
# destruction, and so do its threads, one of which may end the process with SIGABRT while Python shuts down.
import torch.distributed.nn.functional
from torch import Tensor


@dataclass
class Traffic:
    """What this process has spent in collectives."""

    seconds: float = 0.0
    """Time inside them; with a GPU only that of starting them, since they run on its stream."""
    received: float = 0.0
    """Bytes that a worker receives at least, as in a ring: (W − 1) n where n bytes of each of W workers are
    gathered, 2 (W − 1)/W n where they are added up."""
    calls: int = 0


TRAFFIC = Traffic()
"""Of this process, since it started."""


def all_gather(own: Tensor, world_size: int) -> list[Tensor]:
    """The tensors of all workers, which have one shape, in the order of their ranks."""
    parts = [torch.empty_like(own) for _ in range(world_size)]
    with _counted(own, world_size - 1):
        dist.all_gather(parts, own)
    return parts


def all_reduce(x: Tensor) -> None:
    """Replace `x` by its sum over all workers."""
    size = dist.get_world_size()
    with _counted(x, 2 * (size - 1) / size):
        dist.all_reduce(x)


@contextmanager
def _counted(x: Tensor, times: float) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    TRAFFIC.seconds += time.perf_counter() - begun
    TRAFFIC.received += times * x.numel() * x.element_size()
    TRAFFIC.calls += 1
