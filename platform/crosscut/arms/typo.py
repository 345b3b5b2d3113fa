"""Likely typing errors in patches, for trainables that do not say which keys they take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from crosscut.errors import Keys, Problem
from crosscut.sweepfile.patch import renames


def likely_typos(config: Mapping[str, Any], patch: Mapping[str, Any], before: Keys = ()) -> Iterator[Problem]:
    """Keys of `patch` that `config` lacks, but an edit or two away from one that it has there."""
    for key, value in patch.items():
        if key not in config:
            meant = _meant(key, config)
            if meant is not None:
                text = f"config has no such key; did you mean {meant!r}? If not, put {key} into config too"
                yield Problem((*before, key), text)
        elif (
            isinstance(value, Mapping)
            and isinstance(config[key], Mapping)
            and not renames(config[key], value)
        ):
            yield from likely_typos(config[key], value, (*before, key))


def _meant(key: str, known: Iterable[str]) -> str | None:
    if len(key) < 3:
        return None
    allowed = 1 if len(key) <= 5 else 2
    near = [(edits(key, other), other) for other in known if _letters(key) != _letters(other)]
    distance, meant = min(near, default=(allowed + 1, ""))
    return meant if distance <= allowed else None


def _letters(key: str) -> str:
    """`layer1` and `layer2` are two names, not one with an error."""
    return "".join(letter for letter in key if not letter.isdigit())


def edits(left: str, right: str) -> int:
    """How many insertions, deletions, replacements and swaps of neighbours make `left` into `right`.

    It is the optimal string alignment distance.

    >>> edits("nmae", "name"), edits("learnign_rat", "learning_rate"), edits("abc", "")
    (1, 2, 3)
    """
    rows = [list(range(len(right) + 1))]
    for i, letter in enumerate(left, start=1):
        row = [i]
        for j, other in enumerate(right, start=1):
            cost = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == right[j - 2] and left[i - 2] == other:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]
