"""What all exchangeable parts of a model share: options that are checked, a name, a line that says what it is.

A component (backbone, constraint, loss, data set) is a frozen pydantic model: its fields are its options, its
methods its mathematics. What it learns is not held by it but made by it, in `parts`, and handed back to its
methods, so that a component is a value that can be validated, listed and hashed without importing torch.
Component modules therefore import torch inside functions only.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field


class Options(BaseModel):
    """Base of all options, a component's and a section's: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Component(Options):
    """Base of every component; unknown options are refused."""

    summary: ClassVar[str]
    """One line for lists: what it computes, and whose idea it is."""


def choice(registry: Mapping[str, type[Component]]) -> Any:
    """The pydantic type 'one of these components, told apart by `name`'."""
    members = list(registry.values())
    if len(members) == 1:
        return members[0]
    return Annotated[reduce(or_, members), Field(discriminator="name")]
