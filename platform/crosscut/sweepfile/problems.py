"""What pydantic found wrong, in the sentences of this project: where, found, expected, near name."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from crosscut.errors import Problem, ProblemsError, near, one_of, shown, unexpected


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Every error of a failed validation by `model`, in its order, with the keys as the file has them."""
    found: dict[tuple[str, ...], list[Problem]] = {}
    for details in error.errors(include_url=False):
        for problem in _translate(details, model):
            same = found.setdefault(problem.keys, [])
            if problem not in same:
                same.append(problem)
    return [problem for same in found.values() for problem in _joined(same)]


@dataclass(frozen=True)
class _Place:
    """Where an error is: the keys without pydantic's own additions, the model that holds the last key, the
    type that is expected there."""

    keys: tuple[str, ...]
    owner: type[BaseModel] | None
    kind: Any


def _translate(details: ErrorDetails, model: type[BaseModel]) -> list[Problem]:
    place = _place(model, details["loc"])
    context: Mapping[str, Any] = details.get("ctx", {})
    kind, value = details["type"], details["input"]
    cause = context.get("error")
    if isinstance(cause, ProblemsError):
        return [problem.under(*place.keys) for problem in cause.problems]
    if kind == "extra_forbidden":
        options = _fields(place.owner)
        hint = near(place.keys[-1], options) or _elsewhere(model, place.keys[-1])
        return [Problem(place.keys, f"unknown key, expected {one_of(options)}{hint}")]
    if kind == "missing":
        return [Problem(place.keys, f"this key is missing{_described(place)}")]
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return [_wrong_tag(place, value, context)]
    if kind == "value_error":
        return [Problem(place.keys, str(cause))]
    if kind == "literal_error":
        options = [str(option) for option in get_args(_unwrapped(place.kind))]
        expected = one_of(options) if options else str(context.get("expected")).replace("'", "")
        return [Problem(place.keys, unexpected(value, expected, options))]
    if kind == "model_attributes_type":
        tags = one_of(_tags(place.kind, "name"))
        return [Problem(place.keys, f"found {shown(value)}, expected a mapping with the name {tags}")]
    if kind == "model_type":
        fields = _fields(_model(place.kind))
        keys = f" with the keys {', '.join(fields)}" if fields else ""
        return [Problem(place.keys, f"found {shown(value)}, expected a mapping{keys}")]
    expected = _EXPECTED[kind](context) if kind in _EXPECTED else ""
    if expected:
        return [Problem(place.keys, f"found {shown(value)}, expected {expected}")]
    return [Problem(place.keys, f"found {shown(value)}: {details['msg'][:1].lower()}{details['msg'][1:]}")]


def _bound(word: str, key: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda context: f"a number {word} {context[key]:g}"


def _length(word: str, key: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda context: f"{word} {context[key]} of them"


def _always(text: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda context: text


_EXPECTED: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "greater_than": _bound("above", "gt"),
    "greater_than_equal": _bound("of at least", "ge"),
    "less_than": _bound("below", "lt"),
    "less_than_equal": _bound("of at most", "le"),
    "multiple_of": lambda context: f"a multiple of {context['multiple_of']}",
    "finite_number": _always("a finite number"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), _always("a whole number")),
    **dict.fromkeys(("float_type", "float_parsing"), _always("a number")),
    **dict.fromkeys(("bool_type", "bool_parsing"), _always("true or false")),
    **dict.fromkeys(("dict_type", "mapping_type"), _always("a mapping")),
    **dict.fromkeys(("list_type", "tuple_type", "set_type"), _always("a list")),
    "string_type": _always("text"),
    "none_required": _always("nothing (null)"),
    "too_short": _length("at least", "min_length"),
    "too_long": _length("at most", "max_length"),
    "string_too_short": lambda context: f"text of at least {context['min_length']} characters",
    "string_too_long": lambda context: f"text of at most {context['max_length']} characters",
    "string_pattern_mismatch": lambda context: f"text of the form {context['pattern']}",
}


def _joined(same: list[Problem]) -> list[Problem]:
    """Problems of one place. The members of a union each complain: their expectations become one sentence."""
    parts = [problem.text.partition(", expected ") for problem in same]
    if len(same) > 1 and len({found for found, _, _ in parts}) == 1 and all(middle for _, middle, _ in parts):
        expected = " or ".join(dict.fromkeys(expected for _, _, expected in parts))
        return [Problem(same[0].keys, f"{parts[0][0]}, expected {expected}")]
    return same


def _wrong_tag(place: _Place, value: Any, context: Mapping[str, Any]) -> Problem:
    key = str(context["discriminator"]).strip("'")
    options = _tags(place.kind, key)
    if "tag" not in context:
        meant = [other for other in value if near(other, [key])] if isinstance(value, Mapping) else []
        hint = f"; is {meant[0]!r} meant to be it?" if meant else ""
        return Problem((*place.keys, key), f"this key is missing, expected {one_of(options)}{hint}")
    return Problem((*place.keys, key), unexpected(context["tag"], one_of(options), options))


def _tags(kind: Any, key: str) -> list[str]:
    """The names that `key` may have in a union of components."""
    return [
        str(tag)
        for member in get_args(_unwrapped(kind))
        if (component := _model(member)) is not None and key in component.model_fields
        for tag in get_args(component.model_fields[key].annotation)
    ]


def _described(place: _Place) -> str:
    field = place.owner.model_fields.get(place.keys[-1]) if place.owner else None
    return (
        f": {field.description[:1].lower()}{field.description[1:].rstrip('.')}"
        if field and field.description
        else ""
    )


def _elsewhere(model: type[BaseModel], name: str) -> str:
    """A hint for a key that is right but one mapping too high, such as `epochs` for `training.epochs`."""
    for outer, field in model.model_fields.items():
        if name in _fields(_model(field.annotation)):
            return f"; did you mean '{outer}.{name}'?"
    return ""


def _fields(model: type[BaseModel] | None) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _place(model: type[BaseModel], location: Sequence[int | str]) -> _Place:
    """Follow pydantic's location through the types; what it adds to name a member of a union is left out."""
    keys: list[str] = []
    owner: type[BaseModel] | None = None
    kind: Any = model
    for part in location:
        kind = _unwrapped(kind)
        component = _model(kind)
        if part == "[key]":  # pydantic's mark for an error of the key itself
            kind = str
        elif component is not None:
            keys.append(str(part))
            owner = component
            field = component.model_fields.get(str(part))
            kind = field.annotation if field else None
        elif get_origin(kind) in (Union, types.UnionType):
            members = [member for member in get_args(kind) if _is_member(member, str(part))]
            kind = members[0] if members else None
        else:
            keys.append(str(part))
            owner = None
            arguments = get_args(kind)
            kind = arguments[1 if isinstance(part, str) and len(arguments) > 1 else 0] if arguments else None
    return _Place(tuple(keys), owner, kind)


def _unwrapped(kind: Any) -> Any:
    """A type without `Annotated` and without its `| None`."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif get_origin(kind) in (Union, types.UnionType):
            members = [member for member in get_args(kind) if member is not types.NoneType]
            if len(members) != 1:
                return Union[tuple(members)]  # noqa: UP007  (made from a list)
            kind = members[0]
        else:
            return kind


def _model(kind: Any) -> type[BaseModel] | None:
    kind = _unwrapped(kind)
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _is_member(member: Any, part: str) -> bool:
    """Whether pydantic means this member of a union by `part`: the class's name or its tag."""
    component = _model(member)
    if component is None:
        return part == getattr(member, "__name__", str(member))
    tags = [
        str(tag)
        for field in component.model_fields.values()
        if get_origin(field.annotation) is Literal
        for tag in get_args(field.annotation)
    ]
    return part == component.__name__ or part in tags
