"""`report.json`: the report as data. Its named keys, their order and types are a contract; more may follow.

Strict JSON: a missing run's score and an unbounded figure are null, and a NaN anywhere else is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite, isinf, isnan
from typing import Any

from crosscut_reports.result import (
    AblationPath,
    ArmResult,
    ContrastResult,
    Examples,
    PowerPlan,
    Result,
    Shift,
    ShownQuery,
)

VERSION = 1

CONTRAST_KEYS = (
    "name", "metric", "scope", "declared", "estimate", "se", "df", "statistic", "p", "p_adjusted", "ci",
    "verdict", "wins", "ties", "losses", "sd_seed", "sd_query", "sd_residual", "seeds_to_decide",
    "seeds", "clusters", "family", "smallest_effect", "sentence", "weights", "family_name", "adjustment",
    "simultaneous",
)  # fmt: skip
DESIGN_KEYS = (
    "configs", "seeds", "queries", "clusters", "factors", "balanced", "scope",
    "primary", "alpha", "margin", "baseline", "adjustment", "family", "resampled",
)  # fmt: skip
FACTOR_KEYS = (
    "factor",
    "metric",
    "scope",
    "F",
    "df1",
    "df2",
    "p",
    "p_adjusted",
    "levels",
    "cells",
    "combinations",
)
ARM_KEYS = ("arm", "metric", "mean", "ci", "seeds", "trials", "sd_seed", "values", "levels", "scope")
LENGTH_KEYS = ("arm", "metric", "low", "high", "queries", "mean", "ci", "scope")
GUARD_KEYS = ("guard", "severity", "message")
EFFECT_PARTS = ("here", "there", "more")


def contrast_row(contrast: ContrastResult) -> dict[str, Any]:
    """A contrast under the contract's keys, in their order."""
    return _picked(contrast, CONTRAST_KEYS)


def as_data(result: Result) -> dict[str, Any]:
    """The report as plain dicts, lists and scalars. Raises ValueError for a NaN that is not a missing run."""
    context = result.context
    data = {
        "design": _picked(result.design, DESIGN_KEYS)
        | {"families": [vars(family) for family in result.design.families]},
        "contrasts": [contrast_row(contrast) for contrast in result.contrasts],
        "factors": [_picked(factor, FACTOR_KEYS) for factor in result.factors],
        "arms": [_arm_row(arm) for arm in result.arms],
        "guards": [_picked(guard, GUARD_KEYS) for guard in result.guards],
        "version": VERSION,
        "name": context.name,
        "question": context.question,
        "tuning": [vars(tuning) for tuning in context.tuning],
        "failures": [vars(failure) for failure in context.failures],
        "attention": {
            arm: {
                metric: {"mean": mean, "sd": None if isnan(sd) else sd} for metric, (mean, sd) in rows.items()
            }
            for arm, rows in context.attention.items()
        },
        "provenance": context.provenance,
        "planned": context.planned,
        "recorded": context.recorded,
        "shift": None if result.shift is None else _shift(result.shift),
        "lengths": [_picked(band, LENGTH_KEYS) for band in result.lengths],
        "examples": None if result.examples is None else _examples(result.examples),
        "interactions": [_picked(one, FACTOR_KEYS) for one in result.interactions],
        "shapley": [
            {
                "baseline": one.baseline,
                "target": one.target,
                "shares": [contrast_row(share) for share in one.shares],
                "whole": contrast_row(one.whole),
            }
            for one in result.shapley
        ],
        "path": None if result.path is None else _path(result.path),
        "ranking": None if result.ranking is None else vars(result.ranking),
        "importance": [vars(one) for one in context.importance],
        "power": None if result.power is None else _power(result.power),
        "sequential": [vars(one) for one in result.sequential],
    }
    plain: dict[str, Any] = _plain(data, "report.json")
    return plain


def render(result: Result) -> str:
    """The text of `report.json`."""
    return json.dumps(as_data(result), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _arm_row(arm: ArmResult) -> dict[str, Any]:
    return _picked(arm, ARM_KEYS) | {"values": [None if isnan(value) else value for value in arm.values]}


def _shift(shift: Shift) -> dict[str, Any]:
    """The comparison of splits; what is here, there and more are contrasts as others are."""
    return {
        "source": shift.source,
        "metric": shift.metric,
        "splits": shift.splits,
        "own": [_arm_row(arm) for arm in shift.own],
        "drops": [
            {
                "arm": drop.arm,
                "split": drop.split,
                "paired": drop.paired,
                "there": _arm_row(drop.there),
                "contrast": contrast_row(drop.contrast),
            }
            for drop in shift.drops
        ],
        "effects": [
            {"name": effect.name, "split": effect.split}
            | {part: contrast_row(getattr(effect, part)) for part in EFFECT_PARTS}
            for effect in shift.effects
        ],
        "curves": [
            {"series": curve.series, "arm": curve.arm, "points": [vars(point) for point in curve.points]}
            for curve in shift.curves
        ],
    }


def _path(path: AblationPath) -> dict[str, Any]:
    steps = [vars(step) | {"contrast": contrast_row(step.contrast)} for step in path.steps]
    return {"baseline": path.baseline, "mean": path.mean, "steps": steps}


def _power(plan: PowerPlan) -> dict[str, Any]:
    needed = [{"difference": size, "seeds": seeds, "never": never} for size, seeds, never in plan.needed]
    return vars(plan) | {"points": [vars(point) for point in plan.points], "needed": needed}


def _examples(examples: Examples) -> dict[str, Any]:
    """The queries that are shown, without their pictures."""
    return {
        "name": examples.name,
        "left": examples.left,
        "right": examples.right,
        "looked_at": examples.looked_at,
        "for_left": [_shown(shown) for shown in examples.for_left],
        "for_right": [_shown(shown) for shown in examples.for_right],
    }


def _shown(shown: ShownQuery) -> dict[str, Any]:
    return {
        "query": shown.query,
        "words": shown.view.words,
        "ranks": shown.ranks,
        "boxes": _rounded(shown.view.boxes.tolist()),
        "attention": {arm: _rounded(weights.tolist()) for arm, weights in shown.view.attention.items()},
    }


def _rounded(rows: list[list[float]]) -> list[list[float | None]]:
    """To four decimals; what is no number is null."""
    return [[round(value, 4) if isfinite(value) else None for value in row] for row in rows]


def _picked(value: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: getattr(value, key) for key in keys}


def _plain(value: Any, where: str) -> Any:
    """Mappings as dicts, sequences as lists, infinities as None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, float):
        if isnan(value):
            raise ValueError(f"{where}: expected a number or null, found NaN")
        return None if isinf(value) else float(value)
    return value
