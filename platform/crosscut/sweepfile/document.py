"""YAML as sweep files use it: keys are text as typed, no key twice, no dates, and `1e-3` is a number.

YAML 1.1 reads `on`, `off`, `yes`, `no` as booleans and `0.20` as 0.2. Factor and level names are names,
so where they stand (every key of the file; baseline, exclude and arms of the design) what was typed is kept.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import yaml
from yaml.constructor import ConstructorError

from crosscut.errors import InputError, Keys, Problem, unexpected

LEVELS_ARE_NAMED_IN = (("design", "baseline"), ("design", "exclude"), ("design", "arms"))
"""Sections whose values are level names."""

PATHS_ARE_KEYS_IN = ("search", "space")
"""The section whose keys are paths, dots and all."""

_STRING = "tag:yaml.org,2002:str"
_FLOAT = "tag:yaml.org,2002:float"
_MERGE = "tag:yaml.org,2002:merge"
_TIMESTAMP = "tag:yaml.org,2002:timestamp"
_NAMES = {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:int", _FLOAT}


class _Loader(yaml.SafeLoader):
    """The safe loader with text for keys, each once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[str, yaml.Node] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ConstructorError(
                    None, None, "a key is plain text, not a list or a mapping", key.start_mark
                )
            if key.tag != _MERGE and key.value in seen:
                line = seen[key.value].start_mark.line + 1
                message = f"the key {key.value!r} stands here a second time (first in line {line})"
                raise ConstructorError(None, None, message, key.start_mark)
            seen[key.value] = key
        self.flatten_mapping(node)
        return {key.value: self.construct_object(value, deep=True) for key, value in node.value}


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(  # YAML 1.1 wants a dot in 1.0e-3 and takes 1e-3 for text
    _FLOAT, re.compile(r"^[-+]?[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def read_text(path: Path, where: str) -> str:
    """The text of a file.

    Raises:
        InputError: it cannot be read or is not UTF-8 text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError.at(where, "", f"this is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise InputError.at(where, "", f"the file cannot be read: {error.strerror}") from error


def load(text: str, where: str) -> dict[str, Any]:
    """The mapping that a sweep file holds; `where` names the file in errors.

    Raises:
        InputError: the text is not YAML, or a key stands twice (with line and column); it is empty or
            no mapping.
    """
    found = _construct(text, where, ())
    if found is None:
        raise InputError.at(
            where, "", "the file is empty, expected a sweep: a mapping with at least name, factors"
        )
    if not isinstance(found, dict):
        raise InputError.unexpected(where, "", found, "a sweep: a mapping with at least name, factors")
    return found


def value(text: str, where: str, keys: tuple[str, ...] = ()) -> Any:
    """The value that `text` writes, as it would be read at the place `keys` of a sweep file.

    Raises:
        InputError: the text is not YAML.
    """
    return _construct(text, where, keys)


def _construct(text: str, where: str, keys: tuple[str, ...]) -> Any:
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _keep_names(node, keys)
        return cast("Any", loader).construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InputError.at(where, place, _why(error)) from error
    except yaml.YAMLError as error:
        raise InputError.at(where, "", f"this is not YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise InputError.at(where, "", "this is nested too deep to be a sweep") from error
    except ValueError as error:
        raise InputError.at(where, "", f"a value cannot be read: {error}") from error
    finally:
        if loader is not None:
            cast("Any", loader).dispose()


def _why(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or error.context or "it cannot be read"
    if isinstance(error, ConstructorError) and error.context is None:
        return problem
    if "\\t" in problem:
        problem += " (YAML is indented with spaces, never with tabs)"
    context = f" {error.context}" if error.context else ""
    return f"this is not YAML: {problem}{context}"


def _keep_names(node: yaml.Node, keys: tuple[str, ...]) -> None:
    """Mark the numbers and booleans that stand where a level is named as the text they were typed as."""
    if any(keys[: len(section)] == section for section in LEVELS_ARE_NAMED_IN):
        _as_typed(node)
    elif isinstance(node, yaml.MappingNode) and any(
        section[: len(keys)] == keys for section in LEVELS_ARE_NAMED_IN
    ):
        for key, child in node.value:
            if isinstance(key, yaml.ScalarNode):
                _keep_names(child, (*keys, key.value))


def _as_typed(node: yaml.Node) -> None:
    if isinstance(node, yaml.ScalarNode):
        if node.tag in _NAMES:
            node.tag = _STRING
    elif isinstance(node, yaml.SequenceNode):
        for child in node.value:
            _as_typed(child)
    elif isinstance(node, yaml.MappingNode):
        for _, child in node.value:
            _as_typed(child)


def strangers(found: Any, keys: Keys = ()) -> Iterator[Problem]:
    """What in a value JSON cannot hold, so that it could not enter a record and its key."""
    match found:
        case dict():
            for key, child in found.items():
                yield from strangers(child, (*keys, str(key)))
        case list():
            for index, child in enumerate(found):
                yield from strangers(child, (*keys, str(index)))
        case float() if not math.isfinite(found):
            yield Problem(keys, unexpected(found, "a finite number"))
        case None | str() | bool() | int() | float():
            pass
        case _:
            expected = "text, a number, true, false, a list or a mapping"
            yield Problem(keys, unexpected(found, expected))
