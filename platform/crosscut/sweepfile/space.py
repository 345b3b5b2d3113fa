"""One searched parameter: where its values come from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from crosscut.errors import Problem, ProblemsError, near, one_of, shown

Kind = Literal["uniform", "log_uniform", "int", "log_int", "choice"]
Scalar = str | int | float | bool

KINDS: Mapping[str, str] = {
    "uniform": "[low, high]",
    "log_uniform": "[low, high]",
    "int": "[low, high]",
    "log_int": "[low, high]",
    "choice": "[value, value, ...]",
}
"""Every kind, and the form of what it is given."""

_FORM = "one of " + ", ".join(f"{{{kind}: {form}}}" for kind, form in KINDS.items())


@dataclass(frozen=True)
class Parameter:
    """The values that a search may give to one parameter. Bounds are both included.

    >>> Parameter.parse({"log_uniform": [0.01, 10]})
    Parameter(kind='log_uniform', low=0.01, high=10.0, choices=())
    """

    kind: Kind
    low: float = 0.0
    high: float = 0.0
    choices: tuple[Scalar, ...] = ()
    """The values of a `choice`, empty for other kinds."""

    @property
    def log(self) -> bool:
        """Whether values are drawn evenly on a logarithmic scale."""
        return self.kind in ("log_uniform", "log_int")

    @property
    def integer(self) -> bool:
        """Whether values are whole numbers."""
        return self.kind in ("int", "log_int")

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest value, both included; without meaning for `choice`."""
        return self.low, self.high

    def contains(self, value: object) -> bool:
        """Whether a search may give this value."""
        if self.kind == "choice":
            return any(value == choice and type(value) is type(choice) for choice in self.choices)
        return _number(value, self.integer) and self.low <= cast("float", value) <= self.high

    def place(self, value: float) -> float:
        """Where a value lies between the bounds, 0 at the lowest and 1 at the highest, on the scale that values
        are drawn on; ½ where the bounds are one."""
        low, high, at = (math.log(v) if self.log else float(v) for v in (self.low, self.high, value))
        return (at - low) / (high - low) if high > low else 0.5

    @property
    def probes(self) -> tuple[Scalar, ...]:
        """Values that stand for all: the bounds and one between them, or every choice."""
        if self.kind == "choice":
            return self.choices
        if self.integer:
            return (int(self.low), int(self.high))
        within = math.sqrt(self.low * self.high) if self.log else self.low + 0.381966 * (self.high - self.low)
        return (self.low, within, self.high)

    @classmethod
    def parse(cls, found: Any) -> Parameter:
        """Read the form that sweep files use, such as `{log_uniform: [0.01, 10]}`.

        Raises:
            ProblemsError: where it has another form, or where the bounds or choices make no sense.
        """
        if isinstance(found, Parameter):
            return found
        if not isinstance(found, dict) or len(found) != 1:
            raise _wrong((), f"found {shown(found)}, expected {_FORM}")
        kind, given = next(iter(found.items()))
        if kind not in KINDS:
            raise _wrong((str(kind),), f"unknown kind, expected {one_of(KINDS)}{near(kind, KINDS)}")
        if not isinstance(given, list | tuple):
            raise _wrong((kind,), f"found {shown(given)}, expected {KINDS[kind]}")
        if kind == "choice":
            return cls("choice", choices=_choices(given))
        whole = kind in ("int", "log_int")
        if len(given) != 2 or not all(_number(bound, whole) for bound in given):
            numbers = "whole numbers" if whole else "finite numbers"
            raise _wrong((kind,), f"found {shown(given)}, expected two {numbers}, [low, high]")
        low, high = given
        if not low < high:
            raise _wrong((kind,), f"found {shown(given)}, expected a low bound below the high bound")
        if kind.startswith("log") and low <= 0:
            raise _wrong(
                (kind,), f"found {shown(given)}, expected a low bound above 0: the scale is logarithmic"
            )
        return cls(kind, low, high) if whole else cls(kind, float(low), float(high))

    def to_json(self) -> dict[str, list[Scalar]]:
        """The form that sweep files use."""
        return {self.kind: list(self.choices) if self.kind == "choice" else [self.low, self.high]}


def _number(bound: object, whole: bool) -> bool:
    if isinstance(bound, bool):
        return False
    if isinstance(bound, int):
        return abs(bound) < 2**63
    return not whole and isinstance(bound, float) and math.isfinite(bound)


def _choices(given: list[Any] | tuple[Any, ...]) -> tuple[Scalar, ...]:
    for index, value in enumerate(given):
        if not isinstance(value, str | bool | int | float) or (
            isinstance(value, float) and not math.isfinite(value)
        ):
            expected = "text, a finite number, true or false"
            raise _wrong(("choice", str(index)), f"found {shown(value)}, expected {expected}")
    if len(given) < 2:
        raise _wrong(("choice",), f"found {shown(given)}, expected at least two values")
    if len(set(given)) < len(given):
        raise _wrong(("choice",), f"found {shown(given)}, expected values that all differ")
    return tuple(given)


def _wrong(keys: tuple[str, ...], text: str) -> ProblemsError:
    return ProblemsError([Problem(keys, text)])


def _form(kind: str) -> dict[str, Any]:
    number = {"type": "integer" if kind in ("int", "log_int") else "number"}
    if kind.startswith("log"):
        number["exclusiveMinimum"] = 0  # type: ignore[assignment]
    values: dict[str, Any] = {"type": "array", "items": number, "minItems": 2, "maxItems": 2}
    if kind == "choice":
        scalar = {"type": ["string", "number", "boolean"]}
        values = {"type": "array", "items": scalar, "minItems": 2, "uniqueItems": True}
    return {"type": "object", "properties": {kind: values}, "required": [kind], "additionalProperties": False}


ParameterField = Annotated[
    Parameter,
    PlainValidator(Parameter.parse),
    PlainSerializer(Parameter.to_json, return_type=dict[str, Any]),
    WithJsonSchema({"title": "Parameter", "oneOf": [_form(kind) for kind in KINDS]}),
]
"""A `Parameter` as a field of a pydantic model."""
