"""Pruners: when search trials are given up. One file each; `PRUNERS` lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, get_args

from pydantic import BeforeValidator, Field

from crosscut.errors import one_of, shown
from crosscut.pruners.halving import Halving
from crosscut.pruners.median import Median
from crosscut.pruners.none import NoPruning
from crosscut.pruners.percentile import Percentile
from crosscut.pruners.pruner import Pruner
from crosscut.pruners.threshold import Threshold

AnyPruner = Median | Percentile | Threshold | Halving | NoPruning

PRUNERS: Mapping[str, type[Pruner]] = {
    get_args(pruner.model_fields["kind"].annotation)[0]: pruner for pruner in get_args(AnyPruner)
}
"""Every pruner under the name that sweep files use."""


def _median_unless_said(found: Any) -> Any:
    if isinstance(found, dict):
        return {"kind": "median", **found}
    if isinstance(found, Pruner):
        return found
    raise ValueError(f"found {shown(found)}, expected a mapping with the key kind, {one_of(PRUNERS)}")


PruningField = Annotated[AnyPruner, BeforeValidator(_median_unless_said), Field(discriminator="kind")]
"""A pruner as a section of a sweep file, `median` where it has no kind."""

__all__ = ["PRUNERS", "Median", "Pruner", "PruningField"]
