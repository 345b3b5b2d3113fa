"""A grid: every combination of some values of each parameter, once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crosscut.samplers.asked import Asked, seed_of
from crosscut.samplers.sampler import Sampler
from crosscut.sweepfile.space import Parameter

LARGEST = 1_000_000
"""Combinations that a grid has at the most."""


def values(asked: Asked) -> dict[str, Any]:
    """The next combination, in an order that the search's seed shuffles, so that a part of the grid is spread over
    all of it. What was tried before the sampler had a say is left out."""
    points = _points(asked.space, asked.starts, asked.grid_points, asked.seed)
    return next(point for place, point in enumerate(points) if place == asked.place)


def room(space: Mapping[str, Parameter], starts: Sequence[Mapping[str, Any]], count: int) -> int:
    """How many combinations there are that `starts` leaves."""
    known = [start for start in starts if all(start[path] in axis(space[path], count) for path in space)]
    return size(space, count) - len(known)


def size(space: Mapping[str, Parameter], count: int) -> int:
    """How many combinations there are."""
    return math.prod(len(axis(parameter, count)) for parameter in space.values())


def axis(parameter: Parameter, count: int) -> list[Any]:
    """The values of one parameter: every choice, every whole number where these are `count` at the most, else
    `count` values from bound to bound, evenly on its scale.

    >>> axis(Parameter.parse({"log_uniform": [0.01, 100]}), 5)
    [0.01, 0.1, 1.0, 10.0, 100.0]
    """
    if parameter.kind == "choice":
        return list(parameter.choices)
    low, high = parameter.bounds
    if parameter.integer and high - low < count:
        return list(range(int(low), int(high) + 1))
    ends = (math.log(low), math.log(high)) if parameter.log else (low, high)
    steps = [ends[0] + place / (count - 1) * (ends[1] - ends[0]) for place in range(1, count - 1)]
    # Without the dirt in the last digits, so that a value is what one would have written.
    inner = [float(f"{math.exp(step) if parameter.log else step:.12g}") for step in steps]
    if parameter.integer:
        return list(dict.fromkeys(math.floor(value + 0.5) for value in (low, *inner, high)))
    return [float(low), *inner, float(high)]


def _points(
    space: Mapping[str, Parameter], starts: Sequence[Mapping[str, Any]], count: int, seed: int
) -> Iterator[dict[str, Any]]:
    import numpy as np

    axes = {path: axis(parameter, count) for path, parameter in space.items()}
    total = math.prod(map(len, axes.values()))
    order = np.random.Generator(np.random.Philox(key=seed_of(seed, 0, "grid"))).permutation(total)
    tried = [dict(start) for start in starts]
    for place in order.tolist():
        point = {}
        for path, found in axes.items():
            place, rest = divmod(place, len(found))
            point[path] = found[rest]
        if point not in tried:
            yield point


GRID = Sampler("every combination of a grid, in a shuffled order", values, heeds=("grid_points",), room=room)
