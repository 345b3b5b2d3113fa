"""The unit interval: where values lie in it, each as wide as the others on the scale that they are drawn on."""

from __future__ import annotations

import math
from typing import Any

from crosscut.sweepfile.space import Parameter


def at(parameter: Parameter, place: float) -> Any:
    """The value at a place from 0 to 1; a whole number or a choice has an interval of places."""
    if parameter.kind == "choice":
        count = len(parameter.choices)
        return parameter.choices[min(int(place * count), count - 1)]
    low, high = _ends(parameter)
    found = low + place * (high - low)
    if parameter.log:
        found = math.exp(found)
    bottom, top = parameter.bounds
    if parameter.integer:
        return int(min(max(math.floor(found + 0.5), bottom), top))
    return float(min(max(found, bottom), top))


def of(parameter: Parameter, value: Any) -> float:
    """The place of a value, of a whole number or a choice the middle of its interval."""
    if parameter.kind == "choice":
        return (parameter.choices.index(value) + 0.5) / len(parameter.choices)
    low, high = _ends(parameter)
    return ((math.log(value) if parameter.log else float(value)) - low) / (high - low)


def _ends(parameter: Parameter) -> tuple[float, float]:
    """The bounds on the scale that values are drawn on, those of whole numbers half of one further out."""
    low, high = (float(bound) for bound in parameter.bounds)
    if parameter.integer:
        low, high = low - 0.5, high + 0.5
    return (math.log(low), math.log(high)) if parameter.log else (low, high)
