"""The JSON Schema of sweep files, for editors that complete and check while one types."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from crosscut.arms.loading import load
from crosscut.sweepfile.sweep import PATCHABLE, RETRIEVAL, SweepFile
from crosscut_trainables.trainable import description_of

CONFIG = "retrieval-config"
"""Name among the definitions of the configuration that the retrieval trainable takes."""

SCALE = "scale-patch"
"""Name among the definitions of the patch of a scale."""


def schema() -> dict[str, Any]:
    """The schema, JSON Schema draft 2020-12.

    Where the trainable is the one that comes with Crosscut, `config` and the patches of levels are checked
    against its options. What runs is checked more closely when the sweep is read: a schema cannot know which
    level goes with which.
    """
    sweep = SweepFile.model_json_schema()
    definitions: dict[str, Any] = sweep.pop("$defs", {})
    definitions |= _scale()
    of_scales = _nothing_or({"$ref": f"#/$defs/{SCALE}"})
    sweep["properties"]["scales"]["anyOf"][0]["additionalProperties"] = of_scales
    description = description_of(load(RETRIEVAL))
    assert description is not None, "the retrieval trainable describes itself"
    config = description.config.model_json_schema(ref_template="#/$defs/retrieval-{model}")
    inner = config.pop("$defs", {})
    definitions[CONFIG] = _patch(config)
    definitions |= {f"retrieval-{name}": _patch(definition) for name, definition in inner.items()}
    patch = {"$ref": f"#/$defs/{CONFIG}"}
    levels = {"additionalProperties": {"additionalProperties": _nothing_or(patch)}}
    configured = {"config": patch, "factors": levels}
    scales = {"additionalProperties": {"properties": configured}}
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        **sweep,
        "title": "A Crosscut sweep",
        "if": {"properties": {"trainable": {"const": RETRIEVAL}}},
        "then": {"properties": {**configured, "scales": scales}},
        "$defs": definitions,
    }


def _scale() -> dict[str, Any]:
    """The definitions of what a scale may say: the keys of a sweep file, of which none is required."""
    sweep = SweepFile.model_json_schema(ref_template="#/$defs/scale-{model}")
    definitions = {f"scale-{name}": _patch(part) for name, part in sweep.pop("$defs", {}).items()}
    patch = _patch(sweep)
    patch["properties"] = {key: patch["properties"][key] for key in PATCHABLE}
    patch |= {"title": "Scale", "description": "What one scale has otherwise than the rest of the file."}
    return {**definitions, SCALE: patch}


def _nothing_or(definition: dict[str, Any]) -> dict[str, Any]:
    """What `definition` takes, or null: an empty mapping may be written as nothing at all."""
    return {"anyOf": [definition, {"type": "null"}]}


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
    if isinstance(entries := loose.get("additionalProperties"), dict):
        # A patch takes an entry of a mapping out by setting it to null.
        loose["additionalProperties"] = _nothing_or(entries)
    return loose
