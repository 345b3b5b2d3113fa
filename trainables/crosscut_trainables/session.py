"""What a trainable sees of the world it runs in: the `Session` protocol, and a session in plain memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Phase = Literal["search", "final"]


class Session(Protocol):
    """One run, as the trainable that trains it sees it.

    The same trainable runs under any session: in a trial's own process, as one of several workers under
    Ray Train, or in memory in a test or a notebook.
    """

    @property
    def seed(self) -> int:
        """Seed of everything random in the run."""
        ...

    @property
    def rank(self) -> int:
        """This worker's number, 0 to `world_size` - 1."""
        ...

    @property
    def world_size(self) -> int:
        """How many workers train this run together. Above 1, `torch.distributed` is initialised."""
        ...

    @property
    def device(self) -> str:
        """The torch device of this worker, such as `cpu` or `cuda:0`."""
        ...

    @property
    def phase(self) -> Phase:
        """`search` for a search trial (dev split only), `final` for a run that is evaluated on test."""
        ...

    def report(self, step: int, metrics: Mapping[str, float]) -> bool:
        """Hand over the metrics of a step (an epoch). True says stop: return what there is.

        Every worker calls it with the same step; the metrics of rank 0 count, and all workers get the
        same answer.
        """
        ...

    def save(self, state: Mapping[str, Any]) -> None:
        """Keep `state` (tensors, numbers, strings, lists, dicts) as the run's newest checkpoint.

        Every worker calls it; rank 0's state is kept. Written whole or not at all. Report a step before it is
        saved: what was reported up to a checkpoint is kept with it, and steps after it are done again. After a
        report that said stop, nothing is kept.
        """
        ...

    def restore(self) -> dict[str, Any] | None:
        """The newest checkpoint of this run, tensors on the CPU, or None where there is none."""
        ...


@runtime_checkable
class Gallery(Protocol):
    """What a session offers in addition where somebody watches: a place for pictures."""

    def picture(self, step: int, name: str, image: NDArray[np.uint8]) -> None:
        """Show `image`, (height, width, 3) uint8, under `name` at `step`."""
        ...


@runtime_checkable
class Tracer(Protocol):
    """What a session offers in addition where somebody wants to see what a run does."""

    def trace(self, name: str) -> AbstractContextManager[None]:
        """Trace what is done inside, as `name`, which is used once in a run."""
        ...


def traced(session: Session, name: str) -> AbstractContextManager[None]:
    """A trace as of `Tracer.trace`, or nothing where the session wants none."""
    return session.trace(name) if isinstance(session, Tracer) else nullcontext()


class Making(Protocol):
    """What the maker of an artifact has at hand."""

    def report(self, step: int, metrics: Mapping[str, float]) -> None:
        """Show the metrics of a step (an epoch) where somebody watches."""
        ...

    def save(self, state: Mapping[str, Any]) -> None:
        """Keep `state` as the newest checkpoint of the making, written whole or not at all."""
        ...

    def restore(self) -> dict[str, Any] | None:
        """The newest checkpoint, tensors on the CPU, or None where there is none."""
        ...


@runtime_checkable
class Workshop(Protocol):
    """What a session offers in addition where runs share what they make, such as a trained encoder."""

    def artifact(
        self, name: str, identity: Mapping[str, Any], make: Callable[[Making], Mapping[str, Any]]
    ) -> dict[str, Any]:
        """The artifact that `identity` defines, tensors on the CPU: made once, whoever wants it, and however many
        want it at the same time.

        `identity` has plain values, and all that what is made depends on; `name` says what it is. `make` gives
        tensors and plain values. What is returned is shared: do not write into it.
        """
        ...


def artifact_of(
    session: Session, name: str, identity: Mapping[str, Any], make: Callable[[Making], Mapping[str, Any]]
) -> Mapping[str, Any]:
    """The artifact as `Workshop.artifact` gives it, or made now where the session shares nothing."""
    if isinstance(session, Workshop):
        return session.artifact(name, identity, make)
    return make(_InMemory())


@dataclass
class MemorySession:
    """A session that keeps all it is told in memory; for tests, notebooks and examples.

    >>> session = MemorySession(seed=3)
    >>> session.report(1, {"dev/rsum": 100.0})
    False
    >>> session.reports
    [(1, {'dev/rsum': 100.0})]
    """

    seed: int = 0
    rank: int = 0
    world_size: int = 1
    device: str = "cpu"
    phase: Phase = "final"
    stop_after: int | None = None
    """Step from which `report` says stop."""
    reports: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    pictures: list[tuple[int, str, NDArray[np.uint8]]] = field(default_factory=list)
    state: dict[str, Any] | None = None
    artifacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What was made so far. Hand the same to several sessions and they share it."""

    def report(self, step: int, metrics: Mapping[str, float]) -> bool:
        self.reports.append((step, dict(metrics)))
        return self.stop_after is not None and step >= self.stop_after

    def save(self, state: Mapping[str, Any]) -> None:
        self.state = dict(state)

    def restore(self) -> dict[str, Any] | None:
        return self.state

    def picture(self, step: int, name: str, image: NDArray[np.uint8]) -> None:
        self.pictures.append((step, name, image))

    def artifact(
        self, name: str, identity: Mapping[str, Any], make: Callable[[Making], Mapping[str, Any]]
    ) -> dict[str, Any]:
        key = f"{name} {json.dumps(identity, sort_keys=True)}"
        if key not in self.artifacts:
            self.artifacts[key] = dict(make(_InMemory()))
        return self.artifacts[key]


@dataclass
class _InMemory:
    """The making of an artifact of a `MemorySession`."""

    state: dict[str, Any] | None = None

    def report(self, step: int, metrics: Mapping[str, float]) -> None:
        pass

    def save(self, state: Mapping[str, Any]) -> None:
        self.state = dict(state)

    def restore(self) -> dict[str, Any] | None:
        return self.state
