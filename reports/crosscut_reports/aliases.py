"""Effects that a fraction of a factorial cannot tell apart."""

from __future__ import annotations

from itertools import combinations

from crosscut_reports.contrast import Levels, cells, factor_levels, whole_cells


def aliased(levels: Levels) -> dict[str, list[str]]:
    """Factor → interactions of two others, `b × c`, that its main effect is one with, up to their sign.

    Of factors of two levels of which no two arms are the same otherwise, so that their effects are differences of
    means over different settings of the others. With levels coded as ±1, an interaction is one with the effect
    where the product of all three is the same in every arm (Box and Hunter 1961).
    """
    names = factor_levels(levels)
    two = [factor for factor, known in names.items() if len(known) == 2]
    codes = {
        factor: [1 if levels[arm].get(factor) == names[factor][0] else -1 for arm in levels] for factor in two
    }
    found: dict[str, list[str]] = {}
    for factor in two:
        corners = [(level,) for level in names[factor]]
        apart = not any(all(corner in cell for corner in corners) for cell in cells(levels, [factor]))
        if not apart or not whole_cells(levels, [factor], corners):
            continue
        found[factor] = [
            f"{a} × {b}"
            for a, b in combinations([one for one in two if one != factor], 2)
            if len({x * y * z for x, y, z in zip(codes[factor], codes[a], codes[b], strict=True)}) == 1
        ]
    return found
