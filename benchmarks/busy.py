"""A trainable that does nothing for a while: the occupancy benchmark copies it beside its sweep."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from crosscut_trainables import Evaluation, Session


def work(seconds: float) -> None:
    """Keep a core busy for so many seconds of wall time."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


def train(config: Mapping[str, Any], session: Session) -> Evaluation:
    """A run of `config["seconds"]`, with a score that the seed decides."""
    work(config["seconds"])
    score = config["effect"] + session.seed + config.get("slope", 0.0)
    return Evaluation({"dev/rsum": score, "test/rsum": score})
