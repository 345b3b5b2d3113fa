"""Which trial the seeds take their values from. One file a rule; `RULES` lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, get_args

from pydantic import BeforeValidator, Field

from crosscut.choosing.best import Best
from crosscut.choosing.front import Front, front
from crosscut.choosing.knee import Knee
from crosscut.choosing.rule import Rule
from crosscut.choosing.weights import Weights
from crosscut.choosing.within import Within
from crosscut.errors import one_of, shown

AnyRule = Best | Within | Knee | Weights

RULES: Mapping[str, type[Rule]] = {
    get_args(rule.model_fields["rule"].annotation)[0]: rule for rule in get_args(AnyRule)
}
"""Every rule under the name that sweep files use."""


def _best_unless_said(found: Any) -> Any:
    if isinstance(found, dict):
        return {"rule": "best", **found}
    if isinstance(found, Rule):
        return found
    raise ValueError(f"found {shown(found)}, expected a mapping with the key rule, {one_of(RULES)}")


RuleField = Annotated[AnyRule, BeforeValidator(_best_unless_said), Field(discriminator="rule")]
"""A rule as a section of a sweep file, `best` where it names none."""

__all__ = ["RULES", "Best", "Front", "Rule", "RuleField", "front"]
