"""A hypothesis of a sweep file: a comparison that is declared before the runs."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from crosscut.errors import Problem, ProblemsError
from crosscut_reports.contrast import ContrastError
from crosscut_reports.hypothesis import Hypothesis


def problem(error: ContrastError) -> Problem:
    """What is wrong with a hypothesis, at its place within it."""
    return Problem(error.keys, error.text)


def _parsed(found: Any) -> Hypothesis:
    try:
        return Hypothesis.parse(found)
    except ContrastError as error:
        raise ProblemsError([problem(error)]) from error


_COMPARING = r"^all pairs$|^.+ vs .+$"
_COMPARED = {
    "type": "object",
    "additionalProperties": {"type": "string"},
    # One of them compares, the others may name a level to look within.
    "not": {"additionalProperties": {"type": "string", "not": {"pattern": _COMPARING}}},
}

HypothesisField = Annotated[
    Hypothesis,
    PlainValidator(_parsed),
    PlainSerializer(Hypothesis.plain, return_type=dict[str, Any]),
    WithJsonSchema(
        {
            "title": "Hypothesis",
            "anyOf": [
                {**_COMPARED, "title": "Comparison"},
                {
                    "title": "Comparison with options",
                    "type": "object",
                    "properties": {
                        "compare": _COMPARED,
                        "weights": {"type": "object", "additionalProperties": {"type": "number"}},
                        "name": {"type": "string", "minLength": 1},
                        "metrics": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                        "splits": {"type": "string", "pattern": "^.+ vs .+$"},
                        "family": {"type": "string", "minLength": 1},
                    },
                    "additionalProperties": False,
                    "anyOf": [{"required": ["compare"]}, {"required": ["weights", "name"]}],
                },
            ],
        }
    ),
]
"""A `Hypothesis` as a field of a pydantic model."""
