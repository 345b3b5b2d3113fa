"""Seeds for everything random in a run: one for every purpose and epoch, so no draw depends on another.

A run that is resumed after an epoch, or shared by more workers, therefore draws what the undisturbed one
drew.
"""

from __future__ import annotations

import hashlib


def seed_for(seed: int, purpose: str, epoch: int = 0) -> int:
    """The seed (63 bits, not negative) of `purpose` in `epoch` of a run that has the seed `seed`.

    >>> seed_for(1, "order", 2) == seed_for(1, "order", 2)
    True
    >>> seed_for(1, "order", 2) == seed_for(1, "order", 3)
    False
    """
    digest = hashlib.sha256(f"{seed}/{purpose}/{epoch}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
