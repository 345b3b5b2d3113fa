"""How many of some things a share of them is."""

from __future__ import annotations

import math

from crosscut_trainables.data.draws import Draws


def share_of(share: float, count: int, draws: Draws) -> int:
    """`share` · `count` as a whole number, rounded up or down at random so that it is exact on average.

    Rounding to the nearest would leave every caption of four words alone at a share of 0.1. One number is drawn
    whatever the share is, and a larger share never gives fewer.
    """
    exact = share * count
    whole = math.floor(exact)
    return whole + draws.chance(exact - whole)
