"""A sampler: a way of choosing the values of trials, and what it can take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crosscut.samplers.asked import Asked
from crosscut.sweepfile.space import Parameter

Room = Callable[[Mapping[str, Parameter], Sequence[Mapping[str, Any]], int], int]
"""Space, what is tried before the sampler has a say, values of a number on a grid → how many trials it has values
for."""


@dataclass(frozen=True)
class Sampler:
    """One of `SAMPLERS`.

    `values` is a function of what it is asked and nothing else: a study is rebuilt from records at every call.
    """

    summary: str
    """One line, for lists."""
    values: Callable[[Asked], dict[str, Any]]
    several: bool = True
    """Whether it takes several metrics."""
    choices: bool = True
    """Whether it takes parameters of the kind `choice`."""
    heeds: tuple[str, ...] = ()
    """The keys of `search` that it heeds and others do not."""
    room: Room | None = None
    """How many values it has at the most; None for one that has always another."""
