"""Keys: what names a record is a hash of everything that defines its result, and of nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

FORMAT = 1
"""Version of what a key covers and what a record holds. A new one makes every record a stranger."""


def canonical(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces, floats as Python prints them.

    Raises:
        ValueError: the value holds NaN or an infinity, which JSON cannot say.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def digest(value: Any) -> str:
    """Hexadecimal SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def run_key(*, trainable: str, config: Mapping[str, Any], seed: int, data: str) -> str:
    """Key of a run: an arm's resolved configuration, trained to the end with a seed on some data.

    How the configuration was found, how many workers train it and where do not enter.
    """
    return _short({"phase": "final", "trainable": trainable, "config": config, "seed": seed, "data": data})


def trial_key(
    *,
    trainable: str,
    config: Mapping[str, Any],
    seed: int,
    data: str,
    search: Mapping[str, Any],
    space: Mapping[str, Any],
    index: int,
) -> str:
    """Key of search trial `index` of an arm.

    The values that the trial tries are a function of the search's settings, its space and the trials before
    it, so they need not enter; nor does the number of trials, so a longer search goes on with the same trials.
    """
    return _short(
        {
            "phase": "search",
            "trainable": trainable,
            "config": config,
            "seed": seed,
            "data": data,
            "search": search,
            "space": space,
            "index": index,
        }
    )


def _short(identity: dict[str, Any]) -> str:
    # 80 bits: no two of a million runs meet by chance (odds 4e-13), and a folder's name stays readable.
    return digest({"format": FORMAT, **identity})[:20]
