"""What a report says of the comparison of splits: the rows of its tables, and the captions that explain them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from crosscut_reports.render import numbers, prose
from crosscut_reports.result import ArmResult, ContrastResult, Drop, Result, Shift

DROPS = "How the arms do on other splits"
EFFECTS = "Does it help more under shift?"
SEVERITIES = "By severity"
MOST_COLUMNS = 6
"""Splits beside the source that a table of the matrix has at most."""


def matrix(shift: Shift) -> list[tuple[ArmResult, list[Drop | None]]]:
    """A row an arm: its own mean on the source, and what it has on each other split."""
    drops = {(drop.arm, drop.split): drop for drop in shift.drops}
    return [(arm, [drops.get((arm.arm, split)) for split in shift.splits]) for arm in shift.own]


def columns(shift: Shift) -> list[slice]:
    """The other splits of each table of the matrix, which a page has room for, about as many in each."""
    count = len(shift.splits)
    tables = max(1, -(-count // MOST_COLUMNS))
    ends = [round(number * count / tables) for number in range(tables + 1)]
    return [slice(*pair) for pair in pairwise(ends)]


def drops_caption(result: Result, shift: Shift) -> str:
    """What the matrix of arms and splits shows."""
    contrasts = [drop.contrast for drop in shift.drops]
    level = f"{100 * (1 - result.design.alpha):g}%"
    found = [
        f"Mean {shift.metric} with its {level} interval; below it the change from {shift.source}, with its own "
        "interval and a verdict: a loss is negative and worse."
    ]
    if not shift.higher_is_better:
        found.append(f"Less {shift.metric} is better, so a rise counts as a loss.")
    found.append(_family(result, "changes", contrasts))
    paired = {split: {drop.paired for drop in shift.drops if drop.split == split} for split in shift.splits}
    same = [split for split, kinds in paired.items() if kinds == {True}]
    if same:
        found.append(f"{_named(same, shift)} the same clusters as {shift.source}, compared one by one.")
    other = [
        split
        for split in shift.splits
        if any(d.split == split and not d.paired and d.contrast.clusters is not None for d in shift.drops)
    ]
    if other:
        found.append(
            f"{_named(other, shift)} other queries than {shift.source}, so that a change is also "
            "about how hard they are."
        )
    return " ".join(found)


def effects_caption(result: Result, shift: Shift) -> str:
    """What the table of contrasts and splits shows."""
    contrasts = [effect.more for effect in shift.effects]
    other_way = "" if shift.higher_is_better else ", though less of the metric is better"
    return (
        f"Each contrast on {shift.source}, on another split, and the difference of the two: positive where the "
        f"left side of its name gains more, or loses less, on the other split{other_way}. How hard a split is by "
        "itself drops out. p and verdict are of that difference. " + _family(result, "differences", contrasts)
    )


def severities_caption(result: Result, shift: Shift) -> str:
    """What the curves show."""
    scopes = {point.scope for curve in shift.curves for point in curve.points}
    level = f"{100 * (1 - result.design.alpha):g}%"
    scope = prose.scope(shift.own) if len(scopes) == 1 else None
    tail = "" if scope in (None, numbers.NONE) else f" (scope: {scope})"
    return (
        f"Mean {shift.metric} of each arm by how much was done to the split, 0 being nothing, with {level} "
        f"intervals{tail}. All points of a series are about the same queries, so they rise and fall together: "
        "what lies between two arms, or two severities, is known better than overlapping intervals suggest."
    )


def mixed(contrasts: Sequence[ContrastResult]) -> bool:
    """Whether contrasts have several scopes, so that each must tell its own."""
    return bool(contrasts) and prose.scope(contrasts) is None


def _family(result: Result, noun: str, contrasts: Sequence[ContrastResult]) -> str:
    facts = result.design
    size = contrasts[0].family if contrasts else 0
    scope = prose.scope(contrasts)
    parts = ["exploratory", f"one family of {size}", f"adjusted by {facts.adjustment}"]
    parts += [f"scope: {scope}"] if contrasts and scope is not None else []
    margin = f" Equivalent means within ±{facts.margin:g} points." if facts.margin > 0 else ""
    return f"All {noun} are {', '.join(parts)}.{margin}"


def _named(splits: Sequence[str], shift: Shift) -> str:
    """These splits as the subject of what they have."""
    if len(splits) == len(shift.splits) > 1:
        return "All of these splits have"
    return f"{numbers.words(splits)} {'has' if len(splits) == 1 else 'have'}"
