"""A hypothesis: two levels of a factor whose comparison is declared before the runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from crosscut.errors import shown

_FORM = "one factor with two of its levels, such as {constraints: ccr vs none}"


@dataclass(frozen=True)
class Hypothesis:
    """`left` against `right`: a positive estimate favours `left`."""

    factor: str
    left: str
    right: str

    @classmethod
    def parse(cls, found: Any) -> Hypothesis:
        """Read the form of sweep files, `{factor: left vs right}`.

        Raises:
            ValueError: it has another form, or one level stands on both sides.
        """
        if isinstance(found, Hypothesis):
            return found
        if not isinstance(found, dict) or len(found) != 1:
            raise ValueError(f"found {shown(found)}, expected {_FORM}")
        factor, text = next(iter(found.items()))
        sides = [side.strip() for side in text.split(" vs ")] if isinstance(text, str) else []
        if len(sides) != 2 or not all(sides):
            raise ValueError(f"found {shown(text)} for {factor}, expected {_FORM}")
        if sides[0] == sides[1]:
            raise ValueError(f"found {shown(text)} for {factor}, expected two different levels")
        return cls(str(factor), sides[0], sides[1])

    def to_json(self) -> dict[str, str]:
        """The form of sweep files."""
        return {self.factor: f"{self.left} vs {self.right}"}


HypothesisField = Annotated[
    Hypothesis,
    PlainValidator(Hypothesis.parse),
    PlainSerializer(Hypothesis.to_json, return_type=dict[str, str]),
    WithJsonSchema(
        {
            "title": "Hypothesis",
            "type": "object",
            "additionalProperties": {"type": "string", "pattern": r"^.+ vs .+$"},
            "minProperties": 1,
            "maxProperties": 1,
        }
    ),
]
"""A `Hypothesis` as a field of a pydantic model."""
