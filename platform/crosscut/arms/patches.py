"""Patches: what the configuration of a cell is made of, and which of them has put something where it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crosscut.errors import Keys
from crosscut.sweepfile.sweep import Sweep

RESOURCES = "resources"
"""The key of a level's patch that is about the sweep's resources and not about the configuration."""


class Patches:
    """The patches of a sweep's cells."""

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep

    def of(self, cell: Mapping[str, str]) -> list[tuple[Keys, dict[str, Any]]]:
        """What a cell's configuration is made of, in order, with its place in the file."""
        levels: list[tuple[Keys, dict[str, Any]]] = [
            (
                ("factors", factor, level),
                {key: value for key, value in self._sweep.factors[factor][level].items() if key != RESOURCES},
            )
            for factor, level in cell.items()
        ]
        return [(("config",), self._sweep.config), *levels]

    def blame(self, cell: Mapping[str, str], keys: Keys) -> Keys:
        """The place of the file that has put something at `keys` of a cell's configuration.

        It is the last patch that has the key itself, or else the nearest mapping around it. No keys at all
        blame no place: then levels do not go together.
        """
        for count in range(len(keys), 0, -1):
            for place, patch in reversed(self.of(cell)):
                if _reaches(patch, keys[:count]):
                    return (*place, *keys)
        return ("config", *keys) if keys else ()


def _reaches(patch: Mapping[str, Any], keys: Sequence[str]) -> bool:
    place: Any = patch
    for key in keys:
        if isinstance(place, Mapping) and key in place:
            place = place[key]
        elif isinstance(place, list) and key.isdigit() and int(key) < len(place):
            place = place[int(key)]
        else:
            return False
    return True
