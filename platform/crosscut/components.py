"""What a sweep can be made of: every registered component, with what its own class says about it."""

from __future__ import annotations

import inspect
import json
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from crosscut.arms.designs import DESIGNS
from crosscut.choosing import RULES
from crosscut.errors import one_of
from crosscut.pruners import PRUNERS
from crosscut.samplers import SAMPLERS
from crosscut_trainables.backbones import BACKBONES, Backbone
from crosscut_trainables.config import SECTIONS
from crosscut_trainables.constraints import CONSTRAINTS, Constraint
from crosscut_trainables.data import DATASETS
from crosscut_trainables.encoders import IMAGE_ENCODERS, TEXT_ENCODERS, ImageEncoder
from crosscut_trainables.losses import LOSSES
from crosscut_trainables.perturbations import PERTURBATIONS, Perturbation
from crosscut_trainables.pretrained import PRETRAINED, DualEncoder
from crosscut_trainables.stages import SEMANTIC_LOSSES


def _nothing(component: Any) -> tuple[str, ...]:
    return ()


def _of_backbone(backbone: type[Backbone]) -> tuple[str, ...]:
    attention = "exposes attention" if backbone.exposes_attention else "has no attention"
    if backbone.needs_positions:
        return attention, "needs an image encoder that knows where regions are"
    return (attention,)


def _of_image_encoder(encoder: type[ImageEncoder]) -> tuple[str, ...]:
    return ("knows where regions are",) if encoder.has_positions else ()


def _of_constraint(constraint: type[Constraint]) -> tuple[str, ...]:
    return ("needs a backbone that exposes attention",)


def _of_perturbation(perturbation: type[Perturbation]) -> tuple[str, ...]:
    strengths = ", ".join(f"{strength:g}" for strength in perturbation.strengths)
    return (f"changes {perturbation.of}; severities 1 to 5: {strengths} ({perturbation.measure})",)


def _of_pretrained(model: type[DualEncoder]) -> tuple[str, ...]:
    needs = "needs transformers, which the extra crosscut[hf] brings, and whole images"
    return (needs,) if model.has_places else (needs, "its fragments are groups, which lie anywhere")


@dataclass(frozen=True)
class Kind:
    """A registry: components that can stand in each other's place."""

    title: str
    place: str
    """The key of a sweep file under which one is named."""
    registry: Mapping[str, Any]
    """Name → component: a pydantic model whose fields are its options, or a function, which has none."""
    traits: Callable[[Any], tuple[str, ...]] = _nothing
    """What a component needs of others and has to offer them, each in a phrase."""


KINDS = (
    Kind("backbones", "config.backbone.name", BACKBONES, _of_backbone),
    Kind("image encoders", "config.encoder.image.name", IMAGE_ENCODERS, _of_image_encoder),
    Kind("text encoders", "config.encoder.text.name", TEXT_ENCODERS),
    Kind("losses", "config.loss.name", LOSSES),
    Kind("constraints", "config.constraints", CONSTRAINTS, _of_constraint),
    Kind("pretrained dual encoders", "config.pretrained.name", PRETRAINED, _of_pretrained),
    Kind("losses of a stage", "config.stages.text.loss.name, config.stages.image.loss.name", SEMANTIC_LOSSES),
    Kind("perturbations", "config.evaluation.on.<name>.perturb", PERTURBATIONS, _of_perturbation),
    Kind("data sets", "config.data.name", DATASETS),
    Kind("sections", "config", SECTIONS),
    Kind("designs", "design.kind", DESIGNS),
    Kind("samplers", "search.sampler", SAMPLERS),
    Kind("pruners", "search.pruning.kind", PRUNERS),
    Kind("rules of choice between several metrics", "search.choose.rule", RULES),
)
"""Every registry that a sweep file names components of. A new one is one more line here."""


@dataclass(frozen=True)
class Option:
    """An option of a component."""

    name: str
    default: str | None
    """As a sweep file has it; None where the option must be given."""
    values: str
    """What it may be: a range, or choices."""
    description: str


def lines(kinds: Sequence[Kind] = KINDS) -> Iterator[str]:
    """The components by kind, each with its options as a sweep file has them and what they may be and mean."""
    for count, kind in enumerate(kinds):
        if count:
            yield ""
        yield f"{kind.title} ({kind.place})"
        for name, component in kind.registry.items():
            yield f"  {name}: {summary(component)}"
            for trait in kind.traits(component):
                yield f"    {trait}"
            for option in options(component):
                if option.default is None:
                    yield f"    {option.name}:  # required, {option.values}"
                else:
                    yield f"    {option.name}: {option.default}  # {option.values}"
                if option.description:
                    yield f"        {option.description}"


def summary(component: Any) -> str:
    """The one line that says what a component is: its `summary`, or the first line of its docstring."""
    said = getattr(component, "summary", None) or inspect.getdoc(component) or "no summary given"
    return str(said).partition("\n")[0]


def options(component: Any) -> tuple[Option, ...]:
    """The options of a component other than its name, as its fields have them."""
    if not (isinstance(component, type) and issubclass(component, BaseModel)):
        return ()
    return tuple(
        Option(
            field.alias or name,
            None if field.is_required() else _written(field.get_default(call_default_factory=True)),
            one_of(dict.fromkeys(_values(field.annotation, field.metadata))),
            " ".join((field.description or "").split()),
        )
        for name, field in component.model_fields.items()
        if name != "name"
    )


def _written(value: Any) -> str:
    """A value as YAML has it."""
    if isinstance(value, str) and value:
        return value
    return json.dumps(to_jsonable_python(value), ensure_ascii=False)


_WORDS: Mapping[Any, str] = {int: "a whole number", float: "a number", str: "text", types.NoneType: "null"}


def _values(kind: Any, limits: Sequence[Any] = ()) -> list[str]:
    """What a field of this type may be, an entry for each way; `limits` is pydantic's metadata of the field."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        # A `Field` in an `Annotated` inside a union keeps its limits to itself.
        own = [part for limit in arguments[1:] for part in getattr(limit, "metadata", (limit,))]
        return _values(arguments[0], [*limits, *own])
    if origin in (Union, types.UnionType):
        return [way for member in arguments for way in _values(member, limits)]
    if origin is Literal:
        return [_written(value) for value in arguments]
    if origin in (tuple, list, Sequence):
        return [f"a list, each {one_of(_values(arguments[0]))}"]
    if kind is bool:
        return ["true", "false"]
    if kind in (int, float):
        return [f"{_WORDS[kind]}{_range(limits)}"]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        named = kind.model_fields.get("name")
        if named is not None and get_origin(named.annotation) is Literal:
            return [f"{{name: {name}}}" for name in get_args(named.annotation)]
        return [f"a mapping with the keys {', '.join(kind.model_fields)}"]
    return [_WORDS[kind] if kind in _WORDS else getattr(kind, "__name__", str(kind))]


def _range(limits: Sequence[Any]) -> str:
    """The bounds among a field's metadata, in words, or as an interval where there are two."""
    at_least, above, at_most, below = (_bound(limits, name) for name in ("ge", "gt", "le", "lt"))
    low = at_least if above is None else above
    high = at_most if below is None else below
    if low is not None and high is not None:
        opening, closing = "[" if above is None else "(", "]" if below is None else ")"
        return f" in {opening}{low}, {high}{closing}"
    if low is not None:
        return f" of at least {low}" if above is None else f" above {low}"
    if high is not None:
        return f" of at most {high}" if below is None else f" below {high}"
    return ""


def _bound(limits: Sequence[Any], name: str) -> str | None:
    found = [bound for limit in limits if (bound := getattr(limit, name, None)) is not None]
    return _number(found[-1]) if found else None


def _number(bound: float) -> str:
    return str(int(bound)) if float(bound).is_integer() else f"{bound:g}"
