"""An arm: one level for every factor, and all that follows from that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crosscut.sweepfile.patch import get_path, set_path
from crosscut.sweepfile.resources import Resources
from crosscut.sweepfile.space import Parameter


@dataclass(frozen=True)
class Arm:
    """One choice of level for every factor, with the configuration that it makes."""

    name: str
    levels: Mapping[str, str]
    """Factor → level, in the order of the factors."""
    config: Mapping[str, Any]
    """The whole configuration with all defaults, in JSON types."""
    space: Mapping[str, Parameter]
    """Path → searched parameter, of those alone whose component this arm has."""
    data: str
    """Fingerprint of the data that it trains on; empty where the trainable does not tell."""
    seconds: float | None
    """Rough seconds of one run on one core, None where nobody knows."""
    locations: tuple[str, ...] = ()
    """Paths of the configuration that only say where something lies; what lies there is in `data`. A `*` stands
    for every key of a mapping."""
    resources: Resources = field(default_factory=Resources)
    """What each of its runs gets, which changes no result."""
    together: int = 1
    """How many of its seeds may be trained in one process, which changes no result either."""

    def defining(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """What of a configuration of this arm defines a result: all but where something lies."""
        for path in (path for pattern in self.locations for path in _matching(config, pattern)):
            if get_path(config, path) is not None:
                config = set_path(config, path, None)
        return dict(config)


def _matching(config: Mapping[str, Any], pattern: str) -> Iterator[str]:
    """The paths that a pattern with at most one `*` stands for."""
    before, star, after = pattern.partition(".*.")
    if not star:
        yield pattern
    elif isinstance(inside := get_path(config, before), Mapping):
        yield from (f"{before}.{key}.{after}" for key in inside)


def names(levels: Mapping[str, Sequence[str]], cells: Sequence[Mapping[str, str]]) -> list[str]:
    """The name of every cell: its levels, with their factors where two factors share a level's name.

    >>> names({"backbone": ["scan"], "loss": ["triplet"]}, [{"backbone": "scan", "loss": "triplet"}])
    ['scan, triplet']
    >>> names({"ccr": ["off"], "ccs": ["off"]}, [{"ccr": "off", "ccs": "off"}])
    ['ccr=off, ccs=off']
    """
    every = [level for of_factor in levels.values() for level in of_factor]
    plain = len(set(every)) == len(every)
    return [
        ", ".join(level if plain else f"{factor}={level}" for factor, level in cell.items()) for cell in cells
    ]
