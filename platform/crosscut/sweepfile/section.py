"""What all parts of a sweep file share: frozen, no unknown keys, numbers that are numbers."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict

from crosscut.errors import ProblemsError, shown
from crosscut.sweepfile import document


class Section(BaseModel):
    """Base of every part of a sweep file."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True, title=None
    )


Whole = Annotated[int, Strict()]
"""A whole number; neither 5.0 nor "5" nor true."""

Number = Annotated[float, Strict()]
"""A finite number."""


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    strangers = list(document.strangers(value))
    if strangers:
        raise ProblemsError(strangers)
    return value


def _mapping(value: Any) -> Any:
    return {} if value is None else value


Config = Annotated[dict[str, Any], BeforeValidator(_mapping), AfterValidator(_plain)]
"""A configuration, or a patch of one: what JSON can hold. Nothing (`none:`) is an empty one."""


def _name(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(
            f"found {shown(value)}, expected a name; YAML reads yes, no, on and off as true or false, so "
            "such a name stands in quotes"
        )
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str):
        raise ValueError(f"found {shown(value)}, expected a name")
    if not value.strip() or value != value.strip() or not value.isprintable() or len(value) > 80:
        raise ValueError(f"found {shown(value)}, expected a name of 1 to 80 printed characters")
    if "," in value or " vs " in value or "=" in value:
        raise ValueError(f"found {shown(value)}, expected a name without a comma, '=' or ' vs '")
    return value


Name = Annotated[str, BeforeValidator(_name), Field(min_length=1, max_length=80)]
"""A factor's or a level's name, as it was typed: 0.20 stays 0.20."""
