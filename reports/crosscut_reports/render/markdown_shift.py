"""The comparison of splits as Markdown."""

from __future__ import annotations

from crosscut_reports.render import numbers, prose, shift_prose
from crosscut_reports.render.figures import MARKS
from crosscut_reports.render.markup import table, text
from crosscut_reports.result import ArmResult, ContrastResult, Drop, Result, Shift


def render(result: Result, shift: Shift) -> list[str]:
    """The blocks of its section."""
    blocks = ["## Domain shift"]
    if shift.drops:
        blocks += [f"### {shift_prose.DROPS}", text(shift_prose.drops_caption(result, shift))]
        blocks.append(_drops(result, shift))
    if shift.effects:
        blocks += [f"### {shift_prose.EFFECTS}", text(shift_prose.effects_caption(result, shift))]
        blocks.append(_effects(result, shift))
    return blocks


def _drops(result: Result, shift: Shift) -> str:
    places = numbers.decimals(result, result.design.primary)
    mixed = shift_prose.mixed([drop.contrast for drop in shift.drops])

    def mean(arm: ArmResult) -> str:
        bounds = "" if arm.ci is None else f" {numbers.interval(arm.ci, places)}"
        return f"{numbers.points(arm.mean, places)}{bounds}"

    def cell(drop: Drop | None) -> str:
        if drop is None:
            return numbers.NONE
        scope = f" ({prose.scope_text(drop.contrast)})" if mixed else ""
        return f"{mean(drop.there)}; {_verdict(drop.contrast)} {_estimate(drop.contrast, places)}{scope}"

    rows = [[text(own.arm), mean(own), *map(cell, drops)] for own, drops in shift_prose.matrix(shift)]
    return table(["arm", *map(text, (shift.source, *shift.splits))], rows)


def _effects(result: Result, shift: Shift) -> str:
    places, alpha = numbers.decimals(result, result.design.primary), result.design.alpha
    mixed = shift_prose.mixed([effect.more for effect in shift.effects])
    rows = [
        [
            text(effect.name),
            text(effect.split),
            _verdict(effect.more),
            *(_estimate(part, places) for part in (effect.here, effect.there, effect.more)),
            text(numbers.p_value(effect.more.p, alpha)),
            text(numbers.p_value(effect.more.p_adjusted, alpha)),
            *([prose.scope_text(effect.more)] if mixed else []),
        ]
        for effect in shift.effects
    ]
    head = ["contrast", "split", "verdict", f"on {text(shift.source)}", "there", "there less here"]
    return table([*head, "p", "p adjusted", *(["scope"] if mixed else [])], rows, left=3)


def _verdict(contrast: ContrastResult) -> str:
    return f"{MARKS[contrast.verdict].glyph} {contrast.verdict}"


def _estimate(contrast: ContrastResult, places: int) -> str:
    bounds = "" if contrast.ci is None else f" {numbers.interval(contrast.ci, places, sign=True)}"
    return f"{numbers.signed(contrast.estimate, places)}{bounds}"
