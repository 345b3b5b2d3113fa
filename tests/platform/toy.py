"""A trainable that costs nothing: the tests copy it beside their sweeps, where the platform imports it."""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from crosscut_trainables import Evaluation, QueryRanks, Session


def train(config: Mapping[str, Any], session: Session) -> Evaluation:
    """Three steps towards a score that `x` and `effect` decide, with noise from the seed.

    `misbehave` says what goes wrong: `raise`, `raise on one worker` while the others wait for it, `nan`, `die`,
    `memory` and `hang` (once, in step 2, after a checkpoint), `hang always`, `nothing`.
    """
    if session.rank == 0:
        with Path(config["log"]).open("a") as log:
            log.write(f"{session.phase} {config['effect']} {session.seed} begins\n")
    if config["misbehave"] == "hang always" and session.phase == "final":
        time.sleep(600)
    state = session.restore() or {"step": 0, "score": 0.0}
    score = state["score"]
    for step in range(state["step"] + 1, 4):
        _wait(config["seconds"] / 3)
        noise = float(np.random.default_rng([session.seed, step]).normal())
        score += config["effect"] - (config["x"] - 0.7) ** 2 + noise
        if session.report(step, {"dev/rsum": score}):
            break
        if config["misbehave"] != "nothing" or config["checkpoint"]:
            session.save({"step": step, "score": score})
        if session.phase == "final" and step == 2:
            _misbehave(config, session)
    if session.phase == "search":
        return Evaluation({"dev/rsum": score})
    ranks = np.random.default_rng(session.seed).integers(1, 30, 60) - round(config["effect"])
    queries = QueryRanks(np.maximum(ranks, 1).astype(np.int32), np.arange(60, dtype=np.int32) // 2)
    rsum = 200.0 * sum(float((queries.ranks <= k).mean()) for k in (1, 5, 10))
    return Evaluation({"dev/rsum": score, "test/rsum": rsum}, {"test/i2t": queries, "test/t2i": queries})


def _misbehave(config: Mapping[str, Any], session: Session) -> None:
    what = config["misbehave"]
    if what == "raise":
        raise ValueError(f"seed {session.seed} does not like it")
    if what == "raise on one worker":
        if session.rank == session.world_size - 1:
            raise ValueError("one worker does not like it")
        import torch.distributed

        torch.distributed.barrier()
    if what == "nan":
        session.report(3, {"dev/rsum": math.nan})
    marker = Path(config["log"]).with_name(f"died-{session.seed}")
    once = what in ("die", "memory", "hang")
    if once and session.rank == session.world_size - 1 and not marker.exists():
        marker.touch()
        if what == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "memory":
            raise MemoryError("no room for the similarities")
        if what == "hang":
            _stand_still()


def _stand_still() -> None:
    time.sleep(600)


def _wait(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        sum(range(1000))
