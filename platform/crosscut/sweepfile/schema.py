"""The JSON Schema of sweep files, for editors that complete and check while one types."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from crosscut.arms.loading import load
from crosscut.sweepfile.sweep import RETRIEVAL, Sweep
from crosscut_trainables.trainable import description_of

CONFIG = "retrieval-config"
"""Name among the definitions of the configuration that the retrieval trainable takes."""


def schema() -> dict[str, Any]:
    """The schema, JSON Schema draft 2020-12.

    Where the trainable is the one that comes with Crosscut, `config` and the patches of levels are checked
    against its options. What runs is checked more closely when the sweep is read: a schema cannot know which
    level goes with which.
    """
    sweep = Sweep.model_json_schema()
    definitions: dict[str, Any] = sweep.pop("$defs", {})
    description = description_of(load(RETRIEVAL))
    assert description is not None, "the retrieval trainable describes itself"
    config = description.config.model_json_schema(ref_template="#/$defs/retrieval-{model}")
    inner = config.pop("$defs", {})
    definitions[CONFIG] = _patch(config)
    definitions |= {f"retrieval-{name}": _patch(definition) for name, definition in inner.items()}
    patch = {"$ref": f"#/$defs/{CONFIG}"}
    levels = {"additionalProperties": {"additionalProperties": {"anyOf": [patch, {"type": "null"}]}}}
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        **sweep,
        "title": "A Crosscut sweep",
        "if": {"properties": {"trainable": {"const": RETRIEVAL}}},
        "then": {"properties": {"config": patch, "factors": levels}},
        "$defs": definitions,
    }


def _patch(definition: Any) -> Any:
    """A schema of whole configurations, made one of patches: nothing is required, and a component whose
    `name` stands in another patch may be any of them."""
    if isinstance(definition, list):
        return [_patch(part) for part in definition]
    if not isinstance(definition, dict):
        return definition
    loose = {
        key: _patch(part)
        for key, part in definition.items()
        if key not in ("required", "discriminator", "oneOf")
    }
    if "oneOf" in definition:
        loose["anyOf"] = _patch(definition["oneOf"])
    return loose
