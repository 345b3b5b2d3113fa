"""Sharing: arms whose searched values come from the search of another arm."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence


def leaders(
    cells: Sequence[Mapping[str, str]], baseline: Mapping[str, str] | None, share: Collection[str]
) -> list[int]:
    """For every arm the place of the arm that is searched for it, its own where it is searched itself.

    Arms that differ in the factors of `share` alone are a group. The baseline is searched for its group, in every
    other the arm that comes first.

    >>> arms = [{"a": "x", "b": "1"}, {"a": "x", "b": "2"}, {"a": "y", "b": "1"}]
    >>> leaders(arms, {"a": "x", "b": "2"}, ["b"])
    [1, 1, 2]
    """
    groups: dict[tuple[str, ...], list[int]] = {}
    for place, cell in enumerate(cells):
        rest = tuple(level for factor, level in cell.items() if factor not in share)
        groups.setdefault(rest, []).append(place)
    found = list(range(len(cells)))
    for members in groups.values() if share else ():
        first = next((place for place in members if cells[place] == baseline), members[0])
        for place in members:
            found[place] = first
    return found
