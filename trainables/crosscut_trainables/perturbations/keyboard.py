"""Which letters lie beside each other on a keyboard."""

from __future__ import annotations

ROWS = ((0, "qwertyuiop"), (1, "asdfghjkl"), (3, "zxcvbnm"))
"""The rows of letters of a QWERTY keyboard, and how far each is moved to the right, in quarters of a key."""


def _neighbours() -> dict[str, str]:
    keys = [
        (letter, row, shift + 4 * column)
        for row, (shift, letters) in enumerate(ROWS)
        for column, letter in enumerate(letters)
    ]

    def touch(row: int, x: int, other_row: int, other_x: int) -> bool:
        reach = 4 if row == other_row else 3 if abs(row - other_row) == 1 else -1
        return (row, x) != (other_row, other_x) and abs(x - other_x) <= reach

    return {
        letter: "".join(sorted(other for other, *place in keys if touch(row, x, *place)))
        for letter, row, x in keys
    }


NEIGHBOURS: dict[str, str] = _neighbours()
"""Letter, a to z → the letters whose keys touch its key, two to six, in alphabetical order."""
