"""What an arm's first search trials try, before the sampler has a say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crosscut.samplers import unit
from crosscut.samplers.asked import seed_of
from crosscut.sweepfile.space import Parameter


def starts(
    space: Mapping[str, Parameter],
    defaults: Mapping[str, Any],
    points: Sequence[Mapping[str, Any]],
    seed: int,
) -> list[dict[str, Any]]:
    """Values of trial 0 and those after it.

    The first are the arm's own, where the space contains them all. Then come the points, each cut to the
    parameters that the arm has; what a point leaves out has the arm's own value, or a random one where the space
    does not contain that. A point of which nothing is left, or that was tried before, is passed over.

    Args:
        space: searched parameters of the arm, by path.
        defaults: the values that the arm's own configuration has for them.
        points: what is to be tried first, a mapping of path to value each.
        seed: seed of the search.
    """
    found: list[dict[str, Any]] = []
    if space and all(space[path].contains(defaults.get(path)) for path in space):
        found.append({path: defaults[path] for path in space})
    for point in points:
        own = {path: _typed(space[path], value) for path, value in point.items() if path in space}
        if not own:
            continue
        rest = {
            path: _own(path, space[path], defaults, seed, len(found)) for path in space if path not in own
        }
        whole = {path: own[path] if path in own else rest[path] for path in space}
        if whole not in found:
            found.append(whole)
    return found


def _typed(parameter: Parameter, value: Any) -> Any:
    """The value as a sampler has it: 1 among real numbers is 1.0."""
    return value if parameter.kind == "choice" or parameter.integer else float(value)


def _own(path: str, parameter: Parameter, defaults: Mapping[str, Any], seed: int, number: int) -> Any:
    value = defaults.get(path)
    if parameter.contains(value):
        return value
    return unit.at(parameter, seed_of(seed, number, f"start {path}") / 2**32)
